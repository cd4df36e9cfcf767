"""Which calls are shadowed together: sticky keys and dice that are the same for every shadow. Used by plan.

Sampling by conversation keeps a provider's prompt cache as warm as it will be after a switch, and gives the
report its unit. Thresholds nest: a call inside 5 % is inside 10 %, and control and candidates see the same calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

HEADERS = (b"x-conversation-id", b"x-session-id", b"x-thread-id")
"""Where applications name a conversation, the first first."""

_FIELDS = ("conversation_id", "session_id", "thread_id")
_USER_FIELDS = ("user", "safety_identifier")
_USER_ROLES = ("user",)  # tuples: a role can be anything, also what has no hash
_SYSTEM_ROLES = ("system", "developer")


def key(
    kind: str, headers: Sequence[tuple[bytes, bytes]], body: Mapping[str, Any], call_id: str, cluster: str = ""
) -> str:
    """The sampling key, 16 hex digits; kind is `conversation`, `user`, `call` or `header:NAME`.

    A call without the wanted user or header is keyed by its conversation, the next best thing that is sticky;
    `cluster` is what `conversation` said, when it is known already.
    """
    if kind == "call":
        return _hash(b"call", call_id.encode())
    if kind == "user":
        value = _user(body)
    elif kind.startswith("header:"):
        value = _header(headers, (kind.removeprefix("header:").lower().encode("latin-1"),))
    else:
        value = ""
    if value:
        return _hash(kind.encode(), value.encode())
    return _hash(b"conversation", (cluster or conversation(headers, body, call_id)).encode())


def conversation(headers: Sequence[tuple[bytes, bytes]], body: Mapping[str, Any], call_id: str) -> str:
    """The cluster of a call: 16 hex digits, or the call's own id when nothing better is known.

    A name given by the application wins. Else the opening: stateless chat resends its history, so the system
    prompt and first user message are the same in every turn. Hashed, so that no user's id is stored as it came.
    """
    named = _header(headers, HEADERS) or _named(body)
    if named:
        return _hash(b"named", named.encode())
    opening = _opening(body)
    return _hash(b"opening", opening) if opening else call_id


def dice(key: str, salt: str = "") -> float:
    """A number in [0, 1) that depends on its arguments only; shadow when it is below the share."""
    digest = blake2b(f"{salt}\0{key}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)  # 53 bits: what a float holds without rounding up to 1


def _hash(label: bytes, value: bytes) -> str:
    return blake2b(label + b"\0" + value, digest_size=8).hexdigest()


def _header(headers: Sequence[tuple[bytes, bytes]], names: Sequence[bytes]) -> str:
    if not headers:
        return ""
    found = {name.lower(): value for name, value in headers if value}
    return next((found[name].decode("latin-1") for name in names if name in found), "")


def _named(body: Mapping[str, Any]) -> str:
    for place in (body, body.get("metadata")):
        if isinstance(place, dict):
            for field in _FIELDS:
                if field in place and (value := _scalar(place[field])):
                    return value
    return _scalar(body.get("prompt_cache_key"))


def _user(body: Mapping[str, Any]) -> str:
    for field in _USER_FIELDS:
        if value := _scalar(body.get(field)):
            return value
    metadata = body.get("metadata")
    return _scalar(metadata.get("user_id")) if isinstance(metadata, dict) else ""  # where Anthropic's API has it


def _opening(body: Mapping[str, Any]) -> bytes:
    messages = body.get("messages", body.get("input"))
    system = [body.get("system"), body.get("instructions")]
    first: object = messages if isinstance(messages, str) else None
    if isinstance(messages, list):
        first = next(iter(_content(messages, _USER_ROLES)), None)
        system += _content(messages, _SYSTEM_ROLES)
    if not first:
        return b""
    # The user is part of it: two people who open with the same words are two conversations.
    try:
        return orjson.dumps([_user(body), system, first])
    except TypeError:  # nested deeper than orjson writes
        return b""


def _content(turns: list[Any], roles: Sequence[str]) -> list[Any]:
    """What the first turn of these roles says, in a list that is empty where there is none."""
    for turn in turns:
        if isinstance(turn, dict) and turn.get("role") in roles:
            return [turn.get("content")]
    return []


def _scalar(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
