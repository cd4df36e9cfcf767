"""Assertions on JSON answers: is-json, contains-json, with an optional schema. Built by the registry in __init__.

The schema is the check's `value`, else the one that the request itself demands. References outside the schema are
never fetched, and patterns that backtrack for ever never run: in the configuration they are a mistake, in a request
the schema is not used. Formats are checked as
far as the validator knows them. An answer that is only tool calls, or an embedding, is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

import orjson
import yaml
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import Draft202012Validator, validator_for
from referencing import Registry

from evaluators.core.diff import json_blocks, place, whole_json
from evaluators.core.finding import (
    Arm,
    Assert,
    BadCheck,
    CheckType,
    Finding,
    Params,
    assertion,
    endless,
    failed,
    passed,
    skipped,
)

MAX_ERRORS = 32

_Values = Callable[[str], tuple[Any, ...]]


@assertion("is-json", dimension="correctness", takes=("value",))
def is_json(params: Params) -> Assert:
    """The whole answer is JSON, and fits the schema if there is one. JSON in a code fence is not JSON."""
    return _shape(params, whole_json, "is not JSON")


@assertion("contains-json", dimension="correctness", takes=("value",))
def contains_json(params: Params) -> Assert:
    """The answer is JSON or has a JSON object or array in it that fits the schema if there is one."""
    return _shape(params, _anywhere, "has no JSON in it")


TYPES: tuple[CheckType, ...] = (is_json, contains_json)


class _Unusable(ValueError):
    """A schema that cannot be used; the text says why."""


def _shape(params: Params, values: _Values, absent: str) -> Assert:
    own = _own_schema(params)

    def check(arm: Arm) -> Finding:
        reply = arm.reply
        text = reply.text or reply.refusal
        if not text and (reply.tool_calls or reply.vector):
            return skipped("the answer has no text")
        found = values(text)
        if not found:
            return failed(absent + _fenced(text))
        try:
            validators = own or _demanded(arm)
        except _Unusable as reason:
            return skipped(f"the request's schema cannot be used: {reason}")
        return _judge(validators, found)

    return check


def _anywhere(text: str) -> tuple[Any, ...]:
    return whole_json(text) or tuple(block.value for block in json_blocks(text))


def _fenced(text: str) -> str:
    return ", though it has JSON in it" if json_blocks(text) else ""


def _judge(validators: tuple[Validator, ...], found: tuple[Any, ...]) -> Finding:
    for validator in validators:
        errors = [tuple(islice(validator.iter_errors(value), MAX_ERRORS)) for value in found]
        fewest = min(errors, key=len)
        if fewest:
            paths = tuple(dict.fromkeys(path for error in fewest for path in _paths(error)))
            return failed(f"does not fit the schema: {', '.join(_rules(fewest))}", paths=paths)
    return passed()


def _rules(errors: tuple[ValidationError, ...]) -> Iterator[str]:
    return (f"{rule}" for rule in dict.fromkeys(str(error.validator) for error in errors))


def _paths(error: ValidationError) -> tuple[str, ...]:
    trail = tuple("*" if isinstance(step, int) else step for step in error.absolute_path)
    names: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "required" and isinstance(names, list):
        return tuple(place((*trail, name)) for name in names if name not in instance)
    return (place(trail),)


def _own_schema(params: Params) -> tuple[Validator, ...]:
    value = params.value
    if value is None:
        return ()
    if isinstance(value, str):
        if value.startswith("file://"):
            raise BadCheck(f"{params.type}: a schema in a file is not available yet; write it into `value:`")
        try:
            value = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise BadCheck(f"{params.type} needs a JSON Schema as its `value:`; this is not YAML") from error
    if not isinstance(value, dict):
        raise BadCheck(f"{params.type} needs a JSON Schema (a mapping) as its `value:`")
    try:
        return (_validator(orjson.dumps(value)),)
    except (_Unusable, TypeError) as error:
        raise BadCheck(f"{params.type} has a schema that cannot be used: {error}") from error


def _demanded(arm: Arm) -> tuple[Validator, ...]:
    return (_validator(orjson.dumps(arm.request.schema)),) if arm.request.schema else ()


@lru_cache(maxsize=256)
def _validator(schema_text: bytes) -> Validator:
    """A checked validator; remembered, since checking costs a millisecond and requests repeat their schema."""
    schema = orjson.loads(schema_text)
    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise _Unusable(f"{place(tuple(map(str, error.absolute_path)))}: {error.validator}") from error
    _refuse_unsafe(schema)
    return kind(schema, registry=Registry(), format_checker=kind.FORMAT_CHECKER)


def _refuse_unsafe(schema: Any) -> None:
    stack = [schema]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            reference, pattern = str(item.get("$ref", "#")), str(item.get("pattern", ""))
            if not reference.startswith("#"):
                raise _Unusable("a $ref leads outside the schema")
            if endless(pattern) or any(map(endless, item)):  # patternProperties has them as keys
                raise _Unusable("a pattern may never end")
        stack.extend(item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
