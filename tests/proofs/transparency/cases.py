"""Requests and answers as no well-behaved program sends them, but as HTTP allows them. Used by differential.

Nothing here breaks the rules of proxy/core/guard: what is refused is another proof's subject.
"""

from __future__ import annotations

import gzip
import itertools
import zlib
from dataclasses import dataclass
from http import HTTPStatus
from random import Random

from tests.proofs.transparency.wire import Fields, chunked, lines, torn

METHODS = (
    b"GET",
    b"HEAD",
    b"POST",
    b"PUT",
    b"PATCH",
    b"DELETE",
    b"OPTIONS",
    b"QUERY",
    b"PURGE",
    b"PROPFIND",
    b"REPORT",
)
_OFTEN = (b"POST", b"POST", b"POST", b"GET", b"GET")
_BODILESS = (b"GET", b"HEAD", b"OPTIONS", b"PURGE")

TARGETS = (
    b"/v1/models",
    b"/v1/files/a%2Fb%2fc",
    b"//double//slashes//",
    b"/a;b=c;d/e+f",
    b"/%00/%0d%0a",
    b"/../../etc/./passwd/..",
    b"/\xc3\xa9t\xc3\xa9/\xf0\x9f\x99\x82",
    b"/\xff\xfe\x80raw",
    b"/?",
    b"/v1/models?",
    b"/p??",
    b"/p???q?=?",
    b"/p?a&b=",
    b"/p?a=1&a=2&&a=&=x",
    b"/p?q=%zz&r=%&s=%2",
    b"/p?q=\xe9\xff",
    b"/p?next=http://elsewhere.example/x?y",
    b"/p?a=b+c%20d;e=f",
    b"/p/%E2%82%AC/%e2%82%ac",
    b'/[1]/{a}|b\\c^`"<>',
    b'/p?a[]=1&b={"x":"|"}',
    b"/~user/:x@y!$&'()*,=",
    b"/%41%7e%2e%2E/%2e%2e/",
)
_VALUES = (
    b"",
    b"plain",
    b"  padded\t ",
    b"a, b,c ,  d",
    b'"quoted \\" string"; q=0.5',
    b"caf\xc3\xa9",
    b"latin \xe9\xff\x80",
    b"tab\tinside",
    b"=?utf-8?b?Zm9v?=",
    b"x" * 300,
    b":leading colon: and : more",
    b'{"json": [1, 2]}',
)
_NAMES = (
    b"X-Custom",
    b"x-custom",
    b"X-CUSTOM",
    b"Accept",
    b"Accept-Language",
    b"Cookie",
    b"User-Agent",
    b"Authorization",
    b"OpenAI-Beta",
    b"anthropic-version",
    b"If-None-Match",
    b"Range",
    b"X-Forwarded-For",
    b"Forwarded",
    b"Via",
    b"Date",
    b"Origin",
    b"Referer",
    b"traceparent",
    b"x_under_score",
    b"X!#$%&'*+-.^_`|~9",
    b"Cache-Control",
    b"Pragma",
    b"Max-Forwards",
    b"Accept-Encoding",
)
_SINGLE = frozenset({b"user-agent", b"max-forwards", b"etag", b"server", b"content-range"})
"""Fields that a strict reader takes only once."""

_ANSWERED = (
    b"Set-Cookie",
    b"set-cookie",
    b"X-Request-Id",
    b"x-ratelimit-remaining-tokens",
    b"Retry-After",
    b"ETag",
    b"Vary",
    b"Server",
    b"Date",
    b"Via",
    b"Content-Range",
    b"WWW-Authenticate",
    b"Alt-Svc",
    b"Link",
    b"X-CUSTOM",
    b"Location",
    b"Age",
    b"x_under_score",
)
_TYPES = (b"application/json", b"text/event-stream", b"application/octet-stream", b"text/html; charset=latin-1", b"")
_REASONS = (b"", b"OK", b"Not  Quite", b"caf\xc3\xa9", b"\xff\xfe", b"200 OK HTTP/1.1", b"x" * 200)
_INTERIM = (
    b"HTTP/1.1 102 Processing\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\nlink: </t.css>\r\n\r\n",
    b"HTTP/1.1 199 Odd\r\nX-Custom: 1\r\n\r\n",
)
_CHAT = b'{"model":"m","messages":[{"role":"user","content":"%d"}]}'


