"""Where a copy goes and what its head says, as bytes ready to be sent. One Address per shadow, made when it is built.

A copy gets the fields listed here and no other; credentials are the shadow's own, or the client's at live's own
origin only. Used by plan; the fields come sorted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

from proxy.core.headers import CREDENTIALS, SHADOW_MARK, HeaderPairs, credential

ALLOWED = frozenset(
    {b"content-type", b"accept", b"accept-encoding", b"anthropic-version", b"anthropic-beta", b"openai-beta"}
)
ACCOUNT = frozenset({*CREDENTIALS, b"openai-organization", b"openai-project"})
"""Who pays: passes only to live's own origin, and only when the operator gave no other key."""

_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
"""Only this side knows how the body is delimited; another word on it makes two requests of one."""

Pair = tuple[bytes, bytes]


class Offered(Protocol):
    """What a client's head offers to a copy; see sorting.Sorted."""

    allowed: list[Pair]
    paying: list[Pair]
    style: bytes


class Address:
    """One shadow's origin and head. `extra` is the operator's and overrides by name, Host included."""

    def __init__(self, base_url: str, name: str, *, same_origin: bool, api_key: str, extra: Mapping[str, str]) -> None:
        parts = urlsplit(base_url)
        self._base = parts.path.rstrip("/")
        fields = [(key.encode(), value.encode()) for key, value in extra.items()]
        mark = SHADOW_MARK.encode()
        added = [(key, value) for key, value in fields if key.lower() not in _FRAMING | {mark, b"host"}]
        hosts = [value for key, value in fields if key.lower() == b"host"]
        self._first: Pair = (b"Host", hosts[-1] if hosts else authority(parts.netloc))
        self._last: tuple[Pair, ...] = (*added, (mark, name.encode()))
        self._overridden = frozenset(key.lower() for key, _ in self._last)
        self._pays_itself = not same_origin or bool(api_key)
        self._key = api_key.encode()

    def target(self, path: str, query: str) -> bytes:
        """Path and query as they are to be sent; `query` with its question mark.

        ValueError when the path does not begin with a slash: glued to a bare host it could name another one.
        """
        if path[:1] != "/":
            raise ValueError("a path begins with /")
        return (self._base + path + query).encode("utf-8", "surrogateescape")

    def fields(self, offered: Offered, length: int) -> HeaderPairs:
        """The head of one copy whose body has `length` bytes."""
        kept = offered.allowed if self._pays_itself else offered.paying
        if len(self._last) > 1:
            kept = [pair for pair in kept if pair[0].lower() not in self._overridden]
        key: tuple[Pair, ...] = ()
        if self._key:
            style = offered.style or b"Authorization"
            if style.lower() not in self._overridden:
                key = ((style, credential(style, self._key)),)
        return (self._first, *kept, *key, *self._last, (b"Content-Length", b"%d" % length))


def authority(netloc: str) -> bytes:
    """Host and port of a URL as the Host field has them (RFC 9110 §7.2): a name of other letters as IDNA writes it."""
    return netloc.encode("ascii" if netloc.isascii() else "idna")
