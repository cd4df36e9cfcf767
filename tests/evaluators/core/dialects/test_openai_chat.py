"""The OpenAI chat dialect: recorded answers, requests, and servers that bend the format."""

import pytest

from evaluators.core.dialects import openai_chat as dialect
from evaluators.core.reply import Kind, Request, ToolCall, ToolResult, Usage
from tests.evaluators.core.dialects import golden


@pytest.mark.parametrize("path", golden.cases("openai-chat"))
def test_golden(path):
    """A recorded answer is read as the Reply beside it."""
    assert golden.reply(path) == golden.expected(path)


@pytest.mark.parametrize("path", golden.cases("openai-chat", ".sse"))
def test_cuts_make_no_difference(path):
    """However a stream is cut into chunks, the same reply comes out."""
    body = path.read_bytes()
    replies = {repr(dialect.from_events(golden.decoded(chunks))) for chunks in golden.ways_to_cut(body)}
    assert len(replies) == 1


@pytest.mark.parametrize("path", golden.cases("openai-chat", ".sse"))
def test_cut_early(path):
    """A stream cut before its closing event is never taken for a whole answer."""
    body = path.read_bytes()
    end = body.find(b"[DONE]") + len(b"[DONE]") - 1 if b"[DONE]" in body else len(body)
    for place in range(end):
        assert golden.reply(path, body[:place]).kind is not Kind.OK


@pytest.mark.parametrize("path", golden.cases("openai-chat", ".json"))
def test_whole_answer_cut_early(path):
    """JSON cut anywhere is malformed, or blank before it began."""
    body = path.read_bytes()
    assert {golden.reply(path, body[:place]).kind for place in range(1, len(body) - 1)} == {Kind.MALFORMED}
    assert golden.reply(path, b"").kind is Kind.BLANK


USER = {"role": "user", "content": "And now?"}
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}}

REQUESTS = [
    pytest.param(
        {
            "model": "gpt-5-mini",
            "stream": True,
            "messages": [
                {"role": "developer", "content": "Be brief."},
                {"role": "system", "content": [{"type": "text", "text": "Be kind."}]},
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": None, "tool_calls": []},
                {"role": "tool", "content": "18 C"},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is"},
                        {"type": "image_url", "image_url": {"url": "data:,"}},
                        {"type": "text", "text": "this?"},
                    ],
                },
            ],
            "tools": [
                {"type": "function", "function": {"name": "weather", "parameters": WEATHER}},
                {"type": "custom", "custom": {"name": "shell"}},
                {"type": "web_search"},
            ],
            "functions": [{"name": "old"}],
        },
        Request(
            "openai-chat",
            model="gpt-5-mini",
            stream=True,
            prompt="What is\nthis?",
            system="Be brief.\nBe kind.",
            turns=2,
            characters=9 + 8 + 5 + 4 + 13,
            tools=("weather", "shell", "old"),
            tool_schemas={"weather": WEATHER, "shell": {}, "old": {}},
            tool_results=(ToolResult("", "18 C"),),
        ),
        id="turns, parts, tools",
    ),
    pytest.param(
        {"messages": [USER], "response_format": {"type": "json_schema", "json_schema": {"schema": WEATHER}}},
        Request("openai-chat", prompt="And now?", turns=1, characters=8, schema=WEATHER, json_mode=True),
        id="json schema",
    ),
    pytest.param(
        {"messages": [USER], "response_format": {"type": "json_object"}},
        Request("openai-chat", prompt="And now?", turns=1, characters=8, json_mode=True),
        id="json mode",
    ),
    pytest.param(
        {"prompt": "Once upon", "model": "davinci-002"},
        Request("openai-chat", model="davinci-002", prompt="Once upon", turns=1, characters=9),
        id="legacy prompt",
    ),
    pytest.param(
        {"prompt": ["first", "second"]},
        Request("openai-chat", prompt="first", turns=1, characters=5),
        id="legacy prompts, the answer read is that of the first",
    ),
    pytest.param({"prompt": [1, 2, 3]}, Request("openai-chat"), id="token numbers"),
    pytest.param(
        {
            "messages": [
                {
                    "role": "assistant",
                    "tool_calls": [
                        {"id": "a", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}},
                        {"id": "b", "type": "custom", "custom": {"name": "shell", "input": "ls"}},
                        {"id": "c", "function": {"name": "clock", "arguments": {"zone": 1}}},
                        None,
                    ],
                },
                {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "README"}]},
                {"role": "tool", "tool_call_id": "a", "content": "18 C"},
                {"role": "assistant", "function_call": {"name": "old", "arguments": "{}"}},
                {"role": "function", "name": "old", "content": "done"},
                {"role": "tool", "tool_call_id": "z", "content": None},
            ]
        },
        Request(
            "openai-chat",
            characters=6 + 4 + 4,
            called=(
                ToolCall("weather", '{"city": "Oslo"}'),
                ToolCall("shell", "ls"),
                ToolCall("clock", '{"zone":1}'),
                ToolCall("", ""),
                ToolCall("old", "{}"),
            ),
            tool_results=(
                ToolResult("shell", "README"),
                ToolResult("weather", "18 C"),
                ToolResult("old", "done"),
                ToolResult("", ""),
            ),
        ),
        id="what was called and what it gave",
    ),
    pytest.param({"messages": "nonsense", "tools": 3, "stream": "yes"}, Request("openai-chat"), id="wrong types"),
    pytest.param({"messages": [None, 1, {"role": ["user"]}]}, Request("openai-chat"), id="wrong members"),
]


