"""promptfoo's text assertions, by table."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators.core.finding import BadCheck, Result
from evaluators.core.reply import ToolCall
from tests.evaluators.checks.arms import arm, check, judge

PASS, FAIL, SKIP = Result.PASS, Result.FAIL, Result.SKIP


@pytest.mark.parametrize(
    ("type", "value", "text", "expected"),
    [
        pytest.param("equals", "yes", "yes", PASS, id="equals"),
        pytest.param("equals", "yes", "Yes", FAIL, id="equals minds case"),
        pytest.param("equals", "", "", PASS, id="equals nothing"),
        pytest.param("equals", 42, "42", PASS, id="a number is a text"),
        pytest.param("equals", {"a": [1, 2]}, '{"a": [1, 2.0]}', PASS, id="equals an object"),
        pytest.param("equals", {"a": 1, "b": 2}, '{"b": 2, "a": 1}', PASS, id="whatever the order of keys"),
        pytest.param("equals", {"a": 1}, '{"a": true}', FAIL, id="one is not true"),
        pytest.param("equals", {"a": 1}, "a: 1", FAIL, id="an object against prose"),
        pytest.param("equals", [1], "[1]", PASS, id="equals a list"),
        pytest.param("contains", "bc", "abcd", PASS, id="contains"),
        pytest.param("contains", "BC", "abcd", FAIL, id="contains minds case"),
        pytest.param("contains", 0, "10", PASS, id="contains zero"),
        pytest.param("icontains", "BC", "abcd", PASS, id="icontains"),
        pytest.param("icontains", "STRASSE", "Hauptstraße", FAIL, id="icontains folds nothing"),
        pytest.param("contains-all", ["a", "b"], "ab", PASS, id="all"),
        pytest.param("contains-all", ["a", "x"], "ab", FAIL, id="not all"),
        pytest.param("contains-all", "a, b", "ab", PASS, id="all of a comma-separated text"),
        pytest.param("contains-all", 'a,,"b,c"', "ab,c", PASS, id="quotes keep a comma"),
        pytest.param("contains-any", ["x", "b"], "ab", PASS, id="any"),
        pytest.param("contains-any", ["x", "B"], "ab", FAIL, id="none"),
        pytest.param("icontains-all", ["A", "B"], "ab", PASS, id="iall"),
        pytest.param("icontains-all", ["A", "X"], "ab", FAIL, id="not iall"),
        pytest.param("icontains-any", ["X", "B"], "ab", PASS, id="iany"),
        pytest.param("icontains-any", ["X"], "ab", FAIL, id="no iany"),
        pytest.param("starts-with", "ab", "abc", PASS, id="starts"),
        pytest.param("starts-with", "b", "abc", FAIL, id="starts otherwise"),
        pytest.param("regex", "b.d", "abcd", PASS, id="regex is not anchored"),
        pytest.param("regex", "^b", "abcd", FAIL, id="regex not found"),
        pytest.param("regex", "end", "x" * 100_000 + "end", PASS, id="regex looks at everything"),
        pytest.param("word-count", 3, " a  b\nc ", PASS, id="three words"),
        pytest.param("word-count", 3, "a b", FAIL, id="two words"),
        pytest.param("word-count", {"min": 2, "max": 2}, "a b", PASS, id="bounds are inclusive"),
        pytest.param("word-count", {"min": 3}, "a b", FAIL, id="too few"),
        pytest.param("word-count", {"max": 1}, "a b", FAIL, id="too many"),
        pytest.param("levenshtein", "kitten", "sitting", PASS, id="within five"),
        pytest.param("levenshtein", "kitten", "completely else", FAIL, id="further than five"),
    ],
)
def test_verdict(type: str, value: Any, text: str, expected: Result) -> None:
    """Each assertion judges the words as promptfoo does."""
    assert judge(type, arm(text), value=value).result is expected


def test_the_limit_of_levenshtein_is_inclusive() -> None:
    """A distance equal to the threshold passes; the reason names the limit."""
    assert judge("levenshtein", arm("sitting"), value="kitten", threshold=3).result is PASS
    found = judge("levenshtein", arm("sitting"), value="kitten", threshold=2)
    assert (found.result, found.detail) == (FAIL, "more than 2 edits away")


def test_the_reason_names_what_is_absent() -> None:
    """Of several wanted texts only the absent ones are named."""
    assert judge("contains-all", arm("ab"), value=["a", "x", "y"]).detail == "not found: x, y"


def test_an_answer_without_text_is_skipped() -> None:
    """Tool calls and embeddings have no text to judge; a blank answer and a refusal message have."""
    call = ToolCall("get_weather", "{}")
    assert judge("contains", arm("", tool_calls=(call,)), value="a").result is SKIP
    assert judge("contains", arm("", vector=(0.1,)), value="a").result is SKIP
    assert judge("contains", arm("a", tool_calls=(call,)), value="a").result is PASS
    assert judge("contains", arm("", refusal="I can not"), value="can").result is PASS
    assert judge("contains", arm(""), value="a").result is FAIL


@pytest.mark.parametrize(
    ("type", "value"),
    [
        pytest.param("equals", None, id="nothing"),
        pytest.param("equals", True, id="a boolean"),
        pytest.param("contains", "", id="the empty text"),
        pytest.param("contains", ["a"], id="a list for a text"),
        pytest.param("contains-any", ["a", ""], id="an empty text in a list"),
        pytest.param("contains-any", [], id="no texts"),
        pytest.param("contains-any", [["a"]], id="a list in a list"),
        pytest.param("contains-any", [None], id="nothing in a list"),
        pytest.param("starts-with", "", id="an empty beginning"),
        pytest.param("regex", "(", id="an invalid pattern"),
        pytest.param("regex", "(a{1000}){1000}", id="a pattern too large"),
        pytest.param("word-count", True, id="a boolean for a count"),
        pytest.param("word-count", "3", id="a text for a count"),
        pytest.param("word-count", {}, id="no bounds"),
        pytest.param("word-count", {"least": 1}, id="an unknown bound"),
        pytest.param("word-count", {"min": 3, "max": 2}, id="bounds that cross"),
        pytest.param("word-count", {"min": "3"}, id="a bound that is a text"),
    ],
)
def test_a_value_that_makes_no_sense_stops_the_start(type: str, value: Any) -> None:
    """A check that could never fail, or never pass, is refused."""
    with pytest.raises(BadCheck):
        check(type, value)


def test_a_pattern_without_end_is_broken() -> None:
    """A search that takes longer than a quarter of a second says nothing, negated or not; one that is done does."""
    for type in ("regex", "not-regex"):
        found = judge(type, arm("a" * 50 + "!"), value="(a|aa)+$")
        assert (found.result, found.detail) == (Result.BROKEN, "the pattern took longer than 0.25 s")
    assert judge("regex", arm("x" * 900_000 + "7"), value=r"\d$").result is PASS
