"""Wording and length of two answers."""

from __future__ import annotations

import pytest

from evaluators.checks.compare_text import DISTANCE, LONG
from evaluators.core.finding import BadCheck, Result
from evaluators.core.reply import ToolCall
from tests.evaluators.checks.arms import arm, check, judge

SAME, DIFFER, SKIP = Result.SAME, Result.DIFFER, Result.SKIP


@pytest.mark.parametrize(
    ("live", "shadow", "expected"),
    [
        pytest.param("same words", "same words", SAME, id="equal"),
        pytest.param("same words", "same\n  words ", SAME, id="white space aside"),
        pytest.param("caf\u00e9", "cafe\u0301", SAME, id="Unicode form aside"),
        pytest.param("42", "43", DIFFER, id="a number"),
        pytest.param("positive", "negative", DIFFER, id="a class"),
        pytest.param("a" * LONG, "a" * (LONG - 50) + "b" * 50, SAME, id="a detail of a long answer"),
        pytest.param("a" * LONG, "b" * LONG, DIFFER, id="another long answer"),
        pytest.param("words", "", DIFFER, id="only one has text"),
        pytest.param("", "", SKIP, id="no text"),
    ],
)
def test_wording(live: str, shadow: str, expected: Result) -> None:
    """Short answers differ by any letter, long ones when little is left."""
    assert judge("shadow:text", arm(live), arm(shadow)).result is expected


def test_a_threshold_of_its_own_holds_for_every_length() -> None:
    """With 0 any visible difference counts; with 1 none does; the distance is told either way."""
    before, after = arm("a" * LONG), arm("a" * LONG + "b")
    assert judge("shadow:text", before, after, threshold=0).result is DIFFER
    assert judge("shadow:text", arm("a"), arm("b"), threshold=1).result is SAME
    assert judge("shadow:text", arm("a"), arm("b"), threshold=1).score == 1.0
    assert judge("shadow:text", before, after).detail == f"distance 0.00, limit {DISTANCE:.2f}"


@pytest.mark.parametrize(
    ("live", "shadow", "expected", "paths"),
    [
        pytest.param(100, 100, SAME, (), id="equal"),
        pytest.param(100, 205, SAME, (), id="twice"),
        pytest.param(100, 206, DIFFER, ("longer",), id="more than twice"),
        pytest.param(206, 100, DIFFER, ("shorter",), id="less than half"),
        pytest.param(1, 5, SAME, (), id="short answers"),
        pytest.param(0, 10, DIFFER, ("longer",), id="from nothing"),
        pytest.param(0, 0, SKIP, (), id="no words"),
    ],
)
def test_length(live: int, shadow: int, expected: Result, paths: tuple[str, ...]) -> None:
    """The ratio of words counts, with five words added to both; the path says which way."""
    found = judge("shadow:length", arm("word " * live), arm("word " * shadow))
    assert (found.result, found.paths) == (expected, paths)


def test_a_threshold_for_length() -> None:
    """The ratio can be chosen; a negative one is refused."""
    assert judge("shadow:length", arm("word " * 100), arm("word " * 140), threshold=1.2).result is DIFFER
    with pytest.raises(BadCheck):
        check("shadow:length", threshold=-1)


@pytest.mark.parametrize("type", ["shadow:text", "shadow:length"])
def test_only_text_is_compared(type: str) -> None:
    """Tool calls and embeddings on both sides have comparisons of their own; a refusal message is text."""
    call = arm("", tool_calls=(ToolCall("a", "{}"),))
    assert judge(type, call, call).result is SKIP
    assert judge(type, arm("", vector=(1.0,)), arm("", vector=(0.5,))).result is SKIP
    assert judge(type, arm("", refusal="No."), arm("No.")).result is SAME
