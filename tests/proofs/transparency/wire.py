"""HTTP/1.1 messages as exact bytes: written in chosen pieces, read by their framing, nothing repaired. Used by all.

The one reader stands on both sides, in the client and in the origin, so that it cannot favour either.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

Fields = Sequence[tuple[bytes, bytes]]

LIMIT = 1 << 20  # bytes of a head; far above what the proxy accepts
PATIENCE = 5.0  # seconds for any single step


@dataclass
class Message:
    """One message as received. `framing` says what ended the body; `complete` is False when it was something else."""

    start: bytes
    fields: list[tuple[bytes, bytes]]
    body: bytes = b""
    framing: str = "none"
    complete: bool = True
    trailers: list[tuple[bytes, bytes]] = field(default_factory=list)
    interim: list[Message] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The status code of an answer."""
        return int(self.start.split(b" ", 2)[1])

    def values(self, name: bytes) -> list[bytes]:
        """The values of a field, in order."""
        return [value for key, value in self.fields if key.lower() == name]


class Connection:
    """A connection's two streams."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, port: int, trusted: ssl.SSLContext | None = None) -> Connection:
        """Connect to a port of this machine; by TLS with whom `trusted` trusts."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=LIMIT, ssl=trusted))

    async def send(self, *pieces: bytes) -> None:
        """Write each piece by itself, in a turn of the loop of its own."""
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(0)
            if self.writer.transport.is_closing():  # uvloop would raise RuntimeError
                raise ConnectionResetError
            self.writer.write(piece)
            await self.writer.drain()

    async def head(self) -> Message | None:
        """The next message's head; None at a clean end of the connection."""
        try:
            raw = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise
            return None
        start, *lines = raw[:-4].split(b"\r\n")
        return Message(start, _fields(lines))

    async def body(self, message: Message, bodiless: bool, until_close: bool) -> None:
        """Read the body that belongs to a head."""
        lengths = message.values(b"content-length")
        try:
            if bodiless:
                return
            if message.values(b"transfer-encoding"):
                message.framing = "chunked"
                await self._chunks(message)
            elif lengths:
                message.framing = "length"
                message.body = await self.reader.readexactly(int(lengths[0]))
            elif until_close:
                message.framing = "close"
                while part := await self.reader.read(1 << 16):
                    message.body += part
        except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
            message.body += getattr(error, "partial", b"")
            message.complete = False

    async def _chunks(self, message: Message) -> None:
        while size := int((await self.reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            message.body += await self.reader.readexactly(size)
            if await self.reader.readexactly(2) != b"\r\n":
                raise ValueError("a chunk does not end with CRLF")
        lines = []
        while (line := await self.reader.readuntil(b"\r\n")) != b"\r\n":
            lines.append(line[:-2])
        message.trailers = _fields(lines)

    async def answer(self, method: bytes) -> Message:
        """The next final answer, whole, with the interim ones before it; raises EOFError when none comes."""
        async with asyncio.timeout(PATIENCE):
            interim = []
            while True:
                message = await self.head()
                if message is None:
                    raise EOFError("the connection ended before an answer")
                if message.status >= 200 or message.status == 101:
                    break
                interim.append(message)
            message.interim = interim
            await self.body(message, method == b"HEAD" or message.status in (101, 204, 304), until_close=True)
            return message

    async def ended(self) -> bool:
        """Wait for the connection's end; False when bytes came instead."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True

    def reset(self) -> None:
        """End with RST."""
        peer = self.writer.get_extra_info("socket")
        if peer is not None and not self.writer.transport.is_closing():  # uvloop's socket would be gone
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self) -> None:
        """End with FIN."""
        self.writer.close()


def chunked(body: bytes, cuts: Sequence[int], extension: bytes = b"", trailers: Fields = ()) -> list[bytes]:
    """A chunked body, one piece per chunk: cut at `cuts`, each size with `extension`."""
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(body)}), len(body)]
    pieces = []
    for start, end in itertools.pairwise(edges):
        if end > start:
            pieces.append(b"%x%b\r\n%b\r\n" % (end - start, extension, body[start:end]))
    pieces.append(b"0%b\r\n%b\r\n" % (extension, lines(trailers)))
    return pieces


def torn(pieces: Sequence[bytes], cuts: Sequence[int]) -> list[bytes]:
    """The same bytes cut elsewhere: inside a chunk's size, inside a line end; without `cuts` as they were."""
    if not cuts:
        return list(pieces)
    whole = b"".join(pieces)
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(whole)}), len(whole)]
    return [whole[start:end] for start, end in itertools.pairwise(edges)]


def lines(fields: Fields) -> bytes:
    """Header fields as lines."""
    return b"".join(b"%b: %b\r\n" % pair for pair in fields)


def _fields(rows: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    return [(name, value.strip(b" \t")) for name, _, value in (row.partition(b":") for row in rows)]
