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

_SILENT = logging.getLogger("understudy.aiohttp")
_SILENT.setLevel(logging.CRITICAL)  # it would write a traceback for every malformed request that a scanner sends


class Entrance(Server):
    """The protocol factory of one listening address."""

    def __init__(self, handler: Any, telemetry: Telemetry) -> None:
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

    def __call__(self) -> RequestHandler:
        """A connection."""
        return _Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)


class _Connection(RequestHandler):
    __slots__ = ("_telemetry",)

    def __init__(self, manager: Entrance, **limits: Any) -> None:
        super().__init__(manager, **limits)
        self._telemetry = manager.telemetry

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> StreamResponse:
        """Our answer where aiohttp would send a page with its version and a piece of the request."""
        relay = Relay(request, last=True)
        if status < 500:
            self._telemetry.refused.labels("malformed").inc()
            relay.refuse(status, "understudy_refused", "malformed", "this is not a valid HTTP request")
        else:
            self._telemetry.caught.labels("entrance").inc()
            relay.refuse(status, "understudy_internal_error", "internal", "the proxy failed to answer this request")
        self._telemetry.requests.labels(relay.code).inc()
        return relay
