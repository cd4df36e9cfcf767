"""Tool calls beside the tools on offer, and beside the tools that were expected."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evaluators.core.finding import BadCheck, Result
from evaluators.core.reply import Request, ToolCall
from tests.evaluators.checks.arms import arm, check, judge

PASS, FAIL, SKIP, BROKEN = Result.PASS, Result.FAIL, Result.SKIP, Result.BROKEN
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city"],
    "additionalProperties": False,
}
OFFERED = Request("openai-chat", tool_schemas={"get_weather": WEATHER, "any": {}})
NAMES = ("is-valid-function-call", "is-valid-openai-function-call", "is-valid-openai-tools-call")
Calls = list[tuple[str, str]]

# Verdicts as released promptfoo 0.123.1 gives them on the same calls, tools and schemas.
VALID = [
    pytest.param([("get_weather", '{"city":"Oslo"}')], PASS, (), id="fits"),
    pytest.param([("get_weather", '{"city":5}')], FAIL, ("get_weather/city",), id="another type"),
    pytest.param([("get_weather", "{}")], FAIL, ("get_weather/city",), id="without a required argument"),
    pytest.param([("get_weather", '{"city":"Oslo","x":1}')], FAIL, ("get_weather",), id="with an argument unheard of"),
    pytest.param([("get_weather", '{"city":"Oslo","days":0}')], FAIL, ("get_weather/days",), id="out of range"),
    pytest.param([("get_weather", '{"city":"Oslo","days":2.0}')], PASS, (), id="2.0 is a whole number"),
    pytest.param([("get_weather", '{"city"')], FAIL, ("get_weather",), id="no JSON"),
    pytest.param([("other", "{}")], FAIL, ("other",), id="a tool that is not offered"),
    pytest.param([("any", '{"x":[1]}')], PASS, (), id="an empty schema takes anything"),
    pytest.param([], FAIL, (), id="no call"),
    pytest.param(
        [("get_weather", '{"city":"Oslo"}'), ("get_weather", "{}")], FAIL, ("get_weather/city",), id="the second of two"
    ),
    pytest.param([("get_weather", "[]")], FAIL, ("get_weather",), id="a list"),
    pytest.param([("get_weather", "")], FAIL, ("get_weather",), id="nothing"),
]


def calling(calls: Calls, request: Request = OFFERED) -> Any:
    """An arm that makes these calls."""
    return arm("", request=request, tool_calls=tuple(ToolCall(*call) for call in calls))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("calls", "expected", "paths"), VALID)
def test_calls_fit_the_tools_on_offer(name: str, calls: Calls, expected: Result, paths: tuple[str, ...]) -> None:
    """Every call is judged by the schema in its own request, and not- says the opposite."""
    found, negated = (judge(prefix + name, calling(calls)) for prefix in ("", "not-"))
    assert (found.result, found.paths) == (expected, paths)
    assert negated.result is (FAIL if expected is PASS else PASS)


def test_where_no_tools_are_offered_every_call_is_wrong() -> None:
    """A call out of nowhere fails, by its name."""
    found = judge(NAMES[0], calling([("a/b", "{}")], Request("openai-chat")))
    assert (found.result, found.detail, found.paths) == (FAIL, "the request offers no tools", ("a~1b",))


@pytest.mark.parametrize(
    "tools", [[{"type": "custom", "custom": {"name": "sh"}}], [None, {"type": "custom", "name": "sh"}]]
)
def test_a_custom_tool_takes_any_text(tools: list[Any]) -> None:
    """In either form of OpenAI's; a tool without a schema that is not custom wants JSON."""
    request = Request("openai-chat", tool_schemas={"sh": {}}, body={"tools": tools})
    assert judge(NAMES[2], calling([("sh", "ls -l")], request)).result is PASS
    request = Request("openai-chat", tool_schemas={"sh": {}}, body={"tools": "nonsense"})
    assert judge(NAMES[2], calling([("sh", "ls -l")], request)).result is FAIL


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param({"type": "no"}, SKIP, id="no schema"),
        pytest.param({"$ref": "https://example.com/a.json"}, SKIP, id="outside"),
        pytest.param({"properties": {"a": {"pattern": "("}}}, SKIP, id="no pattern"),
        pytest.param({"properties": {"a": {"pattern": "(a|a)+$"}}}, BROKEN, id="a pattern without end"),
        pytest.param({"$ref": "#"}, BROKEN, id="a schema that is itself"),
    ],
)
def test_what_cannot_be_judged_is_nobodys_fault(schema: dict[str, Any], expected: Result) -> None:
    """A schema that cannot be used is skipped, one that never ends is broken; under negation too."""
    request = Request("openai-chat", tool_schemas={"f": schema})
    call = [("f", json.dumps({"a": "a" * 40 + "!"}))]
    assert judge(NAMES[0], calling(call, request)).result is expected
    assert judge("not-" + NAMES[0], calling(call, request)).result is expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 10_000 + "]" * 10_000, id="ten thousand levels"),
        pytest.param('{"city":' * 900 + "1" + "}" * 900, id="nine hundred levels"),
        pytest.param('{"city": "\ud800"}', id="a lone surrogate"),
        pytest.param('{"city": NaN}', id="not a number"),
        pytest.param('{"days": ' + "9" * 5_000 + "}", id="5,000 digits"),
        pytest.param(json.dumps({str(n): n for n in range(60_000)}), id="sixty thousand arguments"),
    ],
)
def test_hostile_arguments_do_not_fit(text: str) -> None:
    """Whatever is written as arguments, there is a verdict, with a bounded number of places."""
    found = judge(NAMES[0], calling([("get_weather", text)] * 3))
    assert found.result is FAIL
    assert 1 <= len(found.paths) <= 32


