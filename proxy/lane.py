"""The lane's end of the lines to the relays: what they hand over begins at mirror here. Built by wiring.

The process that runs everything behind live. It reads as fast as it can: how much of it is planned, asked and kept is
bounded by mirror and publisher, and a relay keeps what is not read, up to its own bound. The address outlives it, for
the supervisor holds the listening socket; the book outlives it as a file beside that socket. See `core.book` for what
is counted when it dies.

A relay that dies leaves calls whose live answers nobody will tell: their Outcome is CANCELLED, which the evaluators
excuse, so that their pairs are kept and scored by nobody.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Protocol, cast

from config.pair import NEVER, Failure, Outcome
from proxy.core.accounting import Ledger
from proxy.core.book import Book
from proxy.core.handing import HELLO, Begun, Ended, Frame, FrameError, Frames, Told
from proxy.core.plan import Draft
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry, log

TASK = "book"  # the name of the one task: it ends with close, not by itself

EVERY = 0.1
"""Seconds between two writings of the book: what a dying lane did since the last one is counted as lost. A writing
takes about 0.2 ms for a day of accounting."""


class Following(Protocol):
    """Mirror's door, and the shadows it counts every call for."""

    @property
    def names(self) -> Collection[str]:
        """The shadows of this route."""

    def begin(self, draft: Draft, live: asyncio.Future[Outcome], started: float) -> None:
        """Follow one call. Never raises."""


class Lane:
    """`inherit`, `start`, then relays may come; `close` hangs up and writes the book for the last time."""

    def __init__(
        self,
        routes: Callable[[], Mapping[str, Following]],
        ledger: Ledger,
        telemetry: Telemetry,
        book: Path,
    ) -> None:
        self.routes = routes
        self.telemetry = telemetry
        self.book = Book(ledger, self._names)
        self.lines: set[_Line] = set()
        self._file = book
        self._written = b""
        self._server: asyncio.Server | None = None
        self._runner: asyncio.Task[None] | None = None

    def inherit(self) -> None:
        """Go on with the books of a lane that died here, if there was one. Raises OSError when none can be written."""
        if self._file.exists():
            lost = self.book.read(self._file.read_bytes())
            self.telemetry.carry([0, *key, n] for key, n in self.book.forgotten.items())
            log(logging.WARNING, "the lane before this one died", calls_lost=lost)
        self.write()

    async def start(self, listening: socket.socket, tasks: Tasks) -> None:
        """Take relays; those that wait since before this lane began come first."""
        self._server = await asyncio.get_running_loop().create_unix_server(lambda: _Line(self), sock=listening)
        self._runner = tasks.spawn(self._keep_book(), TASK)

    async def close(self) -> None:
        """Hang up on relays that are still there; what they began is cancelled."""
        if self._server is not None:
            self._server.close()
        for line in list(self.lines):
            line.hang_up()
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait({self._runner})
        self.write()

    def write(self) -> None:
        """Write the book if it has changed: whole, and in place of the one before, in one step."""
        data = self.book.written()
        if data == self._written:
            return
        fresh = self._file.with_suffix(".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
        os.replace(fresh, self._file)
        self._written = data

    async def _keep_book(self) -> None:
        failing = False
        while True:
            await asyncio.sleep(EVERY)
            try:
                self.write()
                failing = False
            except OSError as error:  # a full disk: the next lane will count more as lost
                if not failing:
                    log(logging.ERROR, "book not written", error=type(error).__name__)
                failing = True

    def _names(self, prefix: str) -> Collection[str]:
        following = self.routes().get(prefix)
        return following.names if following is not None else ()

    def __repr__(self) -> str:
        return f"<Lane of {len(self.lines)} relays, {sum(len(line.open) for line in self.lines)} calls open>"


class _Line(asyncio.Protocol):
    """One relay, and its calls whose live has not ended."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._frames = Frames()
        self._relay = ""
        self._transport: asyncio.Transport
        self.open: dict[int, asyncio.Future[Outcome]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A relay has come, or was waiting since before this lane began."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not subclasses
        self._lane.lines.add(self)
        self._transport.write(HELLO)

    def data_received(self, data: bytes) -> None:
        """Frames, in whatever pieces."""
        try:
            for frame in self._frames.feed(data):
                self._take(frame)
        except FrameError as error:
            self._lane.telemetry.caught.labels("lane").inc()
            log(logging.ERROR, "relay not understood", error=str(error))
            self.hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """The relay ended; after an orderly end nothing is open."""
        self._lane.lines.discard(self)
        open_calls, self.open = self.open, {}
        for live in open_calls.values():
            live.set_result(_ENDED)

    def hang_up(self) -> None:
        """End the connection now."""
        self._transport.abort()

    def _take(self, frame: Frame) -> None:
        if isinstance(frame, Begun):
            self._begin(frame)
        elif isinstance(frame, Ended):
            live = self.open.pop(frame.number, None)
            if live is not None:
                live.set_result(frame.outcome)
        else:
            self._tell(frame)

    def _begin(self, frame: Begun) -> None:
        if not self._relay:
            raise FrameError("a call before the relay's name")
        following = self._lane.routes().get(frame.prefix)
        self._lane.book.begun(self._relay, frame.draft.arrived, frame.prefix)
        if following is not None:  # else the relay has read a newer configuration than this process
            live = self.open[frame.number] = asyncio.get_running_loop().create_future()
            following.begin(frame.draft, live, frame.started)

    def _tell(self, frame: Told) -> None:
        self._relay = frame.relay
        self._lane.book.told(frame.relay, frame.totals)

    def __repr__(self) -> str:
        return f"<Line to {self._relay or 'a relay without a name'}, {len(self.open)} calls open>"


_ENDED = Outcome(Failure.CANCELLED, "the relay ended", 0, (), b"", 0, NEVER, NEVER, NEVER, 0, 0.0)
