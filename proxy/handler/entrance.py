"""aiohttp's low-level server with its defaults turned off, and its own error pages replaced. Used by wiring.

What aiohttp's parser refuses never reaches serving; it is answered here in the same form as what guard refuses.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp.web import BaseRequest, RequestHandler, Server, StreamResponse

from proxy.handler.relay import Relay
from proxy.telemetry import Telemetry

_LINE = 16 << 10  # bytes of a request line and of a header field
_KEEP_IDLE = 3630.0
"""Seconds an idle client connection is kept: longer than load balancers keep theirs (GCP 600 s, Envoy 1 h), for a
connection closed from this side can meet a request that is just being sent."""

HEAD_LIMIT = 60.0
"""Seconds from the first byte of a request's head to its last, as in nginx: a client that drips would hold a connection
for as long as an idle one is kept. A connection without any byte is an idle one."""

_SILENT = logging.getLogger("understudy.aiohttp")
_SILENT.setLevel(logging.CRITICAL)  # it would write a traceback for every malformed request that a scanner sends


class Entrance(Server):
    """The protocol factory of one listening address."""

    def __init__(self, handler: Any, telemetry: Telemetry, head_limit: float = HEAD_LIMIT) -> None:
        super().__init__(
            handler,
            handler_cancellation=True,  # a client that leaves stops its live exchange
            access_log=None,  # its lines would hold queries with keys, and a header can split them
            auto_decompress=False,
            max_line_size=_LINE,
            max_field_size=_LINE,
            keepalive_timeout=_KEEP_IDLE,
            lingering_time=2.0,  # for the rest of a body that was answered early
            logger=_SILENT,
        )
        self.telemetry = telemetry
        self.head_limit = head_limit

    def __call__(self) -> RequestHandler:
        """A connection."""
        return _Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)


class _Connection(RequestHandler):
    __slots__ = ("_head_limit", "_head_timer", "_telemetry")

    def __init__(self, manager: Entrance, **limits: Any) -> None:
        super().__init__(manager, **limits)
        self._telemetry = manager.telemetry
        self._head_limit = manager.head_limit
        self._head_timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Parse; a head that begins and does not end within the limit costs its connection."""
        super().data_received(data)
        waiter = self._waiter  # pending while no request is complete and none is being answered
        if waiter is None or waiter.done():
            self._head_complete()
        elif self._head_timer is None and data.strip(b"\r\n"):
            self._head_timer = self._loop.call_later(self._head_limit, self._head_too_slow)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Nothing is waited for any more."""
        self._head_complete()
        super().connection_lost(exc)

    def _head_complete(self) -> None:
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
        relay = Relay(request, last=True)
        try:
            if status < 500:
                self._telemetry.refused.labels("malformed").inc()
                relay.refuse(status, "understudy_refused", "malformed", "this is not a valid HTTP request")
            else:
                self._telemetry.caught.labels("entrance").inc()
                relay.refuse(status, "understudy_internal_error", "internal", "the proxy failed to answer this request")
        except ConnectionResetError:  # a scanner does not wait for its answer
            relay.abort("left")
        self._telemetry.requests.labels(relay.code).inc()
        return relay
