"""Bodies larger than memory should ever hold: uploads, downloads, and readers that hardly read."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from contextlib import suppress
from dataclasses import dataclass

from tests.doubles.upstream import ScriptedUpstream, Turn
from tests.proofs.transparency.rig import proxy, row
from tests.proofs.transparency.wire import LIMIT, Connection, Message

MEGA = 1 << 20
SLOW = 40
"""Megabytes of a stream for slow readers: more than the kernel itself takes in for a connection each way."""

FLAT = 32.0
"""Megabytes by which a proxy may grow while one body of any size passes: 1 MiB is kept for the record, the rest are
buffers of one connection each way, and what the first call of a process costs."""

SLOW_CLIENT = 2.0
"""Megabytes that a reader who hardly reads may cost above what is kept for the record."""

_PART = bytes(range(256)) * 256  # 64 KiB
_SETTLING = 20  # seconds for the origins to come to a standstill
_SMALL = 32 << 10  # bytes of the socket buffers around a slow reader


@dataclass
class Carried:
    """What one run carried and what it cost."""

    n: int
    right: bool
    grown: float  # megabytes of memory at the peak above those before
    note: str = ""

    def line(self, name: str) -> str:
        """The row of the table."""
        return row(name, self.n, 0 if self.right else 1, f"peak memory +{self.grown:.1f} MB{self.note}")


async def upload(megabytes: int, chunks: bool) -> Carried:
    """One body to the origin, as fast as it takes it; right is that every byte arrived."""
    told: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        message = await connection.head()
        assert message is not None
        told.set_result(await _digested(connection, message, megabytes))
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=LIMIT)
    async with server, proxy(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as through:
        before = through.memory()
        through.forget_peak()
        connection = await Connection.to(through.port)
        await connection.send(
            b"POST /v1/files HTTP/1.1\r\nHost: app.example\r\n%b\r\n\r\n" % _framing(megabytes, chunks)
        )
        await _pour(connection, megabytes, chunks)
        answer = await connection.answer(b"POST")
        connection.reset()
        right = answer.status == 200 and told.done() and told.result() == _wanted(megabytes)
        return Carried(megabytes, right, through.memory(peak=True) - before)


async def download(megabytes: int, chunks: bool) -> Carried:
    """One body to the client, as fast as it takes it; right is that every byte arrived."""

    async def script(turn: Turn) -> None:
        await turn.send(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n" % _framing(megabytes, chunks))
        await _pour(Connection(turn.reader, turn.writer), megabytes, chunks)

    async with ScriptedUpstream(script) as origin, proxy(origin.url) as through:
        before = through.memory()
        through.forget_peak()
        connection = await Connection.to(through.port)
        await connection.send(b"GET /v1/files HTTP/1.1\r\nHost: app.example\r\n\r\n")
        head = await connection.head()
        assert head is not None
        right = await _digested(connection, head, megabytes) == _wanted(megabytes)
        connection.reset()
        return Carried(megabytes, right, through.memory(peak=True) - before)


async def slow_readers(readers: int, megabytes: int, kept: int) -> Carried:
    """`readers` take 1 KB a second each, and the proxy keeps `kept` bytes of each answer for the record.

    Right is that the origin's sending comes to a standstill before its end.
    """
    sent: list[int] = []

    async def script(turn: Turn) -> None:
        turn.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALL)
        await turn.send(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n" % _framing(megabytes, chunks=False))
        sent.append(0)
        at = len(sent) - 1
        connection = Connection(turn.reader, turn.writer)
        with suppress(ConnectionError):
            for _ in range(megabytes * MEGA // len(_PART)):
                await connection.send(_PART)
                sent[at] += len(_PART)

    async with ScriptedUpstream(script) as origin, proxy(origin.url, capture={"max_body": kept}) as through:
        before = through.memory()
        through.forget_peak()
        async with asyncio.TaskGroup() as group:
            dripping = [group.create_task(_drip(through.port)) for _ in range(readers)]
            still = await _standstill(sent, readers)
            for task in dripping:
                task.cancel()
        grown = through.memory(peak=True) - before
    most = max(sent, default=0)
    right = still and len(sent) == readers and most < megabytes * MEGA
    note = f" ({grown / readers:.3f} a client); origin stopped after {most / MEGA:.1f} MB at most"
    return Carried(readers, right, grown, note)


async def _standstill(sent: list[int], readers: int) -> bool:
    """Whether all origins together came to send less than 20 KB a second for each reader, who takes 1 KB.

    The kernel hands on what it holds in steps of megabytes, and at first takes in some for each connection.
    """
    before = -1
    for _ in range(_SETTLING):
        await asyncio.sleep(1)
        if len(sent) == readers and sum(sent) - before <= readers * 20_000:
            return True
        before = sum(sent)
    return False


async def _drip(port: int) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        peer.setblocking(False)
        await loop.sock_connect(peer, ("127.0.0.1", port))
        await loop.sock_sendall(peer, b"GET / HTTP/1.1\r\nHost: app.example\r\n\r\n")
        while await loop.sock_recv(peer, 1000):
            await asyncio.sleep(1)


def _framing(megabytes: int, chunks: bool) -> bytes:
    return b"Transfer-Encoding: chunked" if chunks else b"Content-Length: %d" % (megabytes * MEGA)


async def _pour(connection: Connection, megabytes: int, chunks: bool) -> None:
    part = b"%x\r\n%b\r\n" % (len(_PART), _PART) if chunks else _PART
    for _ in range(megabytes * MEGA // len(_PART)):
        await connection.send(part)
    await connection.send(b"0\r\n\r\n" if chunks else b"")


async def _digested(connection: Connection, message: Message, megabytes: int) -> tuple[int, str]:
    """Size and SHA-256 of a body, of which no more than a part is ever held."""
    size, digest, reader = 0, hashlib.sha256(), connection.reader
    while size < megabytes * MEGA:
        if message.values(b"transfer-encoding"):
            length = int(await reader.readuntil(b"\r\n"), 16)
            part = (await reader.readexactly(length + 2))[:-2]
        else:
            part = await reader.read(MEGA)
        if not part:
            break
        size += len(part)
        digest.update(part)
    if message.values(b"transfer-encoding"):
        await reader.readuntil(b"0\r\n\r\n")
    return size, digest.hexdigest()


def _wanted(megabytes: int) -> tuple[int, str]:
    digest = hashlib.sha256()
    for _ in range(megabytes * MEGA // len(_PART)):
        digest.update(_PART)
    return megabytes * MEGA, digest.hexdigest()
