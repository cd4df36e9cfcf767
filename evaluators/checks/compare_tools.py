"""The comparison of tool calls, with places. Built by the registry in __init__."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evaluators.core.diff import json_diff, leaves, place, whole_json
from evaluators.core.finding import Arm, CheckType, Compare, Finding, Params, comparison, differ, same, skipped
from evaluators.core.reply import ToolCall

MAX_NEAREST = 6
"""Calls of one name per side that are matched by nearness, which costs their product; more are taken in order."""


@dataclass(frozen=True, slots=True)
class _Match:
    distance: float  # of the two calls, in [0, 1]
    paths: tuple[str, ...]


_SAME = _Match(0.0, ())


@comparison("shadow:tool-calls", dimension="correctness")
def same_tool_calls(params: Params) -> Compare:
    """Other tools are called, or the same ones with other arguments; the order of parallel calls does not count.

    Places are `get_weather` for a call that one side lacks and `get_weather/city` for an argument. Arguments that
    are not JSON are compared as they stand. The distance is the mean over calls.
    """

    def check(live: Arm, shadow: Arm) -> Finding:
        before, after = live.reply.tool_calls, shadow.reply.tool_calls
        if not before and not after:
            return skipped("neither answer calls a tool")
        matches = tuple(_matches(before, after))
        paths = tuple(dict.fromkeys(path for match in matches for path in match.paths))
        distance = sum(match.distance for match in matches) / len(matches)
        return differ(distance, f"{_names(before)} → {_names(after)}", paths) if paths else same()

    return check


TYPES: tuple[CheckType, ...] = (same_tool_calls,)


def _matches(before: Sequence[ToolCall], after: Sequence[ToolCall]) -> Iterator[_Match]:
    left, right = _by_name(before), _by_name(after)
    for name in sorted({*left, *right}):
        yield from _pair(name, left[name], right[name])


def _by_name(calls: Sequence[ToolCall]) -> defaultdict[str, list[ToolCall]]:
    grouped: defaultdict[str, list[ToolCall]] = defaultdict(list)
    for call in calls:
        grouped[call.name].append(call)
    return grouped


def _pair(name: str, before: list[ToolCall], after: list[ToolCall]) -> Iterator[_Match]:
    """Equal calls first, then the nearest ones, then whatever is left in order."""
    left, right = _without_equal(before, after)
    yield from (_SAME for _ in range(len(before) - len(left)))
    if max(len(left), len(right)) <= MAX_NEAREST:
        left, right = _nearest_first(left, right)
    yield from (_compare(name, a, b) for a, b in zip(left, right, strict=False))
    yield from (_Match(1.0, (_place(name),)) for _ in range(abs(len(left) - len(right))))


def _without_equal(before: list[ToolCall], after: list[ToolCall]) -> tuple[list[ToolCall], list[ToolCall]]:
    common = Counter(before) & Counter(after)
    return list((Counter(before) - common).elements()), list((Counter(after) - common).elements())


def _nearest_first(before: list[ToolCall], after: list[ToolCall]) -> tuple[list[ToolCall], list[ToolCall]]:
    """Both lists reordered so that the greedily nearest calls stand side by side."""
    pairs = [(i, j, _compare("", a, b)) for i, a in enumerate(before) for j, b in enumerate(after)]
    left: list[int] = []
    right: list[int] = []
    for i, j, _ in sorted(pairs, key=lambda pair: (pair[2].distance, len(pair[2].paths))):
        if i not in left and j not in right:
            left.append(i)
            right.append(j)
    return _reordered(before, left), _reordered(after, right)


def _reordered(calls: list[ToolCall], first: list[int]) -> list[ToolCall]:
    return [calls[i] for i in first] + [call for i, call in enumerate(calls) if i not in first]


def _compare(name: str, before: ToolCall, after: ToolCall) -> _Match:
    left, right = whole_json(before.arguments), whole_json(after.arguments)
    if not left or not right:
        # What neither side can read is compared as it stands; what one side cannot read differs.
        return _SAME if before.arguments == after.arguments else _Match(1.0, (_place(name),))
    differences = json_diff(left[0], right[0])
    if not differences:
        return _SAME
    size = max(leaves(left[0]), leaves(right[0]))
    return _Match(min(1.0, len(differences) / size), tuple(_place(name) + found.path for found in differences))


def _place(name: str) -> str:
    return place((name,))[1:]


def _names(calls: Sequence[ToolCall]) -> str:
    return ", ".join(call.name[:40] for call in calls[:8]) or "none"
