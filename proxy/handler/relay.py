"""The answer to one client, written byte by byte: live's, spliced as it arrives, or one of our own. Used by serving.

As a Sink it is called by the live exchange itself, so that no wake-up lies between a chunk and the client's socket.
Written to where a StreamResponse is expected (aiohttp asks for three things only), and adds and changes nothing.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol, cast

from aiohttp.web import BaseRequest

from config.pair import Failure, Fields
from proxy.core.headers import HeaderPairs, to_client, trailers_to_client
from proxy.handler.visit import Visit
from proxy.upstream.door import Exchange, ExchangeError, Head

Recorder = Callable[[HeaderPairs], Fields]

_CLASSES = ("0xx", "1xx", "2xx", "3xx", "4xx", "5xx", "6xx", "7xx", "8xx", "9xx")


class _Reader(Protocol):
    """What a connection tells: False when the client reads slower than live sends, True when there is room again."""

    reader: Callable[[bool], None] | None


class Relay:
    """The answer to one request. `over` is done when nothing more will be written for live."""

    __slots__ = (
        "_bodiless",
        "_chunked",
        "_connection",
        "_delimited",
        "_exchange",
        "_last",
        "_raw",
        "_record",
        "_request",
        "_transport",
        "_visit",
        "_waiting",
        "begun",
        "code",
        "error",
        "over",
        "switched",
    )

    def __init__(self, request: BaseRequest, last: bool) -> None:
        self._request = request
        self._connection = cast(_Reader, request.protocol)
        self._transport = request.transport
        self._last = last or not request.keep_alive  # close the connection after this answer
        self._chunked = False
        self._delimited = True  # the end of the body is marked by something other than the connection's end
        self._bodiless = False
        self._raw = False  # after a 101
        self._waiting = b""  # the head, or the head and the body, until they are written
        self._exchange: Exchange | None = None
        self.begun = False
        self.switched: Callable[[], None] | None = None
        """Called when live agreed to an upgrade; None where none was asked for."""
        self.error: ExchangeError | None = None
        """Why there was no head; what breaks off later ends as a cut connection."""
        self.code = "left"
        """How the answer ended, for the metrics: a status class, `aborted` or `left`."""

    @property
    def keep_alive(self) -> bool:
        """Whether aiohttp may read the next request from this connection."""
        return not self._last

    async def prepare(self, request: BaseRequest) -> None:
        """Nothing: the head was written by begin."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Wait for a client that takes less than it asks for: the next answer would be kept in memory whole."""
        if not self._last:
            await self._request.writer.drain()

    def expect(self, visit: Visit, record: Recorder) -> None:
        """From here on this is the Sink of a live exchange."""
        self._visit = visit
        self._record = record
        self.over: asyncio.Future[None] = visit.loop.create_future()

    def follow(self, exchange: Exchange) -> None:
        """The exchange that will tell us; it pauses while the client does not read."""
        self._exchange = exchange
        self._connection.reader = self._has_room

    def leave(self) -> None:
        """Nobody waits for the exchange any more; a finished one's connection is kept, an unfinished one's closed."""
        self._connection.reader = None
        if self._exchange is not None:
            self._exchange.cancel()

    # The Sink: called by the exchange, must not raise.

    def interim(self, head: Head) -> None:
        """An informational answer, which HTTP/1.0 does not know (RFC 9110 §15.2)."""
        if self._request.version >= (1, 1):
            self._put(_head(head, to_client(head.headers)) + b"\r\n\r\n")

    def head(self, head: Head) -> None:
        """Live's final head, to the client at once."""
        if head.status == 101:
            self._switch(head)
        else:
            self.begin(head, to_client(head.headers))
        visit = self._visit
        visit.capture.head(head.status, self._record(head.headers), visit.now())

    def body(self, data: bytes) -> None:
        """Body bytes: the client first, then the copy."""
        if not self._bodiless:
            if self._chunked:
                piece = b"%x\r\n%b\r\n" % (len(data), data)
                self._waiting = self._waiting + piece if self._waiting else piece  # its end may be here already
            else:
                self._put(data)
        visit = self._visit
        visit.capture.chunk(data, visit.now())

    def flush(self) -> None:
        """What one arrival brought goes out in one write: a call's head, body and end mostly fit into one packet."""
        if self._waiting:
            waiting, self._waiting = self._waiting, b""
            self._put(waiting)

    def end(self, trailers: HeaderPairs) -> None:
        """Live's answer is complete."""
        if self._chunked:
            kept = trailers_to_client(trailers) if trailers else ()
            self._put(b"0\r\n" + b"".join(b"%b: %b\r\n" % pair for pair in kept) + b"\r\n")
        try:
            self._visit.end(Failure.NONE, "")
            if self._raw and self._transport is not None:
                self._transport.close()  # an upgraded connection ends when live's side does
        finally:
            self._done()

    def failed(self, error: ExchangeError) -> None:
        """Live gave no answer, or broke off: a cut connection, for what is cut must look cut."""
        self._visit.end(error.failure, error.detail)
        if self.begun:
            self.abort("aborted")
        else:
            self.error = error
        self._done()

    # What serving writes itself.

    def begin(self, head: Head, headers: HeaderPairs) -> None:
        """Write the head; `headers` are end-to-end fields only, framing is chosen here (RFC 9112 §6.3)."""
        modern = self._request.version >= (1, 1)
        self._bodiless = self._request.method == "HEAD" or head.status in (204, 304)
        lines = _head(head, headers)
        if not self._bodiless and b"\r\ncontent-length:" not in lines.lower():
            self._chunked = modern
            self._delimited = modern
            self._last = self._last or not modern
            if modern:
                lines += b"\r\nTransfer-Encoding: chunked"
        if self._last:
            lines += b"\r\nConnection: close"
        elif not modern:
            lines += b"\r\nConnection: keep-alive"
        self.begun = True
        self.code = _CLASSES[head.status // 100]
        self._waiting = lines + b"\r\n\r\n"  # until a body follows, or flush

    def abort(self, code: str) -> None:
        """Cut the connection so that the answer looks as broken as it is.

        Where only the connection's end marks the body's end, a plain close would look complete: reset it.
        """
        self._last = True
        self.code = code
        transport = self._transport
        if transport is None:
            return
        self.flush()
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

    def _switch(self, head: Head) -> None:
        fields = [*to_client(head.headers), (b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
        self._put(_head(head, fields) + b"\r\n\r\n")
        self._last = self.begun = self._raw = True
        self.code = _CLASSES[1]
        if self.switched is not None:
            self.switched()

    def _has_room(self, room: bool) -> None:
        if self._exchange is not None:
            if room:
                self._exchange.resume()
            else:
                self._exchange.pause()

    def _put(self, data: bytes) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.write(self._waiting + data if self._waiting else data)
            self._waiting = b""

    def _done(self) -> None:
        if not self.over.done():
            self.over.set_result(None)


def _head(head: Head, headers: HeaderPairs) -> bytes:
    first = b"HTTP/1.1 %d %b" % (head.status, head.reason)
    return b"\r\n".join([first, *[b": ".join(field) for field in headers]])
