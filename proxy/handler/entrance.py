"""aiohttp's low-level server with its defaults turned off, and its own error pages replaced. Used by wiring.

What aiohttp's parser refuses never reaches serving; it is answered here in the same form as what guard refuses.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any, cast

from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web import BaseRequest, RequestHandler, RequestPayloadError, Server, StreamResponse
from aiohttp.web_protocol import _ErrInfo

from config.settings import Limits
from proxy.handler.relay import Relay
from proxy.telemetry import Telemetry

_KEEP_IDLE = 3630.0
"""Seconds an idle client connection is kept: longer than load balancers keep theirs (GCP 600 s, Envoy 1 h), for a
connection closed from this side can meet a request that is just being sent."""

_LINGER = 2.0
"""Seconds that the rest of a message which was answered early is read and thrown away: a socket closed with bytes
unread resets the connection, and the client may lose the answer."""

_TOO_MANY = "Too many headers received"  # how aiohttp's parser says it; with any other word it would be a plain 400
_LINE_TOO_LONG = (414, "line_too_long", "the request line is above limits.line")
_FIELDS_TOO_LONG = (431, "fields_too_long", "the header fields are above limits.headers")
_TOO_MANY_FIELDS = (431, "too_many_fields", "the header fields are more than limits.fields")
_MALFORMED = (400, "malformed", "this is not a valid HTTP request")

_SILENT = logging.getLogger("understudy.aiohttp")
_SILENT.setLevel(logging.CRITICAL)  # it would write a traceback for every malformed request that a scanner sends


class Entrance(Server):
    """The protocol factory of one listening address."""

    def __init__(self, handler: Any, telemetry: Telemetry, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        super().__init__(
            handler,
            handler_cancellation=True,  # a client that leaves stops its live exchange
            access_log=None,  # its lines would hold queries with keys, and a header can split them
            auto_decompress=False,
            max_line_size=limits.line + (limits.line == limits.headers),  # apart, for they tell which line was too long
            max_field_size=limits.headers,
            max_headers=limits.fields,
            keepalive_timeout=_KEEP_IDLE,
            lingering_time=_LINGER,
            logger=_SILENT,
        )
        self.telemetry = telemetry
        self.limits = limits

    def __call__(self) -> RequestHandler:
        """A connection."""
        return _Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)


class _Connection(RequestHandler):
    __slots__ = ("_body", "_head_size", "_head_timer", "_limits", "_telemetry", "reader")

    def __init__(self, manager: Entrance, **limits: Any) -> None:
        super().__init__(manager, **limits)
        self._telemetry = manager.telemetry
        self._limits = manager.limits
        self._body: StreamReader = EMPTY_PAYLOAD  # of the newest request
        self._head_size = 0  # bytes of a head that has begun and is not complete
        self._head_timer: asyncio.TimerHandle | None = None
        self.reader: Callable[[bool], None] | None = None
        """Told False when the client takes less than it is sent, True when there is room again; set by relay."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the kernel cut a client that takes nothing: it alone sees the bytes in its own buffers."""
        super().connection_made(transport)
        peer = transport.get_extra_info("socket")
        if peer is not None and peer.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, max(1, int(self._limits.stall * 1000)))

    def data_received(self, data: bytes) -> None:
        """Parse; a head that begins and does not end within the limits costs its connection."""
        super().data_received(data)
        if self._messages:
            message, body = self._messages[-1]
            if isinstance(message, RawRequestMessage):
                self._body = body
            elif not self._body.is_eof():  # the parser has given up inside it, and would leave its reader waiting
                self._body.set_exception(RequestPayloadError())
        waiter = self._waiter  # pending while no request is complete and none is being answered
        if waiter.done() if waiter is not None else self._request_count:
            self._head_complete()
        elif self._head_timer is not None or data.strip(b"\r\n"):
            self._head_continues(len(data))

    def connection_lost(self, exc: BaseException | None) -> None:
        """Nothing is waited for any more."""
        if isinstance(exc, TimeoutError):  # ETIMEDOUT: see connection_made
            self._telemetry.refused.labels("slow_reader").inc()
        self._head_complete()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client's buffer is full."""
        super().pause_writing()
        if self.reader is not None:
            self.reader(False)

    def resume_writing(self) -> None:
        """It has room again."""
        super().resume_writing()
        if self.reader is not None:
            self.reader(True)

    def _head_continues(self, size: int) -> None:
        self._head_size += size
        if self._head_timer is None:
            self._head_timer = self._loop.call_later(self._limits.slow_head, self._head_too_slow)
        waiter = self._waiter
        if self._head_size > self._limits.line + self._limits.headers and waiter is not None:
            self._messages.append((_ErrInfo(431, LineTooLong(b"", self._limits.headers), ""), EMPTY_PAYLOAD))
            waiter.set_result(None)
            self._head_complete()

    def _head_complete(self) -> None:
        self._head_size = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_too_slow(self) -> None:
        self._telemetry.refused.labels("slow_head").inc()
        self.force_close()

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> StreamResponse:
        """Our answer where aiohttp would send a page with its version and a piece of the request."""
        if status < 500:
            status, reason, said = self._why(exc)
            self._telemetry.refused.labels(reason).inc()
            relay: Relay = _LastWord(request, last=True)
            relay.refuse(status, "understudy_refused", reason, said)
        else:
            self._telemetry.caught.labels("entrance").inc()
            relay = Relay(request, last=True)
            relay.refuse(status, "understudy_internal_error", "internal", "the proxy failed to answer this request")
        self._telemetry.answered(relay.code)
        return cast(StreamResponse, relay)

    def _why(self, exc: BaseException | None) -> tuple[int, str, str]:
        if isinstance(exc, LineTooLong):
            return _LINE_TOO_LONG if exc.args[1] == self.max_line_size else _FIELDS_TOO_LONG
        return _TOO_MANY_FIELDS if isinstance(exc, BadHttpMessage) and exc.message == _TOO_MANY else _MALFORMED


class _LastWord(Relay):
    """An answer in the middle of what the client is still sending."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Read on for a while; the client's end cancels this."""
        connection, transport = self._request.protocol, self._request.transport
        connection.close()  # what comes now is not parsed
        if transport is not None and transport.can_write_eof():
            transport.write_eof()
        await asyncio.sleep(_LINGER)
