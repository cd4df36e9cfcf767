"""is-json and contains-json, with schemas of the operator and of the request."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators.core.finding import BadCheck, Result
from evaluators.core.reply import Request, ToolCall
from tests.evaluators.checks.arms import arm, check, judge

PASS, FAIL, SKIP = Result.PASS, Result.FAIL, Result.SKIP
PRICED = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/item"}}},
    "required": ["items"],
    "$defs": {"item": {"type": "object", "properties": {"price": {"type": "number"}}, "required": ["price", "name"]}},
}


@pytest.mark.parametrize(
    ("text", "whole", "anywhere"),
    [
        pytest.param('{"a": 1}', PASS, PASS, id="an object"),
        pytest.param(" [1]\n", PASS, PASS, id="white space around"),
        pytest.param("42", PASS, PASS, id="a scalar is JSON"),
        pytest.param("yes", FAIL, FAIL, id="prose"),
        pytest.param("", FAIL, FAIL, id="blank"),
        pytest.param('Here: {"a": 1}.', FAIL, PASS, id="a block in prose"),
        pytest.param('```json\n{"a": 1}\n```', FAIL, PASS, id="a code fence"),
        pytest.param("{'a': 1}", FAIL, FAIL, id="single quotes"),
        pytest.param('{"a": NaN}', FAIL, FAIL, id="not a number"),
        pytest.param('{"a": 1', FAIL, FAIL, id="cut off"),
        pytest.param("see [1]", FAIL, FAIL, id="a citation"),
    ],
)
def test_without_a_schema(text: str, whole: Result, anywhere: Result) -> None:
    """is-json wants the whole answer, contains-json any part of it."""
    assert judge("is-json", arm(text)).result is whole
    assert judge("contains-json", arm(text)).result is anywhere


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        pytest.param('{"items": [{"price": 1, "name": "a"}]}', (), id="fits"),
        pytest.param("{}", ("/items",), id="a missing key"),
        pytest.param("[]", ("/",), id="another type"),
        pytest.param(
            '{"items": [{"price": "1", "name": "a"}, {"price": "2", "name": "b"}]}',
            ("/items/*/price",),
            id="indexes are one place",
        ),
        pytest.param('{"items": [{}]}', ("/items/*/price", "/items/*/name"), id="two missing keys"),
    ],
)
def test_with_a_schema(text: str, paths: tuple[str, ...]) -> None:
    """What does not fit is named by its place; the schema may come from the file, as YAML, or from the request."""
    asked = arm(text, request=Request("openai-chat", schema=PRICED))
    for found in (judge("is-json", arm(text), value=PRICED), judge("is-json", asked), judge("contains-json", asked)):
        assert found.result is (FAIL if paths else PASS)
        assert found.paths == paths


def test_a_schema_may_be_written_as_yaml() -> None:
    """A text is read as YAML."""
    assert judge("is-json", arm('{"a": 1}'), value="type: object\nrequired: [b]").paths == ("/b",)


def test_the_configured_schema_goes_before_the_request() -> None:
    """With both, the operator's schema counts."""
    asked = arm("[]", request=Request("openai-chat", schema={"type": "object"}))
    assert judge("is-json", asked, value={"type": "array"}).result is PASS


def test_any_block_may_fit() -> None:
    """contains-json passes when one of several blocks fits the schema."""
    text = 'First {"a": 1}, then {"b": 2}.'
    assert judge("contains-json", arm(text), value={"required": ["b"]}).result is PASS
    assert judge("contains-json", arm(text), value={"required": ["c"]}).paths == ("/c",)


def test_formats_are_checked() -> None:
    """A format that the validator knows is part of the schema."""
    schema = {"properties": {"day": {"format": "date"}}}
    assert judge("is-json", arm('{"day": "2026-02-30"}'), value=schema).paths == ("/day",)


def test_an_old_schema_is_read_by_its_own_rules() -> None:
    """`required: true` of draft 3 is understood."""
    schema = {"$schema": "http://json-schema.org/draft-03/schema#", "properties": {"a": {"required": True}}}
    assert judge("is-json", arm("{}"), value=schema).result is FAIL


def test_json_in_prose_is_mentioned() -> None:
    """The reason tells prose from JSON that is only wrapped."""
    assert judge("is-json", arm("no")).detail == "is not JSON"
    assert judge("is-json", arm('a {"b": 1}')).detail == "is not JSON, though it has JSON in it"


def test_an_answer_without_text_is_skipped() -> None:
    """Tool calls and embeddings are judged by other checks."""
    assert judge("is-json", arm("", tool_calls=(ToolCall("a", "{}"),))).result is SKIP
    assert judge("contains-json", arm("", vector=(0.5,))).result is SKIP


