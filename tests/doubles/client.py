"""A raw HTTP/1.1 client: sends exact bytes, reads answers by their framing, keeps what it saw. Stands in for an SDK."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Answer:
    """One answer as received; `complete` is False when the connection ended before the framing said so."""

    status_line: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    complete: bool = True

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.status_line.split(b" ")[1])

    def header(self, name: bytes) -> bytes:
        """The values of a field, joined by "|"; empty when it is missing."""
        return b"|".join(value for key, value in self.headers if key.lower() == name.lower())

    def json(self) -> dict[str, object]:
        """The body as an object."""
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


@dataclass
class Client:
    """One connection to `url`."""

    url: str
    limit: float = 5.0
    reader: asyncio.StreamReader = field(init=False)
    writer: asyncio.StreamWriter = field(init=False)

    async def __aenter__(self) -> Client:
        parts = urlsplit(self.url)
        self.reader, self.writer = await asyncio.open_connection(parts.hostname, parts.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    async def send(self, data: bytes) -> None:
        """Write exactly these bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def ask(self, method: str, target: str, body: bytes = b"", headers: bytes = b"") -> Answer:
        """One request with a Content-Length where there is a body, and its answer."""
        length = b"Content-Length: %d\r\n" % len(body) if body else b""
        head = f"{method} {target} HTTP/1.1\r\nHost: app.example\r\n".encode()
        await self.send(head + headers + length + b"\r\n" + body)
        return await self.answer(method)

    async def head(self) -> Answer:
        """The next answer's head; 100 Continue is an answer like any other."""
        async with asyncio.timeout(self.limit):
            lines = (await self.reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        pairs = (line.partition(b":") for line in lines[1:])
        return Answer(lines[0], [(name, value.strip()) for name, _, value in pairs])

    async def answer(self, method: str = "GET") -> Answer:
        """The next answer, whole."""
        answer = await self.head()
        if method == "HEAD" or answer.status in (204, 304) or answer.status < 200:
            return answer
        try:
            async with asyncio.timeout(self.limit):
                if answer.header(b"transfer-encoding") == b"chunked":
                    while chunk := await self.chunk():
                        answer.body += chunk
                elif length := answer.header(b"content-length"):
                    answer.body = await self.reader.readexactly(int(length))
                else:
                    answer.body = await self.reader.read()
        except asyncio.IncompleteReadError as error:
            answer.body += error.partial
            answer.complete = False
        except ConnectionError:
            answer.complete = False
        return answer

    async def chunk(self) -> bytes:
        """The next chunk of a chunked body, b"" for the last."""
        async with asyncio.timeout(self.limit):
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            data = await self.reader.readexactly(size)
            await self.reader.readexactly(2)
            return data

    async def ended(self) -> bool:
        """Wait for the connection's end; False when bytes came instead."""
        async with asyncio.timeout(self.limit):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True
