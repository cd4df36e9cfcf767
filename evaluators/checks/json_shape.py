"""Assertions on JSON answers: is-json, contains-json, with an optional schema. Built by the registry in __init__.

The schema is the check's `value`, else the one that the request itself demands; core's schema sees to it that every
question ends, if need be as `broken`. An answer that is only tool calls, or an embedding, is skipped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml
from jsonschema.protocols import Validator

from evaluators.core import schema
from evaluators.core.diff import json_blocks, place, whole_json
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
from evaluators.core.on_text import NO_TEXT, textless

_Values = Callable[[str], tuple[Any, ...]]


@assertion("is-json", dimension="correctness", takes=("value",), layer="format")
def is_json(params: Params) -> Assert:
    """The whole answer is JSON, and fits the schema if there is one. JSON in a code fence is not JSON."""
    return _shape(params, whole_json, "is not JSON")


@assertion("contains-json", dimension="correctness", takes=("value",), layer="format")
def contains_json(params: Params) -> Assert:
    """The answer is JSON or has a JSON object or array in it that fits the schema if there is one."""
    return _shape(params, _anywhere, "has no JSON in it")


TYPES: tuple[CheckType, ...] = (is_json, contains_json)


def _shape(params: Params, values: _Values, absent: str) -> Assert:
    own = _own_schema(params)

    def check(arm: Arm) -> Finding:
        if textless(arm.reply):
            return NO_TEXT
        text = arm.reply.words
        found = values(text)
        if not found:
            return failed(absent + _fenced(text))
        try:
            return _judge(own or _demanded(arm), found)
        except schema.Unusable as reason:
            return skipped(f"the request's schema cannot be used: {reason}")
        except schema.Unending as reason:
            return broken(str(reason))

    return check


def _anywhere(text: str) -> tuple[Any, ...]:
    return whole_json(text) or tuple(block.value for block in json_blocks(text))


def _fenced(text: str) -> str:
    return ", though it has JSON in it" if json_blocks(text) else ""


def _judge(validators: tuple[Validator, ...], found: tuple[Any, ...]) -> Finding:
    budget = schema.Budget()
    for validator in validators:
        fewest = min((schema.faults(validator, value, budget) for value in found), key=len)
        if fewest:
            rules = dict.fromkeys(str(fault.validator) for fault in fewest)
            paths = dict.fromkeys(place(trail) for fault in fewest for trail in schema.trails(fault))
            return failed(f"does not fit the schema: {', '.join(rules)}", paths=tuple(paths))
    return passed()


def _own_schema(params: Params) -> tuple[Validator, ...]:
    value = params.value
    if value is None:
        return ()
    if isinstance(value, str):
        try:
            value = yaml.safe_load(value)
        except (yaml.YAMLError, RecursionError) as error:
            raise BadCheck(f"{params.type} needs a JSON Schema as its `value:`; this is not YAML") from error
    if not isinstance(value, dict):
        raise BadCheck(f"{params.type} needs a JSON Schema (a mapping) as its `value:`")
    try:
        return (schema.validator(value),)
    except schema.Unusable as error:
        raise BadCheck(f"{params.type} has a schema that cannot be used: {error}") from error


def _demanded(arm: Arm) -> tuple[Validator, ...]:
    return (schema.validator(arm.request.schema),) if arm.request.schema else ()
