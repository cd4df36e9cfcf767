"""One request while it is here: what was asked, and the live Outcome in the making. Made and ended by serving."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field

from aiohttp.web import BaseRequest

from config.pair import Failure, Outcome
from proxy.core.capture import Capture
from proxy.core.headers import HeaderPairs
from proxy.core.plan import Draft


@dataclass(slots=True)  # not frozen: made once per live call, where a frozen one costs 3 µs more
class Visit:
    """One request while it is here: what was asked, and the live Outcome in the making."""

    id: str
    arrived: float  # Unix seconds
    started: float  # the same instant on the loop's clock
    method: str
    shown: str  # the path as received
    path: str  # without the mount's prefix
    query: str
    headers: HeaderPairs = field(repr=False)
    capture: Capture
    live: asyncio.Future[Outcome]
    loop: asyncio.AbstractEventLoop
    bare: bool  # the path ended in a question mark and no query followed

    def now(self) -> float:
        """Seconds since the arrival."""
        return self.loop.time() - self.started

    def draft(self, copy: bytes | None, why_no_body: str) -> Draft:
        """What the plan is made from; the reason counts only where there is no copy."""
        why = "" if copy is not None else why_no_body
        return Draft(
            self.id, self.arrived, self.method, self.path, self.query, self.headers, copy, why, self.shown, self.bare
        )

    def end(self, failure: Failure, detail: str) -> Outcome:
        """The live exchange is over; only the first end counts."""
        outcome = self.capture.end(failure, detail, self.now())
        if not self.live.done():
            self.live.set_result(outcome)
        return outcome


def arrive(request: BaseRequest, shown: str, path: str, query: str, cap: int, bare: bool) -> Visit:
    """A request has come; `cap` bounds what is kept of live's answer. Ids are ordered by time, to the millisecond."""
    loop = asyncio.get_running_loop()
    arrived = time.time()  # noqa: TID251 - the clock room: the one reading of the wall clock per call
    return Visit(
        f"{int(arrived * 1000):012x}{os.urandom(10).hex()}",
        arrived,
        loop.time(),
        request.method,
        shown,
        path,
        query,
        request.raw_headers,
        Capture(cap),
        loop.create_future(),
        loop,
        bare,
    )
