"""What aiohttp itself refuses is answered in our form, counted, and costs no log line."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp.web import BaseRequest, RequestPayloadError, Response, StreamResponse

from config.settings import Limits
from proxy.handler import Entrance
from proxy.telemetry import Telemetry
from tests.doubles.client import Client
from tests.doubles.upstream import ScriptedUpstream, answer
from tests.proxy.conftest import RigMaker


async def test_parser_refusals_are_ours(rig: RigMaker, caplog: pytest.LogCaptureFixture) -> None:
    """A malformed head gets a marked JSON answer without version or echo, on both ports."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.proxy.ops) as ops:
        for url in (proxy.url, proxy.proxy.ops):
            async with Client(url) as client:
                await client.send(b"GET / HTTP/1.1\r\nHost: a\r\nbad header sk-1: x\r\n\r\n")
                reply = await client.answer()
                assert (reply.status, reply.header(b"x-understudy-error")) == (400, b"malformed")
                assert reply.header(b"server") == b""
                assert b"sk-1" not in reply.body
                assert await client.ended()
        metrics = (await ops.ask("GET", "/metrics")).body
        assert b'understudy_refused_total{reason="malformed"} 2.0' in metrics
        assert not caplog.records


async def test_refused_upload_has_its_own_answer(rig: RigMaker) -> None:
    """After a refusal the connection closes even if a body is still to come."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 50\r\n\r\nabc")
        assert (await client.answer()).status == 400
        assert await client.ended()
        assert not live.turns


async def echo(request: BaseRequest) -> Response:
    """Says how many bytes came, or that they broke off."""
    try:
        return Response(text=str(len(await request.read())))
    except RequestPayloadError:
        broken = Response(status=499)
        broken.force_close()
        return broken


@dataclass
class Door:
    """An Entrance that listens, and what it counted."""

    url: str
    telemetry: Telemetry

    def refused(self, reason: str) -> float:
        """How often for this reason."""
        return self.telemetry.registry.get_sample_value("understudy_refused_total", {"reason": reason}) or 0


@asynccontextmanager
async def door(handler: Callable[[BaseRequest], Awaitable[Any]] = echo, **limits: Any) -> AsyncIterator[Door]:
    """A server without the rest of the proxy."""
    telemetry = Telemetry()
    entrance = Entrance(handler, telemetry, Limits(**limits))
    server = await asyncio.get_running_loop().create_server(entrance, "127.0.0.1", 0)
    try:
        yield Door(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", telemetry)
    finally:
        server.close()
        entrance.pre_shutdown()
        await entrance.shutdown(0.1)


HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
LONG = b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("pieces", [1, 7], ids=["whole", "in-pieces"])
@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        pytest.param(LONG % (b"a" * 1100), 414, "line_too_long", id="line"),
        pytest.param(LONG % (b"a" * 1_000_000), 414, "line_too_long", id="line-of-a-megabyte"),
        pytest.param(HEAD + b"A: %b\r\n\r\n" % (b"a" * 1100), 431, "fields_too_long", id="field"),
        pytest.param(HEAD + b"A" * 1100 + b": a\r\n\r\n", 431, "fields_too_long", id="field-name"),
        pytest.param(HEAD + b"A: %b\r\n\r\n" % (b"a" * 1_000_000), 431, "fields_too_long", id="field-of-a-megabyte"),
        pytest.param(HEAD + b"A: 1\r\n" * 5 + b"\r\n", 431, "too_many_fields", id="count"),
        pytest.param(HEAD + b"A: 1\r\n" * 5000, 431, "too_many_fields", id="count-without-end"),
        pytest.param(
            b"POST" + HEAD[3:] + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: 1\r\n" + b"B: 1\r\n" * 9 + b"\r\n",
            431,
            "too_many_fields",
            id="trailers",
        ),
        pytest.param(b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed", id="nul"),
    ],
)
async def test_limits_have_their_own_answers(sent: bytes, status: int, reason: str, pieces: int) -> None:
    """Too long a line is 414 and too much of fields 431, however it arrives; the client can read it, and is cut off."""
    async with door(line=1000, headers=1000, fields=5) as proxy, Client(proxy.url) as client:
        step = -(-len(sent) // pieces)
        for at in range(0, len(sent), step):
            with suppress(ConnectionError):  # answered and cut before the rest was sent
                await client.send(sent[at : at + step])
            await asyncio.sleep(0)
        reply = await client.answer()
        if b"chunked" in sent and pieces > 1:  # the handler had begun to read, and is told that the body is broken
            assert reply.status == 499
        else:
            assert (reply.status, reply.header(b"x-understudy-error")) == (status, reason.encode())
            assert proxy.refused(reason) == 1
        assert await client.ended()


async def test_fields_are_bounded_together_while_they_come() -> None:
    """Fields that are each within the limit are cut off as soon as there are too many bytes of them."""
    async with door(line=1000, headers=2000) as proxy, Client(proxy.url) as client:
        await client.send(HEAD)
        for _ in range(5):
            await client.send(b"A: %b\r\n" % (b"a" * 900))
            await asyncio.sleep(0.01)
        assert (await client.answer()).status == 431
        assert await client.ended()
        assert proxy.refused("fields_too_long") == 1


@pytest.mark.parametrize("broken", [b"zz\r\n", b"5\r\nabcdeX", b"-1\r\n", b"5;\n"])
@pytest.mark.parametrize("before", [b"", HEAD + b"\r\n"], ids=["first", "pipelined"])
async def test_a_broken_body_is_told_at_once(broken: bytes, before: bytes) -> None:
    """Whoever reads a body learns that its framing broke, instead of waiting for the rest of it."""
    async with door() as proxy, Client(proxy.url) as client:
        await client.send(before + b"POST" + HEAD[3:] + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        if before:
            assert (await client.answer()).body == b"0"
        await asyncio.sleep(0.01)
        await client.send(broken)
        assert (await client.answer()).status == 499


async def test_a_broken_body_behind_an_open_request_is_told() -> None:
    """Also when another request is being answered while the framing breaks."""
    go = asyncio.Event()

    async def waits(request: BaseRequest) -> Response:
        if request.method == "GET":
            await go.wait()
        return await echo(request)

    async with door(waits) as proxy, Client(proxy.url) as client:
        await client.send(HEAD + b"\r\nPOST" + HEAD[3:] + b"Transfer-Encoding: chunked\r\n\r\n")
        await asyncio.sleep(0.01)
        await client.send(b"zz\r\n")
        await asyncio.sleep(0.01)
        go.set()
        assert (await client.answer()).body == b"0"
        assert (await client.answer()).status == 499


@pytest.mark.parametrize("size", [100_000, 20_000_000], ids=["in-the-kernels-buffer", "in-ours"])
async def test_a_client_that_takes_nothing_is_cut_off(size: int) -> None:
    """After `stall` without a byte taken the connection is over, counted, and its handler cancelled."""
    over = asyncio.Event()

    async def large(request: BaseRequest) -> StreamResponse:
        try:
            answer = StreamResponse()
            await answer.prepare(request)
            await answer.write(b"x" * size)
            await asyncio.Event().wait()
        finally:
            over.set()
        raise AssertionError

    async with door(large, stall=0.3) as proxy:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", int(proxy.url.rpartition(":")[2])))
            await asyncio.get_running_loop().sock_sendall(client, HEAD + b"\r\n")
            async with asyncio.timeout(5):
                await over.wait()
        assert proxy.refused("slow_reader") == 1


async def test_who_writes_is_told_how_the_client_reads() -> None:
    """`reader` hears False when the client's buffer is full and True when it has room; a slow reader is not cut off."""
    told: list[bool] = []

    async def large(request: BaseRequest) -> Response:
        request.protocol.reader = told.append  # type: ignore[attr-defined]
        return Response(body=b"x" * 20_000_000)

    async with door(large, stall=0.5) as proxy, Client(proxy.url) as client:
        await client.send(HEAD + b"\r\n")
        await client.head()
        left = 20_000_000
        while left:
            left -= len(await client.reader.read(1 << 20))
        assert told[:2] == [False, True]
        assert proxy.refused("slow_reader") == 0


async def test_slow_heads_cost_their_connection() -> None:
    """A head that drips is cut off and counted; idle connections, and slow bodies behind a head, are left alone."""
    async with door(slow_head=0.2) as proxy:
        async with Client(proxy.url) as idle, Client(proxy.url) as again, Client(proxy.url) as slow:
            for client in (again, slow):
                await client.send(HEAD + b"\r\n\r\n")
                assert (await client.answer()).status == 200
            await slow.send(b"GET / HTTP/1.1\r\n")
            assert await slow.ended()
            assert proxy.refused("slow_head") == 1
            for client in (again, idle):
                await client.send(b"GET / HTTP/1.1\r\n")
                await client.send(b"Host: a\r\n\r\n")
                assert (await client.answer()).status == 200
