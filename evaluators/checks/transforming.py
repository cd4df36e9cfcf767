"""A check behind a transform: the answer's text is changed before the check sees it. Used by the registry.

promptfoo gives up the whole row where a transform fails, so that neither an assertion nor its opposite passes. Here an
answer that the expression does not fit (no JSON, no such member) fails the check in both forms, and a comparison
differs; where the transform itself could not be run, it is broken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from evaluators.core.finding import Arm, Assert, BadCheck, Compare, Doors, Finding, broken, differ, failed, skipped
from evaluators.core.reply import Reply
from evaluators.core.transform import BadTransform, TooMuch, Unfit, compiled, given, parsed

_FILE = "file://"


def transformed(run: Assert | Compare, source: str, comparison: bool, doors: Doors) -> Assert | Compare:
    """The same check on transformed answers; raises BadCheck for a transform outside the language."""
    try:
        change = _from_file(source, doors) if source.startswith(_FILE) else _inline(source)
    except BadTransform as error:
        raise BadCheck(str(error)) from error
    return _compare(cast(Compare, run), change) if comparison else _assert(cast(Assert, run), change)


Change = Callable[[Arm], Arm]


def _assert(run: Assert, change: Change) -> Assert:
    def check(arm: Arm) -> Finding:
        try:
            changed = change(arm)
        except Unfit as error:
            return failed(f"the transform fails: {error}")
        except TooMuch as error:
            return broken(str(error))
        return run(changed)

    return check


def _compare(run: Compare, change: Change) -> Compare:
    def check(live: Arm, shadow: Arm) -> Finding:
        try:
            before = change(live)
        except Unfit as error:
            return skipped(f"the transform fails on live: {error}")
        except TooMuch as error:
            return broken(str(error))
        try:
            after = change(shadow)
        except Unfit as error:
            return differ(1.0, f"the transform fails: {error}")
        except TooMuch as error:
            return broken(str(error))
        return run(before, after)

    return check


def _inline(source: str) -> Change:
    apply = compiled(source)
    return lambda arm: _with(arm, apply(_output(arm)))


def _from_file(source: str, doors: Doors) -> Change:
    path, _, function = source.removeprefix(_FILE).partition(":")
    if not path.endswith(".py"):
        raise BadTransform("a transform from a file is a Python function: write file://transform.py:function")
    name = f"{_FILE}{path}:{function or 'get_transform'}"
    return lambda arm: _with(
        arm, given(doors.python(name, {"output": _output(arm), "context": {"prompt": arm.request.prompt, "vars": {}}}))
    )


def _with(arm: Arm, text: str) -> Arm:
    return replace(arm, reply=replace(arm.reply, text=text))


def _output(arm: Arm) -> Any:
    """What promptfoo calls `output`: the text, the object where a schema was asked for, else the tool calls."""
    reply = arm.reply
    text = reply.words
    if arm.request.schema and text:
        return parsed(text)
    return text if text or not reply.tool_calls else _calls(reply)


def _calls(reply: Reply) -> list[dict[str, Any]]:
    return [
        {"type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in reply.tool_calls
    ]
