"""The relay's end of the line to the lane: calls go over, and nobody waits. Has Mirror's door; built by wiring.

Used in place of mirror where the shadows live in a process of their own. What when full: a call is not handed over
while more than `most` bytes wait for the lane, and is counted as dropped (`lane_full`); while there is no lane, the
same (`lane_away`). A live answer that ends beyond `most` goes over without its body, which mirror counts as one that
could not be kept whole; so a lane that stands still costs `most` bytes and a thousand more for each open call.

The counts are totals since this relay's start and go to the lane whenever it comes back and whenever there is room
again, so that none is lost with a lane and none counts twice: see `lane`, which makes the difference.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from config.pair import Outcome
from proxy.core.handing import HELLO, KEPT, Totals, begun, ended, hour_of, told
from proxy.core.plan import Draft
from proxy.tasks import Tasks
from proxy.telemetry import log

TASK = "handover"  # the name of the one task: it ends with close, not by itself

_AGAIN = 0.05
"""Seconds between two attempts to reach the lane, which takes about half a second to start."""


class Handover:
    """`start`, then one `door` for each route; `close` lets the lane have what is left."""

    def __init__(self, lane: Path, name: str, most: int) -> None:
        self._lane = lane
        self._name = name
        self._most = most
        self._line: _Line | None = None
        self._runner: asyncio.Task[None] | None = None
        self._newest = 0
        self.totals: Counter[tuple[int, str, str]] = Counter()

    @property
    def held(self) -> int:
        """Bytes that wait for the lane."""
        return self._line.held if self._line is not None else 0

    def start(self, tasks: Tasks) -> None:
        """Look for the lane from now on, as often as it goes away."""
        self._runner = tasks.spawn(self._run(), TASK)

    def door(self, prefix: str, shadowed: bool = True) -> Door:
        """Mirror's door for one route; a route without shadows has nothing to hand over."""
        return Door(self, prefix, shadowed)

    def hand(self, draft: Draft, live: asyncio.Future[Outcome], started: float, prefix: str) -> None:
        """Hand a call over, or count it as dropped. Never raises, never waits."""
        line = self._line
        if line is None or not line.here:
            self._count(draft.arrived, prefix, "lane_away")
        elif line.held > self._most:
            self._count(draft.arrived, prefix, "lane_full")
            line.owing = True
        else:
            try:
                frame = begun(line.calls, prefix, started, draft)
            except ValueError as error:  # a bug of ours, and this call's alone
                log(logging.ERROR, "call not handed over", error=type(error).__name__)
                self._count(draft.arrived, prefix, "crash")
                line.owing = True
                return
            live.add_done_callback(partial(self._ended, line, line.calls))
            line.calls += 1
            self._count(draft.arrived, prefix, "")
            line.write(frame)

    async def close(self, limit: float) -> None:
        """Let the lane have what is written, at most `limit` seconds; what is begun from now on is not handed over."""
        line, self._line = self._line, None
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait({self._runner})
        if line is not None:
            line.tell(self._name, self.totals)
            line.transport.close()  # once all is written
            with suppress(TimeoutError):
                async with asyncio.timeout(limit):
                    await line.gone.wait()
            line.transport.abort()

    async def _run(self) -> None:
        while True:
            with suppress(OSError):
                loop = asyncio.get_running_loop()
                _, self._line = await loop.create_unix_connection(lambda: _Line(self), str(self._lane))
                await self._line.gone.wait()
            await asyncio.sleep(_AGAIN)

    def arrived(self, line: _Line) -> None:
        """The lane has taken the connection."""
        line.here = True
        line.transport.set_write_buffer_limits(self._most)
        line.tell(self._name, self.totals)

    def relieved(self, line: _Line) -> None:
        """There is room again."""
        if line.owing:
            line.tell(self._name, self.totals)

    def _ended(self, line: _Line, number: int, live: asyncio.Future[Outcome]) -> None:
        if not line.here or live.cancelled():
            return
        outcome = live.result()
        if line.held > self._most:
            outcome = without_body(outcome)
        line.write(ended(number, outcome))

    def _count(self, arrived: float, prefix: str, fate: str) -> None:
        hour = hour_of(arrived)
        if hour > self._newest:
            self._newest = hour
            for key in [key for key in self.totals if key[0] < hour - KEPT]:
                del self.totals[key]
        self.totals[hour, prefix, fate] += 1

    def __repr__(self) -> str:
        state = "away" if self._line is None or not self._line.here else f"here, {self.held} bytes wait"
        return f"<Handover {self._name}, lane {state}>"


class Door:
    """What the handler of one route begins calls at."""

    def __init__(self, handover: Handover, prefix: str, shadowed: bool) -> None:
        self._handover = handover
        self._prefix = prefix
        self._shadowed = shadowed

    def begin(self, draft: Draft, live: asyncio.Future[Outcome], started: float) -> None:
        """Hand one call over; `live` will hold the live Outcome, `started` is the loop's time. Never raises."""
        if self._shadowed:
            self._handover.hand(draft, live, started, self._prefix)


class _Line(asyncio.Protocol):
    """One connection to the lane; `here` between its hello and its end."""

    transport: asyncio.Transport

    def __init__(self, handover: Handover) -> None:
        self._handover = handover
        self.here = False
        self.owing = False
        self.calls = 0
        self.gone = asyncio.Event()

    @property
    def held(self) -> int:
        """Bytes that wait in this process."""
        return self.transport.get_write_buffer_size()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected, which the kernel does even when there is no lane: its hello is waited for."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are not subclasses

    def data_received(self, data: bytes) -> None:
        """The hello."""
        if data == HELLO and not self.here:
            self._handover.arrived(self)

    def resume_writing(self) -> None:
        """A quarter of the bound is left."""
        self._handover.relieved(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The lane ended; it comes back under the same address."""
        self.here = False
        self.gone.set()

    def tell(self, name: str, totals: Totals) -> None:
        """Say how many calls there were."""
        self.owing = False
        self.write(told(name, totals))

    def write(self, frame: bytes) -> None:
        """Write a frame, unless the lane has gone in this very turn of the loop."""
        if not self.transport.is_closing():
            self.transport.write(frame)


def without_body(outcome: Outcome) -> Outcome:
    """The facts of an outcome; mirror sees that more arrived than was kept."""
    return replace(outcome, body=b"")
