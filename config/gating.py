"""Gate: one rule of the release decision, as the configuration file writes it. Part of settings; read by gate.

What a gate limits is its kind: a difference between candidate and live (max_regression, max_excess), a share
(red_line), a ratio (max_ratio), or a number of failures (max_failures). Contradictions are rules of a table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from config.routing import Strict
from config.units import Duration, Name, Share, When

Severity = Literal["blocker", "signal"]

LIMITS = ("max_regression", "max_excess", "red_line", "max_ratio", "max_failures")
_COUNTED_BY = {"first_byte": "first-byte", "total": "latency"}
_CLIPPED = (math.exp(-1), math.e)


class Level(NamedTuple):
    """A check to be: how one call is held against a service level."""

    type: str
    name: str
    threshold: float  # milliseconds
    when: dict[str, str | list[str]]
    severity: Severity


class Gate(Strict):
    """One rule of the release decision; exactly one of the limits.

    `within` makes a metric a service level: the share of calls that take longer, or give no answer, is limited. `when`
    judges one slice: the share of its conversations that are worse there less the share that are better.

    `mode: fixed` decides at the first look that finds `at` conversations, on all that this look finds, by an interval
    made for one look. Nothing is remembered of it: alpha holds for whoever acts on that look and takes no second one.
    """

    name: Name
    check: str | None = None
    metric: (
        Literal[
            "first_byte_p95", "total_p95", "first_byte_p50", "total_p50", "cost", "output_tokens", "first_byte", "total"
        ]
        | None
    ) = None
    within: Duration | None = None
    when: When = Field(default_factory=dict)
    max_regression: Share | None = None
    max_excess: Share | None = None
    red_line: Share | None = None
    max_ratio: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    max_failures: Annotated[int, Field(ge=0)] | None = None
    min_calls: Annotated[int, Field(ge=1)] | None = None
    min_conversations: Annotated[int, Field(ge=1)] = 100
    max_conversations: Annotated[int, Field(ge=1)] = 20_000
    mode: Literal["watched", "fixed"] = "watched"
    at: Annotated[int, Field(ge=1)] | None = None
    alpha: Annotated[Share, Field(gt=0, lt=0.5)] | None = None
    severity: Severity = "blocker"

    @property
    def kind(self) -> str:
        """Which limit is given."""
        return next(limit for limit in LIMITS if getattr(self, limit) is not None)

    @property
    def limit(self) -> float:
        """The number of the limit."""
        return float(getattr(self, self.kind))

    @property
    def label(self) -> str:
        """The check whose tallies are judged, "" for a gate on a ratio; a service level has its own, see Settings."""
        return self.name if self.within is not None else self.check or ""

    @property
    def slice(self) -> str:
        """The one slice that is judged, like "topic=billing"; "" for all traffic."""
        if self.within is not None or not self.when:
            return ""
        ((key, value),) = self.when.items()
        return f"{key}={value if isinstance(value, str) else value[0]}"

    @property
    def service_level(self) -> Level | None:
        """The check that counts a service level; None for any other gate."""
        if self.within is None or self.metric is None:
            return None
        return Level(_COUNTED_BY[self.metric], self.name, self.within * 1000, self.when, self.severity)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        given = [limit for limit in LIMITS if getattr(self, limit) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"give exactly one of {', '.join(LIMITS)} (found: {found})")
        for wrong, said in _GATE_RULES:
            if wrong(self):
                raise ValueError(said.format(kind=self.kind, metric=self.metric))
        return self


_GATE_RULES: tuple[tuple[Callable[[Gate], bool], str], ...] = (
    (
        lambda gate: (
            gate.within is not None
            and (
                gate.metric not in _COUNTED_BY
                or gate.check is not None
                or gate.kind not in ("red_line", "max_regression")
            )
        ),
        "`within:` makes a service level: give `metric:` first_byte or total, and red_line or max_regression",
    ),
    (
        lambda gate: gate.kind == "max_ratio" and (gate.metric is None or gate.check is not None),
        "{kind} limits a metric: give `metric:` and leave out `check:`",
    ),
    (
        lambda gate: (
            gate.kind != "max_ratio" and gate.within is None and (gate.check is None or gate.metric is not None)
        ),
        "{kind} limits a check: give `check:` and leave out `metric:`; a service level also needs `within:`",
    ),
    (
        lambda gate: (
            gate.kind == "max_ratio"
            and not str(gate.metric).endswith(("_p50", "_p95"))
            and not _CLIPPED[0] < gate.limit < _CLIPPED[1]
        ),
        "max_ratio of {metric} lies between 0.37 and 2.71: every conversation's ratio is clipped there",
    ),
    (
        lambda gate: (
            bool(gate.when)
            and gate.within is None
            and (gate.kind not in ("max_regression", "max_excess") or len(_values(gate.when)) != 1)
        ),
        "`when:` judges one slice by max_regression or max_excess: give one key with one value; for {kind}, give the"
        " check a `when:` of its own",
    ),
    (
        lambda gate: (gate.mode == "fixed") != (gate.at is not None),
        "`mode: fixed` and `at:` belong together: the number of conversations at which it is looked",
    ),
    (
        lambda gate: gate.mode == "fixed" and gate.kind not in ("max_regression", "max_excess", "red_line"),
        "`mode: fixed` is for max_regression, max_excess and red_line; leave it out for {kind}",
    ),
    (lambda gate: gate.min_calls is not None and gate.kind != "max_failures", "`min_calls:` belongs to max_failures"),
    (
        lambda gate: gate.kind == "max_failures" and gate.alpha is not None,
        "max_failures counts and has no error level: leave out `alpha:`",
    ),
    (
        lambda gate: gate.min_conversations > gate.max_conversations,
        "min_conversations is above max_conversations: lower the one or raise the other",
    ),
)


def _values(when: dict[str, str | list[str]]) -> list[str]:
    """Every value of every key."""
    return [one for value in when.values() for one in ([value] if isinstance(value, str) else value)]
