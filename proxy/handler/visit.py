"""One request while it is here: what was asked, and the live Outcome in the making. Made and ended by serving."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp.web import BaseRequest

from config.pair import Failure, Outcome
from proxy.core.capture import Capture
from proxy.core.headers import HeaderPairs, split_target
from proxy.core.plan import Draft


@dataclass(frozen=True, slots=True)
class Visit:
    """One request while it is here: what was asked, and the live Outcome in the making."""

    id: str
    arrived: float  # Unix seconds
    started: float  # the same instant on the loop's clock
    method: str
    path: str
    query: str
    headers: HeaderPairs
    capture: Capture
    live: asyncio.Future[Outcome]
    clock: Callable[[], float]

    def now(self) -> float:
        """Seconds since the arrival."""
        return self.clock() - self.started

    def draft(self, copy: bytes | None, why_no_body: str) -> Draft:
        """What the plan is made from; the reason counts only where there is no copy."""
        why = "" if copy is not None else why_no_body
        return Draft(self.id, self.arrived, self.method, self.path, self.query, self.headers, copy, why)

    def end(self, failure: Failure, detail: str) -> Outcome:
        """The live exchange is over; only the first end counts."""
        outcome = self.capture.end(failure, detail, self.now())
        if not self.live.done():
            self.live.set_result(outcome)
        return outcome


def arrive(request: BaseRequest, cap: int) -> Visit:
    """A request has come; `cap` bounds what is kept of live's answer. Ids are ordered by time, to the millisecond."""
    loop = asyncio.get_running_loop()
    arrived = time.time()  # noqa: TID251 - the clock room: the one reading of the wall clock per call
    path, query = split_target(request.raw_path)
    return Visit(
        id=f"{int(arrived * 1000):012x}{secrets.token_hex(10)}",
        arrived=arrived,
        started=loop.time(),
        method=request.method,
        path=path,
        query=query,
        headers=request.raw_headers,
        capture=Capture(cap),
        live=loop.create_future(),
        clock=loop.time,
    )
