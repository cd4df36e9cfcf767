"""Wiring for a proxy of several processes: a relay, the lane, and the supervisor that starts them. Used by __main__.

A relay is the live half of `wiring.running`, with the handover where the mirrors would be; the lane is the other half.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp.web import BaseRequest, Response
from prometheus_client import CONTENT_TYPE_LATEST

from config.settings import Settings
from proxy import wiring
from proxy.core.accounting import Ledger
from proxy.core.loops import Place
from proxy.generations import Common, Lives, Shadows, retire
from proxy.handler import Handler, Shadowing
from proxy.handover import Handover
from proxy.lane import Lane
from proxy.merging import Merging
from proxy.mirror import Memory
from proxy.ops import Ops
from proxy.overview import Overview
from proxy.parts import Orders, Part
from proxy.publisher import TASK as PUBLISHING
from proxy.reloading import Reloading
from proxy.supervisor import Supervisor, open_sockets
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry, log

Parts = tuple[Callable[[Settings], None], Callable[[float], Awaitable[None]]]
"""How a process takes over changed settings, and how it drains."""

_HANDED = 2.0  # seconds for the lane to take what a relay that ends has written


@dataclass(frozen=True, slots=True)
class Serving:
    """One process that is ready: where, if clients may know, and how it is stopped and told to look at its file."""

    listening: str
    ops: str
    drain: Callable[[float], Awaitable[None]]
    reload: Callable[[], None]


@asynccontextmanager
async def supervised(settings: Settings, command: Sequence[str]) -> AsyncIterator[Serving]:
    """The whole proxy as seen from outside; each process is `command --part ORDERS`.

    Raises PartRefused when one of them ended before it was ready, and OSError when an address cannot be listened on.
    """
    telemetry, tasks, merging = Telemetry(), Tasks(), Merging()
    async with AsyncExitStack() as closing:
        host, port = wiring.address(settings.listen)
        clients = await open_sockets(host, port)
        for one in clients:
            closing.callback(one.close)
        relays = settings.workers or 1
        supervisor = Supervisor(command, relays, clients, wiring.instance(), lambda orders: merging.ended(orders.name))
        closing.push_async_callback(tasks.settle, 0.0)
        closing.callback(supervisor.close)  # before the tasks, which know whom there is to kill
        side_door = await wiring.listen(
            Overview(supervisor, merging, tasks), settings.ops, None, settings.limits, telemetry, closing
        )
        await supervisor.start(tasks)
        yield Serving(
            wiring.url(clients[0], settings.tls),
            wiring.url(side_door.sockets[0], None),
            supervisor.drain,
            lambda: supervisor.signal(signal.SIGHUP),
        )


@asynccontextmanager
async def part(settings: Settings, environ: Mapping[str, str], path: Path, orders: Orders) -> AsyncIterator[Serving]:
    """One of the processes, ready when the body of the `with` begins. Raises as `wiring.running` does."""
    upstreams = sum(2 + len(route.candidates) for route in settings.routes)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(8 + 2 * upstreams, "understudy"))
    telemetry, tasks = Telemetry(), Tasks()
    async with AsyncExitStack() as closing:
        if orders.part is Part.RELAY:
            apply, drain = await _relay(settings, orders, telemetry, tasks, closing)
        else:
            apply, drain = await _lane(settings, environ, orders, telemetry, tasks, closing)
        reloading = Reloading(path, environ, settings, apply, telemetry)
        closing.callback(tasks.spawn(reloading.watch(), "reloading").cancel)
        yield Serving("", "", drain, reloading.tell)


class _Relay:
    """The live half: clients, live, and the line to the lane."""

    def __init__(self, settings: Settings, handover: Handover, telemetry: Telemetry, tasks: Tasks) -> None:
        self._handover = handover
        self._tasks = tasks
        self._own: set[Place] = set()
        self._lives = Lives(settings, self._doors(settings), tasks, own=self._own)
        self.handler = Handler(self._lives.rules, telemetry, tasks)
        self.entrances: list[asyncio.Server] = []

    def apply(self, settings: Settings) -> None:
        """Take over a changed configuration."""
        old, self._lives = self._lives, Lives(settings, self._doors(settings), self._tasks, self._lives, self._own)
        self.handler.rules = self._lives.rules
        retire(old.upstreams, self._lives.upstreams)

    def listens(self, entrance: asyncio.Server) -> None:
        """Clients come here; what live's address leads back here would be forwarded for ever."""
        self.entrances.append(entrance)
        self._own.update(one.getsockname()[:2] for one in entrance.sockets)

    async def drain(self, grace: float) -> None:
        """Take nothing new once balancers can know; return when all requests have ended, or after `grace` seconds."""
        until = asyncio.get_running_loop().time() + grace
        self.handler.draining = True
        await asyncio.sleep(min(wiring.LAST_CALLS, grace))
        for entrance in self.entrances:
            entrance.close()
        await self.handler.idle(until - asyncio.get_running_loop().time())
        log(logging.INFO, "relay drained", open_requests=self.handler.open_requests)

    async def close(self) -> None:
        """Close every connection to a live."""
        for upstream in self._lives.upstreams:
            await upstream.close()

    def _doors(self, settings: Settings) -> dict[str, Shadowing]:
        return {route.prefix: self._handover.door(route.prefix, bool(route.candidates)) for route in settings.routes}


