"""The ops port of a divided proxy, over processes that answer, hang, or are away."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from aiohttp.web import BaseRequest, Response, Server

from proxy.handler import Entrance
from proxy.merging import Merging
from proxy.overview import Overview
from proxy.parts import Orders, Part
from proxy.supervisor import Supervisor
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry
from tests.doubles.client import Client


@dataclass
class ScriptedSeat:
    """A seat and, once it serves, its process's ops."""

    orders: Orders
    ready: dict[str, Any] | None = field(default_factory=dict)
    restarts: int = 0
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    text: bytes = b"# TYPE understudy_requests counter\nunderstudy_requests_total 3\n"
    hanging: bool = False

    async def answer(self, request: BaseRequest) -> Response:
        """As ops does."""
        self.requests.append((request.method, request.path, await request.read()))
        if self.hanging:
            await asyncio.sleep(60)
        return Response(body=self.text)


@dataclass
class ScriptedSupervisor:
    """What Overview looks at."""

    lane: ScriptedSeat
    relays: list[ScriptedSeat]
    draining: bool = False
    shadowing: bool = True

    @property
    def seats(self) -> list[ScriptedSeat]:
        """Everybody."""
        return [self.lane, *self.relays]

    @property
    def ready(self) -> bool:
        """As the real one."""
        return not self.draining and any(relay.ready is not None for relay in self.relays)


@asynccontextmanager
async def _rig(lane_serves: bool = True) -> AsyncIterator[tuple[ScriptedSupervisor, Client]]:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="us-"))

        def seat(part: Part, name: str) -> ScriptedSeat:
            return ScriptedSeat(Orders(part, name, "me", folder, (), 0))

        supervisor = ScriptedSupervisor(seat(Part.LANE, "lane.0"), [seat(Part.RELAY, f"relay-{n}.0") for n in (0, 1)])
        for one in supervisor.seats if lane_serves else supervisor.relays:
            await _serve(one, stack)
        tasks = Tasks()
        stack.push_async_callback(tasks.settle, 0.0)
        overview = Overview(cast(Supervisor, supervisor), Merging(), tasks)
        entrance = Entrance(overview, Telemetry())
        server = await asyncio.get_running_loop().create_server(entrance, "127.0.0.1", 0)
        stack.push_async_callback(entrance.shutdown, 0.1)
        stack.callback(server.close)
        host, port = server.sockets[0].getsockname()
        yield supervisor, await stack.enter_async_context(Client(f"http://{host}:{port}"))


async def _serve(seat: ScriptedSeat, stack: AsyncExitStack) -> None:
    server = Server(seat.answer)
    listening = await asyncio.get_running_loop().create_unix_server(server, str(seat.orders.ops))
    stack.push_async_callback(server.shutdown, 0.1)
    stack.callback(listening.close)


async def test_health() -> None:
    """It is ready while a relay is, and not while draining; other paths are not known."""
    async with _rig() as (supervisor, client):
        assert (await client.ask("GET", "/livez")).status == 200
        assert (await client.ask("GET", "/readyz")).json() == {"status": "ready"}
        for relay in supervisor.relays:
            relay.ready = None
        missing = await client.ask("GET", "/readyz")
        assert (missing.status, missing.json()) == (503, {"status": "no relay is ready"})
        supervisor.draining = True
        draining = await client.ask("GET", "/readyz")
        assert (draining.status, draining.json()) == (503, {"status": "draining"})
        assert (await client.ask("GET", "/else")).status == 404


async def test_metrics_of_all() -> None:
    """Everybody's metrics are summed up, beside how many there are and how often they were started again."""
    async with _rig() as (supervisor, client):
        supervisor.lane.restarts = 2
        lines = (await client.ask("GET", "/metrics")).body.decode().splitlines()
        for line in (
            "understudy_requests_total 9.0",
            'understudy_workers{part="relay"} 2.0',
            'understudy_worker_restarts_total{part="lane"} 2.0',
            "understudy_workers_silent 0.0",
        ):
            assert line in lines


async def test_metrics_do_not_wait_for_one() -> None:
    """Who hangs, says something else or is away is left out within a second or so, and counted."""
    async with _rig(lane_serves=False) as (supervisor, client):
        supervisor.relays[0].hanging = True
        supervisor.relays[1].text = b"{{{"
        started = asyncio.get_running_loop().time()
        lines = (await client.ask("GET", "/metrics")).body.decode().splitlines()
        assert asyncio.get_running_loop().time() - started < 2
        assert "understudy_workers_silent 3.0" in lines


async def test_the_switch_is_the_lanes() -> None:
    """It is turned where shadows begin, and kept for the lane that comes next."""
    async with _rig() as (supervisor, client):
        off = await client.ask("POST", "/shadowing", b'{"enabled": false}')
        assert (off.status, off.json()) == (200, {"enabled": False})
        assert supervisor.lane.requests == [("POST", "/shadowing", b'{"enabled":false}')]
        assert supervisor.shadowing is False
        assert (await client.ask("GET", "/shadowing")).json() == {"enabled": False}


async def test_a_lane_that_does_not_answer_is_told_when_it_does() -> None:
    """503 says that it may take a while; the last word is what it hears."""
    async with _rig(lane_serves=False) as (supervisor, client), AsyncExitStack() as stack:
        for word in (b"false", b"true", b"false"):
            answer = await client.ask("POST", "/shadowing", b'{"enabled": %b}' % word)
            assert answer.status == 503
        await _serve(supervisor.lane, stack)
        async with asyncio.timeout(5):
            while not supervisor.lane.requests:
                await asyncio.sleep(0.01)
        assert json.loads(supervisor.lane.requests[-1][2]) == {"enabled": False}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"enabled": 1}', b"{}"])
async def test_other_orders_are_refused(body: bytes) -> None:
    """What says neither true nor false changes nothing."""
    async with _rig() as (supervisor, client):
        assert (await client.ask("POST", "/shadowing", body)).status == 400
        assert supervisor.shadowing is True
