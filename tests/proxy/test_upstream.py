"""The client library behind its door: what is sent is exactly what was asked for, and every failure has our name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from config.pair import Failure
from config.settings import ShadowTimeout, Timeout
from proxy.upstream import ExchangeError, HttpUpstream
from tests.doubles.upstream import STREAM_HEAD, Script, ScriptedUpstream, Turn, answer, hang, raw

OK = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def upstream(timeout: Timeout | None = None) -> AsyncIterator[HttpUpstream]:
    """One that is closed afterwards."""
    made = HttpUpstream(timeout or Timeout())
    try:
        yield made
    finally:
        await made.close()


async def whole(up: HttpUpstream, url: str, method: str = "POST", body: bytes | None = b"{}") -> bytes:
    """One exchange, and its body."""
    exchange = await up.open(method, url, ((b"Host", b"h"),), body)
    try:
        parts = []
        while part := await exchange.read():
            parts.append(part)
        return b"".join(parts)
    finally:
        exchange.close()


async def failure(up: HttpUpstream, url: str) -> tuple[Failure, str]:
    """How an exchange failed."""
    with pytest.raises(ExchangeError) as caught:
        await whole(up, url)
    return caught.value.failure, caught.value.detail


async def test_adds_nothing() -> None:
    """Only Content-Length joins the headers that were given; no agent, no coding, no cookie of an earlier answer."""
    async with ScriptedUpstream(answer(headers=b"Set-Cookie: a=b\r\n")) as server, upstream() as up:
        for _ in range(2):
            await whole(up, server.url + "/x")
        assert [name for name, _ in server.turns[1].headers] == [b"Host", b"Content-Length"]
        assert server.connections == 1


async def test_environment_does_not_redirect_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy named in the environment is not used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with ScriptedUpstream(answer(b"ok")) as server, upstream() as up:
        assert await whole(up, server.url + "/x") == b"ok"


async def test_unfinished_exchange_closes_its_connection() -> None:
    """A body that is not read to its end takes its connection with it; nobody else reads its rest."""

    async def script(turn: Turn) -> None:
        await turn.send(STREAM_HEAD)
        await turn.chunk(b"secret of the first")
        await turn.gone()

    async with ScriptedUpstream(script) as server, upstream() as up:
        exchange = await up.open("GET", server.url + "/x", ((b"Host", b"h"),), None)
        exchange.close()
        async with asyncio.timeout(2):
            while not server.turns[0].closed:
                await asyncio.sleep(0.005)


async def test_more_than_one_answer_is_not_the_next_one() -> None:
    """Bytes after an answer are not taken for the answer to the next request."""
    extra = OK + b"Content-Length: 2\r\n\r\nhi" + OK + b"Content-Length: 5\r\n\r\nforge"
    async with ScriptedUpstream(raw(extra, "keep")) as server, upstream() as up:
        for _ in range(3):
            assert await whole(up, server.url + "/x") == b"hi"


SHORT = Timeout(connect=0.2, first_byte=0.2, idle=0.2)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(hang, (Failure.TIMEOUT, "no answer within the first-byte limit"), id="silent"),
        pytest.param(
            raw(OK + b"Content-Length: 5\r\n\r\n", "hang"),
            (Failure.TIMEOUT, "silent for longer than the first-byte limit"),
            id="silent-after-the-head",
        ),
        pytest.param(
            raw(OK + b"Content-Length: 5\r\n\r\nab", "hang"),
            (Failure.TIMEOUT, "silent for longer than the idle limit"),
            id="silent-inside",
        ),
        pytest.param(
            raw(OK + b"Content-Length: 5\r\n\r\nab"),
            (Failure.TRUNCATED, "connection lost inside the body"),
            id="cut",
        ),
        pytest.param(raw(b"SSH-2.0-x\r\n"), (Failure.MALFORMED, "the answer is not HTTP"), id="not-http"),
        pytest.param(raw(b""), (Failure.RESET, "connection closed before an answer"), id="closed"),
    ],
)
async def test_failures_have_our_names(script: Script, expected: tuple[Failure, str]) -> None:
    """Each way to fail is one kind and one phrase of ours."""
    async with ScriptedUpstream(script) as server, upstream(SHORT) as up:
        assert await failure(up, server.url + "/x?key=sk-1") == expected


@pytest.mark.parametrize(
    "field",
    [b"X: a\r\n b", b"X: a\x00b", b"X: a\rSet-Cookie: b", b"X: a\nSet-Cookie: b"],
    ids=["fold", "nul", "cr", "lf"],
)
async def test_fields_cannot_split_an_answer(field: bytes) -> None:
    """Whatever the library lets through, no value leaves here that would be two lines when written again."""
    async with ScriptedUpstream(raw(OK + field + b"\r\nContent-Length: 0\r\n\r\n")) as server, upstream() as up:
        exchange = None
        with suppress(ExchangeError):
            exchange = await up.open("GET", server.url + "/x", ((b"Host", b"h"),), None)
        if exchange is not None:
            parts = [part for pair in exchange.head.headers for part in pair]
            assert not any(byte in part for part in parts for byte in (b"\r", b"\n", b"\0"))
            exchange.close()


async def test_idle_limit_may_be_longer_than_the_first_byte_limit() -> None:
    """Once the body has begun only the idle limit counts."""

    async def script(turn: Turn) -> None:
        await turn.send(STREAM_HEAD)
        await turn.chunk(b"a")
        await asyncio.sleep(0.4)
        await turn.chunk(b"b")
        await turn.send(b"0\r\n\r\n")

    async with (
        ScriptedUpstream(script) as server,
        upstream(Timeout(connect=1.0, first_byte=0.2, idle=2.0)) as up,
    ):
        assert await whole(up, server.url + "/x") == b"ab"


async def test_total_limit() -> None:
    """A shadow's exchange ends at its total limit."""
    async with ScriptedUpstream(hang) as server, upstream(ShadowTimeout(total=0.2)) as up:
        assert await failure(up, server.url + "/x") == (Failure.TIMEOUT, "no answer within the total limit")


