"""The Anthropic Messages API, `/messages`. Called by reading.

A stream is put back together into the message it stands for (docs.anthropic.com, "Streaming messages"), so that one
reader serves both forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from evaluators.core.dialects import (
    History,
    NotJson,
    Object,
    count,
    error_in,
    error_note,
    fault,
    flag,
    obj,
    parse,
    rows,
    texts,
    unknown_note,
    verdict,
    words,
    written,
)
from evaluators.core.reply import UNKNOWN, Kind, Reply, Request, ToolCall, ToolResult, Usage
from evaluators.core.sse import Event

NAME = "anthropic-messages"

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_EVENTS = ("message_", "content_block_")
_INPUTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def reads_path(path: str) -> bool:
    """True for the paths of this API; OpenAI's threads end alike and are another."""
    return path.rstrip("/").endswith("/messages") and "/threads/" not in path


def asks(body: Object) -> bool:
    """True when a request on an unknown path has what only this API has."""
    schemas = any("input_schema" in obj(tool) for tool in rows(body.get("tools")))
    return isinstance(body.get("messages"), list) and ("system" in body or "anthropic_version" in body or schemas)


def answers(body: Object) -> bool:
    """True when an answer, or the data of one event, is of this API."""
    kind = words(body.get("type"))
    return kind.startswith(_EVENTS) or (kind == "message" and isinstance(body.get("content"), list))


def request(body: Object) -> Request:
    """What the application asked; never raises."""
    messages = [obj(message) for message in rows(body.get("messages"))]
    said = [texts(message.get("content")) for message in messages]
    users = [
        text
        for message, text in zip(messages, said, strict=True)
        if message.get("role") == "user" and not _only_tool_results(message.get("content"))
    ]
    system = texts(body.get("system"))
    form = obj(body.get("output_format")) or obj(obj(body.get("output_config")).get("format"))
    tools = dict(_tools(body))
    called, results = _history(messages)
    return Request(
        NAME,
        model=words(body.get("model")),
        stream=body.get("stream") is True,
        prompt=users[-1] if users else "",
        system=system,
        turns=len(users),
        characters=sum(map(len, said)) + len(system),
        tools=tuple(tools),
        schema=dict(obj(form.get("schema"))),
        json_mode=form.get("type") == "json_schema",
        tool_schemas=tools,
        called=called,
        tool_results=results,
    )


def from_json(body: Object) -> Reply:
    """The reply in a whole message; never raises."""
    if error := error_in(body):
        return Reply(fault(error), unread=(error_note(error),))
    if not isinstance(body.get("content"), list):
        return Reply(Kind.MALFORMED, unread=("no content in the answer",))
    return _reply(body, complete=True)


def from_events(events: Sequence[Event]) -> Reply:
    """The reply assembled from a stream; without message_stop it is TRUNCATED; never raises."""
    draft = _Draft()
    for event in events:
        try:
            draft.take(obj(parse(event.data)))
        except NotJson as error:
            draft.damage = f"an event: {error}"
    return draft.reply()


