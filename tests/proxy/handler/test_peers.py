"""Clients and upstreams that are odd but right, and those that leave: seen from both sockets of the relay."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
from contextlib import suppress

import pytest

from tests.doubles.client import Client
from tests.doubles.upstream import STREAM_HEAD, Script, ScriptedUpstream, Turn, answer, endless, hang, raw
from tests.proxy.conftest import RigMaker

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("head", "line"),
    [
        pytest.param(b"HTTP/1.1 418 I'm a teapot", b"HTTP/1.1 418 I'm a teapot", id="418"),
        pytest.param(b"HTTP/1.1 520 Web Server Returned an Unknown Error", None, id="520"),
        pytest.param(b"HTTP/1.1 299 ", b"HTTP/1.1 299 ", id="empty-reason"),
        pytest.param(b"HTTP/1.1 200", b"HTTP/1.1 200 ", id="no-reason"),
        pytest.param(b"HTTP/1.1 599 caf\xe9", b"HTTP/1.1 599 caf\xe9", id="latin-1-reason"),
        pytest.param(b"HTTP/1.1 429 Slow  down", b"HTTP/1.1 429 Slow  down", id="two-blanks"),
        pytest.param(b"HTTP/1.1 999 Request denied", None, id="999"),
    ],
)
async def test_odd_status_lines_pass(rig: RigMaker, head: bytes, line: bytes | None) -> None:
    """Statuses and reasons that nobody has registered reach the client, and the connection serves the next call."""
    script = raw(head + b"\r\nContent-Length: 2\r\n\r\nhi", "keep")
    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        for _ in range(2):
            reply = await client.ask("GET", "/x")
            assert (reply.status_line, reply.body) == (line or head, b"hi")


@pytest.mark.parametrize(
    ("method", "data"),
    [
        pytest.param("HEAD", OK + b"Transfer-Encoding: chunked\r\n\r\n", id="head-of-a-chunked-answer"),
        pytest.param("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", id="204-with-length"),
        pytest.param("GET", b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", id="304-without-length"),
        pytest.param("GET", b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + OK + b"Content-Length: 0\r\n\r\n", id="three-100s"),
        pytest.param("GET", b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", id="205"),
    ],
)
async def test_answers_without_a_body(rig: RigMaker, method: str, data: bytes) -> None:
    """Nothing follows such a head, and three calls on one connection are answered from one connection to live."""
    async with (
        ScriptedUpstream(raw(data, "keep")) as live,
        rig(live.url) as proxy,
        Client(proxy.url) as client,
    ):
        for _ in range(3):
            reply = await client.ask(method, "/x")
            assert (reply.body, reply.complete) == (b"", True)
        assert live.connections == 1


async def test_pipelined_requests_are_answered_in_order(rig: RigMaker) -> None:
    """Requests written at once, with bodies, get their answers one after the other on the same connection."""

    async def script(turn: Turn) -> None:
        await answer(turn.target + b" " + turn.body)(turn)

    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(
            b"".join(b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nb%d" % (n, n) for n in range(9))
        )
        assert [(await client.answer()).body for _ in range(9)] == [b"/%d b%d" % (n, n) for n in range(9)]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_request_bytes_of_any_charset_pass(rig: RigMaker, method: str) -> None:
    """Header values in latin-1, as Python's requests writes them, reach live unchanged."""
    body = b"{}" if method == "POST" else b""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        for _ in range(2):
            reply = await client.ask(method, "/x", body, b"X-Title: Caf\xe9\r\nX-Both: \xc3\xa9 \xff\r\n")
            assert reply.status == 200
        assert live.turns[1].header(b"x-title") == b"Caf\xe9"
        assert live.turns[1].header(b"x-both") == b"\xc3\xa9 \xff"
        assert live.turns[1].body == body


