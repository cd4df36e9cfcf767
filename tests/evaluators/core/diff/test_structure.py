"""Differences of JSON values: by table, and by what must hold of any two."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.core.diff import Difference, Op, json_diff, leaves, place
from evaluators.core.diff.structure import MAX_DEPTH, MAX_DIFFERENCES, MAX_PLACE, MAX_STEPS

ADDED, REMOVED, TYPE, VALUE = Op.ADDED, Op.REMOVED, Op.TYPE, Op.VALUE
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS, lambda inside: st.lists(inside, max_size=5) | st.dictionaries(st.text(max_size=3), inside, max_size=5)
)


def nested(levels: int, core: Any) -> Any:
    """Lists in lists."""
    for _ in range(levels):
        core = [core]
    return core


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param({"a": 1}, {"a": 1}, [], id="equal"),
        pytest.param(1, 1.0, [], id="whole and decimal"),
        pytest.param(0.1 + 0.2, 0.3, [], id="within the tolerance"),
        pytest.param(0, 1e-12, [("/", VALUE)], id="nothing is relative to zero"),
        pytest.param({"a": 1}, {"a": 2}, [("/a", VALUE)], id="a value"),
        pytest.param({"a": "x"}, {"a": "y"}, [("/a", VALUE)], id="a text"),
        pytest.param({"a": 1}, {"a": "1"}, [("/a", TYPE)], id="a type"),
        pytest.param({"a": 1}, {"a": True}, [("/a", TYPE)], id="a boolean is no number"),
        pytest.param({"a": None}, {}, [("/a", REMOVED)], id="null is there"),
        pytest.param({}, {"a": []}, [("/a", ADDED)], id="a key"),
        pytest.param({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, [("/a/b/c", VALUE)], id="deep"),
        pytest.param(
            {"items": [{"p": 1}, {"p": 2}]}, {"items": [{"p": 3}, {"p": 4}]}, [("/items/*/p", VALUE)] * 2, id="indexes"
        ),
        pytest.param([1, 2, 3], [0, 1, 2, 3], [("/*", ADDED)], id="inserted in front"),
        pytest.param([1, 2, 3], [1, 3], [("/*", REMOVED)], id="removed in the middle"),
        pytest.param([1, 2], [1, 2, 3, 4], [("/*", ADDED)] * 2, id="appended"),
        pytest.param([1, 2, 3], [9, 3], [("/*", REMOVED), ("/*", VALUE)], id="removed and changed"),
        pytest.param([True, 1], [1], [("/*", REMOVED)], id="true is not one when aligned"),
        pytest.param([], {}, [("/", TYPE)], id="the root"),
        pytest.param({"a/b~c": 1}, {"a/b~c": 2}, [("/a~1b~0c", VALUE)], id="escapes"),
        pytest.param({"": 1}, {"": 2}, [("/", VALUE)], id="an empty key"),
        pytest.param({"1042": 1}, {"1042": 2}, [("/*", VALUE)], id="a key that is a number"),
        pytest.param({"0f8fad5b-d9cb-469f": 1}, {}, [("/*", REMOVED)], id="a key that is an id"),
        pytest.param({"b": 1, "a": 1}, {"c": 1}, [("/a", REMOVED), ("/b", REMOVED), ("/c", ADDED)], id="sorted"),
    ],
)
def test_differences(a: Any, b: Any, expected: list[tuple[str, Op]]) -> None:
    """Every difference has a place and says what happened there."""
    assert json_diff(a, b) == tuple(Difference(path, op) for path, op in expected)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_nothing_differs_from_itself(value: Any) -> None:
    """A value and its copy are equal."""
    assert json_diff(value, value) == ()
    assert json_diff(value, json.loads(json.dumps(value))) == ()


@settings(max_examples=200, deadline=None)
@given(VALUES, VALUES)
def test_swapping_swaps_added_and_removed(a: Any, b: Any) -> None:
    """Both directions find the same places."""
    swapped = {ADDED: REMOVED, REMOVED: ADDED, TYPE: TYPE, VALUE: VALUE}
    there = Counter((found.path, found.op) for found in json_diff(a, b))
    back = Counter((found.path, swapped[found.op]) for found in json_diff(b, a))
    assert there == back


def test_numbers_beyond_arithmetic() -> None:
    """Infinities and the largest numbers are compared without an exception."""
    assert json_diff([float("inf"), 1e308], [float("inf"), -1e308]) == (Difference("/*", VALUE),)
    assert json_diff(float("inf"), 1.0, 0.5) == (Difference("/", VALUE),)


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        pytest.param(1042000000001, 1042000000002, False, id="ids of 13 digits"),
        pytest.param(2**64, 2**64 + 1, False, id="beyond 64 bits"),
        pytest.param(10**400, 10**400, True, id="beyond every double"),
        pytest.param(10**400, 10**400 + 1, False, id="the last of 400 digits"),
        pytest.param(10**400, 1.5, False, id="beyond every double, and a decimal"),
        pytest.param(1042000000001.0, 1042000000002, True, id="a decimal may be rounded"),
        pytest.param(float("nan"), float("nan"), True, id="not a number, twice"),
        pytest.param(float("nan"), 1, False, id="not a number, once"),
        pytest.param(1, float("nan"), False, id="not a number, after"),
    ],
)
def test_numbers_that_doubles_cannot_hold(a: Any, b: Any, equal: bool) -> None:
    """Whole numbers are exact at any size, nothing overflows, and what is not a number does not differ from itself."""
    assert (json_diff(a, b) == ()) is equal
    assert json_diff([a], [b, 0]) == (Difference("/*", ADDED), *([] if equal else [Difference("/*", VALUE)]))


def test_whole_numbers_beyond_64_bits_are_compared_as_the_parser_reads_them() -> None:
    """The parser makes them doubles: equal to about 16 digits, which is said here so that nobody believes otherwise."""
    near, far = (orjson.loads("1234567890123456789012345678" + end) for end in ("90", "91"))
    assert json_diff(near, far) == ()
    assert json_diff(near, orjson.loads("1234567891123456789012345678")) == (Difference("/", VALUE),)


def test_tolerance_is_relative() -> None:
    """One percent of the larger number, and no more."""
    assert json_diff(100, 101, 0.01) == ()
    assert json_diff(100, 102, 0.01) == (Difference("/", VALUE),)


def test_the_number_of_differences_is_bounded() -> None:
    """A thousand differences are two hundred."""
    assert len(json_diff(list(range(1000)), list(range(1000, 2000)))) == MAX_DIFFERENCES
    assert len(json_diff([], [1] * 1000)) == MAX_DIFFERENCES


def test_the_number_of_steps_is_bounded() -> None:
    """What lies beyond the last step is not looked at."""
    assert json_diff([0] * MAX_STEPS + [1], [0] * MAX_STEPS + [2]) == ()


def test_depth_is_bounded_in_the_place_only() -> None:
    """Ten thousand levels are compared; the place ends at MAX_DEPTH, and at MAX_PLACE characters."""
    (found,) = json_diff(nested(10_000, 1), nested(10_000, 2))
    assert found.op is VALUE
    assert found.path == ("/*" * MAX_DEPTH)[: MAX_PLACE - 1] + "…"


def test_arrays_too_deep_to_align_are_compared_in_order() -> None:
    """Where equality itself would recurse too far, elements are taken as they come."""
    deep = orjson.loads("[" * 1000 + "]" * 1000)
    other = orjson.loads("[" * 1000 + "]" * 1000)
    holder: Any = [nested(5_000, 0)]
    assert json_diff([deep, 1], [other, 1]) == ()
    assert json_diff([nested(5_000, 0)], [*holder, 1]) == (Difference("/*", ADDED),)


@pytest.mark.parametrize(
    ("value", "size"),
    [(1, 1), (None, 1), ([], 1), ({}, 1), ([1, 2], 2), ({"a": [1, {"b": 2}], "c": {}}, 3), (nested(9_000, 1), 1)],
    ids=["scalar", "null", "no items", "no keys", "items", "mixed", "deep"],
)
def test_leaves(value: Any, size: int) -> None:
    """Scalars and empty containers are counted, at any depth."""
    assert leaves(value) == size


def test_a_place_is_short_whatever_the_keys() -> None:
    """Keys belong to the answer and may be huge; places are keys of tallies and may not."""
    assert place(()) == "/"
    assert len(place(("k" * 1_000_000, "a"))) == MAX_PLACE