# Scores as released promptfoo 0.123.1 gives them; its not- keeps the score, ours turns it round like every other.
F1 = [
    pytest.param(["a", "b"], None, ["a", "b"], PASS, 1.0, id="all"),
    pytest.param(["a", "b"], None, ["a"], FAIL, 0.6666666666666666, id="half"),
    pytest.param(["a", "b"], 0.6, ["a"], PASS, 0.6666666666666666, id="half is enough"),
    pytest.param("a, b", 0.8, ["a", "b", "c"], PASS, 0.8, id="one too many"),
    pytest.param(["a"], None, [], FAIL, 0.0, id="none"),
    pytest.param(["a"], None, ["a", "a"], PASS, 1.0, id="twice is once"),
    pytest.param(["a", "a", " "], None, ["a"], PASS, 1.0, id="blank names are no names"),
    pytest.param(["a", "b", "c"], 0.5, ["c", "d"], FAIL, 0.4, id="few of many"),
]


@pytest.mark.parametrize(("value", "threshold", "names", "expected", "score"), F1)
def test_f1(value: Any, threshold: float | None, names: list[str], expected: Result, score: float) -> None:
    """The F1 score of two sets of names; not- turns verdict and score round."""
    one = calling([(name, "{}") for name in names])
    found = judge("tool-call-f1", one, value=value, threshold=threshold)
    negated = judge("not-tool-call-f1", one, value=value, threshold=threshold)
    assert (found.result, found.score) == (expected, score)
    assert negated.result is (FAIL if expected is PASS else PASS)
    assert negated.score == 1 - score


def test_f1_names_what_is_missing_and_what_is_too_much() -> None:
    """The paths are the names that only one side has."""
    found = judge("tool-call-f1", calling([("c", ""), ("d", "")]), value=["a", "b", "c"])
    assert (found.paths, found.detail) == (("a", "b", "d"), "F1 0.400; called c, d")


@pytest.mark.parametrize("given", [{"value": []}, {"value": " ,"}, {"value": {"a": 1}}, {"value": "a", "threshold": 2}])
def test_f1_needs_names(given: dict[str, Any]) -> None:
    """A list without names, or a threshold that nothing reaches, is a mistake."""
    with pytest.raises(BadCheck, match="tool-call-f1 needs"):
        check("tool-call-f1", **given)
