"""The ops port of a divided proxy: its own health, every process's metrics as one, and the lane's kill switch.

Asks each process on its unix socket, where the routes of ops are. Carries no model traffic; built by wiring.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import aiohttp
import orjson
from aiohttp.web import BaseRequest, Response
from prometheus_client import CONTENT_TYPE_LATEST

from proxy.merging import Family, Key, Merging
from proxy.ops import Routes, answer
from proxy.parts import Orders, Part
from proxy.supervisor import Supervisor
from proxy.tasks import Tasks
from proxy.telemetry import log

LIMIT = 1.0  # seconds for a process to answer; it is left out when it does not
_AGAIN = 0.5  # seconds before a lane that did not answer is told again


class Overview(Routes):
    """Called by the server for each request on the ops port."""

    def __init__(self, supervisor: Supervisor, merging: Merging, tasks: Tasks) -> None:
        super().__init__()
        self._supervisor = supervisor
        self._merging = merging
        self._tasks = tasks
        self._telling: asyncio.Task[None] | None = None

    async def _ready(self, _: BaseRequest) -> Response:
        if self._supervisor.ready:
            return answer({"status": "ready"})
        return answer({"status": "draining" if self._supervisor.draining else "no relay is ready"}, 503)

    async def _metrics(self, _: BaseRequest) -> Response:
        here = [seat.orders for seat in self._supervisor.seats if seat.ready is not None and seat.orders is not None]
        answers = await asyncio.gather(*(self._look(orders) for orders in here))
        answering = {orders.name for orders, answered in zip(here, answers, strict=True) if answered}
        text = self._merging.text(answering, self._own(len(here) - len(answering)))
        return Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _shadowing(self, _: BaseRequest) -> Response:
        return answer({"enabled": self._supervisor.shadowing})

    async def _turn(self, enabled: bool) -> Response:
        self._supervisor.shadowing = enabled
        if await self._tell():
            return answer({"enabled": enabled})
        if self._telling is None or self._telling.done():
            self._telling = self._tasks.spawn(self._tell_again(), "switch")
        return answer({"enabled": enabled, "error": "the lane does not answer; it will be told when it does"}, 503)

    async def _tell_again(self) -> None:
        while not await self._tell():
            await asyncio.sleep(_AGAIN)

    async def _tell(self) -> bool:
        """Turn the lane's switch; a lane that is not there yet will begin with it."""
        orders = self._supervisor.lane.orders
        body = orjson.dumps({"enabled": self._supervisor.shadowing})
        return orders is not None and await asked(orders.ops, "POST", "/shadowing", body) is not None

    async def _look(self, orders: Orders) -> bool:
        text = await asked(orders.ops, "GET", "/metrics")
        if text is None:
            return False
        try:
            self._merging.seen(orders.name, text.decode())
        except ValueError as error:
            log(logging.ERROR, "metrics not understood", name=orders.name, error=type(error).__name__)
            return False
        return True

    def _own(self, silent: int) -> list[Family]:
        supervisor = self._supervisor
        seats = {Part.LANE: [supervisor.lane], Part.RELAY: list(supervisor.relays)}
        ready = {part: sum(seat.ready is not None for seat in some) for part, some in seats.items()}
        restarts = {part: sum(seat.restarts for seat in some) for part, some in seats.items()}
        return [
            _by_part("understudy_workers", "Processes that are ready.", "gauge", ready),
            _by_part("understudy_worker_restarts", "Processes that ended unasked.", "counter", restarts, "_total"),
            Family(
                "understudy_workers_silent",
                f"Ready processes that did not tell their metrics within {LIMIT:.0f} s.",
                "gauge",
                {("understudy_workers_silent", ()): float(silent)},
            ),
        ]


async def asked(address: Path, method: str, path: str, body: bytes | None = None) -> bytes | None:
    """A process's answer on its unix socket; None when there is none within the limit, or another than 200."""
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(address)), timeout=aiohttp.ClientTimeout(total=LIMIT)
            ) as session,
            session.request(method, f"http://understudy{path}", data=body) as response,
        ):
            return await response.read() if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None


def _by_part(name: str, about: str, kind: str, values: dict[Part, int], suffix: str = "") -> Family:
    samples: dict[Key, float] = {(name + suffix, (("part", part.value),)): float(n) for part, n in values.items()}
    return Family(name, about, kind, samples)
