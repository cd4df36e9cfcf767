"""Which calls are shadowed together: sticky keys and dice that are the same for every shadow. Used by plan.

Sampling by conversation keeps a provider's prompt cache as warm as it will be after a switch, and gives the
report its unit. Thresholds nest: a call inside 5 % is inside 10 %, and control and candidates see the same calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

_HEADERS = (b"x-conversation-id", b"x-session-id", b"x-thread-id")
_FIELDS = ("conversation_id", "session_id", "thread_id")
_USER_FIELDS = ("user", "safety_identifier")
_SYSTEM_ROLES = frozenset({"system", "developer"})


def key(
    kind: str, headers: Sequence[tuple[bytes, bytes]], body: Mapping[str, Any], call_id: str, cluster: str = ""
) -> str:
    """The sampling key, 16 hex digits; kind is `conversation`, `user`, `call` or `header:NAME`.

    A call without the wanted user or header is keyed by its conversation, the next best thing that is sticky;
    `cluster` is what `conversation` said, when it is known already.
    """
    if kind == "call":
        return _hash("call", call_id)
    if kind == "user":
        value = _user(body)
    elif kind.startswith("header:"):
        value = _header(headers, (kind.removeprefix("header:").lower().encode("latin-1"),))
    else:
        value = ""
    return _hash(kind, value) if value else _hash("conversation", cluster or conversation(headers, body, call_id))


def conversation(headers: Sequence[tuple[bytes, bytes]], body: Mapping[str, Any], call_id: str) -> str:
    """The cluster of a call: 16 hex digits, or the call's own id when nothing better is known.

    A name given by the application wins. Else the opening: stateless chat resends its history, so the system
    prompt and first user message are the same in every turn. Hashed, so that no user's id is stored as it came.
    """
    named = _header(headers, _HEADERS) or _named(body)
    if named:
        return _hash("named", named)
    opening = _opening(body)
    return _hash("opening", opening) if opening else call_id


def dice(key: str, salt: str = "") -> float:
    """A number in [0, 1) that depends on its arguments only; shadow when it is below the share."""
    digest = blake2b(f"{salt}\0{key}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)  # 53 bits: what a float holds without rounding up to 1


def _hash(label: str, value: str | bytes) -> str:
    digest = blake2b(f"{label}\0".encode(), digest_size=8)
    digest.update(value.encode() if isinstance(value, str) else value)
    return digest.hexdigest()


def _header(headers: Sequence[tuple[bytes, bytes]], names: Sequence[bytes]) -> str:
    found = {name.lower(): value for name, value in headers if value}
    return next((found[name].decode("latin-1") for name in names if name in found), "")


def _named(body: Mapping[str, Any]) -> str:
    for place in (body, body.get("metadata")):
        if isinstance(place, Mapping):
            for field in _FIELDS:
                if value := _scalar(place.get(field)):
                    return value
    return _scalar(body.get("prompt_cache_key"))


def _user(body: Mapping[str, Any]) -> str:
    metadata = body.get("metadata")
    named = [body.get(field) for field in _USER_FIELDS]
    if isinstance(metadata, Mapping):
        named.append(metadata.get("user_id"))  # where Anthropic's API has it
    return next((value for candidate in named if (value := _scalar(candidate))), "")


def _opening(body: Mapping[str, Any]) -> bytes:
    messages = body.get("messages", body.get("input"))
    if isinstance(messages, str):
        first: object = messages
    else:
        turns = [turn for turn in messages if isinstance(turn, Mapping)] if isinstance(messages, list) else []
        first = next((turn.get("content") for turn in turns if turn.get("role") == "user"), None)
    if not first:
        return b""
    system = [body.get("system"), body.get("instructions")]
    if isinstance(messages, list):
        system += [turn.get("content") for turn in turns if turn.get("role") in _SYSTEM_ROLES][:1]
    # The user is part of it: two people who open with the same words are two conversations.
    try:
        return orjson.dumps([_user(body), system, first])
    except TypeError:  # nested deeper than orjson writes
        return b""


def _scalar(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
