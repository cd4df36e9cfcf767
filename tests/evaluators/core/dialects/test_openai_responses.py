"""The OpenAI Responses dialect: recorded answers, requests, and damage."""

import pytest

from evaluators.core.dialects import openai_responses as dialect
from evaluators.core.reply import Kind, Request, ToolCall, ToolResult
from tests.evaluators.core.dialects import golden


@pytest.mark.parametrize("path", golden.cases("openai-responses"))
def test_golden(path):
    """A recorded answer is read as the Reply beside it."""
    assert golden.reply(path) == golden.expected(path)


@pytest.mark.parametrize("path", golden.cases("openai-responses", ".sse"))
def test_cuts_make_no_difference(path):
    """However a stream is cut into chunks, the same reply comes out."""
    body = path.read_bytes()
    replies = {repr(dialect.from_events(golden.decoded(chunks))) for chunks in golden.ways_to_cut(body)}
    assert len(replies) == 1


@pytest.mark.parametrize("path", golden.cases("openai-responses", ".sse"))
def test_cut_early(path):
    """A stream cut before its closing event is never taken for a whole answer."""
    body = path.read_bytes()
    for place in range(0, len(body) - 1, 7):
        assert golden.reply(path, body[:place]).kind is not Kind.OK


WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}}

REQUESTS = [
    pytest.param(
        {"model": "gpt-5", "input": "Hello", "instructions": "Be brief.", "stream": True},
        Request(
            "openai-responses",
            model="gpt-5",
            stream=True,
            prompt="Hello",
            system="Be brief.",
            turns=1,
            characters=14,
        ),
        id="text input",
    ),
    pytest.param(
        {
            "input": [
                {"role": "developer", "content": "Rules."},
                {"role": "user", "content": "One"},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Two"}]},
                {"type": "function_call_output", "output": "3"},
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Three"}]},
            ],
            "tools": [{"type": "function", "name": "weather", "parameters": WEATHER}, {"type": "web_search"}],
            "text": {"format": {"type": "json_schema", "name": "w", "schema": WEATHER}},
        },
        Request(
            "openai-responses",
            prompt="Three",
            system="Rules.",
            turns=2,
            characters=17,
            tools=("weather",),
            schema=WEATHER,
            json_mode=True,
            tool_schemas={"weather": WEATHER},
            tool_results=(ToolResult("", "3"),),
        ),
        id="items, tools, schema",
    ),
    pytest.param(
        {"input": [], "text": {"format": {"type": "json_object"}}},
        Request("openai-responses", json_mode=True),
        id="json mode",
    ),
    pytest.param(
        {
            "input": [
                {"type": "function_call", "call_id": "a", "name": "weather", "arguments": '{"city":"Oslo"}'},
                {"type": "custom_tool_call", "call_id": "b", "name": "sh", "input": "ls"},
                {"type": "web_search_call", "id": "ws"},
                {
                    "type": "custom_tool_call_output",
                    "call_id": "b",
                    "output": [{"type": "input_text", "text": "README"}],
                },
                {"type": "function_call_output", "call_id": "a", "output": "18 C"},
            ]
        },
        Request(
            "openai-responses",
            called=(ToolCall("weather", '{"city":"Oslo"}'), ToolCall("sh", "ls")),
            tool_results=(ToolResult("sh", "README"), ToolResult("weather", "18 C")),
        ),
        id="what was called and what it gave",
    ),
    pytest.param({"input": {"role": "user"}, "tools": "x", "text": 1}, Request("openai-responses"), id="wrong types"),
]


@pytest.mark.parametrize(("body", "request_"), REQUESTS)
def test_request(body, request_):
    """A request body is read into what checks and slices ask for."""
    assert dialect.request(body) == request_


def message(*parts):
    return {"type": "message", "role": "assistant", "content": list(parts)}


ANSWERS = [
    pytest.param({}, {"kind": Kind.MALFORMED, "unread": ("no output in the answer",)}, id="another shape"),
    pytest.param({"output": []}, {"kind": Kind.BLANK, "finish_reason": "stop"}, id="blank"),
    pytest.param({"output": [], "status": "failed"}, {"kind": Kind.HTTP_5XX, "finish_reason": ""}, id="failed mutely"),
    pytest.param({"output": [], "status": "in_progress"}, {"kind": Kind.TRUNCATED, "finish_reason": ""}, id="running"),
    pytest.param({"error": {"code": "server_error"}}, {"kind": Kind.HTTP_5XX}, id="error"),
    pytest.param(
        {"output": [message({"type": "output_audio"})]},
        {"kind": Kind.OK, "unread": ("a content part that is not text",)},
        id="audio",
    ),
    pytest.param(
        {"output": [{"type": "image_generation_call", "result": "iVBOR"}]},
        {"kind": Kind.OK, "unread": ("an item of type image_generation_call",)},
        id="picture",
    ),
    pytest.param({"output": [{}]}, {"kind": Kind.BLANK, "unread": ("an item without a type",)}, id="nameless item"),
    pytest.param(
        {
            "output": [{"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm"}]}],
            "incomplete_details": {"reason": "other"},
            "status": "incomplete",
        },
        {"kind": Kind.BLANK, "reasoning": "Hm", "finish_reason": "other"},
        id="open reasoning, unknown reason",
    ),
]


