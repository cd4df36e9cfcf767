"""What is read as an answer: fed whole, byte by byte, cut anywhere, with bytes trailing, and cut off early."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from proxy.upstream.answer import LIMIT, Answer
from tests.proxy.upstream.told import OK

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True)
class Read:
    """What came of some bytes."""

    status: int = 0
    body: bytes = b""
    trailers: tuple[tuple[bytes, bytes], ...] = ()
    interims: tuple[int, ...] = ()
    complete: bool = True
    keep_alive: bool = True
    fault: bool = False
    framed: bool = True
    raw: bool = False


def read(pieces: Iterable[bytes], answer: Answer | None = None, **expected: bool) -> Read:
    """Feed until the answer is complete or none; what follows in later arrivals is the connection's to judge."""
    answer = answer or Answer()
    answer.expect(**expected)
    body = b""
    for piece in pieces:
        answer.feed(piece)
        body += b"".join(answer.pieces)
        answer.pieces.clear()
        if answer.complete or answer.fault or answer.raw:
            break
    head = answer.head
    return Read(
        head.status if head else 0,
        body,
        tuple(answer.trailers) if answer.complete else (),
        tuple(one.status for one in answer.interims),
        answer.complete,
        answer.keep_alive,
        answer.fault,
        answer.framed,
        answer.raw,
    )


