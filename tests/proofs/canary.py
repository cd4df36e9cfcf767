"""Keys that must not spread: unique ones in every place where clients and providers put them, and the search for them.

Credentials are what stands in headers, queries, cookies, trailers, proxy URLs, and in the bodies of calls that are not
recorded. The body of a recorded call is content: a provider that repeats a key in the text of an error has it recorded,
by design. The key `echo` plays that: it must be in the queue and the spool, which shows that the search finds what is
there, and neither in a log nor in the metrics.
"""

from __future__ import annotations

import base64
import re
import secrets
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import redis

from tests.doubles.upstream import Turn

HEADERS = (
    "Authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "Cookie",
    "Proxy-Authorization",
    "Sec-WebSocket-Protocol",
    "OpenAI-Organization",
    "OpenAI-Project",
)
PARAMETERS = ("key", "api_key", "access_token", "X-Amz-Signature")
ELSEWHERE = (
    *("userinfo", "multipart", "json-field", "request-trailer", "set-cookie", "location", "www-authenticate"),
    *("error-body", "response-trailer", "egress"),
)
OWN = ("stranger", "gone")
ECHO = "echo"


def canary(where: str) -> str:
    """A key that says where it came from: letters and digits only, so that no escaping hides it."""
    plain = "".join(letter for letter in where if letter.isalnum())
    return f"Cnry{plain}Q{secrets.token_hex(10)}"


@dataclass
class Canaries:
    """All keys of one sweep, by the place they were put."""

    keys: Mapping[str, str] = field(
        default_factory=lambda: {where: canary(where) for where in (*HEADERS, *PARAMETERS, *ELSEWHERE, *OWN, ECHO)}
    )

    def headers(self) -> bytes:
        """A request's header lines with a key in each."""
        prefix = {"Authorization": "Bearer ", "Cookie": "sid=", "Proxy-Authorization": "Basic "}
        lines = [f"{name}: {prefix.get(name, '')}{self.keys[name]}\r\n" for name in HEADERS]
        return "".join(lines).encode()

    def query(self) -> str:
        """A query with a key in each parameter, and one parameter that is none."""
        return "&".join([*(f"{name}={self.keys[name]}" for name in PARAMETERS), "api-version=2026-01-01"])

    def found(self, data: bytes, but_for: Iterable[str] = ()) -> set[str]:
        """The places whose key is in `data`: as it is, in either case, escaped, in hexadecimal or in base64."""
        allowed = set(but_for)
        return {
            where
            for where, key in self.keys.items()
            if where not in allowed and any(form in data for form in _forms(key.encode()))
        }


def _forms(key: bytes) -> list[bytes]:
    forms = [key, key.lower(), key.upper(), key.hex().encode(), key.hex().upper().encode()]
    forms += [b"".join(mark % byte for byte in key) for mark in (b"%%%02x", b"%%%02X", b"\\u%04x", b"\\u%04X")]
    for before in range(3):  # base64 depends on how many bytes stand before, modulo 3
        coded = base64.b64encode(b"\0" * before + key)
        forms.append(coded[before + 1 if before else 0 : -4])
    return forms


def head(turn: Turn) -> bytes:
    """What one upstream received in one request, without the last blank line."""
    return turn.head + b"\r\n\r\n" + turn.body


def everything_in(client: redis.Redis) -> bytes:
    """Every value of the queue's server, compressed fields also inflated."""
    parts: list[bytes] = []
    for name in client.scan_iter():
        kind = client.type(name)
        parts.append(name)
        if kind == b"stream":
            parts += [part for _, fields in client.xrange(name) for pair in fields.items() for part in pair]
        elif kind == b"hash":
            parts += [part for pair in client.hgetall(name).items() for part in pair]
        else:
            parts.append(client.dump(name) or b"")
    return b"\n".join(opened(part) for part in parts)


_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
"""How a stream of gzip or zlib begins (RFC 1952 §2.3.1, RFC 1950 §2.2)."""


def opened(data: bytes) -> bytes:
    """The bytes, and behind them what every compressed stream that begins somewhere in them inflates to."""
    found = [data]
    for start in _PACKED.finditer(data):
        with suppress(zlib.error):
            found.append(zlib.decompressobj(wbits=47).decompress(data[start.start() :]))
    return b"\n".join(found)


def files_in(folder: Path) -> dict[str, bytes]:
    """Every regular file below a folder, opened."""
    return {str(path.relative_to(folder)): opened(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}