def nested(levels: int) -> dict[str, Any]:
    """A schema with so many levels."""
    found: dict[str, Any] = {}
    for _ in range(levels):
        found = {"not": found}
    return found


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(nested(300), id="more levels than can be written"),
        pytest.param(nested(65), id="more levels than can be checked"),
        pytest.param({"type": "nothing"}, id="not a schema"),
        pytest.param({"pattern": "("}, id="no pattern"),
        pytest.param({"patternProperties": {"(a{1000}){1000}": {}}}, id="a pattern too large for keys"),
        pytest.param({"properties": {"a": {"$schema": "http://json-schema.org/draft-07/schema#"}}}, id="two drafts"),
        pytest.param({"patternProperties": {"a": {}}, "unevaluatedProperties": False}, id="keywords without a bound"),
        pytest.param({"$ref": "https://example.com/schema.json"}, id="a reference outside"),
        pytest.param(
            {"items": [{"$ref": "other.json"}], "$schema": "http://json-schema.org/draft-07/schema#"},
            id="a relative reference",
        ),
    ],
)
def test_an_unusable_schema(schema: dict[str, Any]) -> None:
    """In the file it stops the start; in a request the check does not apply, and nothing is fetched."""
    with pytest.raises(BadCheck):
        check("is-json", schema)
    assert judge("is-json", arm("{}", request=Request("openai-chat", schema=schema))).result is SKIP


@pytest.mark.parametrize(
    "value",
    [1, "[", "text", "file://schema.json", "file://code.py", {"const": {1: 2}}, {"const": 2**64}, "[" * 9_999],
    ids=lambda value: str(value)[:20],
)
def test_a_value_that_is_no_schema_stops_the_start(value: Any) -> None:
    """Only a mapping, or YAML of one, is a schema."""
    with pytest.raises(BadCheck):
        check("is-json", value)


BAIT = "a" * 50 + "!"
DEEP = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n - 1}"}] * 2} for n in range(1, 31)}


@pytest.mark.parametrize(
    ("schema", "text", "detail"),
    [
        pytest.param({"pattern": "(a|aa)+$"}, f'"{BAIT}"', "the pattern took longer than 0.25 s", id="a value"),
        pytest.param(
            {"patternProperties": {"(a|aa)+$": {}}},
            f'{{"{BAIT}": 1}}',
            "the pattern took longer than 0.25 s",
            id="a key",
        ),
        pytest.param(
            {"additionalProperties": False, "patternProperties": {"(a|aa)+$": {}}},
            f'{{"{BAIT}": 1}}',
            "the pattern took longer than 0.25 s",
            id="another key",
        ),
        pytest.param(
            {"$ref": "#"}, "{}", "the schema refers to itself without end, or deeper than 100 rules", id="itself"
        ),
        pytest.param(
            {"$ref": "#/$defs/a30", "$defs": {"a0": {}, **DEEP}},
            "{}",
            "the schema asks more than 100000 steps of the answer",
            id="a billion references",
        ),
        pytest.param({"$ref": "#/nowhere"}, "{}", "a $ref of the schema leads nowhere", id="nowhere"),
    ],
)
def test_a_schema_without_end_is_broken(schema: dict[str, Any], text: str, detail: str) -> None:
    """What would run for ever ends under its name, in the file as in the request, also with a draft of its own."""
    drafted = {"$schema": "http://json-schema.org/draft-07/schema#", **schema}
    for found in (
        judge("is-json", arm(text), value=schema),
        judge("not-is-json", arm(text), value=drafted),
        judge("is-json", arm(text, request=Request("openai-chat", schema=schema))),
    ):
        assert (found.result, found.detail) == (Result.BROKEN, detail)


@pytest.mark.parametrize(
    ("schema", "text", "paths"),
    [
        pytest.param({"pattern": "^\\p{Lu}"}, '"Äb"', (), id="Unicode properties"),
        pytest.param({"pattern": "^b"}, '"ab"', ("/",), id="no match"),
        pytest.param({"pattern": "^b"}, "1", (), id="no text"),
        pytest.param({"patternProperties": {"^x": {"type": "string"}}}, '{"x1": 1, "y": 1}', ("/x1",), id="keys"),
        pytest.param({"patternProperties": {"^x": {"type": "string"}}}, "[]", (), id="no object"),
        pytest.param(
            {"properties": {"a": {}}, "patternProperties": {"^x": {}}, "additionalProperties": False},
            '{"a": 1, "x": 1}',
            (),
            id="known keys",
        ),
        pytest.param({"properties": {"a": {}}, "additionalProperties": False}, '{"b": 1}', ("/",), id="another key"),
        pytest.param({"additionalProperties": {"type": "string"}}, '{"b": 1}', ("/b",), id="another key's schema"),
        pytest.param({"additionalProperties": True}, '{"b": 1}', (), id="any key"),
    ],
)
def test_patterns_and_other_keys(schema: dict[str, Any], text: str, paths: tuple[str, ...]) -> None:
    """Keywords that search patterns say what JSON Schema says."""
    assert judge("is-json", arm(text), value=schema).paths == paths


def test_the_blocks_of_an_answer_share_what_may_be_spent() -> None:
    """Four blocks are not four times as long in work as one."""
    block = "[" + "[1]," * 10_000 + "[1]]"
    schema = {"items": {"items": {"enum": [2]}}}
    assert judge("contains-json", arm(f"see {block}"), value=schema).result is FAIL
    assert judge("contains-json", arm(f"see {block} " * 4), value=schema).result is FAIL
    fitting = {"items": {"items": {"enum": [1]}}}
    assert judge("contains-json", arm(f"see {block}"), value=fitting).result is PASS
    assert judge("contains-json", arm(f"see {block} " * 4), value=fitting).result is Result.BROKEN
