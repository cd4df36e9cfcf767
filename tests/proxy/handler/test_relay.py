"""What the client reads: every framing arrives whole, and what broke looks broken."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from config.pair import Failure
from tests.doubles.client import Client
from tests.doubles.upstream import STREAM_HEAD, ScriptedUpstream, Turn, answer, raw
from tests.proxy.conftest import CHAT, RigMaker

OK = b"HTTP/1.1 200 OK\r\n"


async def test_answer_head_passes_verbatim(rig: RigMaker) -> None:
    """Status, reason, header case, order, repetitions and odd bytes are live's; hop-by-hop fields go."""
    head = b"HTTP/1.1 299 So \xc3\xa4 So\r\nset-cookie: a\r\nX-RateLimit: 5\r\nSet-Cookie: b\r\nx-odd: \xff\r\n"
    script = raw(head + b"Keep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nhi", "keep")
    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        reply = await client.ask("GET", "/x")
        assert reply.status_line == b"HTTP/1.1 299 So \xc3\xa4 So"
        assert reply.headers == [
            (b"set-cookie", b"a"),
            (b"X-RateLimit", b"5"),
            (b"Set-Cookie", b"b"),
            (b"x-odd", b"\xff"),
            (b"Content-Length", b"2"),
        ]
        assert reply.body == b"hi"


@pytest.mark.parametrize(
    ("method", "script", "status", "body"),
    [
        pytest.param("HEAD", raw(OK + b"Content-Length: 5\r\n\r\n", "keep"), 200, b"", id="head"),
        pytest.param("GET", raw(b"HTTP/1.1 204 No Content\r\n\r\n", "keep"), 204, b"", id="204"),
        pytest.param("GET", raw(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "keep"), 304, b"", id="304"),
        pytest.param("GET", answer(b"moved", "307 Temporary Redirect", b"Location: /y\r\n"), 307, b"moved", id="307"),
        pytest.param("GET", answer(b"{}", "429 Too Many Requests", b"Retry-After: 1\r\n"), 429, b"{}", id="429"),
        pytest.param("GET", answer(b"", "200 OK"), 200, b"", id="empty"),
        pytest.param("DELETE", answer(b"gone", "599 Own"), 599, b"gone", id="599"),
        pytest.param(
            "GET", raw(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"), 200, b"ab", id="chunks"
        ),
        pytest.param("GET", raw(OK + b"\r\nuntil the end"), 200, b"until the end", id="close-delimited"),
        pytest.param("GET", raw(b"HTTP/1.0 200 OK\r\n\r\nold"), 200, b"old", id="http-1.0-upstream"),
    ],
)
async def test_framing(rig: RigMaker, method: str, script: object, status: int, body: bytes) -> None:
    """Every way to frame an answer arrives whole, and the connection serves the next request."""
    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:  # type: ignore[arg-type]
        for _ in range(2):
            reply = await client.ask(method, "/x")
            assert (reply.status, reply.body, reply.complete) == (status, body, True)


async def test_interim_answers_pass(rig: RigMaker) -> None:
    """Early hints reach a client that speaks HTTP/1.1, before the answer and apart from it; an older one gets none."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    script = raw(hints + OK + b"Content-Length: 1\r\n\r\nx", "keep")
    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        early = await client.ask("GET", "/x")
        assert (early.status, early.header(b"link")) == (103, b"</a>")
        final = await client.answer()
        assert (final.status, final.body) == (200, b"x")
        await client.send(b"GET /x HTTP/1.0\r\n\r\n")
        assert (await client.answer()).status == 200


async def test_trailers_pass(rig: RigMaker) -> None:
    """Fields after the last chunk arrive there, but for those that would mean something else."""
    script = raw(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 7\r\nAuthorization: x\r\n\r\n", "keep")
    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await client.head()).header(b"transfer-encoding") == b"chunked"
        assert [await client.chunk()] == [b"a"]
        assert await client.reader.readuntil(b"\r\n\r\n") == b"0\r\nX-Sum: 7\r\n\r\n"


async def test_old_client_gets_no_chunks(rig: RigMaker) -> None:
    """An HTTP/1.0 client gets a chunked answer delimited by the connection's end."""
    script = raw(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(b"GET /x HTTP/1.0\r\n\r\n")
        reply = await client.answer()
        assert (reply.body, reply.header(b"transfer-encoding"), reply.header(b"connection")) == (b"ab", b"", b"close")


async def test_compressed_answer_passes_raw(rig: RigMaker) -> None:
    """A content coding is neither undone nor forgotten."""
    packed = gzip.compress(b"{}" * 100)
    async with (
        ScriptedUpstream(answer(packed, headers=b"Content-Encoding: gzip\r\n")) as live,
        rig(live.url) as proxy,
        Client(proxy.url) as client,
    ):
        reply = await client.ask("GET", "/x")
        assert (reply.body, reply.header(b"content-encoding")) == (packed, b"gzip")


CUTS = [
    pytest.param(OK + b"Content-Length: 10\r\n\r\nabc", "close", id="length-fin"),
    pytest.param(OK + b"Content-Length: 10\r\n\r\nabc", "reset", id="length-rst"),
    pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "close", id="chunks-fin"),
    pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "reset", id="chunks-rst"),
    pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nde", "close", id="inside-a-chunk"),
    pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "garbage", id="broken-chunk-size"),
    pytest.param(OK + b"\r\nabc", "reset", id="close-delimited-rst"),
    pytest.param(OK + b"Content-Length: 10\r\n\r\nabc", "hang", id="silent-inside"),
]


