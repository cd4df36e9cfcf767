"""Comparisons of wording and length. Built by the registry in __init__."""

from __future__ import annotations

from evaluators.core.diff import normalise, text_distance, words
from evaluators.core.finding import Arm, CheckType, Compare, Finding, Params, comparison, differ, same, skipped

DISTANCE = 0.5
"""Where wording of long answers tells most: of 805 answers of two versions of one model half are further apart, while
99 of 100 differ somehow. A limit near 0 would count nearly every pair, live against itself included, and leave no room
above the noise floor."""
LONG = 400
"""Characters from which DISTANCE holds in full; below, the limit shrinks in proportion. «42» and «43», «positive» and
«negative» are near as texts and different as answers."""
RATIO = 2.0
SHORT = 5
"""Words added to both counts, so that «Yes.» against «Yes, it is.» is not three times as long."""


@comparison("shadow:text", dimension="correctness", takes=("threshold",))
def text(params: Params) -> Compare:
    """The answers are worded differently: their text_distance is above the limit, white space and Unicode form aside.

    The limit is `threshold` if given (0: any difference), else DISTANCE, less for short answers. What share of pairs
    differs means little by itself, since live differs from itself too: the report subtracts the control's share.
    """
    fixed = () if params.threshold is None else (params.limit(DISTANCE),)

    def check(live: Arm, shadow: Arm) -> Finding:
        before, after = _text(live), _text(shadow)
        if not (before or after):
            return skipped("neither answer has text")
        distance, size = text_distance(before, after), max(len(before), len(after))
        limit = fixed[0] if fixed else DISTANCE * min(1.0, size / LONG)
        detail = f"distance {distance:.2f}, limit {limit:.2f}"
        return differ(distance, detail) if distance > limit else same(detail, distance)

    return check


@comparison("shadow:length", dimension="usefulness", takes=("threshold",), layer="format")
def length(params: Params) -> Compare:
    """One answer has more than `threshold` (2) times the words of the other, SHORT words added to both.

    The path says which way: `longer` or `shorter` than live. The distance is 1 − shorter / longer.
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
    return normalise(arm.reply.words)
