"""The configuration file as frozen models; JSON Schema and validation come from here. Read by load.

Only keys that do what they promise are fields. Keys of the language that are not available yet are
listed in NOT_YET, so that load can say so by name instead of calling them a typing mistake.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self, Union

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from config.gating import Gate as Gate
from config.gating import Severity
from config.routing import Candidate, Control, Live, Mount, Route, Strict
from config.templates import with_templates
from config.units import (
    Address,
    Duration,
    HeaderName,
    HttpUrl,
    MountPath,
    Name,
    Room,
    SamplingKey,
    Secret,
    ShadowPaths,
    Share,
    Size,
    TagSource,
    TopicWord,
    When,
    draft_07,
)


class Sampling(Strict):
    """Which calls are shadowed together, and when a conversation is over."""

    key: SamplingKey = "conversation"
    closes_after: Duration = 600.0


class Capture(Strict):
    """What is kept of a call, and what becomes a slice."""

    max_body: Size = 1 << 20
    headers: list[HeaderName] = ["content-type", "x-request-id"]
    tags: dict[Name, TagSource] = {}


class Spool(Strict):
    """Pairs on disk, in `data`, while the queue is slow or away; `max: 0` for none."""

    max: Room = 512 << 20


class Queue(Strict):
    """The Redis stream between proxy and evaluators; embedded when no url is given."""

    url: Secret | None = None
    stream: str = "understudy:pairs"
    max_pairs: Annotated[int, Field(ge=100)] = 100_000
    memory: Size = 64 << 20
    spool: Spool = Spool()


class Limits(Strict):
    """What a client may send, and how slowly; beyond it 414, 431, 413 or a closed connection."""

    line: Size = 16 << 10
    fields: Annotated[int, Field(ge=1, le=10_000)] = 100
    headers: Size = 64 << 10
    body: Size = 8 << 30
    slow_head: Duration = 60.0
    stall: Duration = 60.0


class ListenTls(Strict):
    """TLS for the application: PEM files, read at the start."""

    cert: str
    key: str


class Store(Strict):
    """Where findings and tallies live; SQLite in `data` when no url is given."""

    url: Secret | None = None


class Price(Strict):
    """USD per million tokens."""

    input: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    output: Annotated[float, Field(ge=0, allow_inf_nan=False)]


_SHORT = re.compile(
    r"(?P<type>(?:not-)?(?:(?:shadow|trajectory|similar):)?[a-z][a-z-]*)"
    r"(?:\((?P<threshold>\d+(?:\.\d+)?)\))?(?::(?P<value>[\s\S]*))?"
)


def spelled_out(check: Any) -> Any:
    """promptfoo's short form: `is-json`, `contains:text`, `levenshtein(5):text`. Anything else as it is."""
    match = _SHORT.fullmatch(check.strip()) if isinstance(check, str) else None
    if match is None:
        return {"type": check} if isinstance(check, str) else check
    return {key: float(text) if key == "threshold" else text for key, text in match.groupdict().items() if text}


class Reference(BaseModel):
    """A template's name, with whatever is to differ from it."""

    model_config = ConfigDict(extra="allow")

    ref: Annotated[str, Field(alias="$ref")]


CheckEntry = Annotated["Check", BeforeValidator(spelled_out, json_schema_input_type=Union[str, Reference, "Check"])]


class Check(Strict):
    """One check: promptfoo's type names plus ours; negated by a `not-` prefix.

    `assert` holds the members of an assert-set, `weight` says how much a member counts there or under a shared
    `metric`, `transform` is applied to the answer's text before the check sees it.
    """

    type: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    value: Any = None
    threshold: Annotated[float, Field(allow_inf_nan=False)] | None = None
    config: dict[str, Any] = {}
    transform: Annotated[str, Field(min_length=1)] | None = None
    weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    metric: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    members: Annotated[list[CheckEntry], Field(alias="assert")] = []
    when: When = {}
    severity: Severity = "signal"
    dimension: Literal["correctness", "usefulness", "risk", "latency", "cost"] | None = None
    layer: Literal["format", "task", "safety", "grounding"] | None = None

    @property
    def label(self) -> str:
        """The name that findings, gates and reports use."""
        return self.name or self.type


