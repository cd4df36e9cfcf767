"""Schemas of strangers: what fits, where it does not, and that every question ends."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators.core.schema import MAX_ERRORS, MAX_STEPS, Budget, Unending, Unusable, faults, trails, validator

TREE = {"$defs": {"t": {"properties": {"in": {"$ref": "#/$defs/t"}, "n": {"type": "integer"}}}}, "$ref": "#/$defs/t"}
DRAFT_4 = "http://json-schema.org/draft-04/schema#"

PLACES = [
    pytest.param({}, {"a": 1}, (), id="no rules"),
    pytest.param({"type": "object"}, [], ((),), id="the whole"),
    pytest.param({"properties": {"a": {"items": {"type": "integer"}}}}, {"a": [1, "x"]}, (("a", "*"),), id="in a list"),
    pytest.param({"required": ["a", "b"]}, {"b": 1}, (("a",),), id="missing"),
    pytest.param(TREE, {"in": {"in": {"n": "x"}}}, (("in", "in", "n"),), id="recursive"),
    pytest.param({"pattern": "^a+$"}, "aaa", (), id="a pattern that fits"),
    pytest.param({"pattern": "^a+$"}, "b", ((),), id="a pattern that does not"),
    pytest.param({"pattern": "^a+$"}, 3, (), id="a pattern is for texts"),
    pytest.param({"patternProperties": {"^n": {"type": "integer"}}}, {"n": "x", "m": "x"}, (("n",),), id="names"),
    pytest.param({"patternProperties": {"^n": False}}, [], (), id="names are for objects"),
    pytest.param({"additionalProperties": False, "properties": {"a": {}}}, {"a": 1}, (), id="no others"),
    pytest.param({"additionalProperties": False, "properties": {"a": {}}}, {"b": 1}, ((),), id="others"),
    pytest.param({"additionalProperties": False}, [], (), id="others are for objects"),
    pytest.param({"additionalProperties": True}, {"b": 1}, (), id="any others"),
    pytest.param({"additionalProperties": {"type": "integer"}}, {"b": "x"}, (("b",),), id="others with rules"),
    pytest.param(
        {"additionalProperties": False, "patternProperties": {"^n": {}}}, {"n1": 1}, (), id="named by a pattern"
    ),
    pytest.param({"$schema": DRAFT_4, "pattern": "^a"}, "b", ((),), id="an older draft"),
    pytest.param({"enum": [1, "a", [True]]}, 1.0, (), id="one of these"),
    pytest.param({"enum": [1, "a", [True]]}, [1], ((),), id="none of these: one is not true"),
    pytest.param({"const": {"a": 1, "b": [2]}}, {"b": [2.0], "a": 1}, (), id="the constant"),
    pytest.param({"const": {"a": 1}}, {"a": 1, "b": 2}, ((),), id="not the constant"),
    pytest.param({"const": 2**63}, float(2**63), (), id="a large number, whichever way it is written"),
    pytest.param({"uniqueItems": True}, [{"a": 1}, {"a": 1.0}], ((),), id="the same twice"),
    pytest.param({"uniqueItems": True}, [1, True, "1", [1], [True], {"a": 1}, None, 0, False, [], {}], (), id="unlike"),
    pytest.param({"uniqueItems": True}, [{"a": n} for n in range(5_000)], (), id="five thousand unlike ones"),
    pytest.param({"uniqueItems": False}, [1, 1], (), id="twice is allowed"),
    pytest.param({"uniqueItems": True}, "aa", (), id="unlike is for lists"),
    pytest.param({"format": "regex"}, "(", ((),), id="a format: no regular expression"),
    pytest.param({"format": "regex"}, "(a)", (), id="a format: a regular expression"),
    pytest.param({"format": "regex"}, 1, (), id="a format is for texts"),
    pytest.param({"format": "regex"}, "(" * 1_000_000, ((),), id="a format: a megabyte of brackets"),
    pytest.param({"items": {"pattern": "^[a-z]+$"}}, ["word"] * 5_000, (), id="five thousand searches"),
]


@pytest.mark.parametrize(("rules", "value", "expected"), PLACES)
def test_places(rules: Any, value: Any, expected: tuple[tuple[str, ...], ...]) -> None:
    """Where a value does not fit is told key by key."""
    assert tuple(trail for fault in faults(validator(rules), value) for trail in trails(fault)) == expected


def nested(levels: int) -> dict[str, Any]:
    """A schema with so many levels."""
    found: dict[str, Any] = {}
    for _ in range(levels):
        found = {"not": found}
    return found


def deep(levels: int) -> dict[str, Any]:
    """A value with so many levels, for TREE."""
    found: dict[str, Any] = {"n": "x"}
    for _ in range(levels):
        found = {"in": found}
    return found


def nest(levels: int) -> list[Any]:
    """A list in a list in a list."""
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


UNUSABLE = [
    pytest.param({"type": "no"}, "^/type: ", id="not a schema"),
    pytest.param({"a": object()}, "it is no JSON", id="not JSON"),
    pytest.param({"const": 2**64}, "has a number beyond 64 bits", id="a number beyond 64 bits"),
    pytest.param(nested(300), "nests too deep", id="more levels than can be written"),
    pytest.param(nested(65), "nests too deep", id="more levels than can be checked"),
    pytest.param({"$ref": "https://example.com/x"}, "leads outside", id="a reference outside"),
    pytest.param({"items": {"$schema": DRAFT_4}}, "stands inside", id="another language inside"),
    pytest.param({"pattern": "("}, "no regular expression", id="a pattern that is none"),
    pytest.param({"patternProperties": {"(": {}}}, "no regular expression", id="a name that is none"),
    pytest.param({"unevaluatedProperties": False, "items": {"patternProperties": {}}}, "not supported", id="both"),
    pytest.param({"unevaluatedItems": False, "$ref": "#"}, "unevaluatedItems beside .ref", id="left over by reference"),
]


@pytest.mark.parametrize(("rules", "reason"), UNUSABLE)
def test_what_cannot_be_used_is_refused(rules: Any, reason: str) -> None:
    """With the reason, before any value is seen."""
    with pytest.raises(Unusable, match=reason):
        validator(rules)


TWICE = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(20)}
ENDLESS = [
    pytest.param({"$ref": "#"}, 1, "refers to itself", id="itself"),
    pytest.param({"anyOf": [{"$ref": "#"}, {"not": {"$ref": "#"}}]}, 1, "refers to itself", id="itself, in two ways"),
    pytest.param(TREE, deep(200), "deeper than 100 rules", id="a deep value"),
    pytest.param({"$defs": {**TWICE, "d20": {}}, "$ref": "#/$defs/d0"}, 1, "more than", id="a million references"),
    pytest.param({"$ref": "#/$defs/none"}, 1, "leads nowhere", id="a reference to nothing"),
    pytest.param({"items": {"type": "integer"}}, list(range(200_000)), "more than", id="two hundred thousand items"),
    pytest.param(
        {"anyOf": [{"type": "integer"}] * 500}, {"a": ["x" * 99] * 9_999}, "more than", id="a value quoted often"
    ),
    pytest.param({"uniqueItems": True}, [[nest(200)]], "deeper than 100 levels", id="a deep value to compare"),
    pytest.param({"items": {"pattern": "a"}}, ["a"] * 20_000, "more than", id="twenty thousand searches"),
    pytest.param({"items": {"pattern": "(a|aa)+$"}}, ["a" * 50 + "!"] * 9, "took longer", id="several without end"),
    pytest.param({"items": {"pattern": "(a|aa)+$"}}, ["a" * 23 + "!"] * 999, "took longer", id="many that take long"),
    pytest.param({"pattern": "(a|a)+$"}, "a" * 40 + "!", "the pattern took longer", id="a pattern without end"),
]


@pytest.mark.parametrize(("rules", "value", "reason"), ENDLESS)
def test_every_question_ends(rules: Any, value: Any, reason: str) -> None:
    """What would take for ever ends with a reason, and the next question has its whole allowance again."""
    with pytest.raises(Unending, match=reason):
        faults(validator(rules), value)
    assert not faults(validator(TREE), {"n": 1})


def test_values_of_one_answer_share_what_may_be_spent() -> None:
    """Two that fit one by one are too much together."""
    many, budget = list(range(6_000)), Budget(steps=MAX_STEPS - 10_000)
    rules = validator({"items": {"type": "integer"}})
    assert faults(rules, many, budget) == faults(rules, many) == ()
    with pytest.raises(Unending, match="more than 100000 steps"):
        faults(rules, many, budget)


def test_what_is_deep_but_not_too_deep_is_judged() -> None:
    """A schema and a value of many levels have an answer, from a deep stack too."""

    def further_down(frames: int) -> None:
        if frames:
            further_down(frames - 1)
        else:
            assert [trails(fault) for fault in faults(validator(TREE), deep(45))] == [((*["in"] * 45, "n"),)]
            assert not faults(validator(nested(64)), 1)

    further_down(150)


def test_what_is_found_is_bounded() -> None:
    """A value that is wrong everywhere has a bounded number of faults."""
    assert len(faults(validator({"items": {"type": "string"}}), list(range(1_000)))) == MAX_ERRORS


def test_a_checked_schema_is_remembered() -> None:
    """The same schema is checked once, however its text came about."""
    assert validator({"type": "object"}) is validator(dict(type="object"))
