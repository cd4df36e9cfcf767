"""The OpenAI chat API, `/chat/completions`, and its elder `/completions`; most other providers speak it too.

Called by reading. A whole answer is read as if it were one long delta, so both forms share one draft.
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
    verdict,
    words,
    written,
)
from evaluators.core.reply import Kind, Reply, Request, ToolCall, ToolResult, Usage
from evaluators.core.sse import Event

NAME = "openai-chat"

_FINISH = {"function_call": "tool_calls"}
_SYSTEM = ("system", "developer")


def reads_path(path: str) -> bool:
    """True for the paths of this API, under whatever prefix."""
    return path.rstrip("/").endswith("/completions")


def asks(body: Object) -> bool:
    """True when a request on an unknown path looks like this API."""
    return isinstance(body.get("messages"), list)


def answers(body: Object) -> bool:
    """True when an answer, or the data of one event, is of this API."""
    return isinstance(body.get("choices"), list)


def request(body: Object) -> Request:
    """What the application asked; never raises."""
    messages = [obj(message) for message in rows(body.get("messages"))]
    said = [texts(message.get("content")) for message in messages]
    users = [text for message, text in zip(messages, said, strict=True) if message.get("role") == "user"]
    system = [text for message, text in zip(messages, said, strict=True) if message.get("role") in _SYSTEM]
    if "messages" not in body:
        users = said = _prompts(body.get("prompt"))[:1]
    form = obj(body.get("response_format"))
    tools = dict(_tools(body))
    called, results = _history(messages)
    return Request(
        NAME,
        model=words(body.get("model")),
        stream=body.get("stream") is True,
        prompt=users[-1] if users else "",
        system="\n".join(system),
        turns=len(users),
        characters=sum(map(len, said)),
        tools=tuple(tools),
        schema=dict(obj(obj(form.get("json_schema")).get("schema"))),
        json_mode=form.get("type") in ("json_schema", "json_object"),
        tool_schemas=tools,
        called=called,
        tool_results=results,
    )


def from_json(body: Object) -> Reply:
    """The reply in a whole answer; never raises."""
    draft = _Draft()
    draft.take(body)
    if not draft.error and not answers(body):
        return Reply(Kind.MALFORMED, unread=("no choices in the answer",))
    return draft.reply(complete=True)


def from_events(events: Sequence[Event]) -> Reply:
    """The reply assembled from chunks; without the closing [DONE] it is TRUNCATED; never raises."""
    draft = _Draft()
    complete = False
    for event in events:
        if event.data.strip() == "[DONE]":
            complete = True
            break
        try:
            draft.take(obj(parse(event.data)))
        except NotJson as error:
            draft.note(f"an event: {error}")
            draft.damaged = True
    return draft.reply(complete=complete)


class _Draft:
    """A reply being assembled from deltas."""

    def __init__(self) -> None:
        self.error: Object = {}
        self.damaged = False
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._calls: list[_Call] = []
        self._open: dict[int, _Call] = {}  # the call that deltas of this index continue
        self._opaque = False  # there was content that is not text
        self._finish = ""
        self._model = ""
        self._usage: Object = {}
        self._logprobs: list[float] = []
        self._flags: dict[str, None] = {}
        self._notes: dict[str, None] = {}

    def note(self, phrase: str) -> None:
        self._notes[phrase] = None

    def take(self, body: Object) -> None:
        """One chunk, or the whole answer."""
        self.error = error_in(body) or self.error
        self._model = words(body.get("model")) or self._model
        self._usage = obj(body.get("usage")) or self._usage
        self._flag(moderated(body.get("moderation")))
        for prompt in rows(body.get("prompt_filter_results"))[:1]:
            self._flag(filtered("input", obj(prompt).get("content_filter_results")))
        for choice in map(obj, rows(body.get("choices"))):
            if choice.get("index") not in (0, None):
                self.note("only the first of several choices is read")
                continue
            self._finish = words(choice.get("finish_reason")) or self._finish
            self._text.append(words(choice.get("text")))
            self._flag(filtered("output", choice.get("content_filter_results")))
            self._likely(obj(choice.get("logprobs")))
            self._delta(obj(choice.get("delta")) or obj(choice.get("message")))

    def reply(self, *, complete: bool) -> Reply:
        finish = _FINISH.get(self._finish, self._finish)
        text = "".join(self._text)
        refusal = "".join(self._refusal)
        said = bool(text.strip() or refusal or self._calls or self._opaque)
        kind = verdict(complete=complete, finish=finish, said=said)
        if finish == "content_filter" and not any(word.startswith("output ") for word in self._flags):
            self._flag([flag("output", finish)])
        if self.damaged:
            kind = Kind.MALFORMED
        if self.error:
            kind = fault(self.error)
            self.note(error_note(self.error))
        return Reply(
            kind,
            text=text,
            reasoning="".join(self._reasoning),
            refusal=refusal,
            tool_calls=tuple(call.done() for call in self._calls),
            finish_reason=finish,
            model=self._model,
            usage=_usage(self._usage),
            logprobs=tuple(self._logprobs),
            flagged=tuple(self._flags),
            unread=tuple(self._notes),
        )

    def _flag(self, found: list[str]) -> None:
        self._flags.update(dict.fromkeys(found))

    def _likely(self, tokens: Object) -> None:
        """Logarithms of the tokens in this part: today's form, or that of `/completions`."""
        if tokens and len(self._logprobs) < MAX_LOGPROBS:
            self._logprobs += logprobs(tokens.get("content") or tokens.get("token_logprobs"))

    def _delta(self, delta: Object) -> None:
        content = delta.get("content")
        if isinstance(content, list):
            self._parts(content)
        else:
            self._text.append(words(content))
        self._reasoning.append(words(delta.get("reasoning_content")) or words(delta.get("reasoning")))
        self._refusal.append(words(delta.get("refusal")))
        if delta.get("tool_calls"):
            for place, call in enumerate(rows(delta["tool_calls"])):
                self._call(obj(call), place)
        if delta.get("function_call"):  # the form before tools
            self._call({"index": 0, "function": delta["function_call"]}, 0)
        for medium in ("audio", "images"):
            if delta.get(medium):
                self._opaque = True
                self.note(f"{medium} in the answer")

    def _parts(self, content: list[Any]) -> None:
        for part in map(obj, content):
            if part.get("type") == "text":
                self._text.append(words(part.get("text")))
            elif part.get("type") == "thinking":
                self._reasoning.append(texts(part.get("thinking")))
            else:
                self._opaque = True
                self.note("a content part that is not text")

    def _call(self, delta: Object, place: int) -> None:
        """Add to the call that the delta continues, or begin one.

        Deltas are numbered by `index`; where a server leaves it out or repeats 0 for parallel calls, a new id
        together with a name begins a new call.
        """
        function = obj(delta.get("function")) or obj(delta.get("custom"))
        identity, name = words(delta.get("id")), words(function.get("name"))
        index = count(delta.get("index", place))
        call = self._open.get(index)
        if call is None or (identity and call.id and identity != call.id and name):
            call = self._open[index] = _Call(identity)
            self._calls.append(call)
        call.add(name, function.get("arguments", function.get("input")))