@pytest.mark.parametrize(("body", "request_"), REQUESTS)
def test_request(body, request_):
    """A request body is read into what checks and slices ask for."""
    assert dialect.request(body) == request_


def chunk(delta, **more):
    return {"choices": [{"index": 0, "delta": delta, **more}]}


def call(**fields):
    return {"tool_calls": [fields]}


DELTAS = [
    pytest.param(
        [
            call(index=0, id="a", function={"name": "f", "arguments": "{"}),
            call(index=0, id="a", function={"name": "f", "arguments": "}"}),
        ],
        [ToolCall("f", "{}")],
        id="name and id repeated in every delta",
    ),
    pytest.param(
        [
            call(index=0, id="a", function={"name": "get_"}),
            call(index=0, function={"name": "time", "arguments": "{}"}),
        ],
        [ToolCall("get_time", "{}")],
        id="name in pieces",
    ),
    pytest.param(
        [
            call(index=0, id="a", function={"name": "f", "arguments": "1"}),
            call(index=0, id="b", function={"name": "f", "arguments": "2"}),
        ],
        [ToolCall("f", "1"), ToolCall("f", "2")],
        id="parallel calls all numbered 0",
    ),
    pytest.param(
        [
            call(index=0, id="a", function={"name": "f", "arguments": "1"}),
            call(index=0, id="b", function={"arguments": "2"}),
        ],
        [ToolCall("f", "12")],
        id="a new id in every delta",
    ),
    pytest.param(
        [call(index=0, id="a", function={"name": "f", "arguments": {"x": 1}})],
        [ToolCall("f", '{"x":1}')],
        id="arguments sent parsed",
    ),
    pytest.param(
        [call(index=0, id="a", type="custom", custom={"name": "sh", "input": "ls"})],
        [ToolCall("sh", "ls")],
        id="custom tool",
    ),
    pytest.param([call(index=-1, function=3)], [ToolCall("", "")], id="nonsense"),
]


@pytest.mark.parametrize(("deltas", "calls"), DELTAS)
def test_tool_deltas(deltas, calls):
    """Tool calls are put together from deltas, also where servers bend the format."""
    draft = dialect._Draft()
    for delta in deltas:
        draft.take(chunk(delta))
    assert list(draft.reply(complete=True).tool_calls) == calls


def whole(message, **choice):
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}]}


MESSAGES = [
    pytest.param({"content": " \n"}, {"kind": Kind.BLANK, "text": " \n"}, id="white space is blank"),
    pytest.param(
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
                {"type": "text", "text": "Yes"},
            ]
        },
        {"kind": Kind.OK, "text": "Yes", "reasoning": "Hm"},
        id="content parts",
    ),
    pytest.param(
        {"content": [{"type": "image_url"}]},
        {"kind": Kind.OK, "unread": ("a content part that is not text",)},
        id="an image part is an answer, unread",
    ),
    pytest.param(
        {"content": None, "audio": {"id": "a", "data": "UklG"}},
        {"kind": Kind.OK, "unread": ("audio in the answer",)},
        id="audio",
    ),
    pytest.param(
        {"content": "Four", "reasoning": "2+2"}, {"kind": Kind.OK, "text": "Four", "reasoning": "2+2"}, id="reasoning"
    ),
]


@pytest.mark.parametrize(("message", "fields"), MESSAGES)
def test_messages(message, fields):
    """What a message holds beside plain text is read or noted."""
    reply = dialect.from_json(whole(message))
    assert {name: getattr(reply, name) for name in fields} == fields


USAGES = [
    pytest.param({"prompt_tokens": 3, "completion_tokens": 2}, Usage(3, 2), id="plain"),
    pytest.param({"prompt_tokens": 3.0, "prompt_cache_hit_tokens": 2}, Usage(input=3, cached=2), id="deepseek"),
    pytest.param({"prompt_tokens": -3, "completion_tokens": 1 << 70}, Usage(), id="implausible"),
    pytest.param({"prompt_tokens": True, "completion_tokens": "7"}, Usage(), id="wrong types"),
]


