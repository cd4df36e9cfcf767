"""Which tools were called, with which arguments, in which order: trajectory:*, skill-used. Collected by trajectory.

The steps are the tool calls of the conversation so far, then those of this answer. Values and defaults are promptfoo's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice, zip_longest
from typing import Any

from evaluators.checks.trajectory.naming import Bounds, Fits, Step, bounds, glob, step, table, unseen
from evaluators.core.diff import json_diff, whole_json
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
)
from evaluators.core.reply import ToolCall

SKILL = "Skill"
"""The tool by which Claude's agents load a skill; its argument `skill` has the name."""

_NEGATED = "not-"
_SHOWN = 8


@assertion("trajectory:tool-used", dimension="correctness", takes=("value",))
def tool_used(params: Params) -> Assert:
    """Every named tool was called; with `{name or pattern, min, max}` one of them so often (at least once).

    Names are patterns (`search_*`). With several names the `not-` form forbids each of them, as in promptfoo.
    """
    if isinstance(params.value, dict):
        fields = table(params, params.value, "name", "pattern", "type", "min", "max")
        one = step(params, fields)
        return _counted(one, bounds(params, fields, 1), _names)
    return _listed(params, tuple(step(params, value) for value in _list(params)), _names)


@assertion("trajectory:step-count", dimension="usefulness", takes=("value",))
def step_count(params: Params) -> Assert:
    """Within `{min, max}` tool calls were made, of all tools or of those with a `name` or `pattern`."""
    fields = table(params, params.value, "min", "max", "name", "pattern", "type")
    if fields.get("min") is None and fields.get("max") is None:
        raise BadCheck(f"{params.type} needs a `min` or a `max`")
    named = fields.get("pattern") or fields.get("name")
    one = step(params, fields) if named else Step("*", glob("*"), unseen(params, fields))
    return _counted(one, bounds(params, fields, 0), _names)


@assertion("trajectory:tool-sequence", dimension="correctness", takes=("value",))
def tool_sequence(params: Params) -> Assert:
    """The tools were called in this order, others in between; with `mode: exact` these and no others.

    The value is the list, or `{mode: in_order or exact, steps: [...]}`.
    """
    fields = {"steps": params.value} if isinstance(params.value, list) else params.value
    fields = table(params, fields, "mode", "steps")
    mode, listed = fields.get("mode") or "in_order", fields.get("steps")
    if mode not in ("in_order", "exact") or not isinstance(listed, list) or not listed:
        raise BadCheck(f"{params.type} needs `steps`, and perhaps a `mode` that is in_order or exact")
    wanted = tuple(step(params, one) for one in listed)

    def check(arm: Arm) -> Finding:
        names = _names(arm)
        if mode == "exact":
            holds = len(names) == len(wanted) and all(one.fits(name) for one, name in zip(wanted, names, strict=True))
            return passed() if holds else failed(f"called {_shown(names)}")
        left = iter(names)
        for one in wanted:
            if not any(map(one.fits, left)):
                return failed(f"{one.label} did not come in order; called {_shown(names)}", paths=(one.label,))
        return passed()

    return _seen(wanted, check)


@assertion("trajectory:tool-args-match", dimension="correctness", takes=("value",))
def tool_args_match(params: Params) -> Assert:
    """Some call of the tool has these arguments: `{name or pattern, args, mode, defaults, ignore}`.

    `mode: partial` (the default) looks for these arguments among others, at every level, and for lists of the same
    length; `exact` allows no others. `ignore` has names or patterns of arguments to leave out on both sides, `defaults`
    the values that a call may spell out as if it had not.
    """
    known = ("name", "pattern", "type", "args", "arguments", "mode", "defaults", "ignore")
    fields = table(params, params.value, *known)
    one = step(params, fields)
    if "args" not in fields and "arguments" not in fields:
        raise BadCheck(f"{params.type} needs `args`")
    mode, defaults = fields.get("mode", "partial"), fields.get("defaults", {})
    if mode not in ("partial", "exact") or not isinstance(defaults, dict):
        raise BadCheck(f"{params.type} knows `mode: partial` and `exact`, and `defaults` by name")
    ignored = _ignored(params, fields.get("ignore", []))
    expected = _kept(fields["args"] if "args" in fields else fields["arguments"], ignored)
    fits = _equal if mode == "exact" else _within

    def check(arm: Arm) -> Finding:
        calls = [call for call in _calls(arm) if one.fits(call.name)]
        for call in calls:
            for value in _arguments(call):
                if fits(_spelled(_kept(value, ignored), defaults), expected):
                    return passed()
        return failed(f"{len(calls)} calls of {one.label}, none with these arguments", paths=(one.label,))

    return _seen((one,), check)


