"""The operations port: probes that depend on nothing outside, metrics, and the kill switch."""

from __future__ import annotations

import asyncio

import pytest

from proxy.core.accounting import Bucket
from tests.doubles.client import Client
from tests.doubles.upstream import ScriptedUpstream, answer, hang
from tests.proxy.conftest import RigMaker


async def test_probes_answer(rig: RigMaker) -> None:
    """Live and ready, with live's upstream gone and the candidate refusing."""
    async with rig("http://127.0.0.1:9", {"mini": "http://127.0.0.1:9"}) as proxy:
        async with Client(proxy.proxy.ops) as client:
            for path in ("/livez", "/readyz"):
                assert (await client.ask("GET", path)).status == 200
            assert (await client.ask("GET", "/other")).status == 404
            assert (await client.ask("POST", "/livez")).status == 404


async def test_kill_switch(rig: RigMaker) -> None:
    """Switched off, live goes on and no shadow is asked; switched on again, they are."""
    async with (
        ScriptedUpstream(answer()) as live,
        ScriptedUpstream(answer()) as candidate,
        rig(live.url, {"mini": candidate.url}) as proxy,
        Client(proxy.proxy.ops) as ops,
    ):
        assert (await ops.ask("GET", "/shadowing")).json() == {"enabled": True}
        assert (await ops.ask("POST", "/shadowing", b'{"enabled": false}')).json() == {"enabled": False}
        assert (await proxy.chat()).status == 200
        await proxy.settled()
        assert proxy.counted("mini", Bucket.SKIPPED, "switched_off") == 1
        assert b"understudy_shadowing_enabled 0.0" in (await ops.ask("GET", "/metrics")).body
        await ops.ask("POST", "/shadowing", b'{"enabled": true}')
        await proxy.chat()
        await proxy.settled()
        assert proxy.counted("mini", Bucket.PAIRED) == 1
        assert len(candidate.turns) == 1


@pytest.mark.parametrize("body", [b"", b"no", b"[]", b"{}", b'{"enabled": "false"}', b'{"enabled": 1}'])
async def test_switch_takes_only_what_is_clear(rig: RigMaker, body: bytes) -> None:
    """Anything but true or false is refused and changes nothing."""
    async with rig("http://127.0.0.1:9") as proxy, Client(proxy.proxy.ops) as client:
        assert (await client.ask("POST", "/shadowing", body)).status == 400
        assert (await client.ask("GET", "/shadowing")).json() == {"enabled": True}


async def test_metrics_tell_what_happened(rig: RigMaker) -> None:
    """After one call the counters and times of both targets are there."""
    async with (
        ScriptedUpstream(answer()) as live,
        rig(live.url, {"mini": live.url}) as proxy,
        Client(proxy.proxy.ops) as ops,
    ):
        await proxy.chat()
        await proxy.settled()
        text = (await ops.ask("GET", "/metrics")).body
        assert b'understudy_requests_total{code="2xx"} 1.0' in text
        assert b'understudy_shadow_calls_total{bucket="paired",reason="",shadow="mini"} 1.0' in text
        for target in (b"live", b"mini"):
            assert b'understudy_upstream_duration_seconds_count{target="%b"} 1.0' % target in text
        assert b"understudy_overhead_seconds_count 1.0" in text


async def test_draining_is_not_ready(rig: RigMaker) -> None:
    """While open requests end, readiness says no and liveness yes; new connections are not taken."""
    async with (
        ScriptedUpstream(hang) as live,
        rig(live.url) as proxy,
        Client(proxy.proxy.ops) as ops,
        Client(proxy.url) as client,
    ):
        await client.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(5):
            await live.arrived.wait()
        drain = asyncio.create_task(proxy.proxy.draining.drain(0.5, last_calls=0.0))
        await asyncio.sleep(0.05)
        assert (await ops.ask("GET", "/readyz")).status == 503
        assert (await ops.ask("GET", "/livez")).status == 200
        with pytest.raises(ConnectionError):
            async with Client(proxy.url):
                pass
        await drain
