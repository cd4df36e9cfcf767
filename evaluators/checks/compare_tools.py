"""The comparison of tool calls, with places and the kinds of error of the Berkeley Function Calling Leaderboard.

Built by the registry in __init__. Live's calls play the possible answer, the candidate's are judged by it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from evaluators.core.diff import Difference, Op, json_diff, leaves, place, whole_json
from evaluators.core.finding import (
    MAX_PATHS,
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
from evaluators.core.reply import ToolCall

MAX_NEAREST = 6
"""Calls of one name per side that are matched by nearness, which costs their product; more are taken in order."""

_WRONG_NAME, _WRONG_COUNT = "wrong_func_name", "wrong_count"
_MISSING, _UNEXPECTED, _TYPE, _VALUE = "missing_required", "unexpected_param", "type_error", "value_error"
_LABELS = (_WRONG_NAME, _MISSING, _UNEXPECTED, _TYPE, _VALUE, _WRONG_COUNT)
_OF_AN_ARGUMENT = {Op.REMOVED: _MISSING, Op.ADDED: _UNEXPECTED, Op.TYPE: _TYPE, Op.VALUE: _VALUE}
_UNHEARD = str.maketrans("", "", " ,./-_*^")  # the leaderboard's own list


@dataclass(frozen=True, slots=True)
class _Match:
    distance: float  # of the two calls, in [0, 1]
    paths: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Given:
    """One call, its arguments read once."""

    name: str
    value: tuple[Any, ...]  # the arguments; () when they are no JSON
    key: str  # equal for calls that are equal


_SAME = _Match(0.0)


@comparison("shadow:tool-calls", dimension="correctness", version=2, takes=("config",))
def same_tool_calls(params: Params) -> Compare:
    """Other tools are called, or the same ones with other arguments; the order of parallel calls does not count.

    Places are `get_weather` for a call that one side lacks and `get_weather/city` for an argument. After them comes
    the kind of each error, a path of its own: `wrong_func_name` (another tool in place of live's), `wrong_count`
    (more or fewer calls), `missing_required` (an argument that live gave is not there), `unexpected_param`,
    `type_error` (also arguments of which one side's are no JSON) and `value_error` (also anything that differs
    inside an argument). There are at most MAX_PATHS paths; places give way to kinds.

    Strings that are values are compared in lower case and without spaces and `,./-_*^`, so that "New-York" is
    "new york", and "-5" is "5" as well: with `config: {exact: true}` they are compared as they stand. Names, keys and
    numbers always are. Arguments that are not JSON are compared as they stand. The distance is the mean over calls.
    """
    exact = params.options("exact").get("exact", False)
    if not isinstance(exact, bool):
        raise BadCheck("shadow:tool-calls needs `config: {exact: true}`, or false")

    def check(live: Arm, shadow: Arm) -> Finding:
        before, after = live.reply.tool_calls, shadow.reply.tool_calls
        if not before and not after:
            return skipped("neither answer calls a tool")
        if before == after:
            return same()
        matches = tuple(_matches([_given(call, exact) for call in before], [_given(call, exact) for call in after]))
        found = {label for match in matches for label in match.labels}
        if not found:
            return same()
        labels = tuple(label for label in _LABELS if label in found)
        paths = tuple(dict.fromkeys(path for match in matches for path in match.paths))[: MAX_PATHS - len(labels)]
        distance = sum(match.distance for match in matches) / len(matches)
        return differ(distance, f"{_names(before)} → {_names(after)}", (*paths, *labels))

    return check


TYPES: tuple[CheckType, ...] = (same_tool_calls,)


def _given(call: ToolCall, exact: bool) -> _Given:
    value = whole_json(call.arguments)
    if not value:
        return _Given(call.name, (), call.arguments)
    read = value[0] if exact else _heard(value[0])
    try:
        key = orjson.dumps(read, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # more than 254 levels: equal only where the text is
        key = call.arguments
    return _Given(call.name, (read,), key)


def _heard(value: Any) -> Any:
    """The value with its strings as they are compared; changed in place, for it was just read and may nest deep."""
    root = [value]
    stack: list[Any] = [root]
    while stack:
        item = stack.pop()
        for key, inner in item.items() if isinstance(item, dict) else enumerate(item):
            if isinstance(inner, str):
                item[key] = inner.translate(_UNHEARD).lower()
            elif isinstance(inner, dict | list):
                stack.append(inner)
    return root[0]


def _matches(before: Sequence[_Given], after: Sequence[_Given]) -> Iterator[_Match]:
    """Calls of one name first; of those that are left, one stands for another, and the rest are too many or too few."""
    left, right = _by_name(before), _by_name(after)
    missing: list[str] = []
    added: list[str] = []
    for name in sorted({*left, *right}):
        yield from _pair(name, left[name], right[name])
        surplus = len(left[name]) - len(right[name])
        missing += [name] * surplus
        added += [name] * -surplus
    for lost, other in zip(missing, added, strict=False):
        yield _Match(1.0, (_place(lost), _place(other)), (_WRONG_NAME,))
    for name in missing[len(added) :] + added[len(missing) :]:
        yield _Match(1.0, (_place(name),), (_WRONG_COUNT,))


def _by_name(calls: Sequence[_Given]) -> defaultdict[str, list[_Given]]:
    grouped: defaultdict[str, list[_Given]] = defaultdict(list)
    for call in calls:
        grouped[call.name].append(call)
    return grouped


def _pair(name: str, before: list[_Given], after: list[_Given]) -> Iterator[_Match]:
    """Equal calls first, then the nearest ones, then whatever is left in order."""
    left, right = _without(before, after), _without(after, before)
    yield from (_SAME for _ in range(len(before) - len(left)))
    if 1 < max(len(left), len(right)) <= MAX_NEAREST:
        left, right = _nearest_first(left, right)
    yield from (_compare(name, a, b) for a, b in zip(left, right, strict=False))


def _without(calls: list[_Given], others: list[_Given]) -> list[_Given]:
    """The calls that have no equal on the other side, in order."""
    equal = Counter(call.key for call in others)
    found = []
    for call in calls:
        if equal[call.key] > 0:
            equal[call.key] -= 1
        else:
            found.append(call)
    return found


def _nearest_first(before: list[_Given], after: list[_Given]) -> tuple[list[_Given], list[_Given]]:
    """Both lists reordered so that the greedily nearest calls stand side by side."""
    pairs = [(i, j, _compare("", a, b)) for i, a in enumerate(before) for j, b in enumerate(after)]
    left: list[int] = []
    right: list[int] = []
    for i, j, _ in sorted(pairs, key=lambda pair: (pair[2].distance, len(pair[2].paths))):
        if i not in left and j not in right:
            left.append(i)
            right.append(j)
    return _reordered(before, left), _reordered(after, right)


def _reordered(calls: list[_Given], first: list[int]) -> list[_Given]:
    return [calls[i] for i in first] + [call for i, call in enumerate(calls) if i not in first]


def _compare(name: str, before: _Given, after: _Given) -> _Match:
    if not before.value or not after.value:
        # What neither side can read is compared as it stands; what one side cannot read differs.
        label = _TYPE if before.value or after.value else _VALUE
        return _SAME if before.key == after.key else _Match(1.0, (_place(name),), (label,))
    left, right = before.value[0], after.value[0]
    differences = json_diff(left, right)
    if not differences:
        return _SAME
    size = max(leaves(left), leaves(right))
    named = isinstance(left, dict) and isinstance(right, dict)
    return _Match(
        min(1.0, len(differences) / size),
        tuple((_place(name) + found.path).rstrip("/") for found in differences),
        tuple({_label(found, named) for found in differences}),
    )


def _label(found: Difference, named: bool) -> str:
    """The kind of error; what an argument has inside is part of its value."""
    inside = found.path.count("/") > 1 or not named
    return _VALUE if inside and found.op in (Op.ADDED, Op.REMOVED) else _OF_AN_ARGUMENT[found.op]


def _place(name: str) -> str:
    return place((name,))[1:]


def _names(calls: Sequence[ToolCall]) -> str:
    return ", ".join(call.name[:40] for call in calls[:8]) or "none"