async def _relay(
    settings: Settings, orders: Orders, telemetry: Telemetry, tasks: Tasks, closing: AsyncExitStack
) -> Parts:
    handover = Handover(orders.lane, orders.name, settings.queue.memory)
    telemetry.handover_bytes.set_function(lambda: handover.held)
    relay = _Relay(settings, handover, telemetry, tasks)
    closing.push_async_callback(relay.close)
    closing.push_async_callback(handover.close, _HANDED)
    handover.start(tasks)

    async def metrics(_: BaseRequest) -> Response:
        return Response(body=telemetry.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    await wiring.listen(metrics, _unix(orders.ops), None, settings.limits, telemetry, closing)
    closing.callback(relay.handler.stop)
    for number in orders.listening:
        inherited = socket.socket(fileno=number)
        relay.listens(await wiring.listen(relay.handler, inherited, settings.tls, settings.limits, telemetry, closing))
    return relay.apply, relay.drain


class _Behind:
    """The other half: mirrors and their shadows."""

    def __init__(self, settings: Settings, common: Common, shadowing: bool) -> None:
        self._common = common
        self.shadows = Shadows(settings, common)
        if not shadowing:
            self.shadows.switch(False)

    @property
    def enabled(self) -> bool:
        """Whether new calls are shadowed (the kill switch)."""
        return self.shadows.enabled

    def switch(self, enabled: bool) -> None:
        """Turn the kill switch; shadows that are open go on."""
        self.shadows.switch(enabled)

    def apply(self, settings: Settings) -> None:
        """Take over a changed configuration."""
        old, self.shadows = self.shadows, Shadows(settings, self._common, self.shadows)
        retire(old.upstreams, self.shadows.upstreams)

    async def drain(self, grace: float) -> None:
        """Return when all shadow calls have ended, or after `grace` seconds: no relay is left to begin any."""
        self.shadows.drain()
        late = await self.shadows.settle(grace)
        log(logging.INFO, "lane drained", cancelled_shadows=late)

    async def close(self) -> None:
        """Close every connection to a shadow."""
        for upstream in self.shadows.upstreams:
            await upstream.close()


async def _lane(
    settings: Settings,
    environ: Mapping[str, str],
    orders: Orders,
    telemetry: Telemetry,
    tasks: Tasks,
    closing: AsyncExitStack,
) -> Parts:
    ledger, memory = Ledger(), Memory(settings.queue.memory)
    telemetry.watch(ledger)
    telemetry.shadow_bytes.set_function(lambda: memory.held)
    publisher = wiring.make_publisher(settings, environ, ledger, telemetry, orders.instance)
    behind = _Behind(settings, Common(publisher, memory, ledger, telemetry, tasks), orders.shadowing)
    closing.push_async_callback(behind.close)
    lane = Lane(lambda: behind.shadows.mirrors, ledger, telemetry, orders.book)
    lane.inherit()  # before anything is published under the name that the lane before this one had
    closing.callback(lane.write)  # with the last pairs, for the lane after one that was ended by a stranger
    closing.push_async_callback(publisher.close, wiring.FLUSH)
    await publisher.start(tasks)
    closing.push_async_callback(tasks.settle, 0.0, {PUBLISHING})
    closing.push_async_callback(behind.shadows.settle, 0.0)
    await wiring.listen(Ops(behind, telemetry), _unix(orders.ops), None, settings.limits, telemetry, closing)
    await lane.start(socket.socket(fileno=orders.listening[0]), tasks)
    closing.push_async_callback(lane.close)
    return behind.apply, behind.drain


def _unix(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    return made