@assertion("skill-used", dimension="correctness", takes=("value",))
def skill_used(params: Params) -> Assert:
    """Every named skill was loaded; with `{name, pattern, min, max}` one of them so often.

    A skill is loaded by a call of the tool `Skill` with the name in its argument `skill`; one that the application
    answered with an error does not count. Names stand for themselves, `pattern` has `*` and `?`. Without `min` it is
    at least once, and with `max` alone at most so often. With several names the `not-` form forbids each of them.
    """
    if not isinstance(params.value, dict):
        names = [name.strip() if isinstance(name, str) else "" for name in _list(params)]
        if not all(names):
            raise BadCheck(f"{params.type} needs the name of a skill, or a list of names")
        return _listed(params, tuple(Step(name, name.__eq__) for name in names), _skills)
    fields = table(params, params.value, "name", "pattern", "min", "max")
    name, pattern = (str(fields.get(key) or "").strip() for key in ("name", "pattern"))
    if not name and not pattern:
        raise BadCheck(f"{params.type} needs a `name` or a `pattern`")
    if params.type.startswith(_NEGATED):
        # promptfoo reads `not-` with `max: 0` as «never», which is what it says without bounds
        if fields.get("min") is not None or fields.get("max") not in (None, 0):
            raise BadCheck(f"{params.type} has no bounds; write them without the `{_NEGATED}`")
        fields = {}
    allowed = bounds(params, fields, 1 if fields.get("max") is None else 0)
    fits = glob(pattern) if pattern else name.__eq__
    return _counted(Step(pattern or name, lambda one: fits(one) and one == (name or one)), allowed, _skills)


TYPES: tuple[CheckType, ...] = (tool_used, step_count, tool_sequence, tool_args_match, skill_used)


def _listed(params: Params, wanted: tuple[Step, ...], names_of: Callable[[Arm], Sequence[str]]) -> Assert:
    """All of them are there; under negation the opposite is that none is, so there it asks whether any is."""
    enough = any if params.type.startswith(_NEGATED) else all

    def check(arm: Arm) -> Finding:
        names = names_of(arm)
        absent = tuple(one.label for one in wanted if not any(map(one.fits, names)))
        if enough(one.label not in absent for one in wanted):
            return passed(f"there are {_shown(names)}")
        return failed(f"there is no {', '.join(absent)}, but {_shown(names)}", paths=absent)

    return _seen(wanted, check)


def _counted(one: Step, allowed: Bounds, names_of: Callable[[Arm], Sequence[str]]) -> Assert:
    def check(arm: Arm) -> Finding:
        count = sum(map(one.fits, names_of(arm)))
        detail = f"{one.label}: {count}"
        return passed(detail) if allowed.hold(count) else failed(f"{detail}, not {allowed}")

    return _seen((one,), check)


def _seen(wanted: Sequence[Step], check: Assert) -> Assert:
    """The check, unless it asks for steps that are not seen here."""
    reason = next((one.unseen for one in wanted if one.unseen), "")
    return (lambda arm: broken(reason)) if reason else check


def _list(params: Params) -> list[Any]:
    value = [params.value] if isinstance(params.value, str) else params.value
    if not isinstance(value, list) or not value:
        raise BadCheck(f"{params.type} needs a name as its `value:`, a list of names, or a table")
    return value


def _calls(arm: Arm) -> tuple[ToolCall, ...]:
    return (*arm.request.called, *arm.reply.tool_calls)


def _names(arm: Arm) -> list[str]:
    return [call.name for call in _calls(arm)]


def _skills(arm: Arm) -> list[str]:
    """Results are told in the order of their calls; this answer's calls have none yet."""
    before = [call for call in arm.request.called if call.name == SKILL]
    results = [result.error for result in arm.request.tool_results if result.name == SKILL]
    refused = islice(zip_longest(before, results, fillvalue=False), len(before))
    loaded = [call for call, error in refused if isinstance(call, ToolCall) and not error]
    loaded += [call for call in arm.reply.tool_calls if call.name == SKILL]
    given = [value.get("skill") for call in loaded for value in _arguments(call) if isinstance(value, dict)]
    return [name.strip() for name in given if isinstance(name, str) and name.strip()]


def _arguments(call: ToolCall) -> tuple[Any, ...]:
    """The arguments, as a tuple of one: the text itself where it is no JSON; () where there is none."""
    text = call.arguments.strip()
    return whole_json(text) or ((text,) if text else ())


def _ignored(params: Params, value: Any) -> tuple[Fits, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
        raise BadCheck(f"{params.type} needs an `ignore` that is a name, or a list of them")
    return tuple(glob(name) if {"*", "?"} & {*name} else name.__eq__ for name in names)


def _kept(value: Any, ignored: tuple[Fits, ...]) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: inner for key, inner in value.items() if not any(fits(str(key)) for fits in ignored)}


def _spelled(value: Any, defaults: dict[str, Any]) -> Any:
    if not isinstance(value, dict):
        return value
    return {k: inner for k, inner in value.items() if k not in defaults or not _equal(inner, defaults[k])}


def _equal(value: Any, expected: Any) -> bool:
    return not json_diff(value, expected, 0.0)


def _within(value: Any, expected: Any) -> bool:
    """The value has at least what is expected; the configuration decides how deep this goes."""
    if isinstance(expected, list):
        same = isinstance(value, list) and len(value) == len(expected)
        return same and all(_within(a, b) for a, b in zip(value, expected, strict=True))
    if isinstance(expected, dict):
        return isinstance(value, dict) and all(
            key in value and _within(value[key], inner) for key, inner in expected.items()
        )
    return _equal(value, expected)


def _shown(names: Sequence[str]) -> str:
    return ", ".join(name[:40] for name in names[:_SHOWN]) or "none"
