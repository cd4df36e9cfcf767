"""Assertions on the trace of a call: trace-span-count, trace-span-duration, trace-error-spans. Collected by trajectory.

The spans are named as OpenTelemetry names those of generative models: `chat MODEL` and `execute_tool NAME`. A pattern
that can fit neither asks for the inside of the application, which is not seen here. Values are promptfoo's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf
from typing import Any

from config.pair import NEVER
from evaluators.checks.trajectory.naming import bounds, glob, number, table
from evaluators.core.dialects import anthropic
from evaluators.core.finding import (
    Arm,
    Assert,
    BadCheck,
    CheckType,
    Finding,
    Params,
    assertion,
    broken,
    failed,
    passed,
)

_CHAT, _TOOL = "chat", "execute_tool"
_ANY = "*"
_LITERAL = re.compile(r"[^*?]*")
_TELLS_ERRORS = anthropic.NAME  # the only API whose tool results say whether the tool failed


@dataclass(frozen=True, slots=True)
class _Span:
    name: str
    milliseconds: float  # NEVER where it is not known
    error: bool
    told: bool  # whether the API would say so


@assertion("trace-span-count", dimension="usefulness", takes=("value",))
def span_count(params: Params) -> Assert:
    """Within `{min, max}` spans fit `pattern`."""
    fields = table(params, params.value, "pattern", "min", "max")
    if fields.get("min") is None and fields.get("max") is None:
        raise BadCheck(f"{params.type} needs a `min` or a `max`")
    allowed = bounds(params, fields, 0)
    pattern = _pattern(params, fields)

    def judge(arm: Arm, found: Sequence[_Span]) -> Finding:
        detail = f"{len(found)} spans fit {pattern}"
        return passed(detail) if allowed.hold(len(found)) else failed(f"{detail}, not {allowed}")

    return _asked(pattern, judge)


@assertion("trace-span-duration", dimension="cost", takes=("value",))
def span_duration(params: Params) -> Assert:
    """No span that fits `pattern` took more than `max` milliseconds; with `percentile`, this share of them did not.

    How long a tool ran is not seen here: where such a span counts, the answer is not known.
    """
    fields = table(params, params.value, "pattern", "max", "percentile")
    most = number(params, fields, "max", inf)
    percentile = number(params, fields, "percentile", 100.0)
    if most == inf or percentile > 100:
        raise BadCheck(f"{params.type} needs a `max` in milliseconds, and a `percentile` of 100 at most")
    alone = fields.get("percentile") is None
    pattern = _pattern(params, fields, _ANY)

    def judge(arm: Arm, found: Sequence[_Span]) -> Finding:
        known = sorted(span.milliseconds for span in found if span.milliseconds != NEVER)
        if alone and known and known[-1] > most:
            return failed(f"{known[-1]:.0f} ms, more than {most:g} ms", paths=(found[0].name,))
        if len(known) < len(found):
            return broken(f"how long {len(found) - len(known)} of {len(found)} spans took is not seen here")
        if not known:
            return passed(f"no span fits {pattern}")
        value = known[max(0, ceil(percentile / 100 * len(known)) - 1)]
        detail = f"{value:.0f} ms"
        return passed(detail) if value <= most else failed(f"{detail}, more than {most:g} ms")

    return _asked(pattern, judge)


@assertion("trace-error-spans", dimension="correctness", takes=("value",))
def error_spans(params: Params) -> Assert:
    """At most `max_count` of the spans that fit `pattern` (none by default), or `max_percentage`, ended with an error.

    The value may be the count alone. Where the API does not say whether a tool failed, what its results say is not
    known.
    """
    value = {"max_count": params.value} if isinstance(params.value, int | float) else params.value
    fields = table(params, {} if value is None else value, "max_count", "max_percentage", "pattern")
    share = number(params, fields, "max_percentage", inf)
    most = number(params, fields, "max_count", inf if share < inf else 0)
    pattern = _pattern(params, fields, _ANY)

    def judge(arm: Arm, found: Sequence[_Span]) -> Finding:
        wrong = [span.name for span in found if span.error]
        detail = f"{len(wrong)} of {len(found)} spans ended with an error"
        if len(wrong) > most or (found and 100 * len(wrong) / len(found) > share):
            return failed(detail, paths=tuple(dict.fromkeys(wrong)))
        return (
            passed(detail)
            if all(span.told for span in found)
            else broken("this API does not say whether a tool failed")
        )

    return _asked(pattern, judge)


TYPES: tuple[CheckType, ...] = (span_count, span_duration, error_spans)


def _pattern(params: Params, fields: Mapping[str, Any], other: str = "") -> str:
    pattern = fields.get("pattern") or other
    if not isinstance(pattern, str) or not pattern:
        raise BadCheck(f"{params.type} needs a `pattern` such as chat * or execute_tool search")
    return pattern


def _asked(pattern: str, judge: Callable[[Arm, Sequence[_Span]], Finding]) -> Assert:
    """The judgement of the spans that fit, unless none ever could."""
    fits, begins = glob(pattern), _LITERAL.match(pattern.lower())
    start = begins[0] if begins else ""
    if not any(kind.startswith(start) or start.startswith(kind) for kind in (f"{_CHAT} ", f"{_TOOL} ")):
        return lambda arm: broken(f"only `{_CHAT} MODEL` and `{_TOOL} NAME` are seen here, nothing like {pattern}")
    return lambda arm: judge(arm, [span for span in _spans(arm) if fits(span.name)])


def _spans(arm: Arm) -> Iterator[_Span]:
    told = arm.request.dialect == _TELLS_ERRORS
    for result in arm.request.tool_results:
        yield _Span(f"{_TOOL} {result.name}".strip(), NEVER, result.error, told)
    total = arm.timing.total
    model = arm.reply.model or arm.request.model
    yield _Span(f"{_CHAT} {model}".strip(), NEVER if total < 0 else 1000 * total, not arm.reply.ok, True)
