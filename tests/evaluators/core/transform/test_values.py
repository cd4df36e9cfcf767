"""JavaScript's values."""

from __future__ import annotations

from math import inf, isnan, nan
from typing import Any

import pytest

from evaluators.core.transform.values import (
    MAX_STEPS,
    MAX_TEXT,
    UNDEFINED,
    Budget,
    TooMuch,
    Unfit,
    joined,
    loosely,
    member,
    number,
    parse,
    sized,
    stringify,
    truthy,
    whole,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.1, "0.1"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (nan, "NaN"),
        (-inf, "-Infinity"),
        (True, "true"),
        (None, "null"),
        (UNDEFINED, "undefined"),
        ([1, None, "a", [2]], "1,,a,2"),
        ({}, "[object Object]"),
    ],
)
def test_values_become_text(value: Any, text: str) -> None:
    """`String(value)`."""
    assert joined(value) == text


@pytest.mark.parametrize(
    ("value", "holds"), [("", False), (0, False), (nan, False), ([], True), ({}, True), ("0", True)]
)
def test_empty_lists_are_true(value: Any, holds: bool) -> None:
    """JavaScript's truth."""
    assert truthy(value) is holds


def test_json_leaves_out_what_is_undefined() -> None:
    """JSON.stringify: members vanish, items become null, whole numbers lose their fraction."""
    assert stringify({"a": UNDEFINED, "b": [UNDEFINED, 2.0]}) == '{"b":[null,2]}'
    assert stringify([1], 2) == "[\n  1\n]"
    with pytest.raises(Unfit):
        stringify("\ud800")


def test_an_object_is_parsed_already() -> None:
    """What the API gave as an object stays one; text that is no JSON is unfit."""
    assert parse({"a": 1}) == {"a": 1}
    with pytest.raises(Unfit, match="not JSON"):
        parse("{")


@pytest.mark.parametrize(
    ("value", "key", "found"),
    [
        ("abc", "length", 3),
        ("abc", 1, "b"),
        ("abc", 9, UNDEFINED),
        ([1], "0", 1),
        ([1], -1, UNDEFINED),
        ({"1": "x"}, 1.0, "x"),
        (5, "length", UNDEFINED),
    ],
)
def test_members_are_found(value: Any, key: Any, found: Any) -> None:
    """A member that is not there is undefined."""
    assert member(value, key) == found


@pytest.mark.parametrize("value", [None, UNDEFINED])
def test_nothing_has_no_members(value: Any) -> None:
    """Null and undefined stop the evaluation."""
    with pytest.raises(Unfit):
        member(value, "a")


def test_texts_become_numbers() -> None:
    """`Number(text)`: empty is zero, words are not a number."""
    assert [number(one) for one in (" 12 ", "", "1e3", True, None)] == [12, 0, 1000, 1, 0]
    assert isnan(number("x"))
    assert [whole(one, 7) for one in (UNDEFINED, "3", nan, inf)] == [7, 3, 0, MAX_TEXT]


def test_equality_has_no_conversions() -> None:
    """A number is not its text, true is not one, and objects are themselves only."""
    same: list[Any] = []
    assert loosely(same, same)
    assert not loosely([], [])
    assert not loosely(1, "1")
    assert not loosely(True, 1)
    assert loosely(1, 1.0)


def test_everything_has_a_limit() -> None:
    """Steps and text run out."""
    with pytest.raises(TooMuch):
        Budget().spend(MAX_STEPS + 1)
    with pytest.raises(TooMuch):
        sized("x" * (MAX_TEXT + 1))
