"""The bytes of a request."""

from __future__ import annotations

import pytest

from proxy.upstream.request import CHUNKED, Unsendable, chunk, declared, head


@pytest.mark.parametrize(
    ("headers", "added", "written"),
    [
        ((), (), b"GET /x? HTTP/1.1\r\n\r\n"),
        (((b"a", b"b"), (b"A", b"")), (), b"GET /x? HTTP/1.1\r\na: b\r\nA: \r\n\r\n"),
        (((b"a", b"\xff"),), CHUNKED, b"GET /x? HTTP/1.1\r\na: \xff\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ],
)
def test_head(headers: tuple[tuple[bytes, bytes], ...], added: tuple[tuple[bytes, bytes], ...], written: bytes) -> None:
    """Order, case, repetitions and odd bytes stay."""
    assert head("GET", b"/x?", headers, added) == written
    assert head("GET", b"/x?", list(headers), added) == written


@pytest.mark.parametrize("method", ["", "G T", "G\r\nT", "G\0", "Ü"])
def test_methods_that_cannot_be_sent(method: str) -> None:
    """They would end the request line early."""
    with pytest.raises(Unsendable):
        head(method, b"/", ())


@pytest.mark.parametrize("byte", [b"\r", b"\n", b"\0", b"\r\n"])
@pytest.mark.parametrize("place", ["target", "name", "value", "added"])
def test_bytes_that_cannot_be_sent(byte: bytes, place: str) -> None:
    """CR, LF and NUL nowhere: two of them could even pass for the end of a line that was left out."""
    part = {one: b"/a" + (b"" if one != place else byte) + b"b" for one in ("target", "name", "value", "added")}
    with pytest.raises(Unsendable):
        head("GET", part["target"], ((part["name"], part["value"]),), ((b"X", part["added"]),))


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        (((b"Host", b"h"),), None),
        (((b"content-LENGTH", b"12"),), 12),
    ],
)
def test_declared_length(headers: tuple[tuple[bytes, bytes], ...], length: int | None) -> None:
    """What a streamed body has promised."""
    assert declared(headers) == length


@pytest.mark.parametrize(
    "headers",
    [
        ((b"Content-Length", b"1"), (b"Content-Length", b"1")),
        ((b"Content-Length", b"+1"),),
        ((b"Content-Length", b""),),
        ((b"Transfer-Encoding", b"chunked"),),
    ],
)
def test_two_framings(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """A body has one length, and chunking is not the caller's to declare."""
    with pytest.raises(Unsendable):
        declared(headers)


def test_chunk() -> None:
    """Sizes are hexadecimal."""
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
