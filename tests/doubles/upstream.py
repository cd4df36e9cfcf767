"""A scripted upstream on raw sockets: exact bytes, exact order, every way to break. Stands in for a provider."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

Script = Callable[["Turn"], Awaitable[None]]


@dataclass
class Turn:
    """One received request, and the means to answer it. The connection is kept unless `close` is called."""

    head: bytes
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    closed: bool = False

    @property
    def request_line(self) -> bytes:
        """The first line as received."""
        return self.head.split(b"\r\n", 1)[0]

    @property
    def target(self) -> bytes:
        """Path and query as received."""
        return self.request_line.split(b" ")[1]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Header fields as received, in order."""
        lines = self.head.split(b"\r\n")[1:]
        return [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines if line)]

    def header(self, name: bytes) -> bytes:
        """The values of a field, joined by "|"; empty when it is missing."""
        return b"|".join(value for key, value in self.headers if key.lower() == name.lower())

    async def send(self, data: bytes) -> None:
        """Write and flush; a peer that has left is ignored."""
        with suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def chunk(self, data: bytes) -> None:
        """Write one chunk of a chunked body."""
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def close(self) -> None:
        """End the connection with FIN."""
        self.closed = True
        self.writer.close()

    def reset(self) -> None:
        """End the connection with RST."""
        self.closed = True
        peer = self.writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the peer has closed the connection."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass
        self.closed = True
        self.writer.close()


@dataclass
class ScriptedUpstream:
    """A server that plays `script` for each request; use as `async with`. Records what it received."""

    script: Script
    turns: list[Turn] = field(default_factory=list)
    connections: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> ScriptedUpstream:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in set(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    @property
    def url(self) -> str:
        """The base URL to configure."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while turn := await _receive(reader, writer):
                    self.turns.append(turn)
                    self.arrived.set()
                    await self.script(turn)
                    if turn.closed:
                        break
        except asyncio.CancelledError:
            pass
        finally:
            self._open.discard(task)
            writer.close()


async def _receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Turn | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    turn = Turn(head[:-4], b"", reader, writer)
    if turn.header(b"transfer-encoding") == b"chunked":
        turn.body = await _receive_chunks(reader)
    elif length := turn.header(b"content-length"):
        turn.body = await reader.readexactly(int(length))
    return turn


async def _receive_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return body


def answer(
    body: bytes = b"{}", status: str = "200 OK", headers: bytes = b"Content-Type: application/json\r\n"
) -> Script:
    """A script: one complete answer with a Content-Length."""

    async def script(turn: Turn) -> None:
        await turn.send(b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status.encode(), headers, len(body), body))

    return script


def raw(data: bytes, then: str = "close") -> Script:
    """A script: exactly these bytes, then `close`, `reset`, `hang`, or `keep` for the next request."""

    async def script(turn: Turn) -> None:
        await turn.send(data)
        if then == "close":
            turn.close()
        elif then == "reset":
            turn.reset()
        elif then == "hang":
            await turn.gone()

    return script


async def hang(turn: Turn) -> None:
    """A script: never answers; ends when the peer leaves."""
    await turn.gone()


async def endless(turn: Turn) -> None:
    """A script: a chunked body that never ends, as fast as the peer takes it."""
    await turn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not turn.writer.transport.is_closing():
        await turn.chunk(b"x" * 16384)
        await asyncio.sleep(0)  # lets others run: a socket buffer with room never suspends the writer
    turn.closed = True


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