class _Call:
    """A tool call being assembled."""

    def __init__(self, identity: str) -> None:
        self.id = identity
        self._name = ""
        self._arguments: list[str] = []

    def add(self, name: str, arguments: object) -> None:
        if name != self._name:  # some servers repeat the name in every delta
            self._name += name
        self._arguments.append(written(arguments) if isinstance(arguments, dict) else words(arguments))

    def done(self) -> ToolCall:
        return ToolCall(self._name, "".join(self._arguments))


def _history(messages: list[Object]) -> tuple[tuple[ToolCall, ...], tuple[ToolResult, ...]]:
    """What the assistant called and what came back, in today's form and in the one before it."""
    history = History()
    for message in messages:
        if message.get("role") in ("tool", "function"):
            history.result(message.get("tool_call_id"), message.get("content"), name=message.get("name"))
        for call in map(obj, rows(message.get("tool_calls"))):
            function = obj(call.get("function")) or obj(call.get("custom"))
            history.call(call.get("id"), function.get("name"), function.get("arguments", function.get("input")))
        if function := obj(message.get("function_call")):
            history.call("", function.get("name"), function.get("arguments"))
    return history.told()


def _usage(usage: Object) -> Usage:
    prompt, completion = obj(usage.get("prompt_tokens_details")), obj(usage.get("completion_tokens_details"))
    return Usage(
        input=count(usage.get("prompt_tokens")),
        output=count(usage.get("completion_tokens")),
        cached=count(prompt.get("cached_tokens", usage.get("prompt_cache_hit_tokens"))),
        reasoning=count(completion.get("reasoning_tokens")),
    )


def _tools(body: Object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and argument schemas of the tools offered, in today's form and in the one before it."""
    offered = [obj(obj(tool).get("function")) or obj(obj(tool).get("custom")) for tool in rows(body.get("tools"))]
    for function in offered + [obj(function) for function in rows(body.get("functions"))]:
        if name := words(function.get("name")):
            yield name, dict(obj(function.get("parameters")))


def _prompts(prompt: object) -> list[str]:
    """The texts of a `/completions` prompt; token numbers cannot be read back."""
    return [prompt] if isinstance(prompt, str) else [text for text in rows(prompt) if isinstance(text, str)]
