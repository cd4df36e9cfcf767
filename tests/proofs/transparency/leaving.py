"""Clients that leave: before the head, after it, inside the stream, in a silence. The origin must be told at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from tests.doubles.upstream import STREAM_HEAD, ScriptedUpstream, Turn
from tests.proofs.transparency.rig import Proxy, proxy, row
from tests.proofs.transparency.wire import Connection

LIMIT = 1.0
"""Seconds after the client's end within which the origin must see its own."""

PHASES = (b"before-head", b"before-first-byte", b"mid-stream", b"silence")
_SETTLED = 5.0  # seconds for the proxy to be as before


@dataclass
class Left:
    """How long the origin's end came after the client's, in seconds, and what stayed behind in the proxy."""

    streams: int = 0
    seconds: list[float] = field(default_factory=list)
    never: int = 0
    open_exchanges: float = 0
    files: int = 0  # more than at the start

    @property
    def late(self) -> int:
        """Streams whose origin was told too late, or never."""
        return self.never + sum(one > LIMIT for one in self.seconds)

    def line(self, name: str) -> str:
        """The row of the table."""
        slowest = f"slowest {max(self.seconds, default=0) * 1000:.0f} ms"
        note = f"{slowest}; left behind: exchanges {self.open_exchanges:.0f}, file descriptors {self.files}"
        return row(name, self.streams, self.late, note)


async def leave(streams: int, lanes: int = 32, seed: int = 1) -> Left:
    """`streams` clients that leave at a random point, by FIN and by RST."""
    left, dice, waiting = Left(), Random(seed), iter(range(streams))
    reached: dict[bytes, asyncio.Event] = {}
    gone: dict[bytes, asyncio.Future[float]] = {}
    loop = asyncio.get_running_loop()

    async def script(turn: Turn) -> None:
        _, phase, number = turn.target.split(b"/")
        sending = loop.create_task(_SCRIPTS[phase](turn, reached[number]))
        await turn.gone()
        sending.cancel()
        if not gone[number].done():
            gone[number].set_result(loop.time())

    async with ScriptedUpstream(script) as origin, proxy(origin.url) as through:
        await through.metric("understudy_in_flight_exchanges", target="live")
        files = through.files()

        async def lane() -> None:
            for at in waiting:
                number = b"%d" % at
                reached[number], gone[number] = asyncio.Event(), loop.create_future()
                left.streams += 1
                await _one(through, number, reached[number], gone[number], dice, left)

        async with asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(lane())
        await _settle(through, files, left)
    return left


async def _one(
    through: Proxy, number: bytes, reached: asyncio.Event, gone: asyncio.Future[float], dice: Random, left: Left
) -> None:
    phase = dice.choice(PHASES)
    connection = await Connection.to(through.port)
    await connection.send(b"GET /%b/%b HTTP/1.1\r\nHost: app.example\r\n\r\n" % (phase, number))
    async with asyncio.timeout(5):
        await reached.wait()
        if phase != b"before-head":
            await connection.head()
        if phase in (b"mid-stream", b"silence"):
            await connection.reader.read(1)
    await asyncio.sleep(dice.random() * 0.02)
    start = asyncio.get_running_loop().time()
    (connection.reset if dice.random() < 0.5 else connection.close)()
    try:
        async with asyncio.timeout(5 * LIMIT):
            left.seconds.append(await gone - start)
    except TimeoutError:
        left.never += 1


async def _settle(through: Proxy, files: int, left: Left) -> None:
    until = asyncio.get_running_loop().time() + _SETTLED
    while True:
        left.open_exchanges = await through.metric("understudy_in_flight_exchanges", target="live")
        left.files = max(0, through.files() - files)
        if (not left.open_exchanges and not left.files) or asyncio.get_running_loop().time() > until:
            return
        await asyncio.sleep(0.05)


async def _before_head(turn: Turn, reached: asyncio.Event) -> None:
    reached.set()


async def _before_first_byte(turn: Turn, reached: asyncio.Event) -> None:
    await turn.send(STREAM_HEAD)
    reached.set()


async def _mid_stream(turn: Turn, reached: asyncio.Event) -> None:
    await turn.send(STREAM_HEAD)
    reached.set()
    while not turn.writer.transport.is_closing():
        await turn.chunk(b"data: x\n\n")
        await asyncio.sleep(0.002)


async def _silence(turn: Turn, reached: asyncio.Event) -> None:
    await turn.send(STREAM_HEAD)
    await turn.chunk(b"data: x\n\n")
    reached.set()


_SCRIPTS: dict[bytes, Callable[[Turn, asyncio.Event], Awaitable[None]]] = dict(
    zip(PHASES, (_before_head, _before_first_byte, _mid_stream, _silence), strict=True)
)
