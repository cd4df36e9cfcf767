"""One client request, first byte to last; the only writer to the client's socket.

Stands between aiohttp's low-level server and: core.guard (may it come in), upstream (live), mirror (everything about
shadows). Live is opened first, and each chunk goes to the client before anything else sees it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import ClientConnectionError, StreamReader
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web import BaseRequest, RequestPayloadError, StreamResponse

from config.pair import Failure, Outcome
from proxy.core.capture import Capture
from proxy.core.guard import refuse
from proxy.core.headers import HeaderPairs, join_url, record, split_target, to_client, to_live
from proxy.core.plan import Draft
from proxy.mirror import Mirror
from proxy.telemetry import Telemetry, log
from proxy.upstream import Body, Exchange, ExchangeError, Head, Upstream

_SMALL = 64 << 10
"""Bytes of a request body up to which it is awaited whole: live gets it in one write, and never a slow sender."""

_BODY_IDLE = 60.0
"""Seconds a client may pause inside its request body; then 408. A dead sender would hold an exchange with live."""


@dataclass(frozen=True, slots=True)
class LiveRules:
    """What the handler needs to know of the operator's file."""

    base_url: str
    host: bytes
    api_key: str
    cap: int  # bytes kept of a body
    recorded: tuple[str, ...]  # response headers of an Outcome


class Handler:
    """Called by the server for each request; `draining`, `idle` and `stop` are for the shutdown."""

    def __init__(self, rules: LiveRules, live: Upstream, mirror: Mirror, telemetry: Telemetry) -> None:
        self.draining = False  # answers close their connections
        self._stopping = False
        self.open_requests = 0
        self._idle = asyncio.Event()
        self._rules = rules
        self._live = live
        self._mirror = mirror
        self._telemetry = telemetry

    async def __call__(self, request: BaseRequest) -> StreamResponse:
        """Answer one request. Only CancelledError leaves: anything else ends as an answer or a cut connection."""
        relay = Relay(request, last=self.draining)
        self.open_requests += 1
        self._idle.clear()
        try:
            await self._serve(request, relay)
        except ConnectionResetError:
            relay.abort("left")
        except asyncio.CancelledError:
            relay.code = "left"
            raise
        except Exception as error:  # named edge: the client's socket
            self._telemetry.caught.labels("handler").inc()
            log(logging.ERROR, "handler failed", error=type(error).__name__)
            if relay.begun:
                relay.abort("aborted")
            else:
                relay.refuse(502, "understudy_internal_error", "internal", "the proxy failed to relay this request")
        finally:
            self.open_requests -= 1
            if not self.open_requests:
                self._idle.set()
            self._telemetry.requests.labels(relay.code).inc()
        return relay

    async def idle(self, limit: float) -> None:
        """Wait until no request is open, at most `limit` seconds."""
        if self.open_requests:
            with suppress(TimeoutError):
                async with asyncio.timeout(limit):
                    await self._idle.wait()

    def stop(self) -> None:
        """What is cancelled from now on was cancelled by us, not by the client."""
        self._stopping = True

    async def _serve(self, request: BaseRequest, relay: Relay) -> None:
        refusal = refuse(request.method, request.raw_path, request.version, request.raw_headers)
        if refusal is not None:
            self._telemetry.refused.labels(refusal.reason).inc()
            relay.refuse(refusal.status, "understudy_refused", refusal.reason, "this is not a valid HTTP request")
            return
        visit = _visit(request, self._rules.cap)
        if _asks(request, b"upgrade", b"websocket"):
            self._follow(visit, None, "upgrade")
            relay.refuse(501, "understudy_not_available", "upgrade", "WebSockets are not available yet")
            return
        intake = Intake(request.content, self._rules.cap, lambda copy: self._follow(visit, copy, "body_too_large"))
        try:
            body = await _body(request, relay, intake)
            await self._relay(request, relay, visit, body)
        except IntakeError as error:
            relay.refuse(error.status, "understudy_refused", "body", "the request body did not arrive whole")
        finally:
            if not intake.complete:
                self._follow(visit, None, "client_left")
            left = Failure.CANCELLED if self._stopping else Failure.CLIENT_LEFT
            self._telemetry.live_ended(visit.end(left, "left before the end"))

    def _follow(self, visit: Visit, copy: bytes | None, why_no_body: str) -> None:
        self._mirror.begin(visit.draft(copy, why_no_body), visit.live, visit.started)

    async def _relay(self, request: BaseRequest, relay: Relay, visit: Visit, body: Body) -> None:
        rules = self._rules
        url = join_url(rules.base_url, visit.path, visit.query)
        headers = to_live(visit.headers, host=rules.host, api_key=rules.api_key)
        sent = visit.now()
        visit.capture.sent(sent)
        self._telemetry.overhead.observe(sent)
        try:
            exchange = await self._live.open(request.method, url, headers, body)
        except ExchangeError as error:
            visit.end(error.failure, error.detail)
            status = 504 if error.failure is Failure.TIMEOUT else 502
            relay.refuse(status, "understudy_upstream_error", error.failure.value, error.detail)
            return
        try:
            await self._answer(relay, visit, exchange)
        except ExchangeError as error:
            relay.abort("aborted")
            visit.end(error.failure, error.detail)
        finally:
            exchange.close()

    async def _answer(self, relay: Relay, visit: Visit, exchange: Exchange) -> None:
        head, capture = exchange.head, visit.capture
        relay.begin(head, to_client(head.headers))
        capture.head(head.status, record(head.headers, self._rules.recorded), visit.now())
        while chunk := await exchange.read():
            await relay.chunk(chunk)  # the client first
            capture.chunk(chunk, visit.now())
        relay.end()
        visit.end(Failure.NONE, "")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request while it is here: what was asked, and the live Outcome in the making."""

    id: str
    arrived: float  # Unix seconds
    started: float  # the same instant on the loop's clock
    method: str
    path: str
    query: str
    headers: HeaderPairs
    capture: Capture
    live: asyncio.Future[Outcome]
    clock: Callable[[], float]

    def now(self) -> float:
        """Seconds since the arrival."""
        return self.clock() - self.started

    def draft(self, copy: bytes | None, why_no_body: str) -> Draft:
        """What the plan is made from; the reason counts only where there is no copy."""
        why = "" if copy is not None else why_no_body
        return Draft(self.id, self.arrived, self.method, self.path, self.query, self.headers, copy, why)

    def end(self, failure: Failure, detail: str) -> Outcome:
        """The live exchange is over; only the first end counts."""
        outcome = self.capture.end(failure, detail, self.now())
        if not self.live.done():
            self.live.set_result(outcome)
        return outcome


def _visit(request: BaseRequest, cap: int) -> Visit:
    loop = asyncio.get_running_loop()
    arrived = time.time()  # noqa: TID251 - the clock room: the one reading of the wall clock per call
    path, query = split_target(request.raw_path)
    return Visit(
        id=f"{int(arrived * 1000):012x}{secrets.token_hex(10)}",
        arrived=arrived,
        started=loop.time(),
        method=request.method,
        path=path,
        query=query,
        headers=request.raw_headers,
        capture=Capture(cap),
        live=loop.create_future(),
        clock=loop.time,
    )


def _asks(request: BaseRequest, name: bytes, value: bytes) -> bool:
    return any(key.lower() == name and text.strip().lower() == value for key, text in request.raw_headers)


async def _body(request: BaseRequest, relay: Relay, intake: Intake) -> Body:
    if _asks(request, b"expect", b"100-continue"):
        relay.go_on()
    length = request.content_length
    if request.content.is_eof() or (length is not None and length <= _SMALL):
        return await intake.whole() or None
    return intake.stream()


class IntakeError(Exception):
    """The client's body broke off or stood still; `status` is what it gets for that."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class Intake:
    """The request's body on its way to live, and a bounded copy of it; says when it is complete."""

    def __init__(self, content: StreamReader, cap: int, on_complete: Callable[[bytes | None], None]) -> None:
        self.complete = False
        self._content = content
        self._cap = cap
        self._on_complete = on_complete

    async def whole(self) -> bytes:
        """All of it at once."""
        parts = []
        while part := await self._next():
            parts.append(part)
        body = b"".join(parts)
        self._finish(body if len(body) <= self._cap else None)
        return body

    async def stream(self) -> AsyncIterator[bytes]:
        """Chunk by chunk, as fast as live takes them."""
        copy: list[bytes] | None = []
        size = 0
        while part := await self._next():
            size += len(part)
            if copy is not None and size <= self._cap:
                copy.append(part)
            else:
                copy = None
            yield part
        self._finish(None if copy is None else b"".join(copy))

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(_BODY_IDLE):
                return await self._content.readany()
        except TimeoutError:
            raise IntakeError(408) from None
        except (RequestPayloadError, ClientConnectionError, OSError):
            raise IntakeError(400) from None

    def _finish(self, copy: bytes | None) -> None:
        self.complete = True
        self._on_complete(copy)


