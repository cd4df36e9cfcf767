"""A request as the bytes that are written: head, and the pieces of a streamed body. Nothing is repaired. For lean."""

from __future__ import annotations

from collections.abc import Sequence

from proxy.core.headers import HeaderPairs


class Unsendable(ValueError):
    """A part of this request would be read as something else: a line end, a space, a second framing."""


def head(method: str, target: bytes, headers: HeaderPairs, added: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
    """The request line and the fields, verbatim and in order, `added` at the end; raises Unsendable."""
    if not target or b" " in target or not method.isascii() or not method or " " in method:
        raise Unsendable
    fields = b"\r\n".join(map(b": ".join, (*headers, *added) if added else headers))
    lines = len(headers) + len(added)
    written = b"%b %b HTTP/1.1\r\n%b%b\r\n" % (method.encode(), target, fields, b"\r\n" if lines else b"")
    if len(written) - len(written.translate(None, b"\r\n\0")) != 2 * lines + 4:  # more than those written here
        raise Unsendable
    return written


def declared(headers: HeaderPairs) -> int | None:
    """The length that a streamed body's headers give, None when they give none; raises Unsendable."""
    length = None
    for name, value in headers:
        lower = name.lower()
        if lower == b"content-length" and length is None and value.isdigit():
            length = int(value)
        elif lower in (b"content-length", b"transfer-encoding"):  # twice, no number, or ours to add
            raise Unsendable
    return length


def chunk(data: bytes) -> bytes:
    """One piece in the chunked coding (RFC 9112 §7.1); `data` is not empty, which would mean the end."""
    return b"%x\r\n%b\r\n" % (len(data), data)


CHUNKED = ((b"Transfer-Encoding", b"chunked"),)
LAST_CHUNK = b"0\r\n\r\n"
