"""Reading: Call to Request and Outcome to Reply, whatever the API, the coding and the damage. Used by observing.

Has the content coding undone (by coding), tells JSON from server-sent events, picks the dialect, and says in one
word how the answer ended. Nothing here raises, whatever the bytes: what cannot be read is a kind and a note.

| the exchange ended with          | kind                 |
|----------------------------------|----------------------|
| a failure on the wire            | the same word; `cancelled` is `client_left`: it was us, not the arm |
| more bytes than were captured    | `truncated`          |
| status 429 / other 4xx / 5xx     | `http_429`, `http_4xx`, `http_5xx` |
| 4xx by the provider's filter     | `refused_by_provider` |
| any other status but 2xx         | `malformed`: a redirect is not an answer |
| 2xx that cannot be read          | `malformed`          |
| 2xx with an error object inside  | `http_429` for a rate limit, else `http_5xx` |
| 2xx cut off by a filter          | `refused_by_provider` |
| 2xx stream without closing event | `truncated`          |
| 2xx without text, call, refusal  | `blank`              |

One exception: an application that hangs up after the stream's own closing event has its answer (most clients stop
reading there), so such a stream is read as complete.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from config.pair import Call, Failure, Fields, Outcome
from evaluators.core.dialects import (
    NotJson,
    Object,
    anthropic,
    embeddings,
    error_in,
    error_note,
    fault,
    mended,
    obj,
    openai_chat,
    openai_responses,
    parse,
    parse_whole,
    plain,
)
from evaluators.core.reading.coding import uncoded
from evaluators.core.reply import Kind, Reply, Request, ToolCall
from evaluators.core.sse import MAX_EVENT, Decoder, Event

MAX_EVENTS = 250_000
"""Events in one answer. The longest answers on offer have 128,000 tokens; a bomb of empty events has millions."""
MAX_NOTES = 16


def read_request(call: Call) -> Request:
    """What the application asked, as far as it can be read; never raises."""
    body = uncoded(call.body, call.headers)
    dialect = _by_path(call.path)
    try:
        asked = parse_whole(body.data)
    except NotJson:
        asked = None
    if not isinstance(asked, dict):
        if dialect is not None or _binary(body.data, _content_type(call.headers)):
            return Request(dialect.NAME if dialect else plain.NAME, route=call.path)
        return replace(plain.request_from_text(body.data.decode("utf-8", "replace")), route=call.path)
    dialect = dialect or next((known for known in _DIALECTS if known.asks(asked)), None)
    request = replace((dialect or plain).request(asked), body=asked, route=call.path)
    deployment = _DEPLOYMENT.search(call.path)
    return replace(request, model=deployment[1]) if deployment and not request.model else request


def read(outcome: Outcome, request: Request) -> Reply:
    """What the arm answered, or how it failed to; text that arrived before a failure is kept. Never raises."""
    failed = _FAILURES[outcome.failure]
    if not 200 <= outcome.status < 300:
        return _refused(outcome) if failed is Kind.OK else Reply(failed)
    body = uncoded(outcome.body, outcome.headers)
    reply = _answer(body.data, _content_type(outcome.headers), request)
    notes = (*reply.unread, body.note) if body.note else reply.unread
    kind = reply.kind
    if body.trouble is not Kind.OK:
        kind = body.trouble
    if outcome.capped:
        kind = Kind.TRUNCATED
        notes = (*notes, "only the beginning was captured")
    finished = reply.streamed and kind is Kind.OK and reply.finish_reason != ""
    if failed is not Kind.OK and not (failed is Kind.CLIENT_LEFT and finished):
        kind = failed
    return replace(
        reply,
        kind=kind,
        finish_reason=reply.finish_reason[:_MAX_WORD],
        model=reply.model[:_MAX_WORD],
        unread=tuple(notes[-MAX_NOTES:]),
    )


class _Dialect(Protocol):
    """What reading wants of a dialect's module."""

    @property
    def NAME(self) -> str: ...
    def reads_path(self, path: str, /) -> bool: ...
    def asks(self, body: Object, /) -> bool: ...
    def answers(self, body: Object, /) -> bool: ...
    def request(self, body: Object, /) -> Request: ...
    def from_json(self, body: Object, /) -> Reply: ...
    def from_events(self, events: Sequence[Event], /) -> Reply: ...


_DIALECTS: tuple[_Dialect, ...] = (anthropic, openai_chat, embeddings, openai_responses)
"""In the order in which shapes are tried: Anthropic's requests look like chat with something more."""
_FAILURES = {
    Failure.NONE: Kind.OK,
    Failure.TIMEOUT: Kind.TIMEOUT,
    Failure.CONNECT: Kind.CONNECT,
    Failure.RESET: Kind.RESET,
    Failure.TRUNCATED: Kind.TRUNCATED,
    Failure.MALFORMED: Kind.MALFORMED,
    Failure.CLIENT_LEFT: Kind.CLIENT_LEFT,
    Failure.CANCELLED: Kind.CLIENT_LEFT,
}
_BY_NAME = {dialect.NAME: dialect for dialect in _DIALECTS}
_MAX_WORD = 128
_SLICE = 1 << 16  # fed at once: the decoder's list of lines stays small
_LOOKED_AT = 8  # events in which the dialect must show itself; the first does, unless a gateway put its own before
_DEPLOYMENT = re.compile(r"/deployments/([^/]+)/")  # Azure names the model in the path
_SPACE = b" \t\r\n\xef\xbb\xbf"
_EVENT_LINE = re.compile(rb"(?:data|event|id|retry)?:")
_BINARY = re.compile(r"(?:audio|image|video|font|multipart)/|application/(?:octet-stream|pdf|zip)")


