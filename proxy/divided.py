"""Wiring for a proxy of several processes: a relay, the lane, and the supervisor that starts them. Used by __main__.

A relay is the live half of `wiring.running`, with the handover where the mirrors would be; the lane is the other half.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp.web import BaseRequest, Response
from prometheus_client import CONTENT_TYPE_LATEST

from config.settings import Settings
from proxy import wiring
from proxy.core.accounting import Ledger
from proxy.handler import Shadowing
from proxy.handover import Handover
from proxy.lane import Lane
from proxy.merging import Merging
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
    wiring.enough_threads(settings)
    telemetry, tasks = Telemetry(), Tasks()
    async with AsyncExitStack() as closing:
        if orders.part is Part.RELAY:
            apply, drain = await _relay(settings, orders, telemetry, tasks, closing)
        else:
            apply, drain = await _lane(settings, environ, orders, telemetry, tasks, closing)
        reloading = Reloading(path, environ, settings, apply, telemetry)
        closing.callback(tasks.spawn(reloading.watch(), "reloading").cancel)
        yield Serving("", "", drain, reloading.tell)


async def _relay(
    settings: Settings, orders: Orders, telemetry: Telemetry, tasks: Tasks, closing: AsyncExitStack
) -> Parts:
    handover = Handover(orders.lane, orders.name, settings.queue.memory)
    telemetry.handover_bytes.set_function(lambda: handover.held)

    def doors(settings: Settings) -> dict[str, Shadowing]:
        return {route.prefix: handover.door(route.prefix, bool(route.candidates)) for route in settings.routes}

    front = wiring.Front(settings, doors(settings), telemetry, tasks)
    closing.push_async_callback(front.close)
    closing.push_async_callback(handover.close, _HANDED)
    handover.start(tasks)

    async def metrics(_: BaseRequest) -> Response:
        return Response(body=telemetry.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    await wiring.listen(metrics, _unix(orders.ops), None, settings.limits, telemetry, closing)
    closing.callback(front.handler.stop)
    for number in orders.listening:
        inherited = socket.socket(fileno=number)
        front.listens(await wiring.listen(front.handler, inherited, settings.tls, settings.limits, telemetry, closing))

    async def drain(grace: float) -> None:
        await front.drain(asyncio.get_running_loop().time() + grace)
        log(logging.INFO, "relay drained", open_requests=front.handler.open_requests)

    return lambda changed: front.take(front.next(changed, doors(changed))), drain


async def _lane(
    settings: Settings,
    environ: Mapping[str, str],
    orders: Orders,
    telemetry: Telemetry,
    tasks: Tasks,
    closing: AsyncExitStack,
) -> Parts:
    ledger = Ledger()
    publisher = wiring.make_publisher(settings, environ, ledger, telemetry, orders.instance)
    back = wiring.Back(settings, wiring.common(settings, publisher, ledger, telemetry, tasks))
    if not orders.shadowing:
        back.switch(False)
    closing.push_async_callback(back.close)
    lane = Lane(lambda: back.mirrors, ledger, telemetry, orders.book)
    lane.inherit()  # before anything is published under the name that the lane before this one had
    closing.callback(lane.write)  # with the last pairs, for the lane after one that was ended by a stranger
    closing.push_async_callback(publisher.close, wiring.FLUSH)
    await publisher.start(tasks)
    closing.push_async_callback(tasks.settle, 0.0, {PUBLISHING})
    closing.push_async_callback(back.settle)
    await wiring.listen(Ops(back, telemetry), _unix(orders.ops), None, settings.limits, telemetry, closing)
    await lane.start(socket.socket(fileno=orders.listening[0]), tasks)
    closing.push_async_callback(lane.close)

    async def drain(grace: float) -> None:
        back.drain()  # no relay is left to begin any
        late = await back.settle(grace)
        log(logging.INFO, "lane drained", cancelled_shadows=late)

    return lambda changed: back.take(back.next(changed)), drain


def _unix(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    return made
