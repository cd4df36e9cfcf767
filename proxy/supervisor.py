"""One proxy as several processes: relays that serve clients, one lane behind them. Started, watched, stopped here.

The listening sockets are opened here and inherited, so that they and the connections that wait in them outlive every
child. A child speaks once on its standard output when it is ready; a StopLine stops it, and stops it as well when this
process is gone. What ends unasked is started again. This process carries no model traffic.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from config.embedded import MAX_SOCKET_PATH
from proxy.parts import Orders, Part
from proxy.tasks import Tasks
from proxy.telemetry import log

BACKLOG = 1024  # connections that wait to be accepted
READY_WITHIN = 30.0  # seconds until a child must have spoken: imports take one or two on a busy machine
_BACKOFF = (0.1, 5.0)  # seconds before a start over, doubling from first to last
_STEADY = 10.0  # seconds of life after which a child's next death is a first one again
_NOT_STARTED = -1
_DEEPEST = MAX_SOCKET_PATH - len("/us-12345678/relay-63.1234567890.ops")
FLUSH = 8.0  # seconds a child gets beyond its drain, for its last pairs and its exit, before it is killed


class PartRefused(Exception):
    """A child ended before the proxy was ready; what it had to say is on standard error."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"{name} ended with exit code {code}")
        self.code = code


