"""The OpenAI embeddings API, `/embeddings`. Called by reading. It does not stream."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Sequence

from evaluators.core.dialects import Object, count, error_in, error_note, fault, first_fault, obj, rows, words
from evaluators.core.reply import Kind, Reply, Request, Usage
from evaluators.core.sse import Event

NAME = "embeddings"


def reads_path(path: str) -> bool:
    """True for the paths of this API."""
    return path.rstrip("/").endswith("/embeddings")


def asks(body: Object) -> bool:
    """True when a request on an unknown path has what only this API has."""
    return "input" in body and "encoding_format" in body


def answers(body: Object) -> bool:
    """True when an answer is of this API."""
    data = rows(body.get("data"))
    return bool(data) and "embedding" in obj(data[0])


def request(body: Object) -> Request:
    """What the application asked; the prompt is the first input, as the reply's vector is the first; never raises."""
    given = body.get("input")
    inputs = [given] if isinstance(given, str) else [text for text in rows(given) if isinstance(text, str)]
    return Request(
        NAME,
        model=words(body.get("model")),
        prompt=inputs[0] if inputs else "",
        turns=1 if inputs else 0,
        characters=sum(map(len, inputs)),
    )


def from_json(body: Object) -> Reply:
    """The first embedding, given as numbers or as base64 of little-endian 32-bit floats; never raises."""
    if error := error_in(body):
        return Reply(fault(error), unread=(error_note(error),))
    if not isinstance(body.get("data"), list):
        return Reply(Kind.MALFORMED, unread=("no data in the answer",))
    found = body["data"]
    usage = Usage(input=count(body["usage"].get("prompt_tokens")), output=0) if obj(body.get("usage")) else Usage()
    notes = ("only the first of several embeddings is read",) if len(found) > 1 else ()
    given = obj(found[0]).get("embedding") if found else None
    vector = _vector(given)
    kind = Kind.OK if vector else Kind.BLANK
    if given and not vector:
        kind, notes = Kind.MALFORMED, (*notes, "an embedding that is not numbers")
    return Reply(kind, model=words(body.get("model")), usage=usage, vector=vector, unread=notes)


def from_events(events: Sequence[Event]) -> Reply:
    """An error object if one was sent; a stream of anything else is not this API's answer; never raises."""
    return first_fault(events) or Reply(Kind.MALFORMED, unread=("a stream where embeddings were asked for",))


def _vector(given: object) -> tuple[float, ...]:
    """The numbers; none when any of them is not one, or not finite."""
    if isinstance(given, str):
        try:
            raw = base64.b64decode(given, validate=True)
            numbers = struct.unpack(f"<{len(raw) // 4}f", raw)
        except (binascii.Error, ValueError, struct.error):
            return ()
    else:
        values = rows(given)
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
            return ()
        try:
            numbers = tuple(map(float, values))
        except OverflowError:
            return ()
    return numbers if all(map(math.isfinite, numbers)) else ()