SOUND = [
    pytest.param(OK + b"Content-Length: 5\r\n\r\nhello", Read(200, b"hello"), id="length"),
    pytest.param(OK + b"Content-Length: 0\r\n\r\n", Read(200), id="empty"),
    pytest.param(CHUNKED + b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", Read(200, b"hello!"), id="chunks"),
    pytest.param(
        CHUNKED + b"1\r\na\r\n0\r\nX-T: 1\r\nY: \r\n\r\n",
        Read(200, b"a", trailers=((b"X-T", b"1"), (b"Y", b""))),
        id="trailers",
    ),
    pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", Read(204), id="no-content"),
    pytest.param(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", Read(304), id="not-modified"),
    pytest.param(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 102 P\r\n\r\n"
        + OK
        + b"Content-Length: 1\r\n\r\na",
        Read(200, b"a", interims=(103, 102)),
        id="interim",
    ),
    pytest.param(
        OK + b"Connection: close\r\nContent-Length: 1\r\n\r\na", Read(200, b"a", keep_alive=False), id="close"
    ),
    pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", Read(200, b"a", keep_alive=False), id="1.0"),
    pytest.param(
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na", Read(200, b"a"), id="1.0-kept"
    ),
]


@pytest.mark.parametrize(("data", "expected"), SOUND)
def test_sound_answers(data: bytes, expected: Read) -> None:
    """However the network cuts them, and one after the other on one connection."""
    assert read([data]) == expected
    assert read(data[n : n + 1] for n in range(len(data))) == expected
    dice = random.Random(7)
    answer = Answer()
    for _ in range(50):
        cuts = sorted(dice.sample(range(1, len(data)), min(4, len(data) - 1)))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert read(pieces) == expected
        if expected.keep_alive:
            assert read(pieces, answer) == expected


@pytest.mark.parametrize(("data", "expected"), SOUND)
def test_cut_off(data: bytes, expected: Read) -> None:
    """No beginning of an answer is complete or a fault."""
    for end in range(1, len(data)):
        got = read([data[:end]])
        assert not got.complete
        assert not got.fault


@pytest.mark.parametrize(("data", "expected"), SOUND)
@pytest.mark.parametrize(
    "extra", [b"H", b"x", b"\0", OK + b"Content-Length: 5\r\n\r\nforge", b"HTTP/1.1 100 C\r\n\r\n"]
)
def test_bytes_after_the_answer(data: bytes, expected: Read, extra: bytes) -> None:
    """They change nothing that was told, and end the connection's use."""
    got = read([data + extra])
    assert (got.status, got.body, got.trailers, got.complete) == (
        expected.status,
        expected.body,
        expected.trailers,
        True,
    )
    assert not got.keep_alive


LENGTH = b"Content-Length: 1\r\n\r\na"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", id="two-lengths"),
        pytest.param(OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", id="twice-the-same"),
        pytest.param(OK + b"Content-Length: 1, 1\r\n\r\na", id="list"),
        pytest.param(OK + b"Content-Length: +1\r\n\r\na", id="sign"),
        pytest.param(OK + b"Content-Length: 99999999999999999999\r\n\r\n", id="overflow"),
        pytest.param(OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="length-and-chunks"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", id="chunks-and-length"),
        pytest.param(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", id="other-coding"),
        pytest.param(OK + b"Transfer-Encoding: gzip\r\n\r\n", id="no-chunks"),
        pytest.param(OK + b"Transfer-Encoding: identity\r\n\r\n", id="identity"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", id="coded-twice"),
        pytest.param(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", id="chunks-in-1.0"),
        pytest.param(b"HTTP/2.0 200 OK\r\n" + LENGTH, id="2.0"),
        pytest.param(b"HTTP/0.9 200 OK\r\n" + LENGTH, id="0.9"),
        pytest.param(b"RTSP/1.0 200 OK\r\n" + LENGTH, id="rtsp"),
        pytest.param(b"\r\n" + OK + LENGTH, id="empty-line-first"),
        pytest.param(b"HTTP/1.1 99 X\r\n" + LENGTH, id="status-99"),
        pytest.param(b"HTTP/1.1 2000 X\r\n" + LENGTH, id="status-2000"),
        pytest.param(b"HTTP/1.1 200 O\0K\r\n" + LENGTH, id="nul-in-reason"),
        pytest.param(b"HTTP/1.1 200 O\rK\r\n" + LENGTH, id="return-in-reason"),
        pytest.param(b"HTTP/1.1 200 OK\n" + LENGTH, id="bare-line-feed"),
        pytest.param(OK + b"X: a\r\n b\r\n" + LENGTH, id="fold"),
        pytest.param(OK + b"X: a\0b\r\n" + LENGTH, id="nul"),
        pytest.param(OK + b"X: a\rSet-Cookie: b\r\n" + LENGTH, id="return"),
        pytest.param(OK + b"X: a\nSet-Cookie: b\r\n" + LENGTH, id="line-feed"),
        pytest.param(OK + b"X : a\r\n" + LENGTH, id="space-before-colon"),
        pytest.param(OK + b"no colon\r\n" + LENGTH, id="no-colon"),
        pytest.param(OK + b"X: " + b"y" * LIMIT + b"\r\n" + LENGTH, id="too-large"),
        pytest.param(OK + b"X: y\r\n" * (LIMIT // 6) + LENGTH, id="too-many"),
        pytest.param(b"HTTP/1.1 103 E\r\nX: y\r\n\r\n" * (LIMIT // 20), id="interims-without-end"),
        pytest.param(b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", id="unasked-101"),
    ],
)
def test_no_answer(data: bytes) -> None:
    """Whatever two readers could read in two ways is no answer, in one piece or in many."""
    step = 1 if len(data) < 1000 else 1000
    for pieces in ([data], [data[n : n + step] for n in range(0, len(data), step)]):
        got = read(pieces)
        assert (got.status, got.body, got.fault, got.complete) == (0, b"", True, False)


@pytest.mark.parametrize(
    ("rest", "body"),
    [
        (b"1\r\nab\r\n", b"a"),
        (b"2\r\nab\r\nzz\r\n", b"ab"),
        (b"-1\r\n", b""),
        (b"fffffffffffffffff\r\n", b""),
        (b"1\na\n0\n\n", b""),
        (b"1\r\na\r\n0\r\nX: a\0\r\n\r\n", b"a"),
        (b"1\r\na\r\n0\r\n" + b"X: y\r\n" * LIMIT, b"a"),
        (b"1;" + b"x" * LIMIT * 2, b""),
    ],
)
def test_broken_chunks(rest: bytes, body: bytes) -> None:
    """What was sound is told, and the rest is a fault."""
    step = 1 if len(rest) < 1000 else 4096
    for pieces in ([CHUNKED + rest], [CHUNKED, *(rest[n : n + step] for n in range(0, len(rest), step))]):
        if pieces[1:] or len(rest) < LIMIT:
            got = read(pieces)
            assert (got.status, got.fault, got.complete) == (200, True, False)
            assert body.startswith(got.body) if step == 1 else got.body == body


@pytest.mark.parametrize(
    ("data", "keep_alive"),
    [
        (OK + b"Content-Length: 5\r\n\r\n", True),
        (CHUNKED, True),
        (OK + b"Content-Length: 5\r\nConnection: close\r\n\r\n", False),
        (OK + b"\r\n", False),
        (OK + b"Content-Length: 5\r\n\r\nhello", False),
        (CHUNKED + b"5\r\nhel", False),
        (CHUNKED + b"0\r\n\r\n", False),
    ],
)
def test_head_has_no_body(data: bytes, keep_alive: bool) -> None:
    """Whatever the head promises; and what follows all the same is not the next answer."""
    answer = Answer()
    got = read([data], answer, bare=True)
    assert (got.body, got.complete, got.keep_alive) == (b"", True, keep_alive)
    assert read([data[:7], data[7:]], bare=True) == got
    assert read([OK + b"Content-Length: 2\r\n\r\nok"], answer).body == b"ok"


@pytest.mark.parametrize("rest", [b"", b"\x81\x00", OK])
def test_upgraded(rest: bytes) -> None:
    """After a 101 that was asked for everything is raw."""
    data = b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n" + rest
    got = read([data], upgrade=True)
    assert (got.status, got.body, got.raw, got.complete, got.fault) == (101, rest, True, False, False)


def test_upgrade_to_nothing() -> None:
    """A 101 that names no protocol is no answer, even when one was asked for."""
    assert read([b"HTTP/1.1 101 S\r\n\r\n"], upgrade=True).fault


def test_open_end() -> None:
    """Without a length the connection's end is the body's."""
    got = read([OK + b"\r\nsome"])
    assert (got.body, got.framed, got.complete) == (b"some", False, False)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"timeout=5", 5.0),
        (b"timeout=5, max=1000", 5.0),
        (b"max=3, Timeout=1", 1.0),
        (b"max=3", None),
        (b"timeout=x", None),
        (b"timeout=" + b"9" * 400, None),
        (b"", None),
    ],
)
def test_keep_alive_field(value: bytes, seconds: float | None) -> None:
    """How long the upstream says it waits."""
    answer = Answer()
    read([OK + b"Keep-Alive: " + value + b"\r\nContent-Length: 0\r\n\r\n"], answer)
    assert answer.keep_for == seconds
