"""Pair to stream fields and back. Written by proxy.publisher, read by evaluators.intake and evaluators.archive.

The record is a flat map, as Redis Streams want it: a schema number, the pair's identity in clear (so that an
unreadable record can still be accounted for), one JSON head, and the three bodies compressed with zlib. What is
not understood is refused with WireError; nothing is guessed.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from config.pair import Call, Failure, Outcome, Pair, Role

SCHEMA = 1
MAX_BODY = 64 << 20
"""No body inflates beyond this; capture caps are far below, so more can only be a forged or damaged record."""

_LEVEL = 1  # 326 kB of server-sent events become 7 kB in about 1 ms; higher levels pay little more
_BODIES = ("request", "live", "outcome")


class WireError(Exception):
    """A record that this version cannot read; the text says why and holds no content."""


def encode(pair: Pair) -> dict[str, bytes]:
    """The stream fields of a pair. Costs about 1 ms per 300 kB; call it off the live path.

    Raises WireError when a text of the pair is no Unicode (half a surrogate, as in undecodable header bytes).
    """
    try:
        head, identity, shadow = orjson.dumps(_head(pair)), pair.id.encode(), pair.shadow.encode()
    except (TypeError, ValueError) as error:
        raise WireError(f"unwritable pair: {type(error).__name__}") from error
    return {
        "schema": str(SCHEMA).encode(),
        "id": identity,
        "shadow": shadow,
        "head": head,
        "request": zlib.compress(pair.call.body, _LEVEL),
        "live": zlib.compress(pair.live.body, _LEVEL),
        "outcome": zlib.compress(pair.outcome.body, _LEVEL),
    }


def decode(fields: Mapping[bytes, bytes]) -> Pair:
    """The pair of stream fields (names and values as bytes); raises WireError for anything unknown or damaged."""
    schema = fields.get(b"schema", b"")
    if schema != str(SCHEMA).encode():
        raise WireError(f"schema {schema[:20].decode('ascii', 'replace')!r} is not {SCHEMA}; use a newer worker")
    try:
        bodies = [_inflate(fields[name.encode()]) for name in _BODIES]
        pair = _pair(orjson.loads(fields[b"head"]), bodies)
    except _DAMAGE as error:
        raise WireError(f"damaged record: {type(error).__name__}") from error
    if fields.get(b"id") != pair.id.encode() or fields.get(b"shadow") != pair.shadow.encode():
        raise WireError("damaged record: the identity in clear is not the one in the head")
    return pair


def to_json(pair: Pair) -> dict[str, Any]:
    """The pair as one JSON object, bodies in base64: the form of archive files and of the golden record."""
    bodies = {"request": pair.call.body, "live": pair.live.body, "outcome": pair.outcome.body}
    coded = {name: base64.b64encode(body).decode() for name, body in bodies.items()}
    return {"schema": SCHEMA, **_head(pair), "bodies": coded}


def from_json(record: object) -> Pair:
    """The reverse of to_json; raises WireError for anything unknown or damaged."""
    if not isinstance(record, Mapping):
        raise WireError("damaged record: not a JSON object")
    if record.get("schema") != SCHEMA:
        raise WireError(f"schema {record.get('schema')!r:.20} is not {SCHEMA}; use a newer version")
    try:
        return _pair(record, [base64.b64decode(record["bodies"][name], validate=True) for name in _BODIES])
    except _DAMAGE as error:
        raise WireError(f"damaged record: {type(error).__name__}") from error


_DAMAGE = (KeyError, TypeError, ValueError, OverflowError, zlib.error)


def _pair(head: Mapping[str, Any], bodies: list[bytes]) -> Pair:
    request, live, outcome = bodies
    return Pair(
        call=_call(head["call"], request),
        shadow=_text(head["shadow"]),
        role=Role(head["role"]),
        live=_outcome(head["live"], live),
        outcome=_outcome(head["outcome"], outcome),
    )


def _head(pair: Pair) -> dict[str, Any]:
    call = pair.call
    return {
        "shadow": pair.shadow,
        "role": pair.role.value,
        "call": {
            "id": call.id,
            "arrived": call.arrived,
            "method": call.method,
            "path": call.path,
            "query": call.query,
            "headers": call.headers,
            "conversation": call.conversation,
            "tags": call.tags,
        },
        "live": _outcome_head(pair.live),
        "outcome": _outcome_head(pair.outcome),
    }


def _outcome_head(outcome: Outcome) -> dict[str, Any]:
    return {
        "failure": outcome.failure.value,
        "detail": outcome.detail,
        "status": outcome.status,
        "headers": outcome.headers,
        "received": outcome.received,
        "sent": outcome.sent,
        "first_byte": outcome.first_byte,
        "last_byte": outcome.last_byte,
        "chunks": outcome.chunks,
        "longest_gap": outcome.longest_gap,
    }


def _call(head: Mapping[str, Any], body: bytes) -> Call:
    return Call(
        id=_text(head["id"]),
        arrived=_number(head["arrived"]),
        method=_text(head["method"]),
        path=_text(head["path"]),
        query=_text(head["query"]),
        headers=_fields(head["headers"]),
        body=body,
        conversation=_text(head["conversation"]),
        tags=_fields(head["tags"]),
    )


def _outcome(head: Mapping[str, Any], body: bytes) -> Outcome:
    return Outcome(
        failure=Failure(head["failure"]),
        detail=_text(head["detail"]),
        status=_whole(head["status"]),
        headers=_fields(head["headers"]),
        body=body,
        received=_whole(head["received"]),
        sent=_number(head["sent"]),
        first_byte=_number(head["first_byte"]),
        last_byte=_number(head["last_byte"]),
        chunks=_whole(head["chunks"]),
        longest_gap=_number(head["longest_gap"]),
    )


def _inflate(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    body = stream.decompress(data, MAX_BODY)
    if stream.unconsumed_tail or stream.unused_data or not stream.eof:
        raise WireError("damaged record: a body is cut off, larger than 64 MiB, or has something behind it")
    return body


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    if not math.isfinite(value):
        raise ValueError
    return float(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _fields(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(pair, list | tuple) for pair in value):
        raise TypeError
    return tuple((_text(name), _text(text)) for name, text in value)
