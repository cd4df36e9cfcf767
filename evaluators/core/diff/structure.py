"""Where two JSON values differ. Neighbours: embedded_json finds the values, wording compares texts.

A place is an RFC 6901 pointer in which array indexes (and keys that are numbers or ids) are written `*`, so that
the same place in a thousand answers is one row of a report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from math import inf
from typing import Any

MAX_DIFFERENCES = 200
MAX_DEPTH = 200
"""Levels that a place names; what lies deeper is compared all the same and reported at this depth."""
MAX_PLACE = 160
"""Characters of a place: places are keys of tallies, and an answer chooses its own keys."""
MAX_STEPS = 300_000
"""Values visited, about half a second; a 1 MB answer made of nothing but short numbers has as many."""

ROUNDING = 1e-9
"""Relative: what a decimal loses on its way through a double, and nothing that a person would call a difference."""

_INSTANCE = re.compile(r"\d+|(?=[^-]*\d)[0-9a-fA-F-]{16,}")
_ROOT = "/"

Trail = tuple[str, ...]


class Op(StrEnum):
    """What happened to a place on the way from the first value to the second."""

    ADDED = "added"
    REMOVED = "removed"
    TYPE = "type"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two values differ."""

    path: str
    op: Op


def json_diff(a: Any, b: Any, tolerance: float = ROUNDING) -> tuple[Difference, ...]:
    """The differences from `a` to `b`, values as a JSON parser makes them; () when they are equal.

    Two numbers are equal when |a − b| <= tolerance · max(|a|, |b|); two whole numbers at the default tolerance only
    when they are the same. At most MAX_DIFFERENCES are returned, in the order of sorted keys, so that swapping the
    arguments only swaps added and removed.
    """
    return tuple(islice(_walk(a, b, tolerance), MAX_DIFFERENCES))


def leaves(value: Any) -> int:
    """How many scalars and empty containers a value holds: the size that a number of differences is measured by."""
    count, stack = 0, [value]
    while stack:
        item = stack.pop()
        inside = _children(item)
        count += not inside
        stack.extend(inside)
    return count


def place(trail: Trail) -> str:
    """The pointer of a trail of keys; indexes are already `*`. The whole value is `/`."""
    text = "".join("/" + _segment(key) for key in trail) or _ROOT
    return text if len(text) <= MAX_PLACE else text[: MAX_PLACE - 1] + "…"


def _walk(a: Any, b: Any, tolerance: float) -> Iterator[Difference]:
    stack: list[tuple[Trail, Any, Any]] = [((), a, b)]
    for _ in range(MAX_STEPS):
        if not stack:
            return
        trail, left, right = stack.pop()
        if _kind(left) != _kind(right):
            yield Difference(place(trail), Op.TYPE)
        elif isinstance(left, dict):
            yield from _keys(trail, left, right, stack)
        elif isinstance(left, list):
            yield from _items(trail, left, right, stack)
        elif not _equal(left, right, tolerance):
            yield Difference(place(trail), Op.VALUE)


def _keys(trail: Trail, left: Any, right: Any, stack: list[tuple[Trail, Any, Any]]) -> Iterator[Difference]:
    for key in sorted(left.keys() ^ right.keys()):
        yield Difference(place(_below(trail, key)), Op.REMOVED if key in left else Op.ADDED)
    for key in sorted(left.keys() & right.keys(), reverse=True):
        stack.append((_below(trail, key), left[key], right[key]))


def _items(trail: Trail, left: Any, right: Any, stack: list[tuple[Trail, Any, Any]]) -> Iterator[Difference]:
    below = _below(trail, "*")
    start, left_end, right_end = _aligned(left, right)
    shared = min(left_end, right_end) - start
    for _ in range(max(left_end, right_end) - start - shared):
        yield Difference(place(below), Op.REMOVED if left_end > right_end else Op.ADDED)
    for index in reversed(range(start, start + shared)):
        stack.append((below, left[index], right[index]))


def _aligned(left: Any, right: Any) -> tuple[int, int, int]:
    """What is left of two arrays of different length without their common scalars or containers at both ends.

    An element inserted at the front is then one addition and not a change of every element after it.
    """
    start, left_end, right_end = 0, len(left), len(right)
    if left_end == right_end:
        return start, left_end, right_end
    while start < min(left_end, right_end) and _alike(left[start], right[start]):
        start += 1
    while min(left_end, right_end) > start and _alike(left[left_end - 1], right[right_end - 1]):
        left_end, right_end = left_end - 1, right_end - 1
    return start, left_end, right_end


def _alike(a: Any, b: Any) -> bool:
    try:
        return bool(a == b) and _kind(a) == _kind(b)
    except RecursionError:  # nested to the limit: let the walk, which does not recurse, compare them
        return False


def _equal(a: Any, b: Any, tolerance: float) -> bool:
    if a == b:
        return True
    if _kind(a) != "number":
        return False
    if a != a or b != b:  # not a number, as a configuration may write it: equal to itself here, unlike in arithmetic
        return bool(a != a and b != b)
    if isinstance(a, int) and isinstance(b, int) and tolerance <= ROUNDING:
        return False  # ids and counts: no double was rounded on the way, so the last digit counts
    try:
        gap, size = abs(a - b), max(abs(a), abs(b))
        return bool(gap <= tolerance * size and gap < inf)
    except OverflowError:  # a whole number beyond every double
        return False


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _below(trail: Trail, key: str) -> Trail:
    return (*trail, key) if len(trail) < MAX_DEPTH else trail


def _segment(key: str) -> str:
    key = key[:MAX_PLACE]
    return "*" if _INSTANCE.fullmatch(key) else key.replace("~", "~0").replace("/", "~1")