LIKELY = {"type": "output_text", "text": "Hi", "logprobs": [{"token": "Hi", "logprob": -0.25}, {"token": "!"}]}
JAILBREAK = {"jailbreak": {"detected": True, "filtered": False}}
ANSWERS += [
    pytest.param({"output": [message(LIKELY)]}, {"text": "Hi", "logprobs": (-0.25,)}, id="logarithms"),
    pytest.param(
        {
            "output": [message({"type": "output_text", "text": "Hi"})],
            "moderation": {"output": {"flagged": True, "categories": {"violence": True}, "type": "moderation_result"}},
            "content_filters": [
                {"blocked": False, "source_type": "prompt", "content_filter_results": JAILBREAK},
                {"blocked": False, "source_type": "completion", "content_filter_results": {"hate": {"filtered": True}}},
                {"blocked": False},
                None,
            ],
        },
        {"kind": Kind.OK, "flagged": ("output violence", "input jailbreak", "output hate")},
        id="filters",
    ),
]


@pytest.mark.parametrize(("body", "fields"), ANSWERS)
def test_answers(body, fields):
    """Whole answers that are not quite whole have their kind."""
    reply = dialect.from_json(body)
    assert {name: getattr(reply, name) for name in fields} == fields


def test_deltas_without_items():
    """Deltas are read also when the events around them were left out, and a stray [DONE] does no harm."""
    reply = dialect.from_events(
        golden.events(
            '{"type":"response.output_text.delta","output_index":0,"delta":"Hi"}',
            '{"type":"response.completed","response":{"status":"completed"}}',
            "[DONE]",
        )
    )
    assert (reply.kind, reply.text) == (Kind.OK, "Hi")


def test_logarithms_of_a_stream():
    """They come with the deltas; an item that is closed with its own has them once."""
    delta = '{"type":"response.output_text.delta","output_index":0,"delta":"Hi","logprobs":[{"logprob":-0.5}]}'
    end = '{"type":"response.completed","response":{"status":"completed"}}'
    done = (
        '{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":'
        '[{"type":"output_text","text":"Hi","logprobs":[{"logprob":-0.5}]}]}}'
    )
    assert dialect.from_events(golden.events(delta, end)).logprobs == (-0.5,)
    assert dialect.from_events(golden.events(delta, done, end)).logprobs == (-0.5,)


def test_custom_tool_deltas():
    """The input of a custom tool is its arguments."""
    reply = dialect.from_events(
        golden.events(
            '{"type":"response.output_item.added","output_index":0,"item":{"type":"custom_tool_call","name":"sh"}}',
            '{"type":"response.custom_tool_call_input.delta","output_index":0,"delta":"ls"}',
            '{"type":"response.completed","response":{}}',
        )
    )
    assert reply.tool_calls == (ToolCall("sh", "ls"),)


def test_error_outlives_the_closing_event():
    """A closing event that carries no error does not wash away the error event before it."""
    reply = dialect.from_events(
        golden.events(
            '{"type":"error","error":{"type":"rate_limit_error"}}',
            '{"type":"response.failed","response":{"status":"failed","error":null}}',
        )
    )
    assert reply.kind is Kind.HTTP_429


def test_damaged_event():
    """One event that is not JSON makes the stream malformed."""
    reply = dialect.from_events(golden.events("{oops"))
    assert (reply.kind, reply.unread) == (Kind.MALFORMED, ("an event: not JSON",))


def test_paths_and_shapes():
    """The API is known by its path, and elsewhere by its shape."""
    assert dialect.reads_path("/openai/responses")
    assert not dialect.reads_path("/v1/responses/resp_1")
    assert dialect.asks({"input": "x", "instructions": "y"})
    assert not dialect.asks({"input": "x"})
    assert dialect.answers({"object": "response"})
    assert dialect.answers({"type": "response.created"})
    assert not dialect.answers({"type": "message"})