class Relay(StreamResponse):
    """The answer to one request, written byte by byte as it should be: aiohttp adds and changes nothing."""

    def __init__(self, request: BaseRequest, last: bool) -> None:
        super().__init__()
        self._request = request
        self._last = last or not request.keep_alive  # close the connection after this answer
        self._chunked = False
        self._delimited = True  # the end of the body is marked by something other than the connection's end
        self._bodiless = False
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
        self._put(b"\r\n".join(lines) + b"\r\n\r\n")
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
        if self._chunked:
            self._put(b"0\r\n\r\n")

    def abort(self, code: str) -> None:
        """Cut the connection so that the answer looks as broken as it is.

        Where only the connection's end marks the body's end, a plain close would look complete: reset it.
        """
        self._last = True
        self.code = code
        transport = self._request.transport
        if transport is None:
            return
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
        body = json.dumps({"error": {"message": message, "type": kind, "code": code}}).encode()
        headers = [
            (b"Content-Type", b"application/json"),
            (b"Content-Length", b"%d" % len(body)),
            (b"x-understudy-error", code.encode()),
        ]
        self.begin(Head(status, HTTPStatus(status).phrase.encode(), ()), headers)
        if not self._bodiless:
            self._put(body)

    def go_on(self) -> None:
        """Answer `Expect: 100-continue`, which HTTP/1.0 does not know."""
        if self._request.version >= (1, 1):
            self._put(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _put(self, data: bytes) -> None:
        transport = self._request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        transport.write(data)