def _refused(outcome: Outcome) -> Reply:
    """An answer whose status says that there is none."""
    if outcome.status == 429:
        kind = Kind.HTTP_429
    elif outcome.status >= 400:
        kind = Kind.HTTP_4XX if outcome.status < 500 else Kind.HTTP_5XX
    else:
        return Reply(Kind.MALFORMED, unread=(f"status {outcome.status} is not an answer",))
    try:
        error = error_in(parse_whole(uncoded(outcome.body, outcome.headers).data))
    except NotJson:
        return Reply(kind)
    if kind is Kind.HTTP_4XX and fault(error) is Kind.REFUSED_BY_PROVIDER:
        kind = Kind.REFUSED_BY_PROVIDER
    return Reply(kind, unread=(error_note(error),) if error else ())


def _answer(data: bytes, content_type: str, request: Request) -> Reply:
    """The body of a 2xx."""
    if not data.strip(_SPACE):
        return Reply(Kind.BLANK)
    if data.lstrip(_SPACE)[:1] in (b"{", b"["):
        return _from_json(data, request)
    if "event-stream" in content_type or (
        (request.stream or not content_type) and _EVENT_LINE.match(data.lstrip(_SPACE))
    ):
        return _from_stream(data, request)
    if request.dialect in _BY_NAME:
        return Reply(Kind.MALFORMED, unread=("not JSON",))
    if _binary(data, content_type):
        return Reply(Kind.OK, unread=("a binary body",))
    return _from_text(data)


def _from_json(data: bytes, request: Request) -> Reply:
    asked = _BY_NAME.get(request.dialect)
    try:
        body = parse_whole(data)
    except NotJson as error:
        return Reply(Kind.MALFORMED, unread=(str(error),)) if asked else _from_text(data)
    dialect = _by_answer(body, asked)
    if dialect is None:
        reply = plain.from_json(body) if isinstance(body, dict) else _from_text(data)
        return replace(reply, text=data.decode("utf-8", "replace")) if reply.ok else reply
    return dialect.from_json(body) if isinstance(body, dict) else Reply(Kind.MALFORMED, unread=("not a JSON object",))


def _from_text(data: bytes) -> Reply:
    return plain.from_text(data.decode("utf-8", "replace"))


def _from_stream(data: bytes, request: Request) -> Reply:
    decoder = Decoder()
    events: list[Event] = []
    for start in range(0, len(data), _SLICE):
        events += decoder.feed(data[start : start + _SLICE])
        if len(events) > MAX_EVENTS:
            return Reply(Kind.MALFORMED, streamed=True, unread=(f"more than {MAX_EVENTS:,} events",))
    if decoder.pending and data.rstrip().endswith(b"[DONE]"):
        events += decoder.feed(b"\n\n")  # some servers forget the blank line; the end was said all the same
    events += decoder.flush()
    dialect = _by_events(events, _BY_NAME.get(request.dialect))
    reply = (dialect or plain).from_events(events)
    notes = list(reply.unread)
    if decoder.pending:
        notes.append("the last event is cut off")
    kind = reply.kind
    if decoder.overflowed:
        notes.append(f"an event above {MAX_EVENT >> 20} MiB was dropped")
        kind = Kind.TRUNCATED
    return replace(
        reply,
        kind=kind,
        text=mended(reply.text),
        reasoning=mended(reply.reasoning),
        refusal=mended(reply.refusal),
        tool_calls=tuple(ToolCall(mended(call.name), mended(call.arguments)) for call in reply.tool_calls),
        finish_reason=mended(reply.finish_reason),
        model=mended(reply.model),
        streamed=True,
        unread=tuple(notes),
    )


def _by_path(path: str) -> _Dialect | None:
    return next((known for known in _DIALECTS if known.reads_path(path)), None)


def _by_answer(body: object, asked: _Dialect | None) -> _Dialect | None:
    """The dialect an answer is in by its looks: a candidate may speak another than the one it was asked in."""
    return next((known for known in _DIALECTS if known.answers(obj(body))), asked)


def _by_events(events: Sequence[Event], asked: _Dialect | None) -> _Dialect | None:
    for event in events[:_LOOKED_AT]:
        try:
            dialect = _by_answer(parse(event.data), None)
        except NotJson:
            continue
        if dialect is not None:
            return dialect
    return asked


def _content_type(headers: Fields) -> str:
    return next((value.lower() for name, value in headers if name == "content-type"), "")


def _binary(data: bytes, content_type: str) -> bool:
    return _BINARY.match(content_type) is not None or b"\0" in data[:1024]
