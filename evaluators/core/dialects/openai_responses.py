"""The OpenAI Responses API, `/responses`. Called by reading.

A stream ends with the whole response in its last event; what came before is only needed when that event is missing
or empty (developers.openai.com, "Streaming events"). So both forms end in one reader of output items.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from evaluators.core.dialects import (
    MAX_LOGPROBS,
    History,
    NotJson,
    Object,
    count,
    error_in,
    error_note,
    fault,
    filtered,
    flag,
    logprobs,
    moderated,
    obj,
    parse,
    rows,
    texts,
    unknown_note,
    verdict,
    words,
)
from evaluators.core.reply import Kind, Reply, Request, ToolCall, ToolResult, Usage
from evaluators.core.sse import Event

NAME = "openai-responses"

_SYSTEM = ("system", "developer")
_ENDS = ("response.completed", "response.incomplete", "response.failed")
_FINAL = ("completed", "incomplete", "failed")
_REASONS = {"max_output_tokens": "length"}
_DELTAS = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.reasoning_text.delta": "reasoning",
    "response.function_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "arguments",
}
MAX_FILTERS = 16
_PARTS = {
    "output_text": "text",
    "refusal": "refusal",
    "summary_text": "reasoning",
    "reasoning_text": "reasoning",
}
_CALLS = ("function_call", "custom_tool_call")  # those that the application is asked to make
_READ = ("message", "reasoning", *_CALLS)
_RESULTS = ("function_call_output", "custom_tool_call_output")
_PICTURES = ("image_generation_call",)


def reads_path(path: str) -> bool:
    """True for the paths of this API."""
    return path.rstrip("/").endswith("/responses")


def asks(body: Object) -> bool:
    """True when a request on an unknown path has what only this API has."""
    return "input" in body and any(name in body for name in ("instructions", "max_output_tokens", "reasoning", "tools"))


def answers(body: Object) -> bool:
    """True when an answer, or the data of one event, is of this API."""
    return body.get("object") == "response" or words(body.get("type")).startswith("response.")


def request(body: Object) -> Request:
    """What the application asked; never raises."""
    given = body.get("input")
    alone: list[Object] = [{"role": "user", "content": given}]
    items = alone if isinstance(given, str) else [obj(item) for item in rows(given)]
    said = [texts(item.get("content")) for item in items]
    users = [text for item, text in zip(items, said, strict=True) if item.get("role") == "user"]
    system = [text for item, text in zip(items, said, strict=True) if item.get("role") in _SYSTEM]
    instructions = words(body.get("instructions"))
    form = obj(obj(body.get("text")).get("format"))
    tools = dict(_tools(body))
    called, results = _history(items)
    return Request(
        NAME,
        model=words(body.get("model")),
        stream=body.get("stream") is True,
        prompt=users[-1] if users else "",
        system="\n".join([instructions, *system] if instructions else system),
        turns=len(users),
        characters=sum(map(len, said)) + len(instructions),
        tools=tuple(tools),
        schema=dict(obj(form.get("schema"))),
        json_mode=form.get("type") in ("json_schema", "json_object"),
        tool_schemas=tools,
        called=called,
        tool_results=results,
    )


def from_json(body: Object) -> Reply:
    """The reply in a whole response object; never raises."""
    if not isinstance(body.get("output"), list) and not error_in(body):
        return Reply(Kind.MALFORMED, unread=("no output in the answer",))
    draft = _Draft()
    draft.response = body
    draft.complete = body.get("status", "completed") in _FINAL
    return draft.reply()


def from_events(events: Sequence[Event]) -> Reply:
    """The reply of a stream; without its closing event it is TRUNCATED; never raises."""
    draft = _Draft()
    for event in events:
        if event.data.strip() == "[DONE]":  # not this API's, but some servers add it
            continue
        try:
            draft.take(obj(parse(event.data)))
        except NotJson as error:
            draft.damage = f"an event: {error}"
    return draft.reply()


class _Item:
    """One output item, in whatever form it came: what was said in it, by field."""

    def __init__(self, kind: str, name: str = "") -> None:
        self.kind = kind
        self.name = name
        self.logprobs: list[float] = []
        self._said: dict[str, list[str]] = {}

    def add(self, name: str, piece: object) -> None:
        self._said.setdefault(name, []).append(words(piece))

    def get(self, name: str, between: str = "") -> str:
        return between.join(self._said.get(name, ()))


class _Draft:
    """A response being put back together."""

    def __init__(self) -> None:
        self.response: Object = {}
        self.complete = False
        self.damage = ""
        self._error: Object = {}
        self._items: dict[int, _Item] = {}

    def take(self, body: Object) -> None:
        """One event. Events that repeat what others said, and those yet to be invented, are passed over."""
        kind = words(body.get("type"))
        index = count(body.get("output_index"))
        if kind in _DELTAS:
            item = self._items.setdefault(index, _Item("message"))
            item.add(_DELTAS[kind], body.get("delta"))
            item.logprobs += logprobs(body.get("logprobs"))
        elif kind == "response.output_item.added":
            added = obj(body.get("item"))
            self._items[index] = _Item(words(added.get("type")), words(added.get("name")))
        elif kind == "response.output_item.done":
            self._items[index] = _whole(obj(body.get("item")))
        elif kind == "error":
            self._error = error_in(body) or {"code": body.get("code"), "message": body.get("message")}
        elif "response" in body:
            self.response = {**self.response, **obj(body["response"])}
            self.complete = self.complete or kind in _ENDS

    def reply(self) -> Reply:
        """The closing event's own output where it has one, else what the deltas built."""
        items = [_whole(obj(item)) for item in rows(self.response.get("output"))] if self.complete else []
        items = items or [self._items[index] for index in sorted(self._items)]
        calls = tuple(ToolCall(item.name, item.get("arguments")) for item in items if item.kind in _CALLS)
        text = "".join(item.get("text") for item in items)
        refusal = "".join(item.get("refusal") for item in items)
        notes = [unknown_note(item.kind, "an item") for item in items if item.kind not in _READ]
        notes += ["a content part that is not text" for item in items if item.get("opaque")]
        opaque = any(item.kind in _PICTURES or item.get("opaque") for item in items)
        finish = self._finish(calls)
        said = bool(text.strip() or refusal or calls or opaque)
        kind = verdict(complete=self.complete, finish=finish, said=said)
        if self.damage:
            kind = Kind.MALFORMED
            notes.append(self.damage)
        if error := self._error or error_in(self.response) or self._failed():
            kind = fault(error)
            notes.append(error_note(error))
        return Reply(
            kind,
            text=text,
            reasoning="\n".join(filter(None, (item.get("reasoning", "\n") for item in items))),
            refusal=refusal,
            tool_calls=calls,
            finish_reason=finish,
            model=words(self.response.get("model")),
            usage=_usage(obj(self.response.get("usage"))),
            logprobs=tuple(number for item in items for number in item.logprobs)[:MAX_LOGPROBS],
            flagged=_flagged(self.response, finish),
            unread=tuple(dict.fromkeys(notes)),
        )

    def _finish(self, calls: tuple[ToolCall, ...]) -> str:
        if reason := words(obj(self.response.get("incomplete_details")).get("reason")):
            return _REASONS.get(reason, reason)
        if not self.complete or self._failed():
            return ""
        return "tool_calls" if calls else "stop"

    def _failed(self) -> Object:
        return {"code": "failed"} if self.response.get("status") == "failed" else {}


