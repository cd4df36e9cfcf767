"""JSON Schemas that strangers wrote, used so that every question ends. For the checks; says nothing about verdicts.

References outside the schema are never fetched. Patterns are searched within a time, rules are asked so often and so
deep and no further. Formats are checked as far as the validator knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

import orjson
from jsonschema import FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import Draft202012Validator, extend, validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from evaluators.core.finding import PATTERN_SECONDS, TOO_SLOW, BadPattern, pattern

MAX_ERRORS = 32
MAX_STEPS = 100_000
"""Rules asked per answer, long ones and those on long values counted by their length: they take some 0.7 s. A list of
a hundred thousand numbers is the longest that can be asked for numbers."""
_REFERENCE = 10
"""Steps of a reference or of a search for a pattern. Twenty definitions that each name the next one twice would be a
million references; ten thousand take 0.3 s."""
_LENGTH = 16
"""Members of a rule or a value that are one step more."""
_MESSAGE = 1_000
"""Letters that jsonschema writes about a fault and that are one step more: it quotes the value, a megabyte in 10 ms."""

MAX_NESTING = 64
"""Levels of a schema. Checking one takes four to eight frames a level and fails from 125 levels on."""
MAX_DEPTH = 100
"""Rules inside each other, with up to five frames each. Python's own limit must not be reached: where it strikes inside
the compiled map of `referencing`, that ends in a panic, which is no exception that anybody catches."""

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_UNBOUNDED = [{"patternProperties", "unevaluatedProperties"}] + [
    {reference, left} for reference in _REFERENCES for left in ("unevaluatedProperties", "unevaluatedItems")
]
_MAX_PLACE = 100

_PATIENCE = ((0.0005, MAX_STEPS), (0.005, 100), (PATTERN_SECONDS, 2))
"""Seconds for a search, and how many of an answer may take them before the next row is tried. A search in a text as
people write it ends in the first row; each row lets pass what only waited for the processor in the one before."""


class Unusable(ValueError):
    """A schema that cannot be used; the text says why."""


class Unending(Exception):
    """The schema has no answer for this value within its bounds; the text says why."""


def validator(schema: object) -> Validator:
    """A checked validator of this schema. Raises Unusable."""
    try:
        return _remembered(orjson.dumps(schema))
    except TypeError as error:  # what no JSON can hold, or more than 254 levels
        raise Unusable("it is no JSON, has a number beyond 64 bits, or nests too deep") from error


@dataclass(slots=True)
class Budget:
    """What the questions about one answer have spent."""

    steps: int = 0
    depth: int = 0
    searches: list[int] = field(default_factory=lambda: [0] * len(_PATIENCE))

    def spend(self, steps: int) -> None:
        """Raises Unending when nothing is left."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise Unending(f"the schema asks more than {MAX_STEPS} steps of the answer")


def faults(schema: Validator, value: Any, budget: Budget | None = None) -> tuple[ValidationError, ...]:
    """Where the value does not fit, at most MAX_ERRORS; () when it fits. Raises Unending.

    Several values of one answer share a budget.
    """
    _budget.set(budget or Budget())
    try:
        return tuple(islice(schema.iter_errors(value), MAX_ERRORS))
    except TimeoutError as error:
        raise Unending(TOO_SLOW) from error
    except Unresolvable as error:
        raise Unending("a $ref of the schema leads nowhere") from error


def trails(error: ValidationError) -> tuple[tuple[str, ...], ...]:
    """The keys that lead to what is wrong, array indexes as `*`; for what is missing, to where it should be."""
    trail = tuple("*" if isinstance(step, int) else step for step in error.absolute_path)
    names: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "required" and isinstance(names, list):
        return tuple((*trail, name) for name in names if name not in instance)
    return (trail,)


@lru_cache(maxsize=256)
def _remembered(text: bytes) -> Validator:
    """Checking costs a millisecond, and requests repeat their schema."""
    schema = orjson.loads(text)
    _refuse_unsafe(schema)
    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema, format_checker=FormatChecker(()))  # type: ignore[call-arg]  # patterns: see below
    except SchemaError as error:
        where = "/" + "/".join(map(str, error.absolute_path))
        raise Unusable(f"{where[:_MAX_PLACE]}: {error.validator}") from error
    schema = {key: item for key, item in schema.items() if key != "$schema"}  # it would bring back what we replace
    return _bounded(kind)(schema, registry=Registry(), format_checker=_formats(kind))


def _refuse_unsafe(schema: Any) -> None:
    keywords: set[str] = set()
    stack = [(schema, 0)]
    while stack:
        item, level = stack.pop()
        if level > MAX_NESTING:
            raise Unusable("it nests too deep")
        if isinstance(item, dict):
            keywords.update(item)
            _refuse_unsafe_one(item, level == 0)
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        stack.extend((each, level + 1) for each in inner)
    for unbounded in _UNBOUNDED:
        if keywords >= unbounded:  # jsonschema looks for what is left over in a way of its own, which never ends
            raise Unusable(f"{' beside '.join(sorted(unbounded, reverse=True))} is not supported")


