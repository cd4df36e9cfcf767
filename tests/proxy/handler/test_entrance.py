"""What aiohttp itself refuses is answered in our form, counted, and costs no log line."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp.web import Response

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


async def test_slow_heads_cost_their_connection() -> None:
    """A head that drips is cut off and counted; idle connections, and slow bodies behind a head, are left alone."""

    async def answered(request: object) -> Response:
        return Response(text="ok")

    telemetry = Telemetry()
    entrance = Entrance(answered, telemetry, head_limit=0.2)
    server = await asyncio.get_running_loop().create_server(entrance, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with Client(url) as idle, Client(url) as again, Client(url) as slow:
        for client in (again, slow):
            await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n")
            assert (await client.head()).status == 200
        await slow.reader.readexactly(2)
        await slow.send(b"GET / HTTP/1.1\r\n")
        assert await slow.ended()
        assert telemetry.registry.get_sample_value("understudy_refused_total", {"reason": "slow_head"}) == 1
        await again.reader.readexactly(2)
        for client in (again, idle):
            await client.send(b"GET / HTTP/1.1\r\n")
            await client.send(b"Host: a\r\n\r\n")
            assert (await client.head()).status == 200
    server.close()
    entrance.pre_shutdown()
    await entrance.shutdown(0.1)