def _whole(item: Object) -> _Item:
    """An output item as the provider closes it."""
    found = _Item(words(item.get("type")), words(item.get("name")))
    for part in map(obj, rows(item.get("content")) + rows(item.get("summary"))):
        name = _PARTS.get(words(part.get("type")), "opaque")
        found.logprobs += logprobs(part.get("logprobs"))
        found.add(name, part.get("refusal" if name == "refusal" else "text") if name != "opaque" else "x")
    for name in ("arguments", "input"):
        found.add("arguments", item.get(name))
    return found


def _flagged(response: Object, finish: str) -> tuple[str, ...]:
    """What a filter found: OpenAI's moderation, Azure's list of filters with the side that each looked at."""
    found = moderated(response.get("moderation"))
    for one in map(obj, rows(response.get("content_filters"))[:MAX_FILTERS]):
        side = "input" if one.get("source_type") == "prompt" else "output"
        found += filtered(side, one.get("content_filter_results"))
    if finish == "content_filter" and not any(word.startswith("output ") for word in found):
        found.append(flag("output", finish))
    return tuple(dict.fromkeys(found))


def _history(items: list[Object]) -> tuple[tuple[ToolCall, ...], tuple[ToolResult, ...]]:
    """What the application was asked to call and what it gave back; what the provider ran itself is not there."""
    history = History()
    for item in items:
        kind = item.get("type")
        if kind in _CALLS:
            history.call(item.get("call_id"), item.get("name"), item.get("arguments", item.get("input")))
        elif kind in _RESULTS:
            history.result(item.get("call_id"), item.get("output"))
    return history.told()


def _usage(usage: Object) -> Usage:
    return Usage(
        input=count(usage.get("input_tokens")),
        output=count(usage.get("output_tokens")),
        cached=count(obj(usage.get("input_tokens_details")).get("cached_tokens")),
        reasoning=count(obj(usage.get("output_tokens_details")).get("reasoning_tokens")),
    )


def _tools(body: Object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and argument schemas of the application's own tools; those that the provider runs have no name."""
    for tool in map(obj, rows(body.get("tools"))):
        if name := words(tool.get("name")):
            yield name, dict(obj(tool.get("parameters")))
