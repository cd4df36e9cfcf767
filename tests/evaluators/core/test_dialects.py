"""What the dialects read with: tolerant JSON and the shared verdicts."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.core import dialects
from evaluators.core.dialects import (
    NotJson,
    anthropic,
    embeddings,
    openai_chat,
    openai_responses,
    parse,
    parse_whole,
    plain,
)
from evaluators.core.reply import UNKNOWN, Kind

DEEP = "[" * 10_000 + "]" * 10_000

READABLE = [
    pytest.param('{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}, id="plain"),
    pytest.param("\ufeff[1]", [1], id="byte order mark"),
    pytest.param("123456789012345678901234567890", 1.2345678901234568e29, id="beyond 64 bit"),
    pytest.param('["\\ud83d\\uddfc"]', ["🗼"], id="surrogate pair"),
]


@pytest.mark.parametrize(("text", "value"), READABLE)
def test_readable(text, value):
    """JSON is read, from text and from bytes alike."""
    assert parse(text) == parse(text.encode()) == parse_whole(text.encode()) == value


UNREADABLE = [
    pytest.param("", "not JSON", id="nothing"),
    pytest.param("{'a': 1}", "not JSON", id="not JSON"),
    pytest.param('{"a": NaN}', "not JSON: NaN", id="NaN"),
    pytest.param("[-Infinity]", "not JSON: -Infinity", id="Infinity"),
    pytest.param("1e999", "not JSON: a number beyond 1e308", id="a float that is infinite"),
    pytest.param("9" * 5_000, "not JSON", id="5,000 digits"),
    pytest.param(DEEP, "nested too deeply", id="10,000 levels"),
]


@pytest.mark.parametrize(("text", "phrase"), UNREADABLE)
def test_unreadable(text, phrase):
    """What two parsers would not agree on is refused with a phrase, never with another exception."""
    for read in (parse, parse_whole):
        with pytest.raises(NotJson, match=f"^{phrase}$"):
            read(text.encode())


def test_not_utf8():
    """Bytes that are not UTF-8 are not JSON."""
    with pytest.raises(NotJson, match=r"^not UTF-8$"):
        parse(b'["\xff"]')


def test_slow_path():
    """The slower parser agrees where it stands in: floats stay floats and big numbers numbers."""
    assert parse('["\\ud800", 1.5]') == ["\ud800", 1.5]
    assert parse_whole(b'["\\ud800", 1.5, 123456789012345678901234567890]') == ["\ufffd", 1.5, 1.2345678901234568e29]


def test_lone_surrogates():
    """Halves of a character in two deltas make it whole; a lone half becomes the replacement character."""
    assert dialects.mended(parse('"\\ud83d"') + parse('"\\uddfc"')) == "🗼"
    assert dialects.mended("a\ud800é") == "a\ufffdé"
    assert dialects.mended("plain") == "plain"
    assert dialects.mended("é") == "é"


def test_written():
    """A value is written compactly; what orjson refuses is written slowly; what nobody can write is empty."""
    nest = []
    for _ in range(100_000):
        nest = [nest]
    assert dialects.written({"a": [1, "é"]}) == '{"a":[1,"é"]}'
    assert dialects.written({"a": 1 << 70}) == json.dumps({"a": 1 << 70}, separators=(",", ":"))
    assert dialects.written(nest) == ""
    while nest:  # taken apart level by level: the garbage collector of older Pythons recurses
        nest = nest[0]


COUNTS = [
    pytest.param(0, 0, id="zero"),
    pytest.param(7.0, 7, id="whole float"),
    pytest.param(7.5, UNKNOWN, id="not whole"),
    pytest.param(-1, UNKNOWN, id="negative"),
    pytest.param(1 << 53, UNKNOWN, id="implausible"),
    pytest.param(1e300, UNKNOWN, id="implausible float"),
    pytest.param(True, UNKNOWN, id="truth value"),
    pytest.param("7", UNKNOWN, id="text"),
    pytest.param(None, UNKNOWN, id="nothing"),
]


@pytest.mark.parametrize(("value", "number"), COUNTS)
def test_count(value, number):
    """A count is a whole number that can be one, else UNKNOWN."""
    assert dialects.count(value) == number


def test_wrong_types():
    """Wrong types read as empty ones."""
    assert (dialects.obj([]), dialects.rows({}), dialects.words(3)) == ({}, [], "")
    assert (dialects.obj({"a": 1}), dialects.rows([1]), dialects.words("x")) == ({"a": 1}, [1], "x")
    assert dialects.texts("x") == "x"
    assert dialects.texts([{"type": ["text"], "text": "x"}, {"type": "text"}, 3]) == ""


ERRORS = [
    pytest.param({"error": {"code": "x"}}, {"code": "x"}, id="object"),
    pytest.param({"error": "boom"}, {"message": "boom"}, id="text"),
    pytest.param([{"error": {"code": 1}}], {"code": 1}, id="in an array"),
    pytest.param([], {}, id="empty array"),
    pytest.param({"error": None}, {}, id="null"),
    pytest.param({"error": ""}, {}, id="empty"),
    pytest.param("error", {}, id="not an object"),
]


@pytest.mark.parametrize(("body", "error"), ERRORS)
def test_error_in(body, error):
    """Error objects are found in their usual wrappings."""
    assert dialects.error_in(body) == error


FAULTS = [
    pytest.param({"type": "rate_limit_error"}, Kind.HTTP_429, "error: rate_limit_error", id="anthropic"),
    pytest.param({"type": "tokens", "code": "rate_limit_exceeded"}, Kind.HTTP_429, None, id="openai"),
    pytest.param({"code": 429}, Kind.HTTP_429, "error: 429", id="number"),
    pytest.param({"code": "E14290"}, Kind.HTTP_5XX, None, id="not that number"),
    pytest.param({"code": "content_filter"}, Kind.REFUSED_BY_PROVIDER, None, id="azure"),
    pytest.param(
        {"innererror": {"code": "ResponsibleAIPolicyViolation"}}, Kind.REFUSED_BY_PROVIDER, None, id="azure inside"
    ),
    pytest.param(
        {"code": "invalid_prompt", "message": "violates our usage policy"}, Kind.REFUSED_BY_PROVIDER, None, id="flagged"
    ),
    pytest.param({"code": "invalid_prompt", "message": "malformed"}, Kind.HTTP_5XX, None, id="merely invalid"),
    pytest.param({"type": "server_error", "code": ""}, Kind.HTTP_5XX, "error: server_error", id="server"),
    pytest.param({"code": "key sk-123 is bad"}, Kind.HTTP_5XX, "error: without a code", id="prose is not repeated"),
    pytest.param({"message": "boom"}, Kind.HTTP_5XX, "error: without a code", id="no code"),
]


@pytest.mark.parametrize(("error", "kind", "note"), FAULTS)
def test_fault(error, kind, note):
    """An error object says whose limit was met, and is noted by its codes only."""
    assert dialects.fault(error) is kind
    assert note in (None, dialects.error_note(error))


def test_unknown_note():
    """A part we do not read is noted by its type, if that is a word."""
    assert dialects.unknown_note("web_search_call", "an item") == "an item of type web_search_call"
    assert dialects.unknown_note("<b>", "an item") == dialects.unknown_note("", "an item") == "an item without a type"


VERDICTS = [
    pytest.param(True, "stop", True, Kind.OK, id="ok"),
    pytest.param(True, "stop", False, Kind.BLANK, id="blank"),
    pytest.param(False, "stop", True, Kind.TRUNCATED, id="cut"),
    pytest.param(False, "content_filter", True, Kind.REFUSED_BY_PROVIDER, id="filtered"),
]


@pytest.mark.parametrize(("complete", "finish", "said", "kind"), VERDICTS)
def test_verdict(complete, finish, said, kind):
    """A readable answer is ok when it is whole and says something."""
    assert dialects.verdict(complete=complete, finish=finish, said=said) is kind


NAMES = """choices delta message content tool_calls function_call function name arguments id role tool tool_call_id
    messages input output type tool_use tool_result tool_use_id is_error function_call_output call_id text logprobs
    logprob token_logprobs content_filter_results prompt_filter_results moderation results flagged categories filtered
    detected content_filters source_type stop_reason stop_details category refusal content_block index""".split()
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(NAMES), st.just(10**400)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=30,
)


@pytest.mark.parametrize("dialect", [anthropic, openai_chat, openai_responses, embeddings, plain])
@settings(max_examples=200, deadline=None)
@given(body=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6))
def test_no_shape_is_too_strange(dialect, body):
    """Whatever stands where, a request and an answer are read, and what is read has the types it should have."""
    request, reply = dialect.request(body), dialect.from_json(body)
    assert all(isinstance(part, str) for call in request.called for part in (call.name, call.arguments))
    assert all(isinstance(part, str) for one in request.tool_results for part in (one.name, one.text))
    assert all(isinstance(number, float) and abs(number) < float("inf") for number in reply.logprobs)
    assert all(word.split(" ")[0] in ("input", "output") for word in reply.flagged)


def test_what_is_kept_is_bounded():
    """More calls, logarithms and flags than any conversation has are not kept."""
    history = dialects.History()
    for _ in range(dialects.MAX_STEPS + 5):
        history.call("a", "f", "{}")
        history.result("a", "x")
    assert [len(part) for part in history.told()] == [dialects.MAX_STEPS] * 2
    assert len(dialects.logprobs([-0.5] * (dialects.MAX_LOGPROBS + 5))) == dialects.MAX_LOGPROBS
    assert len(dialects.filtered("input", {f"c{n}": {"filtered": True} for n in range(99)})) == dialects.MAX_FLAGS


def test_flags():
    """A finding of a filter is its side and its own word; what is no word is not repeated."""
    hate = {
        "hate": {"filtered": True},
        "sexual": {"filtered": False},
        "a b": {"detected": True},
        "x\n": {"filtered": True},
    }
    assert dialects.filtered("input", hate) == ["input hate", "input a_b", "input filter"]
    assert dialects.filtered("input", [hate]) == []
    violent = {"flagged": True, "categories": {"violence": True, "hate": False}}
    assert dialects.moderated({"output": {"results": [violent]}, "input": {"flagged": True}}) == [
        "input moderation",
        "output violence",
    ]
    assert dialects.moderated({"output": violent, "input": {"type": "error"}}) == ["output violence"]
    assert dialects.moderated(None) == []
