"""Sides of a WebSocket that leave, and that rest: raw bytes after a 101, their ends, their memory. Used by websockets.

What the frames mean is nothing to the proxy, so none are made here.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random

from tests.proofs.transparency.memory import MEGA, Carried
from tests.proofs.transparency.rig import Proxy, proxy, row
from tests.proofs.transparency.wire import LIMIT, Connection

TOLD = 1.0
"""Seconds after one side's end within which the other must see its own."""

HOW = ("fin", "half", "reset")
BUSY = ("nobody", "client", "upstream", "both")  # who is sending
LARGE = 16  # megabytes of a message

_ASK = (
    b"GET /%d HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_AGREE = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
_PART = bytes(range(256)) * 256
_SMALL = 32 << 10  # bytes of a resting side's own socket buffers
_STILL = 1.0  # seconds without a byte taken: it stands still
_SETTLED = 5.0


@dataclass
class Left:
    """How long after one side's end the other saw its own, and what stayed behind in the proxy."""

    sessions: int = 0
    seconds: list[float] = field(default_factory=list)
    never: int = 0
    files: int = 0  # more than at the start
    open_exchanges: float = 0

    @property
    def late(self) -> int:
        """Sessions whose other side was told too late, or never."""
        return self.never + sum(one > TOLD for one in self.seconds)

    def line(self, name: str) -> str:
        """The row of the table."""
        slowest = f"slowest {max(self.seconds, default=0) * 1000:.0f} ms"
        note = f"{slowest}; left behind: exchanges {self.open_exchanges:.0f}, file descriptors {self.files}"
        return row(name, self.sessions, self.late, note)


class Upstream:
    """Agrees to every upgrade and gives the raw connection away; use as `async with`."""

    def __init__(self) -> None:
        self._agreed: dict[int, asyncio.Future[Connection]] = {}
        self._over = asyncio.Event()

    async def __aenter__(self) -> Upstream:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LIMIT)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    def session(self, number: int) -> asyncio.Future[Connection]:
        """The connection on which this session was agreed."""
        return self._agreed.setdefault(number, asyncio.get_running_loop().create_future())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            message = await connection.head()
            if message is not None:
                await connection.send(_AGREE)
                self.session(int(message.start.split(b" ")[1][1:])).set_result(connection)


@asynccontextmanager
async def _opened(up: Upstream, through: Proxy, number: int) -> AsyncIterator[tuple[Connection, Connection]]:
    """Both ends of a session."""
    client = await Connection.to(through.port)
    try:
        await client.send(_ASK % number)
        async with asyncio.timeout(5):
            head = await client.head()
            assert head is not None
            assert head.status == 101
            upstream = await up.session(number)
        try:
            yield client, upstream
        finally:
            upstream.reset()
    finally:
        client.reset()


async def leave(sessions: int, seed: int = 1, lanes: int = 8, workers: int | None = None) -> Left:
    """`sessions` that one side leaves at a random point, in a random way, while nobody, one or both are sending."""
    left, dice, waiting = Left(), Random(seed), iter(range(sessions))
    more = {} if workers is None else {"workers": workers}
    async with Upstream() as up, proxy(up.url, **more) as through:
        files = await _settle(through, left, 0)

        async def lane() -> None:
            for number in waiting:
                left.sessions += 1
                async with _opened(up, through, number) as ends:
                    await _leave(ends, dice, left)

        async with asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(lane())
        await _settle(through, left, files)
    return left


async def _leave(ends: tuple[Connection, Connection], dice: Random, left: Left) -> None:
    busy, how = dice.choice(BUSY), dice.choice(HOW)
    going, staying = ends if dice.random() < 0.5 else ends[::-1]
    senders = [one for one, name in zip(ends, BUSY[1:], strict=False) if busy in (name, "both")]
    loop = asyncio.get_running_loop()
    sending = [loop.create_task(_pour(one)) for one in senders]
    seen = loop.create_task(_end(staying))
    aside = loop.create_task(_end(going)) if busy != "nobody" and dice.random() < 0.5 else None  # else it reads nothing
    try:
        await asyncio.sleep(dice.random() * 0.03)
        start = loop.time()
        if how == "half":
            if going in senders:  # a half-closed side sends no more
                sending[senders.index(going)].cancel()
            going.writer.write_eof()
        else:
            (going.reset if how == "reset" else going.close)()
        async with asyncio.timeout(5 * TOLD):
            await seen
        left.seconds.append(loop.time() - start)
    except TimeoutError:
        left.never += 1
    finally:
        for task in (*sending, seen, aside):
            if task is not None:
                task.cancel()


async def _pour(connection: Connection) -> None:
    with suppress(OSError, RuntimeError):
        while True:
            await connection.send(_PART[:1000])
            await asyncio.sleep(0)


async def _end(connection: Connection) -> None:
    with suppress(OSError):
        while await connection.reader.read(1 << 16):
            pass


async def _settle(through: Proxy, left: Left, files: int) -> int:
    """Wait until the proxy is as at the start; returns its open files."""
    until = asyncio.get_running_loop().time() + _SETTLED
    while True:
        left.open_exchanges = await through.metric("understudy_in_flight_exchanges", target="live")
        now = through.files()
        left.files = max(0, now - files) if files else 0
        if not (left.open_exchanges or left.files) or asyncio.get_running_loop().time() > until:
            return now
        await asyncio.sleep(0.05)


async def rest(sessions: int, messages: int, up: bool = False, workers: int | None = None) -> Carried:
    """One side sends `messages` of 16 MiB to one that does not read until the sender stands still; then it reads all.

    With `up` the client sends. Right is that the sender stood still before its end, and every byte arrived.
    """
    more = {} if workers is None else {"workers": workers}
    total = messages * LARGE * MEGA
    async with Upstream() as upstream, proxy(upstream.url, **more) as through:
        before = through.memory()
        through.forget_peak()
        sent, hung = [0] * sessions, asyncio.Event()

        async def one(number: int) -> bool:
            async with _opened(upstream, through, number) as (client, server):
                sender, reader = (client, server) if up else (server, client)
                reader.writer.transport.pause_reading()  # type: ignore[attr-defined]
                reader.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
                sending = asyncio.get_running_loop().create_task(_send(sender, total, number, sent))
                await hung.wait()
                reader.writer.transport.resume_reading()  # type: ignore[attr-defined]
                digest, left = hashlib.sha256(), total
                while left and (part := await reader.reader.read(min(left, 1 << 20))):
                    digest.update(part)
                    left -= len(part)
                return digest.hexdigest() == await sending

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(number)) for number in range(sessions)]
            most = await _standstill(sent)
            grown = through.memory(peak=True) - before
            hung.set()
        after = through.memory(peak=True) - before
        right = all(task.result() for task in tasks) and 0 < most < total
        note = f" ({grown / sessions:.2f} a session; at the end {after:.1f}); sender stopped after {most / MEGA:.1f} MB"
        return Carried(sessions, right, grown, note)


async def _send(sender: Connection, total: int, number: int, sent: list[int]) -> str:
    digest = hashlib.sha256()
    for at in range(0, total, len(_PART)):
        part = b"%010d" % at + _PART[10:]
        digest.update(part)
        await sender.send(part)
        sent[number] += len(part)
    return digest.hexdigest()


async def _standstill(sent: list[int]) -> int:
    """Wait until no sender could send for a while; returns the most that one has sent."""
    before: list[int] = []
    while before != sent or not all(sent):
        before = list(sent)
        await asyncio.sleep(_STILL)
    return max(sent)
