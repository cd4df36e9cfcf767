"""Reading: kinds by table, dialects by path and looks. Damaged bodies are in reading/test_damage."""

import json
import struct
import zlib

import pytest

from config.pair import NEVER, Call, Failure, Outcome
from evaluators.core.dialects import openai_chat
from evaluators.core.reading import MAX_EVENTS, MAX_NOTES, read, read_request
from evaluators.core.reply import Kind, Reply, Request
from evaluators.core.sse import MAX_EVENT
from tests.evaluators.core.dialects import golden
from tests.evaluators.core.dialects.golden import outcome

JSON, STREAM, TEXT = "application/json", "text/event-stream", "text/plain"
CHAT = Request("openai-chat")
PLAIN = Request("plain")

FULL = b'{"choices":[{"index":0,"message":{"content":"Hello"},"finish_reason":"stop"}]}'
DELTA = b'data: {"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"


def call(body, path="/v1/chat/completions", **headers):
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Call("0" * 32, 0.0, "POST", path, "", named, body, "c", ())


def error(**fields):
    return json.dumps({"error": fields}).encode()


FAILURES = [
    pytest.param(Failure.TIMEOUT, Kind.TIMEOUT, id="timeout"),
    pytest.param(Failure.CONNECT, Kind.CONNECT, id="connect"),
    pytest.param(Failure.RESET, Kind.RESET, id="reset"),
    pytest.param(Failure.TRUNCATED, Kind.TRUNCATED, id="truncated"),
    pytest.param(Failure.MALFORMED, Kind.MALFORMED, id="malformed"),
    pytest.param(Failure.CLIENT_LEFT, Kind.CLIENT_LEFT, id="client left"),
    pytest.param(Failure.CANCELLED, Kind.CLIENT_LEFT, id="cancelled by us"),
]


@pytest.mark.parametrize(("failure", "kind"), FAILURES)
def test_failures(failure, kind):
    """A failure on the wire is the kind, whether or not a status line, or even a whole body, had arrived."""
    nothing = Outcome(failure, "", 0, (), b"", 0, 0.0, NEVER, 1.0, 0, 0.0)
    assert read(nothing, CHAT) == Reply(kind)
    assert read(outcome(FULL, JSON, failure=failure), CHAT).kind is kind
    assert read(outcome(DELTA, STREAM, failure=failure), CHAT).kind is kind


def test_every_failure_has_a_kind():
    """The table leaves no failure out."""
    assert {param.values[0] for param in FAILURES} == set(Failure) - {Failure.NONE}


STATUSES = [
    pytest.param(400, error(type="invalid_request_error"), Kind.HTTP_4XX, "error: invalid_request_error", id="400"),
    pytest.param(400, error(code="content_filter", status=400), Kind.REFUSED_BY_PROVIDER, None, id="azure filter"),
    pytest.param(404, b"<html>no</html>", Kind.HTTP_4XX, "", id="404 without JSON"),
    pytest.param(408, b"{}", Kind.HTTP_4XX, "", id="408 without error"),
    pytest.param(429, error(code="rate_limit_exceeded"), Kind.HTTP_429, "error: rate_limit_exceeded", id="429"),
    pytest.param(429, error(code="content_filter"), Kind.HTTP_429, None, id="429 stays what it is"),
    pytest.param(500, error(type="server_error"), Kind.HTTP_5XX, "error: server_error", id="500"),
    pytest.param(503, error(code="content_filter"), Kind.HTTP_5XX, None, id="503 stays what it is"),
    pytest.param(529, error(type="overloaded_error"), Kind.HTTP_5XX, "error: overloaded_error", id="529"),
    pytest.param(301, FULL, Kind.MALFORMED, "status 301 is not an answer", id="a redirect is not an answer"),
    pytest.param(0, FULL, Kind.MALFORMED, "status 0 is not an answer", id="no status"),
    pytest.param(201, FULL, Kind.OK, "", id="another 2xx"),
]


@pytest.mark.parametrize(("status", "body", "kind", "note"), STATUSES)
def test_statuses(status, body, kind, note):
    """A status that is not 2xx decides, but for the provider's filter; the error is noted by its code."""
    reply = read(outcome(body, JSON, status=status), CHAT)
    assert reply.kind is kind
    assert note is None or reply.unread == ((note,) if note else ())


