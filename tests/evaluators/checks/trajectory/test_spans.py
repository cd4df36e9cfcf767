"""The trace of one call. The verdicts are those of promptfoo 0.123.1 on the same spans, where it knows them."""

from __future__ import annotations

from typing import Any

import pytest

from config.pair import NEVER
from evaluators.core.finding import Arm, BadCheck, Result
from evaluators.core.reply import Kind, Request, ToolResult
from tests.evaluators.checks.arms import arm, check, judge

PASS, FAIL, BROKEN = Result.PASS, Result.FAIL, Result.BROKEN
RESULTS = (ToolResult("search", "no network", True), ToolResult("search", "18 C"))
TOLD = arm("It is 18 C.", request=Request("anthropic-messages", tool_results=RESULTS), model="gpt-5", total=1.5)
ALONE = arm("Hello", request=Request("openai-chat", model="gpt-5"), total=1.5)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"pattern": "*", "min": 3}, PASS),
        ({"pattern": "*", "min": 4}, FAIL),
        ({"pattern": "chat *", "max": 1}, PASS),
        ({"pattern": "CHAT*", "min": 1}, PASS),
        ({"pattern": "chat gpt-5", "min": 1}, PASS),
        ({"pattern": "execute_tool *", "min": 3}, FAIL),
        ({"pattern": "execute_tool s?arch", "min": 2, "max": 2}, PASS),
        ({"pattern": "execute*", "max": 1}, FAIL),
    ],
)
def test_counts(value: Any, expected: Result) -> None:
    """One span for the model, one for each result of a tool; not- turns the verdict round."""
    assert judge("trace-span-count", TOLD, value=value).result is expected
    assert judge("not-trace-span-count", TOLD, value=value).result is (FAIL if expected is PASS else PASS)


@pytest.mark.parametrize(
    ("value", "one", "expected"),
    [
        ({"pattern": "chat *", "max": 1500}, TOLD, PASS),
        ({"pattern": "chat *", "max": 1499}, TOLD, FAIL),
        ({"pattern": "chat *", "max": 1000, "percentile": 50}, TOLD, FAIL),
        ({"pattern": "chat *", "max": 1500, "percentile": 0}, TOLD, PASS),
        ({"pattern": "chat other*", "max": 1}, TOLD, PASS),
        ({"max": 1500}, ALONE, PASS),
        ({"max": 1499}, ALONE, FAIL),
        ({"max": 1500}, TOLD, BROKEN),
        ({"max": 1499}, TOLD, FAIL),
        ({"max": 1499, "percentile": 95}, TOLD, BROKEN),
        ({"pattern": "execute_tool search", "max": 10_000}, TOLD, BROKEN),
        ({"pattern": "execute_tool search", "max": 10_000}, ALONE, PASS),
        ({"max": 1500}, arm("x", total=NEVER), BROKEN),
    ],
)
def test_durations(value: Any, one: Arm, expected: Result) -> None:
    """The model's time is known, a tool's is not: where it matters the answer is broken, and never a pass."""
    assert judge("trace-span-duration", one, value=value).result is expected
    opposite = {PASS: FAIL, FAIL: PASS, BROKEN: BROKEN}[expected]
    assert judge("not-trace-span-duration", one, value=value).result is opposite


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, FAIL),
        (0, FAIL),
        (1, PASS),
        ({"max_count": 1}, PASS),
        ({"max_percentage": 33}, FAIL),
        ({"max_percentage": 34}, PASS),
        ({"max_percentage": 50, "pattern": "execute_tool *"}, PASS),
        ({"max_percentage": 49, "pattern": "execute_tool *"}, FAIL),
        ({"pattern": "chat *"}, PASS),
        ({"pattern": "execute_tool other"}, PASS),
        ({"max_count": 1, "max_percentage": 10}, FAIL),
    ],
)
def test_errors(value: Any, expected: Result) -> None:
    """Results that the API marks as errors are counted, or measured as a share."""
    assert judge("trace-error-spans", TOLD, value=value).result is expected
    assert judge("not-trace-error-spans", TOLD, value=value).result is (FAIL if expected is PASS else PASS)


def test_where_the_api_marks_no_errors_none_is_assumed() -> None:
    """OpenAI's results have no such mark: with a tool in the count, no error is not known; a marked one is an error."""
    request = Request("openai-chat", tool_results=RESULTS[1:])
    assert judge("trace-error-spans", arm("x", request=request)).result is BROKEN
    assert judge("not-trace-error-spans", arm("x", request=request)).result is BROKEN
    assert judge("trace-error-spans", arm("x", request=request), value={"pattern": "chat*"}).result is PASS
    assert judge("trace-error-spans", ALONE).result is PASS
    assert judge("trace-error-spans", arm("x", request=Request("openai-chat", tool_results=RESULTS))).result is FAIL


def test_an_answer_that_failed_is_an_error_of_its_model() -> None:
    """The model's span ends with an error where there is no answer; its name comes from either side."""
    found = judge("trace-error-spans", arm("", request=Request("openai-chat", model="m"), kind=Kind.HTTP_5XX))
    assert (found.result, found.paths) == (FAIL, ("chat m",))
    assert judge("trace-span-count", arm("x"), value={"pattern": "chat", "min": 1}).result is PASS


@pytest.mark.parametrize("pattern", ["retrieve_docs", "db.*", "chatty", "?b.*", "http GET"])
@pytest.mark.parametrize(
    ("name", "more"), [("trace-span-count", {"max": 5}), ("trace-span-duration", {"max": 5}), ("trace-error-spans", {})]
)
def test_the_inside_of_the_application_is_not_seen(name: str, more: dict[str, Any], pattern: str) -> None:
    """A pattern that no span here could fit is broken, whatever was asked; one that begins with a star could fit."""
    found = judge(name, ALONE, value={"pattern": pattern, **more})
    assert (found.result is BROKEN) == (not pattern.startswith("?"))
    assert judge(name, ALONE, value={"pattern": "*search*", **more}).result is PASS


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("trace-span-count", {"pattern": "*"}, "needs a `min` or a `max`"),
        ("trace-span-count", {"min": 1}, "needs a `pattern`"),
        ("trace-span-count", {"pattern": 3, "min": 1}, "needs a `pattern`"),
        ("trace-span-count", {"pattern": "*", "min": 2, "max": 1}, "can never hold"),
        ("trace-span-duration", {"pattern": "*"}, "needs a `max` in milliseconds"),
        ("trace-span-duration", {"max": 5, "percentile": 101}, "a `percentile` of 100 at most"),
        ("trace-span-duration", 5, "needs a `value:` with"),
        ("trace-error-spans", -1, "zero or more"),
        ("trace-error-spans", True, "zero or more"),
        ("trace-error-spans", "none", "needs a `value:` with"),
        ("trace-error-spans", {"max": 1}, "reads no `max`"),
    ],
)
def test_mistakes_name_their_remedy(name: str, value: Any, message: str) -> None:
    """What makes no sense stops the start."""
    with pytest.raises(BadCheck, match=message):
        check(name, value)
