"""Checks behind a transform: what they see, and what an answer costs that the transform does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from evaluators.core.finding import Arm, BadCheck, DoorFailed, Doors, Result
from evaluators.core.reply import Request, ToolCall
from tests.evaluators.checks.arms import arm, check, judge

SLOW = "output.match(/(x+x+)+y/)"


@pytest.mark.parametrize(
    ("type", "value", "transform", "one", "result"),
    [
        pytest.param("equals", "b", "JSON.parse(output).a", arm('{"a": "b"}'), Result.PASS, id="the text is changed"),
        pytest.param("not-equals", "b", "JSON.parse(output).a", arm('{"a": "b"}'), Result.FAIL, id="negated after it"),
        pytest.param("equals", "b", "JSON.parse(output).a", arm("no"), Result.FAIL, id="an answer that does not fit"),
        pytest.param("not-equals", "b", "JSON.parse(output).a", arm("no"), Result.FAIL, id="fails negated, too"),
        pytest.param("contains", "a", SLOW, arm("x" * 5000), Result.BROKEN, id="a transform that does not end"),
        pytest.param(
            "contains", "will not", "output.trim()", arm("", refusal=" I will not"), Result.PASS, id="refusal"
        ),
        pytest.param(
            "equals",
            "f",
            "output[0].function.name",
            arm("", tool_calls=(ToolCall("f", "{}"),)),
            Result.PASS,
            id="an answer of tool calls is a list of them",
        ),
        pytest.param(
            "equals",
            "b",
            "output.a",
            arm('{"a": "b"}', request=Request("openai-chat", schema={"type": "object"})),
            Result.PASS,
            id="an answer by schema is an object",
        ),
        pytest.param("equals", "b", "output.a", arm('{"a": "b"}'), Result.FAIL, id="elsewhere it is a text"),
    ],
)
def test_an_assertion_sees_the_transformed_text(
    type: str, value: str, transform: str, one: Arm, result: Result
) -> None:
    """Both forms fail where the transform does not fit; what did not end is broken."""
    assert judge(type, one, value=value, transform=transform).result is result


@pytest.mark.parametrize(
    ("live", "shadow", "result"),
    [
        ("a|b", "a|c", Result.SAME),
        ("a|b", "b|b", Result.DIFFER),
        ("a|b", "", Result.DIFFER),
        ("", "a|b", Result.SKIP),
        ("x" * 5000, "a|b", Result.BROKEN),
        ("a|b", "x" * 5000, Result.BROKEN),
    ],
)
def test_a_comparison_sees_two_transformed_texts(live: str, shadow: str, result: Result) -> None:
    """Where live does not fit there is nothing to compare; where the candidate does not, it differs."""
    transform = "output.match(/(x+x+)+y/) ? 1 : output.match(/^(.*)[|]/)[1]"
    assert judge("shadow:text", arm(live), arm(shadow), transform=transform).result is result


def test_a_set_hands_the_transformed_text_to_its_members() -> None:
    """A transform on the set is applied before those of the members."""
    members = [{"type": "equals", "value": "A", "transform": "output.toUpperCase()"}, "equals:a"]
    assert judge("assert-set", arm(" a "), transform="output.trim()", **{"assert": members}).result is Result.PASS


def test_a_function_in_a_file_runs_through_the_door() -> None:
    """Its name is get_transform unless it is given; what it gives becomes text."""
    asked: list[Any] = []

    def python(name: str, given: Mapping[str, Any]) -> Any:
        asked.append((name, given["output"]))
        return None if given["output"] == "none" else {"a": 1}

    doors = Doors(python=python)
    assert judge("equals", arm("x"), value={"a": 1}, transform="file:///t.py", doors=doors).result is Result.PASS
    assert judge("is-json", arm("none"), transform="file:///t.py:f", doors=doors).result is Result.FAIL
    assert asked == [("file:///t.py:get_transform", "x"), ("file:///t.py:f", "none")]


def test_a_door_that_fails_goes_on() -> None:
    """What did not come is the walk's business, which calls it broken."""

    def python(name: str, given: Mapping[str, Any]) -> Any:
        raise DoorFailed("no process")

    run: Any = check("is-json", transform="file:///t.py", doors=Doors(python=python)).run
    with pytest.raises(DoorFailed):
        run(arm("x"))


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ("context.vars.x", "no test variables"),
        ("file:///t.js", "is a Python function"),
        ("output.explode()", "not part of the transforms"),
    ],
)
def test_a_transform_outside_the_language_stops_the_start(transform: str, message: str) -> None:
    """It is refused with the check's name, not found out on the first answer."""
    with pytest.raises(BadCheck, match=message):
        check("is-json", transform=transform)


def test_the_version_follows_the_transform() -> None:
    """Another transform is another check."""
    assert check("is-json").version != check("is-json", transform="output").version
