"""The Anthropic dialect: recorded answers, requests, and damage."""

import pytest

from evaluators.core.dialects import anthropic as dialect
from evaluators.core.reply import Kind, Request, ToolCall, ToolResult, Usage
from tests.evaluators.core.dialects import golden


@pytest.mark.parametrize("path", golden.cases("anthropic-messages"))
def test_golden(path):
    """A recorded answer is read as the Reply beside it."""
    assert golden.reply(path) == golden.expected(path)


@pytest.mark.parametrize("path", golden.cases("anthropic-messages", ".sse"))
def test_cuts_make_no_difference(path):
    """However a stream is cut into chunks, the same reply comes out."""
    body = path.read_bytes()
    replies = {repr(dialect.from_events(golden.decoded(chunks))) for chunks in golden.ways_to_cut(body)}
    assert len(replies) == 1


@pytest.mark.parametrize("path", golden.cases("anthropic-messages", ".sse"))
def test_cut_early(path):
    """A stream cut before message_stop is never taken for a whole answer."""
    body = path.read_bytes()
    for place in range(len(body) - 1):
        assert golden.reply(path, body[:place]).kind is not Kind.OK


WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}}
HELLO = [{"role": "user", "content": "Hello"}]

REQUESTS = [
    pytest.param(
        {
            "model": "claude-sonnet-4-5",
            "stream": True,
            "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
            "messages": [
                {"role": "user", "content": "Weather?"},
                {"role": "assistant", "content": [{"type": "tool_use", "name": "weather", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "content": "18 C"}]},
            ],
            "tools": [{"name": "weather", "input_schema": WEATHER}, {"type": "nameless"}],
        },
        Request(
            "anthropic-messages",
            model="claude-sonnet-4-5",
            stream=True,
            prompt="Weather?",
            system="Be kind.",
            turns=1,
            characters=16,
            tools=("weather",),
            tool_schemas={"weather": WEATHER},
            called=(ToolCall("weather", "{}"),),
            tool_results=(ToolResult("", "18 C"),),
        ),
        id="a tool result is no turn of the user",
    ),
    pytest.param(
        {
            "system": "S",
            "messages": [
                *HELLO,
                {"role": "user", "content": [{"type": "tool_result"}, {"type": "text", "text": "Go on"}]},
            ],
        },
        Request(
            "anthropic-messages",
            prompt="Go on",
            system="S",
            turns=2,
            characters=11,
            tool_results=(ToolResult("", ""),),
        ),
        id="a result with words is a turn",
    ),
    pytest.param(
        {"messages": HELLO, "output_format": {"type": "json_schema", "schema": WEATHER}},
        Request("anthropic-messages", prompt="Hello", turns=1, characters=5, schema=WEATHER, json_mode=True),
        id="output_format",
    ),
    pytest.param(
        {"messages": HELLO, "output_config": {"format": {"type": "json_schema", "schema": WEATHER}}},
        Request("anthropic-messages", prompt="Hello", turns=1, characters=5, schema=WEATHER, json_mode=True),
        id="output_config",
    ),
    pytest.param(
        {
            "messages": HELLO,
            "tools": [{"name": "answer", "input_schema": WEATHER}],
            "tool_choice": {"type": "tool", "name": "answer"},
        },
        Request(
            "anthropic-messages",
            prompt="Hello",
            turns=1,
            characters=5,
            tools=("answer",),
            tool_schemas={"answer": WEATHER},
        ),
        id="a forced tool binds its arguments, not the text",
    ),
    pytest.param(
        {
            "messages": [
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "Let me look."},
                        {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Oslo"}},
                        {"type": "tool_use", "id": "b", "name": "clock", "input": None},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "b", "content": "no clock", "is_error": True},
                        {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "18 C"}]},
                        {"type": "tool_result", "tool_use_id": ["a"], "content": 7, "is_error": "yes"},
                    ],
                },
            ],
        },
        Request(
            "anthropic-messages",
            characters=12,
            called=(ToolCall("weather", '{"city":"Oslo"}'), ToolCall("clock", "{}")),
            tool_results=(ToolResult("clock", "no clock", True), ToolResult("weather", "18 C"), ToolResult("", "")),
        ),
        id="results have the name of their call",
    ),
    pytest.param({"messages": {"role": "user"}, "system": 3}, Request("anthropic-messages"), id="wrong types"),
]