class Seat:
    """One place for a child: the process that has it now, and how many had it before."""

    def __init__(self, command: Sequence[str], orders: Callable[[int, int], Orders]) -> None:
        self.restarts = 0
        self.orders: Orders | None = None
        self.ready: Mapping[str, Any] | None = None
        self.first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the seat's first process is ready; PartRefused when it ended instead."""
        self._command = command
        self._give_orders = orders
        self._process: asyncio.subprocess.Process | None = None
        self._stop_line = -1
        self._empty = asyncio.Event()
        self._told = asyncio.Event()  # set: nobody is to sit here again

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._process.pid if self._process is not None else None

    async def keep(self, ended: Callable[[Orders], None]) -> None:
        """Keep a process in this seat until told to leave; `ended` hears of each that is over."""
        delay, most = _BACKOFF
        clock = asyncio.get_running_loop().time
        while not self._told.is_set():
            began = clock()
            code = await self._sit()
            if self.orders is not None:
                ended(self.orders)
            name = self.orders.name if self.orders is not None else "the first process"
            if not self.first.done():
                self.first.set_exception(PartRefused(name, code))
                break
            if not self._told.is_set():
                log(logging.ERROR, "process ended", name=name, code=code)
                self.restarts += 1
                delay = _BACKOFF[0] if clock() - began > _STEADY else delay
                with suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self._told.wait()
                delay = min(delay * 2, most)
        self._empty.set()

    async def leave(self, grace: float, flush: float) -> None:
        """Have the process drain within `grace` seconds and end within `flush` more; kill it when it is late."""
        self._told.set()
        if self._stop_line >= 0:
            with suppress(OSError):
                os.write(self._stop_line, b"%.3f\n" % grace)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace + flush):
                await self._empty.wait()
        self.kill()

    def signal(self, number: int) -> None:
        """Pass a signal on."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def kill(self) -> None:
        """End the process at once."""
        self._told.set()
        self.signal(signal.SIGKILL)

    async def _sit(self) -> int:
        try:
            process = self._process = await self._begin()
            self.ready = await _first_words(process)
            if self.ready is not None and not self.first.done():
                self.first.set_result(None)
            return await process.wait()
        except OSError as error:  # no memory, files or processes left, perhaps only for a moment
            log(logging.ERROR, "process not started", error=type(error).__name__, errno=error.errno)
            return _NOT_STARTED
        finally:
            self.ready = self._process = None
            if self._stop_line >= 0:
                os.close(self._stop_line)
            self._stop_line = -1

    async def _begin(self) -> asyncio.subprocess.Process:
        reading, self._stop_line = os.pipe()
        try:
            orders = self.orders = self._give_orders(self.restarts, reading)
            return await asyncio.create_subprocess_exec(
                *self._command,
                "--part",
                orders.argument(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                pass_fds=(*orders.listening, reading),
                start_new_session=True,  # a terminal's Ctrl-C reaches us alone; we stop the children in order
            )
        finally:
            os.close(reading)

    def __repr__(self) -> str:
        name = self.orders.name if self.orders is not None else "nobody"
        return f"<Seat of {name}, pid {self.pid}, {'ready' if self.ready is not None else 'not ready'}>"


class Supervisor:
    """The seats of one proxy; `start`, then `drain` or `close`. Ops turns `shadowing` and looks at `seats`."""

    def __init__(
        self,
        command: Sequence[str],
        relays: int,
        clients: Sequence[socket.socket],
        instance: str,
        ended: Callable[[Orders], None],
    ) -> None:
        self.draining = False
        self.shadowing = True
        """The kill switch, for the lane that is to come."""
        self._clients = clients
        self._instance = instance
        self._ended = ended
        deep = len(os.fsencode(tempfile.gettempdir())) > _DEEPEST
        self._folder = tempfile.TemporaryDirectory(
            prefix="us-", dir="/tmp" if deep else None, ignore_cleanup_errors=True
        )
        self._door = _listening_at(Path(self._folder.name, "lane"))
        self.lane = Seat(command, partial(self._orders, Part.LANE, "lane", [self._door]))
        self.relays = [Seat(command, partial(self._orders, Part.RELAY, f"relay-{n}", clients)) for n in range(relays)]

    @property
    def seats(self) -> tuple[Seat, ...]:
        """Everybody."""
        return (self.lane, *self.relays)

    @property
    def ready(self) -> bool:
        """Whether somebody takes requests, and will go on to."""
        return not self.draining and any(relay.ready for relay in self.relays)

    async def start(self, tasks: Tasks) -> None:
        """Return when all are ready. Raises PartRefused when one of them ended before."""
        tasks.spawn(self.lane.keep(self._ended), "lane")
        await self.lane.first  # alone: what is wrong is told once, and before anybody is served
        for relay in self.relays:
            tasks.spawn(relay.keep(self._ended), "relay")
        await asyncio.gather(*(relay.first for relay in self.relays))

    async def drain(self, grace: float, flush: float = FLUSH) -> None:
        """Relays first, to the end of their open requests; then the lane, to the end of its shadows and pairs."""
        self.draining = True
        clock = asyncio.get_running_loop().time
        until = clock() + grace
        await asyncio.gather(*(relay.leave(grace, flush) for relay in self.relays))
        await self.lane.leave(max(0.0, until - clock()), flush)
        log(logging.INFO, "drained", restarts=sum(seat.restarts for seat in self.seats))

    def signal(self, number: int) -> None:
        """Pass a signal on to every process that is ready: before, nobody there listens to it, and it would kill."""
        for seat in self.seats:
            if seat.ready is not None:
                seat.signal(number)

    def close(self) -> None:
        """Kill who is left, and remove what they shared."""
        for seat in self.seats:
            seat.kill()
        self._door.close()
        self._folder.cleanup()

    def _orders(self, part: Part, place: str, listening: Sequence[socket.socket], start: int, stopping: int) -> Orders:
        files = tuple(one.fileno() for one in listening)
        return Orders(part, f"{place}.{start}", self._instance, self._folder.name, files, stopping, self.shadowing)

    def __repr__(self) -> str:
        return f"<Supervisor of {', '.join(map(repr, self.seats))}>"


async def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Listening sockets for clients, to be inherited: as many as the host has addresses. Raises OSError."""
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port, start_serving=False)
    sockets = [socket.socket(fileno=os.dup(one.fileno())) for one in server.sockets]
    server.close()
    for one in sockets:
        one.listen(BACKLOG)  # from here on who connects waits instead of being refused
    return sockets


def _listening_at(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))  # in a folder of our own, which nobody else may enter
    made.listen(BACKLOG)
    return made


async def _first_words(process: asyncio.subprocess.Process) -> Mapping[str, Any] | None:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_WITHIN):
            line = await process.stdout.readline()
    except TimeoutError:
        process.kill()
        return None
    try:
        words = json.loads(line)
    except ValueError:
        words = None
    if not isinstance(words, dict):
        with suppress(ProcessLookupError):
            process.kill()
        return None
    return words