@dataclass(frozen=True, slots=True)
class Reply:
    """What the origin sends: exact pieces, the connection closed after `framing="close"`."""

    status: int = 200
    reason: bytes = b"OK"
    fields: Fields = ()
    body: bytes = b"{}"
    framing: str = "length"
    cuts: tuple[int, ...] = ()
    extension: bytes = b""
    trailers: Fields = ()
    interim: tuple[bytes, ...] = ()
    tears: tuple[int, ...] = ()

    def pieces(self, method: bytes) -> list[bytes]:
        """The bytes, in the pieces in which they are flushed."""
        return torn(self._pieces(method), self.tears)

    def _pieces(self, method: bytes) -> list[bytes]:
        bodiless = method == b"HEAD" or self.status in (204, 304)
        framing = {"length": b"Content-Length: %d\r\n" % len(self.body), "chunked": b"Transfer-Encoding: chunked\r\n"}
        line = framing.get(self.framing, b"Connection: close\r\n" if self.framing == "close" else b"")
        head = b"HTTP/1.1 %d %b\r\n%b%b\r\n" % (self.status, self.reason, lines(self.fields), line)
        if bodiless:
            return [*self.interim, head]
        if self.framing == "chunked":
            return [*self.interim, head, *chunked(self.body, self.cuts, self.extension, self.trailers)]
        edges = [0, *sorted(cut for cut in self.cuts if 0 < cut < len(self.body)), len(self.body)]
        parts = [self.body[start:end] for start, end in itertools.pairwise(edges)]
        return [*self.interim, head + parts[0], *parts[1:]]


@dataclass(frozen=True, slots=True)
class Case:
    """A request, and the answer that it gets."""

    key: bytes
    method: bytes = b"GET"
    target: bytes = b"/"
    fields: Fields = ()
    body: bytes = b""
    framing: str = "none"
    cuts: tuple[int, ...] = ()
    extension: bytes = b""
    trailers: Fields = ()
    tears: tuple[int, ...] = ()
    answer: Reply = Reply()

    @property
    def waits(self) -> bool:
        """Whether the body is sent only after 100 Continue."""
        return any(name.lower() == b"expect" for name, _ in self.fields)

    def pieces(self) -> list[bytes]:
        """The head, then the body's pieces."""
        framing = {"length": b"Content-Length: %d\r\n" % len(self.body), "chunked": b"Transfer-Encoding: chunked\r\n"}
        given = lines([(b"Host", b"app.example"), *self.fields, (b"X-Case", self.key)])
        head = b"%b %b HTTP/1.1\r\n%b%b\r\n" % (self.method, self.target, given, framing.get(self.framing, b""))
        if self.framing == "chunked":
            return [head, *torn(chunked(self.body, self.cuts, self.extension, self.trailers), self.tears)]
        return [head, *torn([self.body], self.tears)] if self.body else [head]


def generate(seed: int, number: int) -> Case:
    """The case of a number; the same for the same seed."""
    dice = Random(f"{seed}/{number}")
    key = b"%d-%d" % (seed, number)
    if dice.random() < 0.15:  # what shadows copy
        fields = [(b"Content-Type", b"application/json"), *_headers(dice, _NAMES[5:], 4)]
        body = _CHAT % number
        return Case(key, b"POST", b"/v1/chat/completions", fields, body, "length", answer=_reply(dice))
    method = dice.choice((*METHODS, *_OFTEN))
    target = dice.choice(TARGETS) if dice.random() < 0.6 else _target(dice)
    fields = _headers(dice, _NAMES, 90 if dice.random() < 0.02 else 12)
    fields += _connection(dice)
    if (method in _BODILESS and dice.random() < 0.9) or dice.random() < 0.05:
        return Case(key, method, target, fields, answer=_reply(dice))
    coding, body = _body(dice)
    framing = dice.choice(("length", "chunked"))
    trailers = ((b"X-Check", b"abc"), (b"x-check", b"")) if framing == "chunked" and dice.random() < 0.1 else ()
    if body and dice.random() < 0.05:
        fields.append((b"Expect", b"100-continue"))
    extension = dice.choice((b"", b"", b"", b";a=b", b';x="y z"'))
    cuts, tears = _cuts(dice, body), _cuts(dice, body) if dice.random() < 0.3 else ()
    return Case(key, method, target, fields + coding, body, framing, cuts, extension, trailers, tears, _reply(dice))