def _refuse_unsafe_one(schema: Mapping[str, Any], outermost: bool) -> None:
    if not str(schema.get("$ref", "#")).startswith("#"):
        raise Unusable("a $ref leads outside the schema")
    if isinstance(schema.get("$schema"), str) and not outermost:
        raise Unusable("a $schema stands inside the schema")
    keys = schema.get("patternProperties")
    try:
        for source in (*(keys if isinstance(keys, dict) else ()), schema.get("pattern")):
            if isinstance(source, str):
                _search(source, PATTERN_SECONDS)
    except BadPattern as error:
        raise Unusable(f"a pattern is no regular expression: {error}") from error


@lru_cache(maxsize=1024)
def _search(source: str, seconds: float) -> Callable[[str], bool]:
    return pattern(source, seconds=seconds)


def _found(source: str, text: str) -> bool:
    """Whether the pattern is in the text, searched with growing patience; raises TimeoutError when it ran out."""
    budget = _budget.get()
    budget.spend(_REFERENCE)
    for row, (seconds, most) in enumerate(_PATIENCE):
        budget.searches[row] += 1
        if budget.searches[row] > most:
            break
        try:
            return _search(source, seconds)(text)
        except TimeoutError:
            continue
    raise TimeoutError


def _matches(validator: Any, source: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _found(source, instance):
        yield ValidationError("does not match")


def _named_by_pattern(validator: Any, sources: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for source, inner in sources.items():
            for key in instance:
                if _found(source, key):
                    yield from validator.descend(instance[key], inner, path=key, schema_path=source)


def _additional(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict) or allowed is True:
        return
    known, sources = schema.get("properties", {}), schema.get("patternProperties", {})
    extras = [key for key in instance if key not in known and not any(_found(source, key) for source in sources)]
    if allowed is False and extras:
        yield ValidationError("has other properties")
    elif allowed is not False:
        for key in extras:
            yield from validator.descend(instance[key], allowed, path=key)


def _one_of(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if _frozen(instance) not in {_frozen(one) for one in allowed}:
        yield ValidationError("is none of these")


def _constant(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if _frozen(instance) != _frozen(wanted):
        yield ValidationError("is another value")


def _unique(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """jsonschema's own compares each object with every other: two thousand take twelve seconds."""
    if wanted and isinstance(instance, list) and len({_frozen(one) for one in instance}) < len(instance):
        yield ValidationError("has something twice")


def _frozen(value: Any, levels: int = MAX_DEPTH) -> Hashable:
    """The value as one that equals its like in JSON's sense: 1 and 1.0 are the same, 1 and true are not."""
    _budget.get().spend(1)
    if levels == 0:
        raise Unending(f"the answer nests deeper than {MAX_DEPTH} levels where values are compared")
    if isinstance(value, dict):
        return frozenset((key, _frozen(inner, levels - 1)) for key, inner in value.items())
    if isinstance(value, list):
        return tuple(_frozen(inner, levels - 1) for inner in value)
    return (bool, value) if isinstance(value, bool) else value


_budget: ContextVar[Budget] = ContextVar("budget")


def _counted(follow: Callable[..., Any], cost: int) -> Callable[..., Iterator[ValidationError]]:
    def keyword(validator: Any, target: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        budget = _budget.get()
        budget.spend(cost + (_size(target) + _size(instance)) // _LENGTH)
        if budget.depth >= MAX_DEPTH:
            raise Unending(f"the schema refers to itself without end, or deeper than {MAX_DEPTH} rules")
        budget.depth += 1
        try:
            for fault in follow(validator, target, instance, schema) or ():
                budget.spend(0 if fault.schema_path else len(fault.message) // _MESSAGE)
                yield fault
        finally:
            budget.depth -= 1

    return keyword


def _size(value: Any) -> int:
    return len(value) if isinstance(value, dict | list) else 0


_BOUNDED = {
    "pattern": _matches,
    "patternProperties": _named_by_pattern,
    "additionalProperties": _additional,
    "enum": _one_of,
    "const": _constant,
    "uniqueItems": _unique,
}


@lru_cache(maxsize=16)
def _bounded(kind: type[Validator]) -> type[Validator]:
    """The same rules, with keywords that end: jsonschema's own patterns and references cannot be interrupted."""
    keywords: dict[str, Callable[..., Any]] = {**kind.VALIDATORS}
    keywords |= {name: rule for name, rule in _BOUNDED.items() if name in keywords}
    counted = {name: _counted(rule, _REFERENCE if name in _REFERENCES else 1) for name, rule in keywords.items()}
    extended: type[Validator] = extend(kind, counted)  # type: ignore[no-untyped-call]
    return extended


@lru_cache(maxsize=16)
def _formats(kind: type[Validator]) -> FormatChecker:
    """The kind's formats, but for regular expressions: to prepare an answer of a megabyte as one takes two seconds."""
    made = FormatChecker(())
    made.checkers = {**kind.FORMAT_CHECKER.checkers}
    made.checks("regex", BadPattern)(lambda value: not isinstance(value, str) or bool(pattern(value)))
    return made
