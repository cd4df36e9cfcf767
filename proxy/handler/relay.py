"""The answer to one client, written byte by byte. Used by serving; knows framing, the socket, and our own errors."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from contextlib import suppress
from http import HTTPStatus

from aiohttp.abc import AbstractStreamWriter
from aiohttp.web import BaseRequest, StreamResponse

from proxy.core.headers import HeaderPairs
from proxy.upstream import Head


class Relay(StreamResponse):
    """The answer to one request, written byte by byte as it should be: aiohttp adds and changes nothing."""

    def __init__(self, request: BaseRequest, last: bool) -> None:
        super().__init__()
        self._request = request
        self._last = last or not request.keep_alive  # close the connection after this answer
        self._chunked = False
        self._delimited = True  # the end of the body is marked by something other than the connection's end
        self._bodiless = False
        self._waiting = b""  # the head, until it is written
        self.begun = False
        self.code = "left"
        """How the answer ended, for the metrics: a status class, `aborted` or `left`."""

    @property
    def keep_alive(self) -> bool:
        """Whether aiohttp may read the next request from this connection."""
        return not self._last

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Nothing: the head was written by begin."""
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing: the end was written by end."""

    def begin(self, head: Head, headers: HeaderPairs) -> None:
        """Write the head; `headers` are end-to-end fields only, framing is chosen here (RFC 9112 §6.3)."""
        modern = self._request.version >= (1, 1)
        self._bodiless = self._request.method == "HEAD" or head.status in (204, 304)
        sized = any(name.lower() == b"content-length" for name, _ in headers)
        lines = [b"HTTP/1.1 %d %b" % (head.status, head.reason)]
        lines += [name + b": " + value for name, value in headers]
        if not sized and not self._bodiless:
            self._chunked = modern
            self._delimited = modern
            self._last = self._last or not modern
            if modern:
                lines.append(b"Transfer-Encoding: chunked")
        if self._last:
            lines.append(b"Connection: close")
        elif not modern:
            lines.append(b"Connection: keep-alive")
        self._check()
        self._waiting = b"\r\n".join(lines) + b"\r\n\r\n"
        asyncio.get_running_loop().call_soon(self._flush)  # alone, unless a body follows in this turn of the loop
        self.begun = True
        self.code = f"{head.status // 100}xx"

    async def chunk(self, data: bytes) -> None:
        """Write body bytes and wait until the client's buffer has room again."""
        if self._bodiless:
            return
        self._put(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        await self._request.writer.drain()

    def end(self) -> None:
        """Mark the body as complete."""
        self._put(b"0\r\n\r\n" if self._chunked else b"")

    def abort(self, code: str) -> None:
        """Cut the connection so that the answer looks as broken as it is.

        Where only the connection's end marks the body's end, a plain close would look complete: reset it.
        """
        self._last = True
        self.code = code
        transport = self._request.transport
        if transport is None:
            return
        self._flush()
        if self._delimited:
            transport.close()
            return
        peer = transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    def refuse(self, status: int, kind: str, code: str, message: str) -> None:
        """Write a complete answer of our own, marked as such, and close the connection after it."""
        self._last = True
        said = f"Understudy, the proxy before the model, says: {message}"
        body = json.dumps({"error": {"message": said, "type": kind, "code": code}}).encode()
        headers = [
            (b"Content-Type", b"application/json"),
            (b"Content-Length", b"%d" % len(body)),
            (b"x-understudy-error", code.encode()),
        ]
        self.begin(Head(status, HTTPStatus(status).phrase.encode(), ()), headers)
        self._put(b"" if self._bodiless else body)

    def go_on(self) -> None:
        """Answer `Expect: 100-continue`, which HTTP/1.0 does not know."""
        if self._request.version >= (1, 1):
            self._put(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _put(self, data: bytes) -> None:
        transport = self._check()
        if self._waiting or data:
            transport.write(self._waiting + data)  # one system call, one packet: a call's head and body mostly fit
            self._waiting = b""

    def _flush(self) -> None:
        if self._waiting:
            with suppress(ConnectionResetError):  # whoever writes next is told
                self._put(b"")

    def _check(self) -> asyncio.Transport:
        transport = self._request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        return transport