async def test_connections_that_cannot_be_made() -> None:
    """Refused, unknown by name, and not speaking TLS are all `connect`, told apart in the detail."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 not TLS\r\n")
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with upstream() as up:
        assert await failure(up, f"https://{place}/x") == (Failure.CONNECT, "TLS handshake failed")
        server.close()
        await server.wait_closed()
        assert await failure(up, f"http://{place}/x") == (Failure.CONNECT, "connection refused or unreachable")
    async with upstream(SHORT) as up:
        assert (await failure(up, "http://nobody.invalid/x"))[0] in (Failure.CONNECT, Failure.TIMEOUT)


@pytest.mark.parametrize("body", [None, b"{}", ""], ids=["none", "whole", "stream"])
async def test_header_bytes_are_sent_as_they_are(body: bytes | str | None) -> None:
    """Bytes that are no UTF-8, which aiohttp's writer drops, arrive in their place, with every kind of body."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"{"
        yield b"}"

    fields = ((b"Host", b"h"), (b"X-Title", b"Caf\xe9"), (b"X-Utf", b"\xc3\xa9"), (b"X-Last", b"\xff"))
    async with ScriptedUpstream(answer(b"ok")) as server, upstream() as up:
        for _ in range(2):
            exchange = await up.open("POST", server.url + "/x?a=b", fields, pieces() if body == "" else body)  # type: ignore[arg-type]
            assert await exchange.read() == b"ok"
            exchange.close()
        turn = server.turns[1]
        assert tuple(turn.headers[:4]) == fields
        assert turn.request_line == b"POST /x?a=b HTTP/1.1"
        assert turn.body == (b"" if body is None else b"{}")


async def test_keeps_verifying_certificates() -> None:
    """The session's TLS setting is aiohttp's verifying default."""
    async with upstream() as up:
        assert up._session.connector._ssl is True


async def test_says_whether_it_is_open() -> None:
    """The repr tells, and no address."""
    up = HttpUpstream(Timeout())
    assert repr(up) == "<HttpUpstream open>"
    await up.close()
    assert repr(up) == "<HttpUpstream closed>"