@pytest.mark.parametrize(("body", "request_"), REQUESTS)
def test_request(body, request_):
    """A request body is read into what checks and slices ask for."""
    assert dialect.request(body) == request_


ANSWERS = [
    pytest.param({}, {"kind": Kind.MALFORMED, "unread": ("no content in the answer",)}, id="another shape"),
    pytest.param({"content": [], "stop_reason": "end_turn"}, {"kind": Kind.BLANK, "finish_reason": "stop"}, id="blank"),
    pytest.param({"content": [{}]}, {"kind": Kind.BLANK, "unread": ("a block without a type",)}, id="nameless block"),
    pytest.param(
        {"type": "error", "error": {"type": "overloaded_error"}},
        {"kind": Kind.HTTP_5XX, "unread": ("error: overloaded_error",)},
        id="error",
    ),
    pytest.param(
        {"content": [{"type": "text", "text": "x"}], "stop_reason": "pause_turn", "usage": {"output_tokens": 5}},
        {"kind": Kind.OK, "finish_reason": "pause_turn", "usage": Usage(output=5)},
        id="its own word, no input count",
    ),
    pytest.param(
        {
            "content": [{"type": "text", "text": "x"}],
            "usage": {"input_tokens": 1, "cache_creation_input_tokens": 10, "output_tokens": 2},
        },
        {"usage": Usage(input=11, output=2)},
        id="what was written to the cache was read too",
    ),
]


REFUSED = {"content": [{"type": "text", "text": "Let us"}], "stop_reason": "refusal"}
ANSWERS += [
    pytest.param(
        {**REFUSED, "stop_details": {"type": "refusal", "category": "bio"}}, {"flagged": ("output bio",)}, id="policy"
    ),
    pytest.param({**REFUSED, "stop_details": {"category": None}}, {"flagged": ("output refusal",)}, id="no policy"),
    pytest.param({**REFUSED, "stop_details": {"category": "a\nb"}}, {"flagged": ("output filter",)}, id="no word"),
]


@pytest.mark.parametrize(("body", "fields"), ANSWERS)
def test_answers(body, fields):
    """Whole answers that are not quite whole have their kind."""
    reply = dialect.from_json(body)
    assert {name: getattr(reply, name) for name in fields} == fields


def test_deltas_without_start():
    """Deltas are read also when the event that opens their block was lost."""
    reply = dialect.from_events(
        golden.events(
            '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{}"}}',
            '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}',
            '{"type":"content_block_delta","index":0,"delta":{"type":"of the future"}}',
            '{"type":"message_stop"}',
        )
    )
    assert (reply.kind, reply.text, reply.tool_calls) == (Kind.OK, "Hi", (ToolCall("", "{}"),))


def test_damaged_event():
    """One event that is not JSON makes the stream malformed; an error event without an error is still one."""
    reply = dialect.from_events(golden.events("{oops"))
    assert (reply.kind, reply.unread) == (Kind.MALFORMED, ("an event: not JSON",))
    assert dialect.from_events(golden.events('{"type":"error"}')).kind is Kind.HTTP_5XX


def test_paths_and_shapes():
    """The API is known by its path, and elsewhere by its shape."""
    assert dialect.reads_path("/v1/messages")
    assert not dialect.reads_path("/v1/messages/count_tokens")
    assert not dialect.reads_path("/v1/threads/t/messages")
    assert dialect.asks({"messages": [], "system": "x"})
    assert dialect.asks({"messages": [], "tools": [{"input_schema": {}}]})
    assert dialect.asks({"messages": [], "anthropic_version": "bedrock-2023-05-31"})
    assert not dialect.asks({"messages": []})
    assert dialect.answers({"type": "message", "content": []})
    assert dialect.answers({"type": "content_block_stop"})
    assert not dialect.answers({"type": "message"})
