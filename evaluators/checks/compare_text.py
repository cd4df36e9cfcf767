"""Comparisons of wording and length. Built by the registry in __init__."""

from __future__ import annotations

from evaluators.core.diff import normalise, text_distance, words
from evaluators.core.finding import Arm, CheckType, Compare, Finding, Params, comparison, differ, same, skipped

DISTANCE = 0.5
RATIO = 2.0
SHORT = 5
"""Words added to both counts, so that «Yes.» against «Yes, it is.» is not four times as long."""


@comparison("shadow:text", dimension="correctness", takes=("threshold",))
def text(params: Params) -> Compare:
    """The answers are worded differently: distance above `threshold`, white space and Unicode form aside."""
    limit = params.limit(DISTANCE)

    def check(live: Arm, shadow: Arm) -> Finding:
        before, after = _text(live), _text(shadow)
        if live.reply.vector or shadow.reply.vector or not (before or after):
            return skipped("neither answer has text")
        distance = text_distance(before, after)
        return differ(distance, f"distance {distance:.2f}") if distance > limit else same(distance=distance)

    return check


@comparison("shadow:length", dimension="usefulness", takes=("threshold",))
def length(params: Params) -> Compare:
    """One answer has more than `threshold` (2) times the words of the other, SHORT words added to both.

    The path says which way: `longer` or `shorter` than live.
    """
    limit = params.limit(RATIO)

    def check(live: Arm, shadow: Arm) -> Finding:
        before, after = words(_text(live)), words(_text(shadow))
        if not (before or after):
            return skipped("neither answer has text")
        low, high = sorted((before + SHORT, after + SHORT))
        detail, distance = f"{before} → {after} words", 1 - low / high
        if high <= limit * low:
            return same(detail, distance)
        return differ(distance, detail, ("longer" if after > before else "shorter",))

    return check


TYPES: tuple[CheckType, ...] = (text, length)


def _text(arm: Arm) -> str:
    return normalise(arm.reply.text or arm.reply.refusal)
