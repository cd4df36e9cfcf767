"""Requests that two servers could read differently, and some that nobody may: bytes by name. Used by smuggling.

Each has a path of its own (`/r%d`), and where it hides a second request that one's path is `/hidden%d`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """Bytes to send with `%d` for its number, split into these pieces; `valid`: it is to be answered by the origin."""

    name: str
    sent: bytes
    valid: bool


def _post(fields: bytes, body: bytes = b"", line: bytes = b"POST /r%d HTTP/1.1", host: bytes = b"Host: a\r\n") -> bytes:
    return line + b"\r\n" + host + fields + b"\r\n" + body


_CHUNKED = b"Transfer-Encoding: chunked\r\n"
_TWO = b"0\r\n\r\nGET /hidden%d HTTP/1.1\r\nHost: a\r\n\r\n"

_LENGTHS = (
    b"+5|-5|-0|5,5|5, 5|5,6|5;5|0x5|5_0|05|005|5.0|5e0|5 5|\xd9\xa5|\xef\xbc\x95|'5'|\"5\"|5\\|5\x0b|five||,|5,"
    b"|99999999999999999999|18446744073709551621|9223372036854775808|4294967301000000000000|1e3|NaN|5%%"
).split(b"|")
_NAMES = (
    b' |A B|A\t|A\x00|A\x7f|(A)|A\xa0|[A]|A@b|A{}|A/b|A?|A=|A;|A,|A"|A\\|\x01A|Content-Length\x00|Host\x0b|Host '.split(
        b"|"
    )
)
_VALUES = b"a\x00|a\x01|a\x08|a\x0b|a\x0c|a\x1b[0m|a\x7f|a\rb|a\nb|a\r b|a\r\n b|a\r\n\tb|\x00|a\r".split(b"|")
_HOSTS = b"a,b|a b|u@a|a/b|a?b|a#b|a:b|a:|:80|a:123456|a:-1|[::1|a]|a\\b|caf\xc3\xa9|<a>|a%%00|a\x00|a;b|".split(b"|")
_LINES = (
    b"GET|GET /r%d|GET  /r%d HTTP/1.1|GET /r%d  HTTP/1.1|GET /r%d HTTP/1.1 |GET\t/r%d HTTP/1.1|GET /r%d\tHTTP/1.1"
    b"|GET /r%d HTTP/2.0|GET /r%d HTTP/1.2|GET /r%d HTTP/0.9|GET /r%d HTTP/1|GET /r%d HTTP/11|GET /r%d HTTP/1.10"
    b"|GET /r%d HTTP/1.1x|GET /r%d http/1.1|GET /r%d HTTP/ 1.1|GET /r%d HTTP /1.1|GET /r%d HTTP/1,1|GET /r%d XTTP/1.1"
    b"|GET /r%d HTTP/+1.1|GET /r%d a HTTP/1.1|GET r%d HTTP/1.1|GET \\r%d HTTP/1.1|GET @a/r%d HTTP/1.1|GET * HTTP/1.1"
    b"|POST * HTTP/1.1|OPTIONS * HTTP/1.1|CONNECT a:80 HTTP/1.1|CONNECT /r%d HTTP/1.1|GET a:80 HTTP/1.1"
    b"|GET http:/r%d HTTP/1.1|GET http:///r%d HTTP/1.1|GET ftp://a/r%d HTTP/1.1|GET http://b/r%d HTTP/1.1"
    b"|GET http://u@a/r%d HTTP/1.1|GET http://a:81/r%d HTTP/1.1|GET /r%d#x HTTP/1.1|GET /r%d\x00 HTTP/1.1"
    b"|GET /r%d\x7f HTTP/1.1|GET /r%d\x01 HTTP/1.1|G(T /r%d HTTP/1.1|get /r%d HTTP/1.1|GET\x00 /r%d HTTP/1.1"
    b"| GET /r%d HTTP/1.1|PRI * HTTP/2.0|\x16\x03\x01\x02|GET /r%d HTTP/1.1\rX"
).split(b"|")
_CHUNKS = (
    b"zz\r\n|-1\r\n|+1\r\na\r\n|0x1\r\na\r\n|1_0\r\n|1\na\n0\n\n|1\r\nab\r\n|1\r\na0\r\n\r\n|1 \r\na\r\n0\r\n\r\n"
    b"|\r\n1\r\na\r\n"
    b"|ffffffffffffffff1\r\n|10000000000000000\r\n|1;\na\r\n0\r\n\r\n|1;a\x00\r\na\r\n|g\r\n|;a\r\n|\xd9\xa1\r\na\r\n"
    b"|1\r\na\n0\r\n\r\n|1\ra\r0\r\r|0\r\nA B: c\r\n\r\n|0\r\n: c\r\n\r\n|0\r\nA: \x00\r\n\r\n"
).split(b"|")
_PASSING = (
    b"A:b|A: b|A:  b |A:|a-b.c~d_e: 1|x_tenant: a|X-Tab: a\tb|X-Latin: caf\xe9|Cookie: a=b\r\nCookie: c=d|Accept: */*"
    b"|Connection: keep-alive|Connection: close|Connection: X-A\r\nX-A: b|TE: trailers|Expect: 100-continue"
    b"|Upgrade: h2c"
    b"|Authorization: Bearer a\r\nAuthorization: Bearer b|X-Long: " + b"a" * 8000 + b"|Via: 1.1 x|X-Forwarded-For: a"
).split(b"|")
_TARGETS = (
    b"/r%d|/r%d?|/r%d?a=b&a=c|/r%d//x|//r%d|/r%d/../x|/r%d/%%2F%%00|/r%d;a=b|/r%d?http://b/|/r%d?a#"[:-1]
    + b"|http://a/r%d|HTTP://A/r%d|http://a:80/r%d|/r%d\"<>^`{}|/r%d?q=[]|/r%d+'!*,@:"
).split(b"|")
_SOUND_CHUNKS = (
    b"0\r\n\r\n|1\r\na\r\n0\r\n\r\n|00001\r\na\r\n0\r\n\r\n|A\r\n0123456789\r\n0\r\n\r\n|1;a=b\r\na\r\n0\r\n\r\n"
    b"|1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n|000\r\n\r\n|1\r\na\r\n2\r\nbc\r\n0\r\n\r\n|1;a\r\na\r\n0;b\r\n\r\n"
).split(b"|")


def _invalid() -> Iterator[tuple[str, bytes]]:
    yield from (
        (f"length-{at}", _post(b"Content-Length: " + one + b"\r\n", b"abcde")) for at, one in enumerate(_LENGTHS)
    )
    yield from ((f"name-{at}", _post(one + b": a\r\n")) for at, one in enumerate(_NAMES))
    yield from ((f"value-{at}", _post(b"A: " + one + b"\r\n")) for at, one in enumerate(_VALUES))
    yield from ((f"host-{at}", _post(b"", host=b"Host: " + one + b"\r\n")) for at, one in enumerate(_HOSTS))
    yield from ((f"line-{at}", _post(b"", line=one)) for at, one in enumerate(_LINES))
    yield from ((f"chunk-{at}", _post(_CHUNKED, one)) for at, one in enumerate(_CHUNKS))
    yield "no-host", _post(b"", host=b"")
    yield "two-hosts", _post(b"Host: a\r\n")
    yield "two-hosts-other", _post(b"hOST: b\r\n")
    yield "no-colon", _post(b"A\r\n")
    yield "no-name", _post(b": a\r\n")
    yield "fold-first", _post(b"", host=b" Host: a\r\n")
    yield "bare-lf", b"GET /r%d HTTP/1.1\nHost: a\n\n"
    yield "lf-at-end", b"GET /r%d HTTP/1.1\r\nHost: a\r\n\n"
    yield "cr-at-end", b"GET /r%d HTTP/1.1\r\nHost: a\r\n\r"[:-1] + b"\rA: b\r\n\r\n"
    yield "two-lengths", _post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"abcde")
    yield "two-lengths-other", _post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"abcdef")
    yield "chunked-1.0", _post(_CHUNKED, b"0\r\n\r\n", line=b"POST /r%d HTTP/1.0")
    yield "lookalike", _post(b"Content_Length: 5\r\n")
    yield "nominates-host", _post(b"Connection: close, Host\r\n")
    yield "nominates-key", _post(b"Connection: Authorization\r\nAuthorization: a\r\n")
    yield "expects", _post(b"Expect: 200-ok\r\n")


def _valid() -> Iterator[tuple[str, bytes]]:
    yield from ((f"field-{at}", _post(one + b"\r\nContent-Length: 1\r\n", b"a")) for at, one in enumerate(_PASSING))
    yield from ((f"target-{at}", _post(b"", line=b"GET " + one + b" HTTP/1.1")) for at, one in enumerate(_TARGETS))
    yield from ((f"chunked-{at}", _post(_CHUNKED, one)) for at, one in enumerate(_SOUND_CHUNKS))
    for method in (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"PROPFIND", b"TRACE", b"QUERY"):
        yield f"method-{method.decode()}", _post(b"Content-Length: 0\r\n", line=method + b" /r%d HTTP/1.1")
    yield "http-1.0", _post(b"", line=b"GET /r%d HTTP/1.0", host=b"")
    yield "blank-line-first", b"\r\n" + _post(b"")
    yield "ipv6-host", _post(b"", host=b"Host: [::1]:80\r\n")


_TE_NAMES = tuple(
    b"Transfer-Encoding" + odd
    for odd in (b"", b" ", b"\t", b"\x00", b"\x0b", b"\xa0", b"\r", b"\r\n ", b"\n", b":", b"\x7f")
) + tuple(
    odd + b"Transfer-Encoding"
    for odd in (b" ", b"\t", b"\x0b", b"\x00", b"A: b\n", b"A: b\r", b"A: b\r\n ", b"\xef\xbb\xbf")
)
_TE_NAMES += (
    b"transfer-encoding",
    b"TRANSFER-ENCODING",
    b"Transfer_Encoding",
    b"transfer_encoding",
    b"Transfer Encoding",
)
_TE_VALUES = tuple(
    b" chunked| Chunked|chunked|\tchunked| chunked |  chunked| \x0bchunked| chunked\x0b| \x00chunked| chunked\x00"
    b"| chunked, identity"
    b"| identity, chunked| chunked,| ,chunked| chunked;q=1| \"chunked\"| 'chunked'| chunke| chunkedx| xchunked"
    b"| gzip, chunked"
    b"| chunked, chunked|\r\n chunked|\n chunked| \xa0chunked".split(b"|")
)


def mutations() -> Sequence[bytes]:
    """Ways to write the line that decides where a body ends: the real field, or an attempt to look like it."""
    return [name + b":" + value + b"\r\n" for name in _TE_NAMES for value in _TE_VALUES]


def smuggled(line: bytes) -> dict[str, bytes]:
    """One such line where two servers disagree about it: what one takes for a body is a request for the other."""
    inner = b"GET /hidden%d HTTP/1.1\r\nHost: a\r\n\r\n"
    hidden = inner.replace(b"%d", b"000000")  # the number is as long
    sized = b"%x\r\n" % len(hidden)
    return {
        "CL.TE": _post(b"Content-Length: %d\r\n" % len(b"0\r\n\r\n" + hidden) + line, b"0\r\n\r\n" + inner),
        "TE.CL": _post(b"Content-Length: %d\r\n" % len(sized) + line, sized + inner + b"\r\n0\r\n\r\n"),
        "TE.TE": _post(_CHUNKED + line, _TWO),
        "0.CL": _post(line, inner),
    }


def corpus() -> list[Case]:
    """The table."""
    return [
        *(Case(name, sent, False) for name, sent in _invalid()),
        *(Case(name, sent, True) for name, sent in _valid()),
    ]