class Embeddings(Strict):
    """An OpenAI-compatible `/v1/embeddings` endpoint for semantic checks; without one they use hashed n-grams."""

    base_url: HttpUrl
    model: Annotated[str, Field(min_length=1)]
    api_key: Secret | None = None
    timeout: Duration = 10.0


class Dashboard(Strict):
    """Where the report is served for people."""

    listen: Address = "127.0.0.1:8081"
    token: Secret | None = None


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
    "judges": "model-graded checks",
    "capture.redact": "redaction of contents",
    "capture.retention": "retention",
    "candidates.budget": "budgets",
    "checks.judges": "model-graded checks",
    "checks.sample": "sampled checks",
    "candidates.dialect=openai-chat": "translation between API families",
    "candidates.dialect=anthropic-messages": "translation between API families",
    "candidates.dialect=gemini": "translation between API families",
}
"""Keys (and `key=value`) of the language whose promise is not kept yet: refused with «not available yet»."""


def _default_checks() -> list[Check]:
    return [Check.model_validate(check) for check in DEFAULT_CHECKS]


class Settings(Strict):
    """The whole file. An absent `checks` means DEFAULT_CHECKS; `checks: []` means none."""

    listen: Address = "127.0.0.1:8080"
    tls: ListenTls | None = None
    ops: Address = "127.0.0.1:9090"
    workers: Annotated[int, Field(ge=1, le=64)] | None = None
    limits: Limits = Limits()
    dashboard: Dashboard = Dashboard()
    data: Annotated[str, Field(min_length=1)] = "./understudy-data"
    live: Live | None = None
    candidates: list[Candidate] = []
    control: Control = Control()
    mounts: dict[MountPath, Mount] = {}
    sampling: Sampling = Sampling()
    shadow_paths: ShadowPaths = "default"
    capture: Capture = Capture()
    queue: Queue = Queue()
    store: Store = Store()
    prices: dict[str, Price] = {}
    slices: list[str] = ["route", "model", "turn", "topic", "prompt_length"]
    topics: dict[Name, list[TopicWord]] = {}
    templates: dict[str, dict[str, Any]] = {}
    embeddings: Embeddings | None = None
    checks: list[CheckEntry] = Field(default_factory=_default_checks)
    gates: list[Gate] = []
    alpha: Annotated[Share, Field(gt=0, lt=0.5)] = 0.05

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every live with its shadows: the one at the top of the file first, then the mounts."""
        top = [Route("", self.live, tuple(self.candidates), self.control)] if self.live is not None else []
        mounted = (Route(prefix, it.live, tuple(it.candidates), it.control) for prefix, it in self.mounts.items())
        return (*top, *mounted)

    @property
    def measured(self) -> tuple[Check, ...]:
        """Every check that runs: those of `checks`, and one for each service level among the gates."""
        return (*self.checks, *(Check(**gate.service_level._asdict()) for gate in self.gates if gate.service_level))

    @model_validator(mode="before")
    @classmethod
    def _with_templates(cls, values: Any) -> Any:
        return with_templates(values)

    @model_validator(mode="after")
    def _somebody_answers(self) -> Self:
        if self.live is None and not self.mounts:
            raise ValueError("nobody would answer: give `live: {base_url: https://api.example.com}`, or `mounts:`")
        return self


def redacted(settings: Settings) -> dict[str, Any]:
    """The settings in effect as plain values in the file's own spelling; every secret is `***`."""
    plain: dict[str, Any] = settings.model_dump(mode="json", by_alias=True)
    for candidate in (one for table in (plain, *plain["mounts"].values()) for one in table["candidates"]):
        headers = candidate["headers"]
        candidate["headers"] = {name: "***" if _CREDENTIAL.search(name) else headers[name] for name in headers}
    return plain


def json_schema() -> dict[str, Any]:
    """The language as JSON Schema draft-07, for editors: every typed value may also be a `${VARIABLE}`."""
    made = Settings.model_json_schema(ref_template="#/definitions/{model}")
    definitions = {name: draft_07(table) for name, table in made.pop("$defs").items()}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **draft_07(made),
        "title": "Understudy",
        "patternProperties": {"^x-": {"description": "Ignored: a place for YAML anchors."}},
        "definitions": definitions,
    }


_CREDENTIAL = re.compile(r"auth|cookie|key|token|secret|password", re.IGNORECASE)
