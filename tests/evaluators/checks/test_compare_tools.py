"""Tool calls compared, with places."""

from __future__ import annotations

import pytest

from evaluators.checks.compare_tools import MAX_NEAREST
from evaluators.core.finding import Result
from evaluators.core.reply import ToolCall
from tests.evaluators.checks.arms import arm, judge

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
BOTH = ("get_weather/unit", "get_weather/city")
Calls = tuple[ToolCall, ...]


@pytest.mark.parametrize(
    ("live", "shadow", "expected", "distance", "paths"),
    [
        pytest.param((), (), SKIP, 0, (), id="no calls"),
        pytest.param((OSLO,), (OSLO,), SAME, 0, (), id="equal"),
        pytest.param((OSLO,), (SPACED,), SAME, 0, (), id="white space aside"),
        pytest.param((OSLO, SEARCH, ROME), (ROME, OSLO, SEARCH), SAME, 0, (), id="order aside"),
        pytest.param((OSLO,), (ROME,), DIFFER, 1, ("get_weather/city",), id="another argument"),
        pytest.param((OSLO,), (HOT,), DIFFER, 0.5, ("get_weather/unit",), id="one more argument"),
        pytest.param((SEARCH,), (SEARCHED,), DIFFER, 0.5, ("search/q/*",), id="inside a list"),
        pytest.param((OSLO,), (), DIFFER, 1, ("get_weather",), id="no call"),
        pytest.param((), (OSLO,), DIFFER, 1, ("get_weather",), id="a call where live has none"),
        pytest.param((OSLO,), (SEARCH,), DIFFER, 1, ("get_weather", "search"), id="another tool"),
        pytest.param((OSLO, OSLO), (OSLO,), DIFFER, 0.5, ("get_weather",), id="once less"),
        pytest.param((OSLO, ROME), (ROME, HOT), DIFFER, 0.25, ("get_weather/unit",), id="the nearest are matched"),
        pytest.param(
            (HOT, ROME), (BERN, COLD), DIFFER, 0.75, ("get_weather/unit", "get_weather/city"), id="both changed"
        ),
        pytest.param((SEARCH,), (CUT,), DIFFER, 1, ("search",), id="unreadable arguments"),
        pytest.param((CUT,), (CUT,), SAME, 0, (), id="the same unreadable arguments"),
        pytest.param((SLASH,), (), DIFFER, 1, ("a~1b",), id="a name with a slash"),
    ],
)
def test_places(live: Calls, shadow: Calls, expected: Result, distance: float, paths: tuple[str, ...]) -> None:
    """Which tool, which argument; parallel calls are matched without order."""
    found = judge("shadow:tool-calls", arm("", tool_calls=live), arm("", tool_calls=shadow))
    assert (found.result, found.score, found.paths) == (expected, distance, paths)


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
    assert judge("shadow:tool-calls", arm("", tool_calls=calls), arm("", tool_calls=other)).paths == ("a/n",)