BODIES = [
    pytest.param(b"", JSON, CHAT, Kind.BLANK, "", id="nothing"),
    pytest.param(b" \n", STREAM, CHAT, Kind.BLANK, "", id="white space"),
    pytest.param(FULL, JSON, CHAT, Kind.OK, "Hello", id="JSON"),
    pytest.param(b"\xef\xbb\xbf " + FULL, "", CHAT, Kind.OK, "Hello", id="JSON with BOM, untyped"),
    pytest.param(FULL, STREAM, CHAT, Kind.OK, "Hello", id="JSON under the stream's type"),
    pytest.param(DELTA + DONE, STREAM, CHAT, Kind.OK, "Hello", id="stream"),
    pytest.param(DELTA + DONE, "", CHAT, Kind.OK, "Hello", id="stream, untyped"),
    pytest.param(b"\n" + DELTA + DONE, TEXT, Request("openai-chat", stream=True), Kind.OK, "Hello", id="mistyped"),
    pytest.param(DELTA + DONE, TEXT, CHAT, Kind.MALFORMED, "", id="a stream nobody asked for under another type"),
    pytest.param(DELTA + b"data: [DONE]", STREAM, CHAT, Kind.OK, "Hello", id="end without its blank line"),
    pytest.param(DELTA + b"data: [DONE]\r\n", STREAM, CHAT, Kind.OK, "Hello", id="end with one line end"),
    pytest.param(DELTA, STREAM, CHAT, Kind.TRUNCATED, "Hello", id="stream without its end"),
    pytest.param(b": ping\n\n", STREAM, CHAT, Kind.TRUNCATED, "", id="stream of comments"),
    pytest.param(b"<html>", "text/html", CHAT, Kind.MALFORMED, "", id="a page where an answer was due"),
    pytest.param(b"[1]", JSON, CHAT, Kind.MALFORMED, "", id="an array where an answer was due"),
    pytest.param(b'{"a":', JSON, CHAT, Kind.MALFORMED, "", id="broken JSON"),
    pytest.param(b'{"a": NaN}', JSON, CHAT, Kind.MALFORMED, "", id="NaN"),
    pytest.param(b'{"choices":' * 10_000, JSON, CHAT, Kind.MALFORMED, "", id="10,000 levels"),
    pytest.param(error(code="server_error"), JSON, CHAT, Kind.HTTP_5XX, "", id="error in a 200"),
    pytest.param(error(code="rate_limit_exceeded"), JSON, CHAT, Kind.HTTP_429, "", id="rate limit in a 200"),
    pytest.param(b"Hello", TEXT, PLAIN, Kind.OK, "Hello", id="text"),
    pytest.param(b"Gr\xfc\xdfe", TEXT, PLAIN, Kind.OK, "Gr\ufffd\ufffde", id="text in another charset"),
    pytest.param(b"data: a\n\n", TEXT, PLAIN, Kind.OK, "data: a\n\n", id="text like a stream"),
    pytest.param(b"[1, 2]", JSON, PLAIN, Kind.OK, "[1, 2]", id="plain array"),
    pytest.param(b'{"a":', JSON, PLAIN, Kind.OK, '{"a":', id="plain, broken"),
    pytest.param(b"{}", JSON, PLAIN, Kind.BLANK, "", id="plain, empty object"),
    pytest.param(b"ID3\4", "audio/mpeg", PLAIN, Kind.OK, "", id="binary by type"),
    pytest.param(b"\x7fELF\0", "", PLAIN, Kind.OK, "", id="binary by looks"),
    pytest.param(FULL, JSON, PLAIN, Kind.OK, "Hello", id="known by its looks"),
    pytest.param(DELTA + DONE, STREAM, PLAIN, Kind.OK, "Hello", id="stream known by its looks"),
    pytest.param(
        b"data: hi\n\n" + DELTA + DONE, STREAM, PLAIN, Kind.MALFORMED, "Hello", id="known after an event of a gateway"
    ),
    pytest.param(b'data: {"id":1}\n\n' + DELTA + DONE, STREAM, PLAIN, Kind.OK, "Hello", id="known by its second event"),
    pytest.param(
        b'{"type":"message","role":"assistant","content":[{"type":"text","text":"Hello"}]}',
        JSON,
        CHAT,
        Kind.OK,
        "Hello",
        id="a candidate of another family",
    ),
]


