"""The comparison of numbers, dates and units. Built by the registry in __init__."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from evaluators.core.diff import ROUNDING, Amount, amounts, near, without_code, written
from evaluators.core.finding import (
    Arm,
    BadCheck,
    CheckType,
    Compare,
    Finding,
    Params,
    comparison,
    differ,
    same,
    skipped,
)

_OPTIONS = ("repeats",)


@comparison("shadow:numbers", dimension="correctness", takes=("threshold", "config"))
def same_numbers(params: Params) -> Compare:
    """The answers hold other numbers, dates, times, percentages, amounts of money or measures, in whatever order.

    Formats do not count (1,000 and 1000, «May 3» and «3 May», 5 km and 5000 m), nor does how often an answer repeats
    a number, unless `config: {repeats: true}`; program code in fences is left out. Numbers may differ by `threshold`
    (0) relatively; currencies are never converted. A number that the other answer writes as a word up to twenty is no
    difference, nor is one that only one side repeats from the question. The paths are kinds: `number`, `percent`,
    `date`, `time`, `currency`, `unit kg`, `code`.
    """
    tolerance = max(ROUNDING, params.limit(0))
    repeats = params.options(*_OPTIONS).get("repeats", False)
    if not isinstance(repeats, bool):
        raise BadCheck(f"{params.type} needs `config: {{repeats: true or false}}`")

    def check(live: Arm, shadow: Arm) -> Finding:
        left, right = _text(live), _text(shadow)
        before, after = _counted(left, repeats), _counted(right, repeats)
        if not before and not after:
            return skipped("neither answer has a number")
        gone, new = _unmatched(before, after, tolerance)
        gone, new = _unless(gone, written(right)), _unless(new, written(left))
        if not gone or not new:  # one answer only says more: what it took from the question is nothing new
            asked = set(amounts(live.request.prompt)) if gone or new else set()
            gone, new = ([amount for amount in side if amount not in asked] for side in (gone, new))
        if not gone and not new:
            return same()
        paths = tuple(sorted({amount.kind for amount in (*gone, *new)}))
        distance = max(len(gone), len(new)) / max(before.total(), after.total())
        return differ(distance, f"{len(gone)} only in live, {len(new)} only in the shadow", paths)

    return check


TYPES: tuple[CheckType, ...] = (same_numbers,)


def _text(arm: Arm) -> str:
    return without_code(arm.reply.words)


def _counted(text: str, repeats: bool) -> Counter[Amount]:
    counts = Counter(amounts(text))
    return counts if repeats else Counter(dict.fromkeys(counts, 1))


def _unmatched(
    before: Counter[Amount], after: Counter[Amount], tolerance: float
) -> tuple[Sequence[Amount], Sequence[Amount]]:
    """What is left on either side after equal amounts, then near ones in order of size, have cancelled out."""
    left, right = _ordered(before - after), _ordered(after - before)
    gone: list[Amount] = []
    new: list[Amount] = []
    i = j = 0
    while i < len(left) and j < len(right):
        if near(left[i], right[j], tolerance):
            i, j = i + 1, j + 1
        elif _size(left[i]) <= _size(right[j]):
            gone.append(left[i])
            i += 1
        else:
            new.append(right[j])
            j += 1
    return _second_reading((*gone, *left[i:]), (*new, *right[j:]))


def _second_reading(gone: Sequence[Amount], new: Sequence[Amount]) -> tuple[Sequence[Amount], Sequence[Amount]]:
    """Without those that agree when 1.234 is read as 1234, or 03/04 as the 3rd of April, on one side."""
    known = [{(one.kind, text) for one in side for text in _texts(one)} for side in (gone, new)]
    return (
        [one for one in gone if known[1].isdisjoint((one.kind, text) for text in _texts(one))],
        [one for one in new if known[0].isdisjoint((one.kind, text) for text in _texts(one))],
    )


def _texts(amount: Amount) -> tuple[str, ...]:
    return (amount.text, amount.other) if amount.other else (amount.text,)


def _unless(found: Sequence[Amount], words: frozenset[str]) -> Sequence[Amount]:
    return [amount for amount in found if amount.plain not in words]


def _ordered(counts: Counter[Amount]) -> list[Amount]:
    return sorted(counts.elements(), key=_size)


def _size(amount: Amount) -> tuple[str, str, float, str]:
    return amount.kind, amount.text.rpartition(" ")[0], amount.value, amount.text
