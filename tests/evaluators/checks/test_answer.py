"""Is there an answer, and why did it end."""

from __future__ import annotations

import pytest

from evaluators.core.finding import BadCheck, Result
from evaluators.core.reply import Request, ToolCall
from tests.evaluators.checks.arms import arm, check, judge

PASS, FAIL = Result.PASS, Result.FAIL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes.", PASS),
        ("4", PASS),
        ("+", PASS),
        ("👍", PASS),
        ("是", PASS),
        ("None of them", PASS),
        ("[]", PASS),
        ("{}", PASS),
        ('""', PASS),
        ("-" * 60 + " and then", FAIL),
        ("null is a value", PASS),
        ("", FAIL),
        (" \n", FAIL),
        ("...", FAIL),
        ("…", FAIL),
        ("—", FAIL),
        ("N/A", FAIL),
        ("n/a.", FAIL),
        ("null", FAIL),
        ("undefined", FAIL),
        ("[object Object]", FAIL),
        ("TBD", FAIL),
    ],
)
def test_missing_answer_fails_where_nothing_is_said(text: str, expected: Result) -> None:
    """Blank, only punctuation, and placeholders are no answers; the shortest word is one."""
    assert judge("missing-answer", arm(text)).result is expected


def test_what_is_not_text_is_an_answer_too() -> None:
    """Tool calls, embeddings and refusals answer; null answers a request for JSON."""
    assert judge("missing-answer", arm("", tool_calls=(ToolCall("a", "{}"),))).result is PASS
    assert judge("missing-answer", arm("", vector=(1.0,))).result is PASS
    assert judge("missing-answer", arm("", refusal="No.")).result is PASS
    assert judge("missing-answer", arm("null", request=Request("openai-chat", json_mode=True))).result is PASS
    assert judge("missing-answer", arm("null", request=Request("openai-chat", schema={"type": "null"}))).result is PASS


@pytest.mark.parametrize(
    ("reason", "expected"), [("stop", PASS), ("STOP", PASS), ("length", FAIL), ("", FAIL)], ids=str
)
def test_finish_reason(reason: str, expected: Result) -> None:
    """The reason is compared whatever the case; an unknown one fails."""
    assert judge("finish-reason", arm("a", finish_reason=reason), value=" Stop ").result is expected


def test_finish_reason_needs_a_reason() -> None:
    """A blank value is refused."""
    with pytest.raises(BadCheck):
        check("finish-reason", " ")


def test_the_reasons_of_two_answers() -> None:
    """Two answers ended alike, or differ at `stop→length`; where one is unknown nothing is said."""
    stop, length, unknown = (arm("a", finish_reason=reason) for reason in ("stop", "Length", ""))
    assert judge("shadow:finish-reason", stop, stop).result is Result.SAME
    found = judge("shadow:finish-reason", stop, length)
    assert (found.result, found.score, found.paths) == (Result.DIFFER, 1.0, ("stop→length",))
    assert judge("shadow:finish-reason", stop, unknown).result is Result.SKIP
    assert judge("shadow:finish-reason", unknown, stop).result is Result.SKIP