async def test_bytes_after_an_answer_reach_nobody(rig: RigMaker) -> None:
    """What live sends beyond its Content-Length is neither part of this answer nor the begin of the next."""
    async with (
        ScriptedUpstream(
            raw(OK + b"Content-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "keep")
        ) as live,
        rig(live.url) as proxy,
        Client(proxy.url) as client,
    ):
        for _ in range(3):
            reply = await client.ask("GET", "/x")
            assert (reply.status, reply.body) == (200, b"hi")


async def test_errors_of_live_keep_the_connection(rig: RigMaker) -> None:
    """A 400, 404, 429, 500 and 503 of live's leave the client's connection open, as without a proxy."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        for status in ("400 Bad Request", "404 Not Found", "429 Too Many Requests", "500 Oops", "503 Busy", "200 OK"):
            live.script = answer(b'{"error":1}', status)
            reply = await client.ask("POST", "/x", b"{}")
            assert (reply.status, reply.header(b"connection")) == (int(status[:3]), b"")


async def test_old_client_keeps_its_connection(rig: RigMaker) -> None:
    """An HTTP/1.0 client that asks for keep-alive gets it where the answer has a length."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        for _ in range(2):
            await client.send(b"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            reply = await client.answer()
            assert (reply.body, reply.header(b"connection")) == (b"{}", b"keep-alive")


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"X: " + b"x" * (1 << 20) + b"\r\n", id="one-of-1-MB"),
        pytest.param(b"X: y\r\n" * 100_000, id="100000-fields"),
    ],
)
async def test_endless_heads_are_refused(rig: RigMaker, head: bytes) -> None:
    """A request head beyond all measure is refused while it comes, and live hears nothing."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        client.writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n")
        try:
            assert (await client.answer()).status == 431
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the rest was not read: a reset may overtake the answer
        assert not live.turns


async def test_large_bodies_both_ways(rig: RigMaker) -> None:
    """20 MB up, and the same 20 MB down, arrive unchanged."""
    body = os.urandom(1 << 20) * 20

    async def echo(turn: Turn) -> None:
        await answer(turn.body)(turn)

    async with ScriptedUpstream(echo) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        reply = await client.ask("POST", "/v1/files", body)
        assert hashlib.sha256(reply.body).digest() == hashlib.sha256(body).digest()


async def test_slow_live_pauses_the_upload(rig: RigMaker) -> None:
    """A live that does not read its request stops the client's sending: nothing piles up in between."""
    taken = 0

    done = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await done.wait()
        writer.transport.abort()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1 << 16)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with rig(url) as proxy, Client(proxy.url) as client:
        await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n")
        with suppress(TimeoutError):
            while taken < 64 << 20:
                async with asyncio.timeout(0.5):
                    await client.send(b"x" * 65536)
                taken += 65536
        assert taken < 32 << 20  # the kernel's buffers on both sides of two connections, not more
    done.set()
    server.close()
    await server.wait_closed()


def _files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def _upload_begun(client: Client) -> None:
    await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n" + b"x" * 100_000)


async def _asked(client: Client) -> None:
    await client.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")


async def _stream_begun(client: Client) -> None:
    await _asked(client)
    await client.head()
    await client.chunk()


async def _open_stream(turn: Turn) -> None:
    await turn.send(STREAM_HEAD)
    await turn.chunk(b"data: 1\n\n")
    await turn.gone()


@pytest.mark.parametrize(
    ("script", "until"),
    [
        pytest.param(hang, _upload_begun, id="inside-the-upload"),
        pytest.param(hang, _asked, id="before-the-head"),
        pytest.param(_open_stream, _stream_begun, id="inside-a-stream"),
        pytest.param(endless, _stream_begun, id="inside-a-flood"),
    ],
)
async def test_clients_that_leave_leave_nothing(rig: RigMaker, script: Script, until: object) -> None:
    """After 20 clients have left, tasks and file descriptors are what they were before, within a second."""
    async with ScriptedUpstream(script) as live, rig(live.url) as proxy:
        tasks, files = len(asyncio.all_tasks()), _files()
        clients = [Client(proxy.url) for _ in range(20)]
        for client in clients:
            await client.__aenter__()
            await until(client)  # type: ignore[operator]
        async with asyncio.timeout(5):
            while live.connections < 20:
                await asyncio.sleep(0.005)
        for client in clients:
            await client.__aexit__()
        del client, clients
        async with asyncio.timeout(1):
            while len(asyncio.all_tasks()) > tasks or _files() > files:
                await asyncio.sleep(0.01)
                gc.collect()


async def test_half_closed_client_has_left(rig: RigMaker) -> None:
    """A client that shuts its sending side down counts as gone, as with nginx: live's exchange ends."""
    left = asyncio.Event()

    async def script(turn: Turn) -> None:
        await turn.gone()
        left.set()

    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await _asked(client)
        await live.arrived.wait()
        client.writer.write_eof()
        async with asyncio.timeout(1):
            await left.wait()


async def test_more_body_than_announced_is_no_second_request(rig: RigMaker) -> None:
    """Bytes beyond the Content-Length that are not a request get a 400 and the end, and reach live in no request."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}surplus\r\n\r\n")
        assert (await client.answer()).status == 400
        assert await client.ended()
        assert not live.turns


async def test_line_ends_after_a_body_are_forgiven(rig: RigMaker) -> None:
    """The CRLF that old clients send after a body is skipped (RFC 9112 §2.2), and the next call is answered."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        for _ in range(2):
            await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}\r\n")
            assert (await client.answer()).status == 200
        assert [turn.body for turn in live.turns] == [b"{}", b"{}"]


async def test_garbage_of_a_client_that_left_is_no_error(rig: RigMaker, caplog: pytest.LogCaptureFixture) -> None:
    """A scanner that sends garbage and resets costs neither a log line nor an error of ours."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy:
        for _ in range(20):
            async with Client(proxy.url) as client:
                await client.send(b"\x16\x03\x01nonsense\r\n\r\n")
        async with Client(proxy.proxy.ops) as ops:
            assert b"understudy_broad_except_total{" not in (await ops.ask("GET", "/metrics")).body
        assert not caplog.records
