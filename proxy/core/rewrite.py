"""The copy's body: the operator's changes, `store` forced off, reasoning that only its maker can read taken out.

Decides nothing about who is asked; plan does. A body that needs no change keeps its bytes. What cannot be changed
without changing something else raises NotRewritable with a reason of accounting.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from proxy.core import stateful

Body = Mapping[str, Any]


class NotRewritable(Exception):
    """The body cannot be edited faithfully; the text is the reason that is counted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PromptEdit(StrEnum):
    """What is done with the system prompt."""

    REPLACE = "replace"
    PREPEND = "prepend"
    APPEND = "append"


@dataclass(frozen=True, slots=True)
class SystemPromptEdit:
    """A change of the system prompt, wherever the dialect keeps it."""

    how: PromptEdit
    text: str


class Edit(NamedTuple):
    """Everything that shall differ in a copy. `path` names the API, and so where things are."""

    path: str
    set: Mapping[str, Any] = MappingProxyType({})  # merged in, RFC 7396: null removes
    unset: Sequence[str] = ()  # dotted names of what is taken out
    system_prompt: SystemPromptEdit | None = None
    foreign: bool = False  # another model or account answers: reasoning made by the first is unreadable to it


def rewrite(raw: bytes, body: Body, edit: Edit) -> tuple[bytes, tuple[str, ...]]:
    """The copy's bytes and notes on what was done to it unasked; `raw` itself when nothing changes.

    `body` is `raw` parsed and is not changed. Raises NotRewritable for `unsafe_numbers` (a number would come out
    different) and `not_json` (the result cannot be written).
    """
    edited = _prompted(_without(_merged(body, edit.set), edit.unset), edit)
    notes: list[str] = []
    for note, step in _UNASKED:
        changed = step(edited, edit)
        if changed is not edited:
            edited = changed
            notes.append(note)
    if edited is body:
        return raw, ()
    if _loses_numbers(raw):
        raise NotRewritable("unsafe_numbers")
    try:
        return orjson.dumps(edited), tuple(notes)
    except TypeError:  # deeper than orjson writes, or a value from the configuration that is not JSON
        raise NotRewritable("not_json") from None