@pytest.mark.parametrize(("usage", "read"), USAGES)
def test_usage(usage, read):
    """Token counts are taken only where they can be counts."""
    assert dialect.from_json({**whole({"content": "x"}), "usage": usage}).usage == read


CHOICES = [
    pytest.param(
        {"logprobs": {"content": [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": 0}], "refusal": None}},
        {"logprobs": (-0.5, 0.0)},
        id="logarithms",
    ),
    pytest.param({"logprobs": {"token_logprobs": [None, -1.5]}}, {"logprobs": (-1.5,)}, id="of /completions"),
    pytest.param(
        {"logprobs": {"content": [{"logprob": "x"}, {}, 3, {"logprob": True}]}}, {"logprobs": (3.0,)}, id="wrong"
    ),
    pytest.param({"logprobs": {"content": [{"logprob": 10**400}]}}, {"logprobs": ()}, id="beyond every double"),
    pytest.param({"logprobs": None}, {"logprobs": ()}, id="not asked for"),
    pytest.param(
        {
            "content_filter_results": {
                "hate": {"filtered": False, "severity": "safe"},
                "violence": {"filtered": True, "severity": "high"},
                "protected_material_text": {"filtered": False, "detected": True},
                "custom_blocklists": [{"filtered": False, "id": "a"}, {"filtered": True, "id": "b"}],
                "error": {"code": "content_filter_error"},
            }
        },
        {"flagged": ("output violence", "output protected_material_text", "output custom_blocklists")},
        id="filter",
    ),
    pytest.param({"finish_reason": "content_filter"}, {"flagged": ("output content_filter",)}, id="ended by a filter"),
    pytest.param({"content_filter_results": {"hate": 3, "x": None}}, {"flagged": ()}, id="a filter of another shape"),
]


@pytest.mark.parametrize(("choice", "fields"), CHOICES)
def test_beside_the_text(choice, fields):
    """Logarithms of the tokens and what the provider's filter found are read, where they stand beside the message."""
    reply = dialect.from_json(whole({"content": "x"}, **choice))
    assert {name: getattr(reply, name) for name in fields} == fields


def test_filters_of_the_prompt_and_moderation():
    """What was found in the question is told apart from what was found in the answer."""
    reply = dialect.from_json(
        {
            **whole({"content": "x"}),
            "prompt_filter_results": [
                {"content_filter_results": {"jailbreak": {"filtered": True}}},
                {"prompt_index": 1},
            ],
            "moderation": {
                "input": {
                    "results": [{"flagged": True, "categories": {"hate": False, "harassment/threatening": True}}]
                },
                "output": {
                    "results": [{"flagged": True, "categories": None}, {"flagged": False, "categories": {"x": True}}]
                },
            },
        }
    )
    assert reply.flagged == ("input harassment_threatening", "output moderation", "input jailbreak")


def test_logarithms_of_a_stream():
    """The logarithms of all chunks are one row, in order."""
    draft = dialect._Draft()
    for logprob in (-0.1, -0.2):
        draft.take(chunk({"content": "a"}, logprobs={"content": [{"logprob": logprob}]}))
    draft.take(chunk({}, logprobs=None))
    assert draft.reply(complete=True).logprobs == (-0.1, -0.2)


def test_damaged_event():
    """One event that is not JSON makes the stream malformed; what could be read stays."""
    reply = dialect.from_events(
        golden.events('{"choices":[{"delta":{"content":"a"}}]}', "{oops", "[DONE]", "{never read")
    )
    assert (reply.kind, reply.text, reply.unread) == (Kind.MALFORMED, "a", ("an event: not JSON",))


def test_no_choices():
    """An answer of another shape is malformed; one with no choice in it is blank."""
    assert dialect.from_json({}).kind is Kind.MALFORMED
    assert dialect.from_json({"choices": []}).kind is Kind.BLANK


def test_error_in_answer():
    """An error object in a whole answer decides its kind."""
    assert dialect.from_json({"error": "boom"}).kind is Kind.HTTP_5XX


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("/v1/chat/completions", True),
        ("/openai/deployments/x/chat/completions/", True),
        ("/v1/completions", True),
        ("/v1/chat", False),
    ],
)
def test_paths(path, read):
    """The path's end says whose it is."""
    assert dialect.reads_path(path) is read


def test_shapes():
    """Requests and answers on unknown paths are known by their shape."""
    assert dialect.asks({"messages": []})
    assert not dialect.asks({"messages": "x"})
    assert dialect.answers({"choices": []})
    assert not dialect.answers({"choices": None})
