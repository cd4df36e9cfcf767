"""Tool calls compared, with places."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.checks.compare_tools import MAX_NEAREST
from evaluators.core.finding import MAX_PATHS, BadCheck, Result
from evaluators.core.reply import ToolCall
from tests.evaluators.checks.arms import arm, check, judge

SAME, DIFFER, SKIP = Result.SAME, Result.DIFFER, Result.SKIP
OSLO = ToolCall("get_weather", '{"city": "Oslo"}')
ROME = ToolCall("get_weather", '{"city": "Rome"}')
SPACED = ToolCall("get_weather", '{ "city":"Oslo" }')
HOT = ToolCall("get_weather", '{"city": "Oslo", "unit": "C"}')
COLD = ToolCall("get_weather", '{"city": "Oslo", "unit": "F"}')
BERN = ToolCall("get_weather", '{"city": "Bern"}')
SEARCH = ToolCall("search", '{"q": ["a", "b"]}')
SEARCHED = ToolCall("search", '{"q": ["a", "c"]}')
CUT = ToolCall("search", '{"q": ["a"')
SLASH = ToolCall("a/b", "{}")
NUMBER = ToolCall("get_weather", '{"city": 5}')
SHOUTED = ToolCall("get_weather", '{"city": " OS-LO. "}')
BELOW = ToolCall("set", '{"to": "-5", "at": [{"n": "A.B"}]}')
ABOVE = ToolCall("set", '{"to": "5", "at": [{"n": "ab"}]}')
KEYED = ToolCall("set", '{"To": "5", "at": [{"n": "ab"}]}')
HALF = ToolCall("set", '{"to": 1}')
WHOLE = ToolCall("set", '{"to": 1.0}')
ONE = ToolCall("search", '{"q": ["a"]}')
DEEP = ToolCall("search", '{"q": {"a": 1}}')
DEEPER = ToolCall("search", '{"q": {"b": 1}}')
LIST = ToolCall("search", "[1]")
TEXT = ToolCall("search", "not json")
Calls = tuple[ToolCall, ...]


@pytest.mark.parametrize(
    ("live", "shadow", "expected", "distance", "paths"),
    [
        pytest.param((), (), SKIP, 0, "", id="no calls"),
        pytest.param((OSLO,), (OSLO,), SAME, 0, "", id="equal"),
        pytest.param((OSLO,), (SPACED,), SAME, 0, "", id="white space aside"),
        pytest.param((OSLO,), (SHOUTED,), SAME, 0, "", id="case, spaces and punctuation of strings aside"),
        pytest.param((BELOW,), (ABOVE,), SAME, 0, "", id="inside lists too, and a sign in a string is not heard"),
        pytest.param((HALF,), (WHOLE,), SAME, 0, "", id="one number written twice"),
        pytest.param((OSLO, SEARCH, ROME), (ROME, OSLO, SEARCH), SAME, 0, "", id="order aside"),
        pytest.param((OSLO,), (ROME,), DIFFER, 1, "get_weather/city value_error", id="another argument"),
        pytest.param((OSLO,), (NUMBER,), DIFFER, 1, "get_weather/city type_error", id="another type"),
        pytest.param((OSLO,), (HOT,), DIFFER, 0.5, "get_weather/unit unexpected_param", id="one more argument"),
        pytest.param((HOT,), (OSLO,), DIFFER, 0.5, "get_weather/unit missing_required", id="one argument less"),
        pytest.param(
            (ABOVE,), (KEYED,), DIFFER, 1, "set/To set/to missing_required unexpected_param", id="keys are not heard"
        ),
        pytest.param((SEARCH,), (SEARCHED,), DIFFER, 0.5, "search/q/* value_error", id="inside a list"),
        pytest.param((SEARCH,), (ONE,), DIFFER, 0.5, "search/q/* value_error", id="a shorter list is another value"),
        pytest.param((DEEP,), (DEEPER,), DIFFER, 1, "search/q/a search/q/b value_error", id="another key further down"),
        pytest.param((OSLO,), (), DIFFER, 1, "get_weather wrong_count", id="no call"),
        pytest.param((), (OSLO,), DIFFER, 1, "get_weather wrong_count", id="a call where live has none"),
        pytest.param((OSLO,), (SEARCH,), DIFFER, 1, "get_weather search wrong_func_name", id="another tool"),
        pytest.param(
            (OSLO, SEARCH),
            (SLASH,),
            DIFFER,
            1,
            "get_weather a~1b search wrong_func_name wrong_count",
            id="another tool, and one call less",
        ),
        pytest.param((OSLO, OSLO), (OSLO,), DIFFER, 0.5, "get_weather wrong_count", id="once less"),
        pytest.param(
            (OSLO, ROME), (ROME, HOT), DIFFER, 0.25, "get_weather/unit unexpected_param", id="the nearest are matched"
        ),
        pytest.param(
            (HOT, ROME),
            (BERN, COLD),
            DIFFER,
            0.75,
            "get_weather/unit get_weather/city value_error",
            id="both changed",
        ),
        pytest.param((SEARCH,), (CUT,), DIFFER, 1, "search type_error", id="unreadable arguments"),
        pytest.param((CUT,), (CUT,), SAME, 0, "", id="the same unreadable arguments"),
        pytest.param((CUT,), (TEXT,), DIFFER, 1, "search value_error", id="other unreadable arguments"),
        pytest.param((SEARCH,), (LIST,), DIFFER, 0.5, "search type_error", id="a list where names should be"),
        pytest.param((SLASH,), (), DIFFER, 1, "a~1b wrong_count", id="a name with a slash"),
    ],
)
def test_places_and_kinds(live: Calls, shadow: Calls, expected: Result, distance: float, paths: str) -> None:
    """Which tool, which argument, and after that which kinds of error; parallel calls are matched without order."""
    found = judge("shadow:tool-calls", arm("", tool_calls=live), arm("", tool_calls=shadow))
    assert (found.result, found.score, found.paths) == (expected, distance, tuple(paths.split()))


@pytest.mark.parametrize(
    ("live", "shadow", "paths"),
    [
        pytest.param(OSLO, SHOUTED, ("get_weather/city", "value_error"), id="letters"),
        pytest.param(BELOW, ABOVE, ("set/at/*/n", "set/to", "value_error"), id="signs"),
        pytest.param(OSLO, SPACED, (), id="white space between values is no value"),
        pytest.param(HALF, WHOLE, (), id="numbers"),
    ],
)
def test_exact_compares_strings_as_they_stand(live: ToolCall, shadow: ToolCall, paths: tuple[str, ...]) -> None:
    """With `exact` letters and signs of strings count; how JSON is written still does not."""
    found = judge("shadow:tool-calls", arm(tool_calls=(live,)), arm(tool_calls=(shadow,)), config={"exact": True})
    assert found.paths == paths


@pytest.mark.parametrize("config", [{"exact": "yes"}, {"exakt": True}])
def test_only_a_plain_exact_is_understood(config: dict[str, Any]) -> None:
    """Any other option, or another value, is a mistake."""
    with pytest.raises(BadCheck, match="exact"):
        check("shadow:tool-calls", config=config)


def test_the_kinds_are_never_cut_off() -> None:
    """With more places than a finding holds, places give way: the kinds of error are all there, at the end."""
    live = tuple(ToolCall("t", json.dumps({f"k{n}": n for n in range(50)})) for _ in range(2))
    shadow = (ToolCall("t", json.dumps({f"k{n}": str(n) for n in range(1, 51)})),)
    found = judge("shadow:tool-calls", arm(tool_calls=live), arm(tool_calls=shadow))
    assert len(found.paths) == MAX_PATHS
    assert found.paths[-4:] == ("missing_required", "unexpected_param", "type_error", "wrong_count")


HOSTILE_ARGUMENTS = [
    pytest.param("[" * 10_000 + "]" * 10_000, id="ten thousand levels"),
    pytest.param('{"a":' * 1_000 + "1" + "}" * 1_000, id="a thousand levels"),
    pytest.param(json.dumps({"a": "x" * 1_000_000}), id="a megabyte"),
    pytest.param(json.dumps({str(n): n for n in range(60_000)}), id="sixty thousand arguments"),
    pytest.param('{"a": "\\ud800"}', id="an escaped surrogate"),
    pytest.param('{"a": "\ud800"}', id="a lone surrogate"),
    pytest.param('{"a": 123456789012345678901234567890}', id="beyond 64 bits"),
    pytest.param('{"a": NaN}', id="not a number"),
    pytest.param("9" * 10_000, id="ten thousand digits"),
    pytest.param("", id="nothing"),
]


@pytest.mark.parametrize("text", HOSTILE_ARGUMENTS)
def test_hostile_arguments_are_compared(text: str) -> None:
    """Whatever a model writes as arguments, it equals itself and differs from something else."""
    one, same, other = ToolCall("t", text), ToolCall("t", text + " "), ToolCall("t", '{"z": 0}')
    assert judge("shadow:tool-calls", arm(tool_calls=(one, other)), arm(tool_calls=(other, one))).result is SAME
    assert judge("shadow:tool-calls", arm(tool_calls=(one,)), arm(tool_calls=(other,))).result is DIFFER
    assert judge("shadow:tool-calls", arm(tool_calls=(one,)), arm(tool_calls=(same,))).result in (SAME, DIFFER)


WORDS = st.sampled_from(["", "Oslo", "os-lo", "Rome", "5"])
ARGUMENTS = st.dictionaries(st.sampled_from("abc"), WORDS | st.integers(0, 2) | st.lists(WORDS, max_size=2), max_size=3)
CALLS = st.lists(
    st.builds(ToolCall, st.sampled_from("fgh"), ARGUMENTS.map(json.dumps) | st.sampled_from(["", "{", "[1]"])),
    max_size=4,
)
COMPARE: Any = check("shadow:tool-calls").run
KINDS = {"wrong_func_name", "wrong_count", "missing_required", "unexpected_param", "type_error", "value_error"}


@settings(max_examples=200, deadline=None)
@given(live=CALLS, shadow=CALLS, dice=st.randoms(use_true_random=False))
def test_order_never_counts_and_every_difference_has_its_kind(live: Any, shadow: Any, dice: Any) -> None:
    """Calls in another order are the same; a difference has a place and a kind, from both sides alike."""
    mixed = list(live)
    dice.shuffle(mixed)
    one, other, two = (arm(tool_calls=tuple(calls)) for calls in (live, mixed, shadow))
    assert COMPARE(one, other).result in (SAME, SKIP)
    found = COMPARE(one, two)
    assert found.result is COMPARE(two, one).result
    assert (found.result is DIFFER) == bool(KINDS & {*found.paths}) == bool({*found.paths} - KINDS)
    assert (found.score > 0) == (found.result is DIFFER)


def test_the_detail_names_the_tools() -> None:
    """What was called on both sides is in the detail."""
    assert (
        judge("shadow:tool-calls", arm("", tool_calls=(OSLO, SEARCH)), arm("a")).detail == "get_weather, search → none"
    )


def test_very_many_calls_are_compared_in_order() -> None:
    """Beyond MAX_NEAREST different calls of one tool nearness is not searched for; equal ones still are found."""
    calls = tuple(ToolCall("a", f'{{"n": {n}}}') for n in range(2 * MAX_NEAREST))
    other = tuple(ToolCall("a", f'{{"n": {-n - 1}}}') for n in range(2 * MAX_NEAREST))
    assert judge("shadow:tool-calls", arm("", tool_calls=calls), arm("", tool_calls=calls[::-1])).result is SAME
    assert judge("shadow:tool-calls", arm("", tool_calls=calls), arm("", tool_calls=other)).paths == (
        "a/n",
        "value_error",
    )
