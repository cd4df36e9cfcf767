"""Who is asked: live, candidates and control, and the mounts that group them. Tables of settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from config.pair import Role
from config.units import Duration, HeaderName, HeaderValue, HttpUrl, Name, ProxyUrl, Secret, Share

PerSecond = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Strict(BaseModel):
    """Every table of the file: immutable; an unknown key, or `true` and "5" where a number belongs, is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Timeout(Strict):
    """Per-phase limits of one exchange. Live has no `total`: a stream may be long."""

    connect: Duration = 5.0
    first_byte: Duration = 120.0
    idle: Duration = 120.0


class ShadowTimeout(Timeout):
    """The same for a shadow, which must end some day."""

    idle: Duration = 60.0
    total: Duration = 600.0


class Tls(Strict):
    """TLS towards an upstream: `ca` is trusted in place of the system's authorities, `cert` and `key` identify us."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None

    @model_validator(mode="after")
    def _key_with_cert(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("a client certificate needs both `cert:` and `key:` (PEM files)")
        return self


class Live(Strict):
    """The upstream that answers the application."""

    base_url: HttpUrl
    timeout: Timeout = Timeout()
    api_key: Secret | None = None
    tls: Tls = Tls()
    proxy: ProxyUrl | None = None
    keep_alive: Duration = 4.0


class Breaker(Strict):
    """After `failures` in a row without an answer a shadow is left alone, but for one call every `probe`."""

    failures: Annotated[int, Field(ge=0)] = 20  # 0: never
    probe: Duration = 1.0


class SystemPrompt(Strict):
    """How the copy's system prompt differs; exactly one key. From a file, load turns `file` into `replace`."""

    replace: str | None = None
    prepend: str | None = None
    append: str | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        given = [key for key in SystemPrompt.model_fields if getattr(self, key) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"give exactly one of replace, prepend, append and file (found: {found})")
        return self


class Candidate(Strict):
    """One shadow upstream under test."""

    name: Name
    base_url: HttpUrl | None = None
    api_key: Secret | None = None
    dialect: Literal["same"] = "same"
    set: dict[str, Any] = {}
    unset: list[str] = []
    system_prompt: SystemPrompt | None = None
    headers: dict[HeaderName, HeaderValue] = {}
    sample: Share = 1.0
    again: Share = 0.0
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 64
    max_per_second: PerSecond | None = None
    breaker: Breaker = Breaker()
    timeout: ShadowTimeout = ShadowTimeout()
    tls: Tls | None = None  # default: live's at live's own base_url, else the system's
    proxy: ProxyUrl | None = None  # the same
    keep_alive: Duration = 4.0


class Control(Strict):
    """Live asked a second time: the noise floor. Uses the client's own credentials, at live's own origin."""

    sample: Share = 0.05
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 64
    max_per_second: PerSecond | None = None
    breaker: Breaker = Breaker()
    timeout: ShadowTimeout = ShadowTimeout()


class Mount(Strict):
    """One more live with shadows of its own, under a path prefix that the upstream does not see."""

    live: Live
    candidates: list[Candidate] = []
    control: Control = Control()


@dataclass(frozen=True, slots=True)
class Route:
    """One live and its shadows. `prefix` is "" for the live at the top of the file, else like `/openai`."""

    prefix: str
    live: Live
    candidates: tuple[Candidate, ...]
    control: Control

    def way(self, candidate: Candidate) -> tuple[str, Tls, SecretStr | None]:
        """A candidate's base URL, TLS and egress proxy: live's at live's own base URL, unless it has its own."""
        base_url = candidate.base_url or self.live.base_url
        at_live = base_url == self.live.base_url
        tls = candidate.tls or (self.live.tls if at_live else Tls())
        return base_url, tls, candidate.proxy or (self.live.proxy if at_live else None)

    @property
    def control_name(self) -> str:
        """What this control is called in pairs, metrics and reports: no candidate can have such a name."""
        return f"{Role.CONTROL}{self.prefix}"


def again_name(candidate: str) -> str:
    """What a candidate's second answers are called in pairs, metrics and accounting: no candidate can be called so."""
    return f"{candidate}/{Role.AGAIN}"


def is_control(name: str) -> bool:
    """Whether a shadow of this name is a control; see Route.control_name."""
    return name == Role.CONTROL or name.startswith(f"{Role.CONTROL}/")


def matching(prefixes: Iterable[str], path: str) -> str | None:
    """The longest of `prefixes` that `path` begins with, segment by segment; None when there is none."""
    fitting = [one for one in prefixes if path.startswith(one) and path[len(one) : len(one) + 1] in ("", "/")]
    return max(fitting, key=len, default=None)
