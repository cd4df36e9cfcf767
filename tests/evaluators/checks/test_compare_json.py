"""JSON answers compared, with places."""

from __future__ import annotations

import pytest

from evaluators.core.finding import Result
from tests.evaluators.checks.arms import arm, judge

SAME, DIFFER, SKIP = Result.SAME, Result.DIFFER, Result.SKIP


@pytest.mark.parametrize(
    ("live", "shadow", "expected", "paths"),
    [
        pytest.param('{"a": 1, "b": 2}', '{"b": 2, "a": 1.0}', SAME, (), id="order and notation aside"),
        pytest.param('{"a": 1}', 'Here: ```json\n{"a": 1}\n```', SAME, (), id="wrapping aside"),
        pytest.param('{"a": 1}', 'Like {"x": 1}: {"a": 1, "b": 2}', DIFFER, ("/b",), id="the longest block counts"),
        pytest.param('{"a": 1}', '{"a": "1"}', DIFFER, ("/a",), id="another type"),
        pytest.param('[{"p": 1}, {"p": 2}]', '[{"p": 3}, {"p": 4}]', DIFFER, ("/*/p",), id="one place for all items"),
        pytest.param('{"a": 1}', "sorry", DIFFER, ("/",), id="only live"),
        pytest.param("42", '{"a": 1}', DIFFER, ("/",), id="only the shadow"),
        pytest.param("42", "43", SKIP, (), id="scalars are text"),
        pytest.param("see [1]", "see [2]", SKIP, (), id="prose"),
    ],
)
def test_places(live: str, shadow: str, expected: Result, paths: tuple[str, ...]) -> None:
    """Where structure or values differ is told; prose is left to shadow:text."""
    found = judge("shadow:json", arm(live), arm(shadow))
    assert (found.result, found.paths) == (expected, paths)


def test_the_distance_is_the_share_of_values() -> None:
    """One of four values is a quarter; the detail counts what happened."""
    found = judge("shadow:json", arm('{"a": 1, "b": 2, "c": 3, "d": 4}'), arm('{"a": 1, "b": 2, "c": 3, "d": 5}'))
    assert (found.score, found.detail) == (0.25, "1 value")
    found = judge("shadow:json", arm('{"a": 1}'), arm('{"b": 1}'))
    assert (found.score, found.detail) == (1.0, "1 added, 1 removed")


def test_numbers_may_differ_by_the_threshold() -> None:
    """The threshold is the relative difference that still is the same number."""
    assert judge("shadow:json", arm("[100, 2]"), arm("[101, 2]")).result is DIFFER
    assert judge("shadow:json", arm("[100, 2]"), arm("[101, 2]"), threshold=0.01).result is SAME