@pytest.mark.parametrize("old", [False, True], ids=["http-1.1", "http-1.0"])
@pytest.mark.parametrize(("data", "then"), CUTS)
async def test_cut_answer_looks_cut(rig: RigMaker, data: bytes, then: str, old: bool) -> None:
    """An answer that breaks off never ends cleanly at the client, and the pair says truncated."""
    sent = asyncio.Event()

    async def script(turn: Turn) -> None:
        await turn.send(data)
        async with asyncio.timeout(5):
            await sent.wait()  # until the client has it: a reset overtakes what is on its way
        if then == "garbage":
            await turn.send(b"zz\r\n")
        if then in ("hang", "garbage"):
            await turn.gone()
        else:
            (turn.close if then == "close" else turn.reset)()

    async with (
        ScriptedUpstream(script) as live,
        ScriptedUpstream(answer()) as candidate,
        rig(live.url, {"mini": candidate.url}, live_more="timeout: {idle: 300ms}") as proxy,
        Client(proxy.url) as client,
    ):
        proxy.calls += 1
        version = b"1.0" if old else b"1.1"
        head = b"POST /v1/chat/completions HTTP/%b\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (version, len(CHAT))
        await client.send(head + CHAT)
        got = await client.head()
        sent.set()
        rest = b""
        broke = False
        try:
            async with asyncio.timeout(5):
                while part := await client.reader.read(1000):
                    rest += part
        except ConnectionError:
            broke = True
        assert b"abc" in rest or broke
        if got.header(b"transfer-encoding"):
            assert not rest.endswith(b"0\r\n\r\n")
        elif not got.header(b"content-length"):
            assert broke, "a close-delimited answer must end with a reset"
        await proxy.settled()
        (pair,) = proxy.pairs()
        assert pair.live.failure is (Failure.TIMEOUT if then == "hang" else Failure.TRUNCATED)
        assert pair.live.body.startswith(b"abc")


async def test_slow_reader_pauses_live(rig: RigMaker) -> None:
    """A client that does not read stops the reading from live: an endless answer is not kept in memory."""
    sent = 0
    stalled = asyncio.Event()

    async def script(turn: Turn) -> None:
        nonlocal sent
        await turn.send(STREAM_HEAD)
        try:
            while True:
                async with asyncio.timeout(0.5):
                    await turn.chunk(b"x" * 65536)
                sent += 65536
        except TimeoutError:
            stalled.set()
        await turn.gone()

    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(8):
            await stalled.wait()
        assert sent < 32 << 20  # the kernel's buffers on both sides of two connections, not more


async def test_head_does_not_wait_for_a_body(rig: RigMaker) -> None:
    """A head whose body is still to come reaches the client at once, and a refused HEAD request gets its answer."""
    go_on = asyncio.Event()

    async def script(turn: Turn) -> None:
        await turn.send(OK + b"Content-Length: 2\r\n\r\n")
        await go_on.wait()
        await turn.send(b"hi")

    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await client.head()).status == 200
        go_on.set()
        assert await client.reader.readexactly(2) == b"hi"
        await client.send(b"HEAD /x HTTP/1.1\r\nHost: a@b\r\n\r\n")
        assert (await client.head()).status == 400
        assert await client.ended()


async def test_pipelined_requests_wait_for_a_slow_reader(rig: RigMaker) -> None:
    """A client that asks a thousand times and reads nothing is not answered a thousand times into our memory."""
    async with ScriptedUpstream(answer(b"x" * 60_000)) as live, rig(live.url, law=False) as proxy:
        async with Client(proxy.url) as client:
            client.writer.transport.pause_reading()
            await client.send(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
            seen = -1
            while seen < len(live.turns):
                seen = len(live.turns)
                await asyncio.sleep(0.2)
            assert 0 < seen < 500, seen  # the kernel's buffers hold some
            client.writer.transport.resume_reading()
            for _ in range(1000):
                assert (await client.answer()).body == b"x" * 60_000