class _Draft:
    """A message being put back together."""

    def __init__(self) -> None:
        self.damage = ""
        self._message: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._pieces: dict[tuple[int, str], list[str]] = {}
        self._error: Object = {}
        self._complete = False

    def take(self, body: Object) -> None:
        """One event. What carries no content (ping, content_block_stop, events yet to be invented) is passed over."""
        kind = body.get("type")
        if kind == "message_start":
            self._merge(obj(body.get("message")))
        elif kind == "content_block_start":
            self._blocks[count(body.get("index"))] = dict(obj(body.get("content_block")))
        elif kind == "content_block_delta":
            self._delta(count(body.get("index")), obj(body.get("delta")))
        elif kind == "message_delta":
            self._merge({**obj(body.get("delta")), "usage": body.get("usage")})
        elif kind == "message_stop":
            self._complete = True
        elif kind == "error":
            self._error = error_in(body) or {"type": "error"}

    def reply(self) -> Reply:
        for (index, kind), pieces in self._pieces.items():
            block = self._blocks.setdefault(index, {"type": "tool_use" if kind == "partial_json" else kind})
            block[kind] = words(block.get(kind)) + "".join(pieces)
        blocks = [self._blocks[index] for index in sorted(self._blocks)]
        return _reply(
            {**self._message, "usage": self._usage, "content": blocks},
            complete=self._complete,
            error=self._error,
            damage=self.damage,
        )

    def _merge(self, part: Object) -> None:
        self._usage.update(obj(part.get("usage")))  # counts in message_delta are running totals
        self._message.update(part)

    def _delta(self, index: int, delta: Object) -> None:
        if kind := _DELTAS.get(words(delta.get("type"))):
            self._pieces.setdefault((index, kind), []).append(words(delta.get(kind)))


def _reply(message: Object, *, complete: bool, error: Object | None = None, damage: str = "") -> Reply:
    text: list[str] = []
    reasoning: list[str] = []
    calls: list[ToolCall] = []
    notes: dict[str, None] = {}
    for block in map(obj, rows(message.get("content"))):
        kind = words(block.get("type"))
        if kind == "text":
            text.append(words(block.get("text")))
        elif kind == "thinking":
            reasoning.append(words(block.get("thinking")))
        elif kind == "tool_use":
            arguments = words(block.get("partial_json")) or written(obj(block.get("input")))
            calls.append(ToolCall(words(block.get("name")), arguments))
        else:
            notes[unknown_note(kind, "a block")] = None
    finish = words(message.get("stop_reason"))
    finish = _FINISH.get(finish, finish)
    verdicts = verdict(complete=complete, finish=finish, said=bool("".join(text).strip() or calls))
    if damage:
        verdicts = Kind.MALFORMED
        notes[damage] = None
    if error:
        verdicts = fault(error)
        notes[error_note(error)] = None
    return Reply(
        verdicts,
        text="".join(text),
        reasoning="\n".join(reasoning),
        tool_calls=tuple(calls),
        finish_reason=finish,
        model=words(message.get("model")),
        usage=_usage(obj(message.get("usage"))),
        flagged=_flagged(message),
        unread=tuple(notes),
    )


def _flagged(message: Object) -> tuple[str, ...]:
    """The policy by which the API's own classifiers stopped the answer, where it names one."""
    if message.get("stop_reason") != "refusal":
        return ()
    return (flag("output", words(obj(message.get("stop_details")).get("category")) or "refusal"),)


def _history(messages: list[Object]) -> tuple[tuple[ToolCall, ...], tuple[ToolResult, ...]]:
    history = History()
    for message in messages:
        for block in map(obj, rows(message.get("content"))):
            if block.get("type") == "tool_use":
                history.call(block.get("id"), block.get("name"), obj(block.get("input")))
            elif block.get("type") == "tool_result":
                failed = block.get("is_error") is True
                history.result(block.get("tool_use_id"), block.get("content"), error=failed)
    return history.told()


def _usage(usage: Object) -> Usage:
    """Input counts everything the model read: this API alone reports cached tokens beside the input, not in it."""
    inputs = [count(usage.get(name)) for name in _INPUTS]
    return Usage(
        input=sum(max(tokens, 0) for tokens in inputs) if inputs[0] != UNKNOWN else UNKNOWN,
        output=count(usage.get("output_tokens")),
        cached=inputs[1],
    )


def _tools(body: Object) -> Iterator[tuple[str, dict[str, Any]]]:
    for tool in map(obj, rows(body.get("tools"))):
        if name := words(tool.get("name")):
            yield name, dict(obj(tool.get("input_schema")))


def _only_tool_results(content: object) -> bool:
    kinds = {words(obj(part).get("type")) for part in rows(content)}
    return kinds == {"tool_result"}
