"""Patterns for names, and what a configuration may say about steps."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.checks.trajectory.naming import Bounds, bounds, glob, number, step, table
from evaluators.core.finding import BadCheck, Params

PARAMS = Params("trajectory:step-count")


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("search", "search", True),
        ("search", "SEARCH", True),
        ("search", "search ", False),
        ("search", "research", False),
        ("sea*", "search", True),
        ("*", "", True),
        ("*", "two\nlines", True),
        ("sear?h", "search", True),
        ("sear?h", "searh", False),
        ("a.c", "abc", False),
        ("a[b]", "a[b]", True),
        ("a[b]", "ab", False),
        ("*b*d*", "abcde", True),
        ("*b*b", "ab", False),
        ("a*a", "a", False),
        ("*a?c", "abcabd abc", True),
        ("", "", True),
        ("**x", "ax", True),
    ],
)
def test_patterns(pattern: str, name: str, expected: bool) -> None:
    """A star is any characters, a question mark is one, the case does not count; everything else is itself."""
    assert glob(pattern)(name) is expected


@given(st.text("ab*?", max_size=6), st.text("ab", max_size=8))
def test_a_pattern_says_what_trying_everything_says(pattern: str, name: str) -> None:
    """Looking for each piece once finds a fit wherever there is one."""

    def fits(p: str, n: str) -> bool:
        if not p:
            return not n
        if p[0] == "*":
            return any(fits(p[1:], n[cut:]) for cut in range(len(n) + 1))
        return bool(n) and p[0] in (n[0], "?") and fits(p[1:], n[1:])

    assert glob(pattern)(name) is fits(pattern, name)


def test_no_pattern_takes_for_ever() -> None:
    """Twenty stars and a name of a hundred thousand letters are settled at once."""
    before = perf_counter()
    assert not glob("*a" * 20 + "*b")("a" * 100_000)
    assert perf_counter() - before < 2


def test_steps() -> None:
    """A step is a pattern, or a table with one under either name."""
    assert step(PARAMS, "sea*").fits("search")
    assert step(PARAMS, {"name": "a"}).label == "a"
    assert step(PARAMS, {"name": "a", "pattern": "b"}).label == "b"
    assert step(PARAMS, {"name": "a", "type": ["tool"]}).unseen == ""
    assert "no steps of type command, span" in step(PARAMS, {"name": "a", "type": ["tool", "command", "span"]}).unseen


@pytest.mark.parametrize(
    "value", ["", " ", 3, None, {}, {"name": 3}, {"name": "a", "type": 5}, {"name": "a", "type": [5]}]
)
def test_a_step_needs_a_name(value: object) -> None:
    """Anything else is a mistake."""
    with pytest.raises(BadCheck, match="trajectory:step-count needs"):
        step(PARAMS, value)


def test_bounds() -> None:
    """Both ends are allowed; without a `max` there is no end."""
    assert [bounds(PARAMS, {"min": 1, "max": 2}, 0).hold(count) for count in (0, 1, 2, 3)] == [False, True, True, False]
    assert (str(bounds(PARAMS, {}, 1)), str(Bounds(0, 2))) == ("at least 1", "0 to 2")
    with pytest.raises(BadCheck, match="can never hold"):
        bounds(PARAMS, {"max": 0}, 1)


@pytest.mark.parametrize("value", [-1, "3", True, float("inf"), float("nan")])
def test_numbers(value: object) -> None:
    """A bound is a number of zero or more."""
    assert number(PARAMS, {}, "max", 7) == 7
    with pytest.raises(BadCheck, match="needs a `max` of zero or more"):
        number(PARAMS, {"max": value}, "max", 7)


def test_tables_have_known_keys() -> None:
    """A key that is not read is a mistake, and so is what is no table."""
    with pytest.raises(BadCheck, match="reads no `mni`"):
        table(PARAMS, {"mni": 1}, "min")
    with pytest.raises(BadCheck, match="with min, max"):
        table(PARAMS, [1], "min", "max")
    assert table(PARAMS, {"min": 1}, "min", "max") == {"min": 1}
