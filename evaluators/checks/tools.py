"""Assertions on tool calls: do they fit the tools that the request offered, and are they the expected ones.

Built by the registry in __init__. The neighbours: compare_tools sets live's calls beside the candidate's, trajectory
looks at the calls of the whole conversation.
"""

from __future__ import annotations

from collections.abc import Iterator

from evaluators.core import schema
from evaluators.core.diff import place, whole_json
from evaluators.core.finding import (
    Arm,
    Assert,
    BadCheck,
    CheckType,
    Finding,
    Params,
    assertion,
    broken,
    failed,
    passed,
    skipped,
)
from evaluators.core.reply import Request, ToolCall

_MOST = 100
"""Calls that are judged; an answer with more of them fails by its first hundred or not at all."""


@assertion("is-valid-function-call", dimension="correctness", layer="format")
def is_valid_function_call(params: Params) -> Assert:
    """The answer calls tools, all of them offered by the request, with arguments that fit their schemas.

    An answer without a call fails, and so does a call where the request offers no tools. The three names say the
    same here: which form the provider gave the calls in is settled before. A tool without a schema takes any JSON;
    one that OpenAI calls `custom` takes any text. A schema of the request that cannot be used is skipped.
    """
    return _valid


@assertion("is-valid-openai-function-call", dimension="correctness", layer="format")
def is_valid_openai_function_call(params: Params) -> Assert:
    """The same as is-valid-function-call, under promptfoo's older name."""
    return _valid


@assertion("is-valid-openai-tools-call", dimension="correctness", layer="format")
def is_valid_openai_tools_call(params: Params) -> Assert:
    """The same as is-valid-function-call, under promptfoo's name for calls of tools."""
    return _valid


@assertion("tool-call-f1", dimension="correctness", takes=("value", "threshold"))
def tool_call_f1(params: Params) -> Assert:
    """The answer calls the tools of this list: the F1 score of the two sets of names reaches the threshold (1).

    Order, arguments and repetition do not count. The paths are the names that only one of the sets has.
    """
    given = params.value.split(",") if isinstance(params.value, str) else params.value
    if not isinstance(given, list) or not all(isinstance(name, str | int | float) for name in given):
        raise BadCheck("tool-call-f1 needs a `value:` with the names of the expected tools")
    expected = {str(name).strip() for name in given} - {""}
    least = params.limit(1.0)
    if not expected or least > 1:
        raise BadCheck("tool-call-f1 needs a name at least in its `value:`, and a `threshold:` of 1 at most")

    def check(arm: Arm) -> Finding:
        called = {call.name for call in arm.reply.tool_calls}
        score = _f1(expected, called)
        detail = f"F1 {score:.3f}; called {', '.join(name[:40] for name in sorted(called)) or 'none'}"
        return passed(detail, score) if score >= least else failed(detail, score, tuple(sorted(expected ^ called)))

    return check


TYPES: tuple[CheckType, ...] = (
    is_valid_function_call,
    is_valid_openai_function_call,
    is_valid_openai_tools_call,
    tool_call_f1,
)


def _f1(expected: set[str], called: set[str]) -> float:
    both = len(expected & called)
    if not both:
        return 0.0
    precision, recall = both / len(called), both / len(expected)
    return 2 * precision * recall / (precision + recall)


def _valid(arm: Arm) -> Finding:
    calls = arm.reply.tool_calls
    if not calls:
        return failed("the answer calls no tool")
    if not arm.request.tool_schemas:
        return failed("the request offers no tools", paths=_names(calls))
    try:
        budget = schema.Budget()
        wrong = [found for call in calls[:_MOST] for found in _faults(call, arm.request, budget)]
    except schema.Unusable as reason:
        return skipped(f"the schema of a tool cannot be used: {reason}")
    except schema.Unending as reason:
        return broken(str(reason))
    if not wrong:
        return passed()
    return failed(wrong[0][0], paths=tuple(dict.fromkeys(path for _, path in wrong)))


def _faults(call: ToolCall, request: Request, budget: schema.Budget) -> Iterator[tuple[str, str]]:
    """What is wrong with a call, and where: `get_weather/city` for an argument."""
    here = place((call.name,))[1:]
    expected = request.tool_schemas.get(call.name)
    if expected is None:
        yield f"{call.name[:40]} is not offered", here
        return
    if not expected and call.name in _custom(request):
        return
    found = whole_json(call.arguments)
    if not found:
        yield f"the arguments of {call.name[:40]} are not JSON", here
    elif expected:
        for fault in schema.faults(schema.validator(expected), found[0], budget):
            for trail in schema.trails(fault):
                detail = f"the arguments of {call.name[:40]} do not fit: {fault.validator}"
                yield detail, place((call.name, *trail))[1:]


def _custom(request: Request) -> set[str]:
    """Names of tools that take text: their schema is empty like that of a tool without arguments."""
    tools = request.body.get("tools")
    custom = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    named = [(tool.get("custom") or tool) for tool in custom if tool.get("type") == "custom"]
    return {str(tool.get("name")) for tool in named if isinstance(tool, dict)}


def _names(calls: tuple[ToolCall, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(place((call.name,))[1:] for call in calls))
