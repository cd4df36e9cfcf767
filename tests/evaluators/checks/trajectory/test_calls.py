"""The tool calls of a conversation. The verdicts are those of promptfoo 0.123.1 on a trace of the same calls."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.core.finding import BadCheck, Result
from evaluators.core.reply import Request, ToolCall, ToolResult
from tests.evaluators.checks.arms import arm, check, judge

PASS, FAIL, BROKEN = Result.PASS, Result.FAIL, Result.BROKEN
BEFORE = (
    ToolCall("search", '{"q": "oslo", "page": 1}'),
    ToolCall("get_weather", '{"city": "Oslo", "unit": "C", "days": [1, 2]}'),
)
NOW = ToolCall("search", '{"q": "rome", "opts": {"deep": true, "n": 1.0}}')
ARM = arm("", request=Request("openai-chat", called=BEFORE), tool_calls=(NOW,))

# type, value, verdict, verdict of not-
USED = [
    ("search", True, False),
    ("sea*", True, False),
    ("SEARCH", True, False),
    ("sear?h", True, False),
    ("missing", False, True),
    (["search", "get_weather"], True, False),
    (["search", "missing"], False, False),
    (["missing", "nope"], False, True),
    ({"name": "search", "min": 2}, True, False),
    ({"name": "search", "min": 3}, False, True),
    ({"pattern": "*", "max": 2}, False, True),
    ({"name": "get_weather", "max": 1}, True, False),
]
SEQUENCES = [
    (["search", "get_weather"], True, False),
    (["get_weather", "search"], True, False),
    (["search", "search"], True, False),
    (["get_weather", "get_weather"], False, True),
    (["search", "get_weather", "search"], True, False),
    ({"mode": "exact", "steps": ["search", "get_weather", "search"]}, True, False),
    ({"mode": "exact", "steps": ["search", "get_weather"]}, False, True),
    ({"steps": [{"name": "s*"}, {"pattern": "get*"}]}, True, False),
]
ARGUMENTS = [
    ({"name": "search", "args": {"q": "oslo"}}, True, False),
    ({"name": "search", "args": {"q": "OSLO"}}, False, True),
    ({"name": "search", "mode": "exact", "args": {"q": "oslo"}}, False, True),
    ({"name": "search", "mode": "exact", "args": {"q": "oslo"}, "defaults": {"page": 1}}, True, False),
    ({"name": "search", "mode": "exact", "args": {"q": "oslo"}, "defaults": {"page": 2}}, False, True),
    ({"name": "search", "mode": "exact", "args": {"q": "oslo", "page": 1}, "defaults": {"page": 1}}, False, True),
    ({"name": "search", "mode": "exact", "args": {"q": "x", "page": 1}, "ignore": "q"}, True, False),
    ({"name": "search", "mode": "exact", "args": {}, "ignore": ["p*", "?"]}, True, False),
    ({"name": "get_weather", "args": {"days": [1]}}, False, True),
    ({"name": "get_weather", "args": {"days": [1, 2]}}, True, False),
    ({"name": "get_weather", "arguments": {"unit": "C"}}, True, False),
    ({"name": "search", "args": {"opts": {"deep": True}}}, True, False),
    ({"name": "search", "args": {"opts": {"n": 1}}}, True, False),
    ({"name": "search", "args": {"opts": {"deep": 1}}}, False, True),
    ({"name": "search", "args": {"page": "1"}}, False, True),
    ({"name": "search", "args": {"q": None}}, False, True),
    ({"name": "search", "args": {}}, True, False),
    ({"name": "missing", "args": {}}, False, True),
]
COUNTS = [
    ({"min": 3}, True, False),
    ({"max": 2}, False, True),
    ({"min": 1, "max": 3}, True, False),
    ({"min": 4}, False, True),
    ({"type": "tool", "max": 3}, True, False),
    ({"type": "tool", "pattern": "search", "max": 1}, False, True),
    ({"name": "get*", "min": 1}, True, False),
]
CASES = [
    pytest.param(f"trajectory:{name}", *case, id=f"{name} {json.dumps(case[0])}")
    for name, cases in (
        ("tool-used", USED),
        ("tool-sequence", SEQUENCES),
        ("tool-args-match", ARGUMENTS),
        ("step-count", COUNTS),
    )
    for case in cases
]


@pytest.mark.parametrize(("name", "value", "plain", "negated"), CASES)
def test_verdicts(name: str, value: Any, plain: bool, negated: bool) -> None:
    """The calls of the conversation and of this answer are one row; the verdict, and that of not-."""
    assert judge(name, ARM, value=value).result is (PASS if plain else FAIL)
    assert judge(f"not-{name}", ARM, value=value).result is (PASS if negated else FAIL)


SKILLS = tuple(ToolCall("Skill", json.dumps({"skill": name})) for name in (" pdf ", "xlsx", "pdf"))
GAVE = (ToolResult("Skill", "ok"), ToolResult("Read", "x", True), ToolResult("Skill", "no such skill", True))
NONE = (ToolCall("Skill", "{}"), ToolCall("Skill", '{"skill": " "}'), ToolCall("Skill", "[]"), ToolCall("Skill", "{"))
SKILLED = arm(
    "",
    request=Request("anthropic-messages", called=(*SKILLS, *NONE), tool_results=GAVE),
    tool_calls=(ToolCall("Skill", '{"skill": "pdf-forms"}'), ToolCall("skill", '{"skill": "docx"}')),
)


@pytest.mark.parametrize(
    ("value", "plain", "negated"),
    [
        ("pdf", True, False),
        (" pdf ", True, False),
        ("PDF", False, True),
        ("xlsx", False, True),
        ("docx", False, True),
        (["pdf", "pdf-forms"], True, False),
        (["pdf", "xlsx"], False, False),
        ({"name": "pdf", "min": 2}, True, None),
        ({"name": "pdf", "max": 1}, False, None),
        ({"pattern": "pdf*", "min": 3}, True, None),
        ({"name": "pdf", "pattern": "p?f"}, True, False),
        ({"name": "pdf", "pattern": "x*"}, False, True),
        ({"name": "xlsx", "max": 0}, True, True),
        ({"pattern": "docx"}, False, True),
    ],
)
def test_skills(value: Any, plain: bool, negated: bool | None) -> None:
    """A skill is loaded by its tool, under its exact name, where the application did not answer with an error."""
    assert judge("skill-used", SKILLED, value=value).result is (PASS if plain else FAIL)
    if negated is None:
        with pytest.raises(BadCheck, match="has no bounds"):
            check("not-skill-used", value)
    else:
        assert judge("not-skill-used", SKILLED, value=value).result is (PASS if negated else FAIL)


def test_a_finding_says_what_was_called() -> None:
    """The detail has the names, the paths what is missing."""
    found = judge("trajectory:tool-used", ARM, value=["search", "book", "pay"])
    assert found.detail == "there is no book, pay, but search, get_weather, search"
    assert found.paths == ("book", "pay")
    assert judge("trajectory:tool-sequence", ARM, value=["get_weather", "book"]).paths == ("book",)
    assert judge("trajectory:step-count", ARM, value={"max": 2}).detail == "*: 3, not 0 to 2"
    assert judge("trajectory:tool-args-match", ARM, value={"name": "s*", "args": {"q": 1}}).detail == (
        "2 calls of s*, none with these arguments"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trajectory:tool-used", {"name": "a", "type": "command"}),
        ("trajectory:step-count", {"type": ["tool", "search"], "max": 3}),
        ("trajectory:step-count", {"type": "span", "name": "a", "max": 3}),
        ("trajectory:tool-sequence", ["search", {"name": "a", "type": "reasoning"}]),
        ("trajectory:tool-args-match", {"name": "a", "type": "message", "args": {}}),
    ],
)
def test_steps_that_are_not_seen_are_never_counted(name: str, value: Any) -> None:
    """A question about other steps than tool calls is broken, under negation too."""
    for prefix in ("", "not-"):
        found = judge(prefix + name, ARM, value=value)
        assert (found.result, found.detail.split(",")[0]) == (BROKEN, "only tool calls are seen here")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("trajectory:tool-used", None, "needs a name"),
        ("trajectory:tool-used", [], "needs a name"),
        ("trajectory:tool-used", [""], "needs the name of a tool"),
        ("trajectory:tool-used", {"min": 1}, "needs the name of a tool"),
        ("trajectory:tool-used", {"name": "a", "max": 0}, "can never hold"),
        ("trajectory:step-count", {"name": "a"}, "needs a `min` or a `max`"),
        ("trajectory:step-count", 3, "needs a `value:` with"),
        ("trajectory:tool-sequence", [], "needs `steps`"),
        ("trajectory:tool-sequence", {"mode": "any", "steps": ["a"]}, "needs `steps`"),
        ("trajectory:tool-sequence", "a", "needs a `value:` with"),
        ("trajectory:tool-args-match", {"name": "a"}, "needs `args`"),
        ("trajectory:tool-args-match", {"name": "a", "args": {}, "mode": "some"}, "knows `mode: partial`"),
        ("trajectory:tool-args-match", {"name": "a", "args": {}, "defaults": [1]}, "knows `mode: partial`"),
        ("trajectory:tool-args-match", {"name": "a", "args": {}, "ignore": [" "]}, "needs an `ignore`"),
        ("trajectory:tool-args-match", {"name": "a", "args": {}, "ignore": 3}, "needs an `ignore`"),
        ("skill-used", {"min": 1}, "needs a `name` or a `pattern`"),
        ("skill-used", [3], "needs the name of a skill"),
        ("skill-used", 3, "needs a name"),
    ],
)
def test_mistakes_name_their_remedy(name: str, value: Any, message: str) -> None:
    """What makes no sense stops the start."""
    with pytest.raises(BadCheck, match=message):
        check(name, value)


@pytest.mark.parametrize(
    ("text", "expected", "fits"),
    [
        ("not json", "not json", True),
        ("", {}, False),
        ("  ", {}, False),
        ('{"a": NaN}', {"a": 1}, False),
        ("[" * 10_000 + "]" * 10_000, {"a": 1}, False),
        ('{"a":' * 900 + "1" + "}" * 900, {"a": {"a": {}}}, True),
        (json.dumps({"a": "x" * 1_000_000}), {"a": "x"}, False),
        ('{"a": "\ud800"}', {"a": "x"}, False),
        ('{"a": 123456789012345678901234567890}', {"a": 1.2345678901234568e29}, True),
        ("[1, 2]", [1, 2], True),
        ("[1, 2]", [1], False),
    ],
)
def test_arguments_may_be_anything(text: str, expected: Any, fits: bool) -> None:
    """Text that is no JSON stands for itself, nothing is no arguments, and nothing raises."""
    one = arm("", tool_calls=(ToolCall("f", text),))
    value = {"name": "f", "args": expected, "ignore": "z", "defaults": {"y": 1}}
    assert judge("trajectory:tool-args-match", one, value=value).result is (PASS if fits else FAIL)


NAMES = st.sampled_from(["search", "get_weather", "Skill", "", "a\nb", "\ud800"])
STEPS = st.lists(
    st.builds(ToolCall, NAMES, st.sampled_from(["", "{", "{}", '{"skill": "pdf"}', '{"q": 1}'])), max_size=5
)
RUNS = {
    negated + name: check(negated + name, value).run
    for negated in ("", "not-")
    for name, value in {
        "trajectory:tool-used": "search",
        "trajectory:step-count": {"min": 1, "max": 3},
        "trajectory:tool-sequence": ["search", "get*"],
        "trajectory:tool-args-match": {"name": "*", "args": {"q": 1}},
        "skill-used": "pdf",
    }.items()
}


@settings(deadline=None)
@given(STEPS, STEPS, st.lists(st.builds(ToolResult, NAMES, st.just("x"), st.booleans()), max_size=4))
def test_every_conversation_has_a_verdict_and_its_opposite(before: Any, now: Any, results: Any) -> None:
    """Whatever was called, each question has an answer, and not- the other one."""
    request = Request("openai-chat", called=tuple(before), tool_results=tuple(results))
    one = arm("", request=request, tool_calls=tuple(now))
    for name in RUNS:
        if not name.startswith("not-"):
            run: Any = RUNS[name]
            opposite: Any = RUNS[f"not-{name}"]
            assert {run(one).result, opposite(one).result} == {PASS, FAIL}