@pytest.mark.parametrize(("body", "content_type", "request_", "kind", "text"), BODIES)
def test_bodies(body, content_type, request_, kind, text):
    """A body is read by what it is, not only by what it says it is."""
    reply = read(outcome(body, content_type), request_)
    assert (reply.kind, reply.text) == (kind, text)


def test_why_it_is_not_read():
    """What could not be read is said in a phrase."""
    notes = {
        body: read(outcome(body, JSON), CHAT).unread
        for body in (b'{"a": NaN}', b"[1]", b"<p>", b'{"choices":' * 10_000, b'["\xff"]')
    }
    assert list(notes.values()) == [
        ("not JSON: NaN",),
        ("not a JSON object",),
        ("not JSON",),
        ("nested too deeply",),
        ("not UTF-8",),
    ]
    assert read(outcome(b"\0", "image/png"), PLAIN).unread == ("a binary body",)


def test_capped():
    """An answer longer than what was captured is truncated, whatever its beginning looks like."""
    reply = read(outcome(DELTA + DONE, STREAM, missing=1), CHAT)
    assert (reply.kind, reply.text, reply.unread) == (Kind.TRUNCATED, "Hello", ("only the beginning was captured",))


def test_client_left_with_the_whole_answer():
    """An application that hangs up after the closing event has its answer; one that leaves earlier has not."""
    left = Failure.CLIENT_LEFT
    assert read(outcome(DELTA + DONE, STREAM, failure=left), CHAT).kind is Kind.OK
    assert read(outcome(DELTA, STREAM, failure=left), CHAT).kind is Kind.CLIENT_LEFT
    assert read(outcome(DELTA + DONE, STREAM, failure=left, missing=9), CHAT).kind is Kind.CLIENT_LEFT
    assert read(outcome(b"data: a\n\n", STREAM, failure=left), PLAIN).kind is Kind.CLIENT_LEFT
    assert read(outcome(FULL, JSON, failure=left), CHAT).kind is Kind.CLIENT_LEFT


def test_partial_text_is_kept():
    """What arrived before a failure can be looked at."""
    reply = read(outcome(DELTA + b'data: {"choi', STREAM, failure=Failure.RESET), CHAT)
    assert (reply.kind, reply.text, reply.unread) == (Kind.RESET, "Hello", ("the last event is cut off",))


def test_lone_surrogates():
    """Halves of a character in two deltas make it whole; every text can be written as UTF-8."""
    chunks = [r'{"choices":[{"delta":{"content":"\ud83d"}}]}', r'{"choices":[{"delta":{"content":"\uddfc\ud800"}}]}']
    body = "".join(f"data: {chunk}\n\n" for chunk in [*chunks, "[DONE]"]).encode()
    assert read(outcome(body, STREAM), CHAT).text == "🗼\ufffd"
    assert read(outcome(rb'{"choices":[{"message":{"content":"a\ud800"}}]}', JSON), CHAT).text == "a\ufffd"


def test_an_event_too_large():
    """An event above the limit is not read, and the answer is not whole."""
    body = b"data: " + b"x" * MAX_EVENT + b"\n\n" + DELTA + DONE
    reply = read(outcome(body, STREAM), CHAT)
    assert (reply.kind, reply.text, reply.unread) == (
        Kind.TRUNCATED,
        "Hello",
        ("an event above 16 MiB was dropped",),
    )


def test_too_many_events():
    """A bomb of empty events is given up on early."""
    reply = read(outcome(b"data\n\n" * (MAX_EVENTS + 1), STREAM), CHAT)
    assert (reply.kind, reply.unread) == (Kind.MALFORMED, ("more than 250,000 events",))


def test_floods():
    """What a provider may repeat at will costs linear time and is cut: calls, notes, words."""
    message = {"tool_calls": [{"index": n, "id": str(n), "function": {"name": "f"}} for n in range(20_000)]}
    body = json.dumps({"choices": [{"message": message, "finish_reason": "x" * 999}], "model": "m" * 999}).encode()
    reply = read(outcome(body, JSON), CHAT)
    assert (len(reply.tool_calls), len(reply.finish_reason), len(reply.model)) == (20_000, 128, 128)
    blocks = [{"type": f"t{n}"} for n in range(1000)]
    body = json.dumps({"type": "message", "content": blocks}).encode()
    assert len(read(outcome(body, JSON), CHAT).unread) == MAX_NOTES


