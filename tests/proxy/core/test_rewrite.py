"""The copy's body."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.core.rewrite import Edit, NotRewritable, PromptEdit, SystemPromptEdit, decoded, parsed, rewrite

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"
OTHER = "/v1/embeddings"


def copy(body: Any, path: str = OTHER, **edit: Any) -> tuple[Any, tuple[str, ...]]:
    """The edited body as an object, with the notes."""
    raw = orjson.dumps(body)
    data, notes = rewrite(raw, parsed(raw), Edit(path, **edit))
    return orjson.loads(data), notes


MERGES: list[Any] = [
    # RFC 7396, appendix A, as far as both sides are objects
    pytest.param({"a": "b"}, {"a": "c"}, {"a": "c"}, id="replace"),
    pytest.param({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}, id="add"),
    pytest.param({"a": "b"}, {"a": None}, {}, id="remove"),
    pytest.param({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}, id="remove-one"),
    pytest.param({"a": ["b"]}, {"a": "c"}, {"a": "c"}, id="list-to-text"),
    pytest.param({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}, id="text-to-list"),
    pytest.param({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}, id="nested"),
    pytest.param({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}, id="lists-do-not-merge"),
    pytest.param({"a": "foo"}, {"a": {"b": 1}}, {"a": {"b": 1}}, id="text-to-object"),
    pytest.param({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}, id="null-inside-new"),
    pytest.param({"e": None}, {"a": 1}, {"e": None, "a": 1}, id="null-of-the-client-stays"),
    pytest.param({"a": 1}, {"a": True}, {"a": True}, id="one-is-not-true"),
]


@pytest.mark.parametrize(("body", "patch", "expected"), MERGES)
def test_set_is_a_json_merge(body: Any, patch: Any, expected: Any) -> None:
    """RFC 7396: objects merge, null removes, everything else replaces."""
    assert copy(body, set=patch) == (expected, ())


@pytest.mark.parametrize(
    ("unset", "expected"),
    [
        pytest.param(["a"], {"b": {"c": {"d": 1, "e": 2}}}, id="top"),
        pytest.param(["b.c.d"], {"a": 1, "b": {"c": {"e": 2}}}, id="deep"),
        pytest.param(["b.c", "a"], {"b": {}}, id="two"),
        pytest.param(["x", "a.b", "b.x.y", "b.c.d.e"], {"a": 1, "b": {"c": {"d": 1, "e": 2}}}, id="not-there"),
    ],
)
def test_unset_takes_out_dotted_names(unset: list[str], expected: Any) -> None:
    """A name that leads nowhere changes nothing."""
    assert copy({"a": 1, "b": {"c": {"d": 1, "e": 2}}}, unset=unset) == (expected, ())


SAME: list[Any] = [
    pytest.param(OTHER, {}, id="no-edit"),
    pytest.param(OTHER, {"set": {"model": "m", "gone": None, "deep": {"a": 1}}}, id="set-to-what-it-is"),
    pytest.param(OTHER, {"unset": ["x", "deep.x"]}, id="unset-nothing"),
    pytest.param(OTHER, {"system_prompt": SystemPromptEdit(PromptEdit.REPLACE, "x")}, id="no-system-prompt-here"),
    pytest.param(CHAT, {"system_prompt": SystemPromptEdit(PromptEdit.REPLACE, "x")}, id="no-messages"),
    pytest.param(CHAT, {"foreign": True}, id="no-reasoning"),
]


@pytest.mark.parametrize(("path", "edit"), SAME)
def test_a_body_that_needs_no_change_keeps_its_bytes(path: str, edit: Any) -> None:
    """The very same bytes object, blanks, big numbers and all."""
    raw = b'{ "model":"m", "deep" : {"a":1}, "big":123456789012345678901234567890, "f":1.00 }'
    data, notes = rewrite(raw, parsed(raw), Edit(path, **edit))
    assert data is raw
    assert notes == ()


STORED: list[Any] = [
    pytest.param(RESPONSES, {"input": "x"}, {"input": "x", "store": False}, True, id="responses-default"),
    pytest.param(RESPONSES, {"store": True}, {"store": False}, True, id="responses-true"),
    pytest.param(RESPONSES, {"store": False}, {"store": False}, False, id="responses-false"),
    pytest.param(CHAT, {"n": 1}, {"n": 1}, False, id="chat-default"),
    pytest.param(CHAT, {"store": None}, {"store": None}, False, id="chat-null"),
    pytest.param(CHAT, {"store": True, "metadata": {"a": "b"}}, {"store": False}, True, id="chat-true"),
    pytest.param(CHAT, {"store": False, "metadata": {}}, {"store": False, "metadata": {}}, False, id="chat-false"),
    pytest.param(MESSAGES, {"store": True}, {"store": True}, False, id="no-such-field"),
]


@pytest.mark.parametrize(("path", "body", "expected", "noted"), STORED)
def test_copies_leave_nothing_at_the_provider(path: str, body: Any, expected: Any, noted: bool) -> None:
    """`store` is false wherever the API has it, and only there."""
    assert copy(body, path) == (expected, ("store_forced_off",) if noted else ())


def test_the_operator_cannot_store_either() -> None:
    """Forcing comes after `set`."""
    assert copy({"store": False}, RESPONSES, set={"store": True}) == ({"store": False}, ("store_forced_off",))


def test_foreign_reasoning_goes_only_when_another_answers() -> None:
    """The same model reads its own reasoning; another gets none, and the pair says so."""
    body = {"input": [{"type": "reasoning", "id": "r"}, {"role": "user", "content": "x"}], "store": False}
    assert copy(body, RESPONSES) == (body, ())
    expected = {"input": [{"role": "user", "content": "x"}], "store": False}
    assert copy(body, RESPONSES, foreign=True) == (expected, ("reasoning_stripped",))


S1 = {"role": "system", "content": "one"}
S2 = {"role": "developer", "content": [{"type": "text", "text": "two"}]}
U = {"role": "user", "content": "hi"}
NEW = {"type": "text", "text": "new"}
INPUT = {"type": "input_text", "text": "old"}

PROMPTS: list[Any] = [
    pytest.param(CHAT, "replace", {"messages": [S1, S2, U, S1]}, {"messages": [{**S1, "content": "new"}, U, S1]}),
    pytest.param(CHAT, "replace", {"messages": [U]}, {"messages": [{"role": "system", "content": "new"}, U]}),
    pytest.param(CHAT, "prepend", {"messages": [S1, S2, U]}, {"messages": [{**S1, "content": "new\n\none"}, S2, U]}),
    pytest.param(
        CHAT,
        "append",
        {"messages": [S1, S2, U]},
        {"messages": [S1, {**S2, "content": [{"type": "text", "text": "two"}, NEW]}, U]},
    ),
    pytest.param(CHAT, "append", {"messages": [S1]}, {"messages": [{**S1, "content": "one\n\nnew"}]}),
    pytest.param(CHAT, "append", {"messages": [U]}, {"messages": [{"role": "system", "content": "new"}, U]}),
    pytest.param(CHAT, "prepend", {"messages": [S2]}, {"messages": [{**S2, "content": [NEW, *S2["content"]]}]}),
    pytest.param(MESSAGES, "replace", {"system": [NEW]}, {"system": "new"}),
    pytest.param(MESSAGES, "replace", {}, {"system": "new"}),
    pytest.param(MESSAGES, "prepend", {"system": "old"}, {"system": "new\n\nold"}),
    pytest.param(MESSAGES, "append", {"system": [{"type": "text"}]}, {"system": [{"type": "text"}, NEW]}),
    pytest.param(MESSAGES, "append", {}, {"system": "new"}),
    pytest.param(RESPONSES, "replace", {"instructions": "old", "input": "x"}, {"instructions": "new", "input": "x"}),
    pytest.param(RESPONSES, "replace", {"input": [S1, S2, U, S2]}, {"instructions": "new", "input": [U, S2]}),
    pytest.param(RESPONSES, "prepend", {"input": [S1, U]}, {"instructions": "new", "input": [S1, U]}),
    pytest.param(RESPONSES, "prepend", {"instructions": "old"}, {"instructions": "new\n\nold"}),
    pytest.param(RESPONSES, "append", {"instructions": "old"}, {"instructions": "old\n\nnew"}),
    pytest.param(
        RESPONSES,
        "append",
        {"instructions": "old", "input": [{"role": "developer", "content": [INPUT]}, U]},
        {
            "instructions": "old",
            "input": [{"role": "developer", "content": [INPUT, {"type": "input_text", "text": "new"}]}, U],
        },
    ),
]


@pytest.mark.parametrize(("path", "how", "body", "expected"), PROMPTS)
def test_the_system_prompt_is_edited_where_the_api_has_it(path: str, how: str, body: Any, expected: Any) -> None:
    """Replace, prepend and append in messages, `system` and `instructions`; text or parts."""
    stored = {"store": False} if path == RESPONSES else {}
    edit = SystemPromptEdit(PromptEdit(how), "new")
    assert copy({**body, **stored}, path, system_prompt=edit)[0] == {**expected, **stored}


@pytest.mark.parametrize(
    ("number", "safe"),
    [
        ("1", True),
        ("-0", True),
        ("1.10", True),
        ("0.30000000000000004", True),
        ("18446744073709551615", True),
        ("-9223372036854775808", True),
        ("1e22", True),
        ("1.7976931348623157e308", True),
        ("18446744073709551616", False),
        ("-9223372036854775809", False),
        ("0.30000000000000004441", False),
        ("1.0000000000000000000000001", False),
        ("1e-400", False),
        ("1e-99999999999999999999", False),
        ('"\\"123456789012345678901"', True),
        ('"a1e999"', True),
    ],
)
def test_a_rewrite_never_changes_a_number(number: str, safe: bool) -> None:
    """Numbers that would come out different make the rewrite impossible; digits in texts do not count."""
    raw = f'{{"n":{number}}}'.encode()
    if safe:
        data, _ = rewrite(raw, parsed(raw), Edit(OTHER, {"a": 1}))
        assert orjson.loads(data) == {**orjson.loads(raw), "a": 1}
    else:
        with pytest.raises(NotRewritable, match="unsafe_numbers"):
            rewrite(raw, parsed(raw), Edit(OTHER, {"a": 1}))


def test_what_cannot_be_written_is_said() -> None:
    """Depth that orjson reads but does not write, and settings that are no JSON, are a reason and no crash."""
    deep = b'{"a":' + b"[" * 400 + b"]" * 400 + b"}"
    with pytest.raises(NotRewritable) as caught:
        rewrite(deep, parsed(deep), Edit(OTHER, {"b": 1}))
    assert caught.value.reason == "not_json"
    with pytest.raises(NotRewritable, match="not_json"):
        rewrite(b"{}", {}, Edit(OTHER, {"b": object()}))


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"1", b"null", b'{"a":"\\ud800"}', b'{"a":NaN}', b'{"a":1', b"\xff", b'{"a":1e400}', b"--x\r\n"],
)
def test_only_objects_are_bodies(raw: bytes) -> None:
    """Everything else is named not_json, lone surrogates and NaN included."""
    with pytest.raises(NotRewritable, match="not_json"):
        parsed(raw)


PLAIN = b'{"model":"m"}' * 10


@pytest.mark.parametrize(
    ("raw", "coding"),
    [
        pytest.param(PLAIN, "", id="none"),
        pytest.param(PLAIN, "identity", id="identity"),
        pytest.param(gzip.compress(PLAIN), "gzip", id="gzip"),
        pytest.param(gzip.compress(PLAIN), "x-gzip", id="x-gzip"),
        pytest.param(zlib.compress(PLAIN), "deflate", id="deflate"),
    ],
)
def test_common_codings_are_read(raw: bytes, coding: str) -> None:
    """gzip and deflate come out as they went in."""
    assert decoded(raw, coding, len(PLAIN)) == PLAIN


@pytest.mark.parametrize(
    ("raw", "coding"),
    [
        pytest.param(PLAIN, "zstd", id="zstd"),
        pytest.param(PLAIN, "br", id="brotli"),
        pytest.param(PLAIN, "gzip,gzip", id="twice"),
        pytest.param(PLAIN, "gzip", id="not-gzip"),
        pytest.param(gzip.compress(PLAIN)[:-4], "gzip", id="cut-off"),
        pytest.param(gzip.compress(PLAIN) + b"x", "gzip", id="bytes-behind"),
        pytest.param(gzip.compress(PLAIN + b"x"), "gzip", id="one-byte-too-much"),
        pytest.param(gzip.compress(bytes(1 << 24)), "gzip", id="bomb"),
    ],
)
def test_other_codings_damage_and_bombs_are_refused(raw: bytes, coding: str) -> None:
    """What cannot be read whole within the cap is encoded_body."""
    with pytest.raises(NotRewritable, match="encoded_body"):
        decoded(raw, coding, len(PLAIN))


JSON: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=20,
)
OBJECT = st.dictionaries(st.sampled_from("abc"), JSON)


def merge(target: Any, patch: Any) -> Any:
    """The pseudocode of RFC 7396 §2, word for word."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


@given(OBJECT, OBJECT)
def test_set_agrees_with_the_rfc(body: dict[str, Any], patch: dict[str, Any]) -> None:
    """Any patch on any body gives what RFC 7396's own pseudocode gives, and leaves the body alone."""
    raw = orjson.dumps(body)
    read = parsed(raw)
    data, _ = rewrite(raw, read, Edit(OTHER, patch))
    assert orjson.dumps(orjson.loads(data)) == orjson.dumps(orjson.loads(orjson.dumps(merge(body, patch))))
    assert orjson.dumps(read) == raw