def _target(dice: Random) -> bytes:
    if dice.random() < 0.03:
        return b"/" + b"long/" * dice.randrange(500, 3000)
    last = 0x100 if dice.random() < 0.1 else 0x7F
    letters = [byte for byte in range(0x21, last) if byte not in (0x23, 0x7F)]
    target = b"/" + bytes(dice.choices(letters, k=dice.randrange(1, 40)))
    return target + b"?" * dice.randrange(2) + bytes(dice.choices(letters, k=dice.randrange(0, 20)))


def _headers(dice: Random, names: tuple[bytes, ...], most: int) -> list[tuple[bytes, bytes]]:
    found = []
    for _ in range(dice.randrange(most + 1)):
        value = dice.choice(_VALUES)
        if dice.random() < 0.2:
            value = bytes(dice.choices([9, *range(0x20, 0x7F), *range(0x80, 0x100)], k=dice.randrange(60)))
        name = dice.choice(names)
        if name.lower() not in _SINGLE or name not in dict(found):
            found.append((name, value))
    if dice.random() < 0.01:
        found.append((b"X-Long", b"v" * dice.randrange(1000, 7500)))
    return found


def _connection(dice: Random) -> list[tuple[bytes, bytes]]:
    chance = dice.random()
    if chance < 0.03:
        return [(b"Connection", b"close")]
    if chance < 0.06:
        return [(b"Connection", b"keep-alive, X-Nominated"), (b"X-Nominated", b"1"), (b"Keep-Alive", b"timeout=5")]
    if chance < 0.09:
        return [(b"TE", b"trailers")]
    return []


def _body(dice: Random) -> tuple[list[tuple[bytes, bytes]], bytes]:
    size = dice.choice((0, 1, 2, 10, 100, 1000, 5000, 70000 if dice.random() < 0.2 else 300))
    noise = dice.randbytes(size)
    match dice.randrange(8):
        case 0:
            return [(b"Content-Encoding", b"gzip")], gzip.compress(noise, 1, mtime=0)
        case 1:
            return [(b"Content-Encoding", dice.choice((b"br", b"zstd", b"gzip", b"deflate", b"x-own")))], noise
        case 2:
            return [(b"Content-Encoding", b"deflate")], zlib.compress(noise)
        case 3:
            return [(b"Content-Type", b"application/json")], b'{"a":[%b]}' % b",".join(
                b"%d" % byte for byte in noise[:200]
            )
        case _:
            return [], noise


def _cuts(dice: Random, body: bytes) -> tuple[int, ...]:
    return tuple(sorted(dice.randrange(1, max(2, len(body))) for _ in range(dice.choice((0, 0, 1, 2, 8)))))


def _reply(dice: Random) -> Reply:
    status = 200 if dice.random() < 0.4 else dice.randrange(200, 600)
    known = {one.value: one.phrase.encode() for one in HTTPStatus}
    reason = dice.choice(_REASONS) if dice.random() < 0.2 else known.get(status, b"Unheard Of")
    coding, body = _body(dice)
    fields = [*_headers(dice, _ANSWERED, 90 if dice.random() < 0.02 else 10), *coding]
    kind = dice.choice(_TYPES)
    if kind and b"Content-Type" not in dict(fields):
        fields.append((b"Content-Type", kind))
    framing = dice.choice(("length", "length", "chunked", "chunked", "close"))
    if status in (204, 304):
        body, framing = b"", "none"
    trailers = ((b"X-Sum", b"1"), (b"x-sum", b"2")) if framing == "chunked" and dice.random() < 0.1 else ()
    interim = tuple(dice.choices(_INTERIM, k=dice.randrange(1, 3))) if dice.random() < 0.03 else ()
    extension = dice.choice((b"", b"", b"", b";a=b", b';x="y z"'))
    tears = tuple(dice.randrange(1, 400) for _ in range(5)) if dice.random() < 0.3 else ()
    return Reply(status, reason, fields, body, framing, _cuts(dice, body), extension, trailers, interim, tears)