def parsed(raw: bytes) -> dict[str, Any]:
    """The body as an object; NotRewritable("not_json") for anything else, lone surrogates and NaN included."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise NotRewritable("not_json") from None
    if not isinstance(body, dict):
        raise NotRewritable("not_json")
    return body


def decoded(raw: bytes, coding: str, cap: int) -> bytes:
    """The body without its content coding; NotRewritable("encoded_body") for codings other than gzip and deflate,
    for damage, and for more than `cap` bytes."""
    if coding in ("", "identity"):
        return raw
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise NotRewritable("encoded_body")
    stream = zlib.decompressobj(wbits=47)  # 32 + 15: tells gzip from zlib by the header
    try:
        body = stream.decompress(raw, cap + 1)
    except zlib.error:
        raise NotRewritable("encoded_body") from None
    if not stream.eof or stream.unused_data or len(body) > cap:
        raise NotRewritable("encoded_body")
    return body


def _merged(body: Body, patch: Mapping[str, Any]) -> Body:
    """RFC 7396 without writing to `body`; the same object when every value is there already."""
    result: dict[str, Any] | None = None
    for name, value in patch.items():
        if value is None:
            change = name in body
        elif isinstance(value, Mapping):
            inner = body.get(name)
            value = _merged(inner if isinstance(inner, Mapping) else {}, value)
            change = value is not inner
        else:
            change = name not in body or not _same(body[name], value)
        if change:
            result = dict(body) if result is None else result
            result[name] = value
            if value is None:
                del result[name]
    return body if result is None else result


def _same(one: object, other: object) -> bool:
    """Equal scalars of one type; containers never, for True == 1 hides in them."""
    return type(one) is type(other) and isinstance(one, str | int | float) and one == other


def _without(body: Body, names: Sequence[str]) -> Body:
    for name in names:
        body = _cut(body, name.split("."))
    return body


def _cut(body: Body, steps: list[str]) -> Body:
    first, *rest = steps
    if first not in body:
        return body
    if not rest:
        return {key: value for key, value in body.items() if key != first}
    inner = body[first]
    if not isinstance(inner, Mapping):
        return body
    changed = _cut(inner, rest)
    return body if changed is inner else {**body, first: changed}


# The system prompt, by API.


def _prompted(body: Body, edit: Edit) -> Body:
    if edit.system_prompt is None:
        return body
    for suffix, change in _PROMPTS:
        if edit.path.endswith(suffix):
            return change(body, edit.system_prompt)
    return body


def _chat_prompt(body: Body, edit: SystemPromptEdit) -> Body:
    messages = body.get("messages")
    return {**body, "messages": _with_system(messages, edit)} if isinstance(messages, list) else body


def _messages_prompt(body: Body, edit: SystemPromptEdit) -> Body:
    return {**body, "system": _joined(body.get("system"), edit, "text")}


def _responses_prompt(body: Body, edit: SystemPromptEdit) -> Body:
    """`instructions` come before every item of `input`, whose first items may hold the system prompt instead."""
    items = _sequence(body.get("input"))
    leading = _leading(items)
    if edit.how is PromptEdit.REPLACE and leading:
        return {**body, "instructions": edit.text, "input": items[leading:]}
    if edit.how is PromptEdit.APPEND and leading:
        return {**body, "input": _with_system(items, edit)}
    return {**body, "instructions": _joined(body.get("instructions"), edit, "input_text")}


def _with_system(messages: list[Any], edit: SystemPromptEdit) -> list[Any]:
    """The system messages in front are the prompt: prepend goes to the first of them, append to the last.

    Later ones belong to the conversation and stay, even when the prompt is replaced.
    """
    leading = _leading(messages)
    role = messages[0]["role"] if leading else "system"
    fresh = {"role": role, "content": edit.text}
    if edit.how is PromptEdit.REPLACE:
        return [fresh, *messages[leading:]]
    if not leading:
        return [fresh, *messages]
    at = 0 if edit.how is PromptEdit.PREPEND else leading - 1
    part = "input_text" if _typed(messages[at], "input_text") else "text"
    changed = {**messages[at], "content": _joined(messages[at].get("content"), edit, part)}
    return [*messages[:at], changed, *messages[at + 1 :]]


def _joined(content: object, edit: SystemPromptEdit, part: str) -> Any:
    if edit.how is PromptEdit.REPLACE or not content:
        return edit.text
    ahead = edit.how is PromptEdit.PREPEND
    if isinstance(content, list):
        block = {"type": part, "text": edit.text}
        return [block, *content] if ahead else [*content, block]
    return f"{edit.text}\n\n{content}" if ahead else f"{content}\n\n{edit.text}"


def _leading(messages: list[Any]) -> int:
    return next((at for at, message in enumerate(messages) if not _is_system(message)), len(messages))


def _is_system(message: object) -> bool:
    return isinstance(message, Mapping) and message.get("role") in ("system", "developer")


def _typed(message: Body, kind: str) -> bool:
    return any(isinstance(part, Mapping) and part.get("type") == kind for part in _sequence(message.get("content")))


_PROMPTS: tuple[tuple[str, Callable[[Body, SystemPromptEdit], Body]], ...] = (
    ("/chat/completions", _chat_prompt),
    ("/responses", _responses_prompt),
    ("/messages", _messages_prompt),
)


# What is done to a copy without being asked.


def _unstored(body: Body, edit: Edit) -> Body:
    """A copy leaves nothing behind at the provider. Responses store unless told not to; chat only when told to.

    OpenAI's chat API takes `metadata` only beside `store: true` and answers 400 otherwise, so they go together.
    """
    if edit.path.endswith("/responses"):
        return body if body.get("store") is False else {**body, "store": False}
    if edit.path.endswith("/chat/completions") and body.get("store"):
        return {key: value for key, value in body.items() if key != "metadata"} | {"store": False}
    return body


def _unreasoned(body: Body, edit: Edit) -> Body:
    return stateful.without_reasoning(edit.path, body) if edit.foreign else body


def _sequence(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


_UNASKED: tuple[tuple[str, Callable[[Body, Edit], Body]], ...] = (
    ("reasoning_stripped", _unreasoned),
    ("store_forced_off", _unstored),
)


# Numbers.

_SHAPE = bytes.maketrans(b"123456789E", b"000000000e")
_SUSPECT = (b"0" * 16, b"0e-000")
"""16 digits in a row (dots left out) or an exponent below -99, every digit written as 0. Anything else survives
reading as a double or 64-bit integer and writing back: doubles keep any 15 decimal digits (IEEE 754), and what is
too large for them is not read at all. Searched for this way because a regular expression took 50 ms for 0.8 MB of
short numbers."""

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?', re.DOTALL)


def _loses_numbers(raw: bytes) -> bool:
    """Whether orjson would write back another number than it read (integers beyond 64 bits become doubles)."""
    if not _suspect(raw):
        return False
    tokens = (match[0] for match in _TOKEN.finditer(raw))
    return any(token[:1] != b'"' and _suspect(token) and _changes(token) for token in tokens)


def _suspect(raw: bytes) -> bool:
    shape = raw.translate(_SHAPE, b".")
    return any(part in shape for part in _SUSPECT)


def _changes(number: bytes) -> bool:
    try:
        return Decimal(number.decode()) != Decimal(str(orjson.loads(number)))
    except InvalidOperation:  # an exponent beyond every decimal
        return True