def test_compressed():
    """A body is read through its content coding, and trouble with it is the kind."""
    whole = zlib.compress(FULL)
    assert read(outcome(whole, JSON, coding="deflate"), CHAT).text == "Hello"
    reply = read(outcome(zlib.compress(DELTA + DONE)[:-1], STREAM, coding="deflate"), CHAT)
    assert (reply.kind, reply.text, reply.unread) == (Kind.TRUNCATED, "Hello", ("the deflate data is cut off",))
    reply = read(outcome(FULL, JSON, coding="rot13"), CHAT)
    assert (reply.kind, reply.unread) == (Kind.MALFORMED, ("an unknown content coding",))
    reply = read(outcome(zlib.compress(error(code="content_filter")), JSON, status=400, coding="deflate"), CHAT)
    assert reply.kind is Kind.REFUSED_BY_PROVIDER


USER = {"messages": [{"role": "user", "content": "Hi"}]}
REQUESTS = [
    pytest.param("/v1/chat/completions", USER, "openai-chat", "Hi", id="chat"),
    pytest.param("/anthropic/v1/messages", USER, "anthropic-messages", "Hi", id="anthropic"),
    pytest.param("/v1/responses", {"input": "Hi"}, "openai-responses", "Hi", id="responses"),
    pytest.param("/v1/embeddings", {"input": "Hi"}, "embeddings", "Hi", id="embeddings"),
    pytest.param("/invoke", {**USER, "system": "s"}, "anthropic-messages", "Hi", id="anthropic by its looks"),
    pytest.param("/invoke", USER, "openai-chat", "Hi", id="chat by its looks"),
    pytest.param("/invoke", {"input": "Hi", "tools": []}, "openai-responses", "Hi", id="responses by its looks"),
    pytest.param("/invoke", {"input": "Hi", "encoding_format": "x"}, "embeddings", "Hi", id="embeddings by its looks"),
    pytest.param("/invoke", {"input": "Hi"}, "plain", "Hi", id="plain"),
    pytest.param("/invoke", ["Hi"], "plain", '["Hi"]', id="plain array"),
]


@pytest.mark.parametrize(("path", "body", "dialect", "prompt"), REQUESTS)
def test_requests(path, body, dialect, prompt):
    """A request's dialect is that of its path, else that of its looks."""
    request = read_request(call(json.dumps(body).encode(), path))
    assert (request.dialect, request.prompt, request.route) == (dialect, prompt, path)


def test_unreadable_requests():
    """A request that cannot be read keeps its dialect, its path and nothing else."""
    chat = Request("openai-chat", route="/v1/chat/completions")
    form = call(b"--x\r\n", "/up", content_type="multipart/form-data; boundary=x")
    assert read_request(call(b"{oops")) == chat
    assert read_request(call(b"Hi", "/say")) == Request("plain", prompt="Hi", turns=1, characters=2, route="/say")
    assert read_request(form) == Request("plain", route="/up")
    assert read_request(call(b"[" * 10_000)) == chat


def test_request_through_its_coding():
    """A compressed request is read, also when the header was not captured."""
    packed = zlib.compressobj(wbits=31)
    body = packed.compress(json.dumps(USER).encode()) + packed.flush()
    assert read_request(call(body, content_encoding="gzip")).prompt == "Hi"
    assert read_request(call(body)).prompt == "Hi"


def test_azure_names_the_model_in_the_path():
    """The deployment is the model where the body names none."""
    path = "/openai/deployments/gpt-5-prod/chat/completions"
    assert read_request(call(json.dumps(USER).encode(), path)).model == "gpt-5-prod"
    assert read_request(call(json.dumps({**USER, "model": "m"}).encode(), path)).model == "m"


def test_floats_of_an_embedding_are_exact():
    """Base64 and numbers give the same vector."""
    numbers = [0.1, -2.5]
    packed = struct.unpack("<2f", struct.pack("<2f", *numbers))
    body = json.dumps({"data": [{"embedding": list(packed)}]}).encode()
    assert read(outcome(body, JSON), Request("embeddings")).vector == packed


def test_dialects_do_not_raise_either():
    """A dialect called with events of any kind answers."""
    assert openai_chat.from_events(golden.events("[]", "3", "null")).kind is Kind.TRUNCATED
