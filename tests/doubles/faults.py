"""A TCP relay before a real server that does what networks do (swallows bytes, cuts replies); a server that refuses.

Stand between publisher and Valkey in the proofs; `Relay.reply_lost` counts what was cut.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path


def free_port() -> int:
    """A port of the loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Relay:
    """Listens on a port of the loopback and passes to a unix socket; `black_hole` and `cut_every` break it."""

    def __init__(self, behind: Path) -> None:
        self.behind = behind
        self.port = free_port()
        self.black_hole = False  # accepts, and passes nothing on, either way
        self.cut_every = 0  # replies: every so many are swallowed with their connection
        self.replies = 0
        self.reply_lost = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        """Accept connections (again)."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Refuse connections, and end those that are open."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            theirs, ours = await asyncio.open_unix_connection(str(self.behind))
        except OSError:
            self._open.discard(writer)
            writer.transport.abort()
            return
        self._open.add(ours)
        up = asyncio.ensure_future(self._pass(reader, ours, replies=False))
        try:
            await self._pass(theirs, writer, replies=True)
        finally:
            up.cancel()
            for end in (writer, ours):
                self._open.discard(end)
                end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, replies: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if self.black_hole:
                    continue
                self.replies += replies
                if replies and self.cut_every and self.replies % self.cut_every == 0:
                    self.reply_lost += 1
                    cut = random.Random(self.replies).randrange(len(data))  # any part of it may have come through
                    writer.write(data[:cut])
                    await writer.drain()
                    return
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def relay(behind: Path) -> AsyncIterator[Relay]:
    """A relay that listens."""
    made = Relay(behind)
    await made.listen()
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def refuser(socket_path: Path, keyed: bytes, reply: bytes) -> AsyncIterator[None]:
    """A server that answers OK to everything but commands that hold `keyed`: those get `reply`, an error line."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while head := await reader.readline():
                words = []
                for _ in range(int(head[1:])):
                    size = int((await reader.readline())[1:])
                    words.append((await reader.readexactly(size + 2))[:-2])
                writer.write(reply if keyed in words else _answer(words))
        writer.close()

    server = await asyncio.start_unix_server(serve, str(socket_path))
    try:
        yield
    finally:
        server.close()


def _answer(words: list[bytes]) -> bytes:
    """What redis-py wants to hear before it sends a command of ours: a greeting, and a policy."""
    if words[0].upper() == b"HELLO":
        return b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n"
    if words[0].upper() == b"CONFIG":
        return b"%1\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction\r\n"
    return b"-EXECABORT Transaction discarded\r\n" if words[0].upper() == b"EXEC" else b"+OK\r\n"
