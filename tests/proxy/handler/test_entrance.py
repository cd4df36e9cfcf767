"""What aiohttp itself refuses is answered in our form, counted, and costs no log line."""

from __future__ import annotations

import pytest

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
