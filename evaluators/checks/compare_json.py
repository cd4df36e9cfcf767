"""The comparison of JSON answers, with places. Built by the registry in __init__."""

from __future__ import annotations

from collections import Counter
from typing import Any

from evaluators.core.diff import ROUNDING, Difference, json_blocks, json_diff, leaves
from evaluators.core.finding import Arm, CheckType, Compare, Finding, Params, comparison, differ, same, skipped

_ROOT = ("/",)


@comparison("shadow:json", dimension="correctness", version=2, takes=("threshold",))
def same_json(params: Params) -> Compare:
    """The JSON in the answers differs in structure or value; numbers may differ by `threshold` (1e-9) relatively.

    Compared is the whole answer if it is JSON, else its longest JSON block: wrapping is the business of is-json.
    Where only one side has JSON the answers differ at `/`, the root.
    """
    tolerance = params.limit(ROUNDING)

    def check(live: Arm, shadow: Arm) -> Finding:
        before, after = _data(live), _data(shadow)
        if not before and not after:
            return skipped("neither answer has JSON")
        if not before or not after:
            return differ(1.0, "only the shadow has JSON" if after else "only live has JSON", _ROOT)
        return _compare(before[0], after[0], tolerance)

    return check


TYPES: tuple[CheckType, ...] = (same_json,)


def _data(arm: Arm) -> tuple[Any, ...]:
    blocks = json_blocks(arm.reply.text)
    return (max(blocks, key=lambda block: block.size).value,) if blocks else ()


def _compare(before: Any, after: Any, tolerance: float) -> Finding:
    differences = json_diff(before, after, tolerance)
    if not differences:
        return same()
    distance = min(1.0, len(differences) / max(leaves(before), leaves(after)))
    return differ(distance, _summary(differences), tuple(dict.fromkeys(found.path for found in differences)))


def _summary(differences: tuple[Difference, ...]) -> str:
    counts = Counter(found.op.value for found in differences)
    return ", ".join(f"{count} {op}" for op, count in sorted(counts.items()))
