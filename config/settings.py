"""The configuration file as frozen models; JSON Schema and validation come from here. Read by load.

Only keys that do what they promise are fields. Keys of the language that are not available yet are
listed in NOT_YET, so that load can say so by name instead of calling them a typing mistake.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from config.units import Duration, Share, Size

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")]
Address = Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):\d{1,5}$")]
Severity = Literal["blocker", "signal"]


class Strict(BaseModel):
    """Every table of the file: immutable, and a key that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Timeout(Strict):
    """Per-phase limits of one exchange. Live has no `total`: a stream may be long."""

    connect: Duration = 5.0
    first_byte: Duration = 120.0
    idle: Duration = 120.0


class ShadowTimeout(Timeout):
    """The same for a shadow, which must end some day."""

    idle: Duration = 60.0
    total: Duration = 600.0


class Live(Strict):
    """The upstream that answers the application."""

    base_url: HttpUrl
    timeout: Timeout = Timeout()
    api_key: SecretStr | None = None


class SystemPrompt(Strict):
    """How the copy's system prompt differs; exactly one key."""

    replace: str | None = None
    prepend: str | None = None
    append: str | None = None
    file: str | None = None


class Candidate(Strict):
    """One shadow upstream under test."""

    name: Name
    base_url: HttpUrl | None = None
    api_key: SecretStr | None = None
    dialect: Literal["same"] = "same"
    set: dict[str, Any] = {}
    unset: list[str] = []
    system_prompt: SystemPrompt | None = None
    headers: dict[str, str] = {}
    sample: Share = 1.0
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 64
    timeout: ShadowTimeout = ShadowTimeout()


class Control(Strict):
    """Live asked a second time: the noise floor. Uses the client's own credentials, at live's own origin."""

    sample: Share = 0.05
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 64
    timeout: ShadowTimeout = ShadowTimeout()


class Sampling(Strict):
    """Which calls are shadowed together, and when a conversation is over."""

    key: Annotated[str, Field(pattern=r"^(conversation|user|call|header:[A-Za-z0-9-]+)$")] = "conversation"
    closes_after: Duration = 600.0


class Capture(Strict):
    """What is kept of a call, and what becomes a slice."""

    max_body: Size = 1 << 20
    headers: list[str] = ["content-type", "x-request-id"]
    tags: dict[Name, Annotated[str, Field(pattern=r"^(header|body):.+$")]] = {}


class Queue(Strict):
    """The Redis stream between proxy and evaluators; embedded when no url is given."""

    url: SecretStr | None = None
    stream: str = "understudy:pairs"
    max_pairs: Annotated[int, Field(ge=100)] = 100_000
    memory: Size = 64 << 20


class Store(Strict):
    """Where findings and tallies live; SQLite in `data` when no url is given."""

    url: SecretStr | None = None


class Price(Strict):
    """USD per million tokens."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]


class When(Strict):
    """A check applies only where every given slice has this value (or one of these)."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Check(Strict):
    """One check: promptfoo's type names plus ours; negated by a `not-` prefix."""

    type: str
    name: str | None = None
    value: Any = None
    threshold: float | None = None
    when: dict[str, str | list[str]] = {}
    severity: Severity = "signal"
    dimension: Literal["correctness", "usefulness", "risk", "latency", "cost"] | None = None

    @property
    def label(self) -> str:
        """The name that findings, gates and reports use."""
        return self.name or self.type


class Gate(Strict):
    """One rule of the release decision; exactly one of the limits."""

    name: Name
    check: str | None = None
    metric: Literal["first_byte_p95", "total_p95", "first_byte_p50", "total_p50", "cost", "output_tokens"] | None = None
    max_regression: Share | None = None
    max_excess: Share | None = None
    red_line: Share | None = None
    max_ratio: Annotated[float, Field(gt=0)] | None = None
    min_conversations: Annotated[int, Field(ge=1)] = 100
    max_conversations: Annotated[int, Field(ge=1)] = 20_000
    severity: Severity = "blocker"


class Dashboard(Strict):
    """Where the report is served for people."""

    listen: Address = "127.0.0.1:8081"
    token: SecretStr | None = None


DEFAULT_SHADOW_PATHS = (
    "POST /**/chat/completions",
    "POST /**/completions",
    "POST /**/responses",
    "POST /**/messages",
    "POST /**/embeddings",
)
"""Stateless inference calls of the OpenAI and Anthropic APIs, under any prefix (Azure, gateways)."""

DEFAULT_CHECKS: tuple[dict[str, Any], ...] = (
    {"type": "missing-answer", "dimension": "usefulness"},
    {"type": "not-is-refusal", "dimension": "usefulness"},
    {"type": "shadow:text"},
    {"type": "shadow:json"},
    {"type": "shadow:tool-calls"},
    {"type": "shadow:refusal"},
    {"type": "shadow:finish-reason"},
    {"type": "shadow:length"},
)
"""What is measured when the file names no checks: needs no knowledge of the application.

`is-refusal` holds when an answer IS a refusal (promptfoo), so `not-is-refusal` counts refusals as failures;
`missing-answer` is a detector: it fails when the answer is missing.
"""

NOT_YET = {
    "mounts": "several upstreams under one proxy",
    "judges": "model-graded checks",
    "capture.redact": "redaction of contents",
    "capture.retention": "retention",
    "candidates.budget": "budgets",
    "queue.spool": "the disk spool",
    "checks.judges": "model-graded checks",
    "checks.sample": "sampled checks",
}
"""Keys of the language whose promise is not kept yet: refused with «not available yet»."""


class Settings(Strict):
    """The whole file."""

    listen: Address = "127.0.0.1:8080"
    ops: Address = "127.0.0.1:9090"
    dashboard: Dashboard = Dashboard()
    data: str = "./understudy-data"
    live: Live
    candidates: list[Candidate] = []
    control: Control = Control()
    sampling: Sampling = Sampling()
    shadow_paths: Literal["default"] | list[str] = "default"
    capture: Capture = Capture()
    queue: Queue = Queue()
    store: Store = Store()
    prices: dict[str, Price] = {}
    slices: list[str] = ["route", "model", "turn", "topic", "prompt_length"]
    topics: dict[Name, list[str]] = {}
    checks: list[Check] = []
    gates: list[Gate] = []
    alpha: Annotated[Share, Field(gt=0, lt=0.5)] = 0.05
