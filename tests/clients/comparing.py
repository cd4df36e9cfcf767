"""Two transcripts of one case, direct and through the proxy: made comparable, and the first place where they part.

Used by the tests of this folder and by tests.commands.clients. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from tests.clients.provider import Received

_OF_THE_CONNECTION = frozenset({"host", "connection", "keep-alive", "transfer-encoding", "te", "sec-websocket-key"})
"""What belongs to one connection or to one port (RFC 9110 §7.6.1): here two calls may differ, and must at Host."""

_BOUNDARY = re.compile(r"boundary=\"?([^\";]+)")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHOWN = 120


def received(calls: Iterable[Received]) -> list[dict[str, Any]]:
    """What a provider got, as plain JSON: the order of header fields and what a client draws by lot are left out."""
    return [_plain(call) for call in calls]


def told(transcript: str, base: str) -> str:
    """A transcript's text without what is drawn by lot or names the door."""
    return _UUID.sub("<uuid>", transcript.replace(base, "<base>"))


def first_difference(direct: Any, proxied: Any, path: str = "$") -> str:
    """Where and how the second departs from the first; empty when they are equal."""
    if isinstance(direct, dict) and isinstance(proxied, dict):
        pairs = [(f"{path}.{key}", direct.get(key, _ABSENT), proxied.get(key, _ABSENT)) for key in direct | proxied]
    elif isinstance(direct, list) and isinstance(proxied, list):
        length = max(len(direct), len(proxied))
        ours, theirs = ([*side, *[_ABSENT] * (length - len(side))] for side in (direct, proxied))
        pairs = [(f"{path}[{number}]", *both) for number, both in enumerate(zip(ours, theirs, strict=True))]
    else:
        same = type(direct) is type(proxied) and direct == proxied
        return "" if same else f"{path}: {_short(direct)} directly, {_short(proxied)} through the proxy"
    return next((found for place, *both in pairs if (found := first_difference(*both, place))), "")


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


_ABSENT = _Absent()


def _plain(call: Received) -> dict[str, Any]:
    boundary = next((_BOUNDARY.search(value) for name, value in call.headers if name.lower() == "content-type"), None)
    drawn = boundary[1] if boundary else None
    body = call.body.replace(drawn.encode(), b"<boundary>") if drawn else call.body
    headers = [
        f"{name}: {value.replace(drawn, '<boundary>') if drawn else value}"
        for name, value in call.headers
        if name.lower() not in _OF_THE_CONNECTION
    ]
    return {
        "method": call.method,
        "path": call.path,
        "headers": sorted(_UUID.sub("<uuid>", header) for header in headers),
        "body": _UUID.sub("<uuid>", body.decode("latin-1")) if len(body) < 10_000 else _digest(body),
    }


def _digest(body: bytes) -> str:
    return f"{len(body)} bytes, SHA-256 {hashlib.sha256(body).hexdigest()}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
