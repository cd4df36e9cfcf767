"""From a request to its answer. Stands between aiohttp's low-level server and guard, live, and mirror.

Live is opened first, and each chunk goes to the client before anything else sees it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass

from aiohttp.web import BaseRequest, StreamResponse

from config.pair import Failure
from proxy.core.guard import refuse
from proxy.core.headers import join_url, record, to_client, to_live
from proxy.handler.intake import SMALL, Intake, IntakeError
from proxy.handler.relay import Relay
from proxy.handler.visit import Visit, arrive
from proxy.mirror import Mirror
from proxy.telemetry import LIVE, Telemetry, log
from proxy.upstream import Body, Exchange, ExchangeError, Upstream


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
        self._open_exchanges = telemetry.in_flight.labels(LIVE)

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
            with suppress(ConnectionResetError):
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
        visit = arrive(request, self._rules.cap)
        if _asks(request, "Upgrade", "websocket"):
            self._follow(visit, None, "upgrade")
            relay.refuse(501, "understudy_not_available", "upgrade", "WebSockets are not available yet")
            return
        intake = Intake(request.content, self._rules.cap, lambda copy: self._follow(visit, copy, "body_too_large"))
        try:
            body = await _body(request, relay, intake)
            with self._open_exchanges.track_inprogress():
                await self._relay(request, relay, visit, intake, body)
        except IntakeError as error:
            relay.refuse(error.status, "understudy_refused", "body", "the request body did not arrive whole")
        finally:
            if not intake.complete:
                self._follow(visit, None, "client_left")
            left = Failure.CANCELLED if self._stopping else Failure.CLIENT_LEFT
            self._telemetry.live_ended(visit.end(left, "left before the end"))

    def _follow(self, visit: Visit, copy: bytes | None, why_no_body: str) -> None:
        self._mirror.begin(visit.draft(copy, why_no_body), visit.live, visit.started)

    async def _relay(self, request: BaseRequest, relay: Relay, visit: Visit, intake: Intake, body: Body) -> None:
        rules = self._rules
        url = join_url(rules.base_url, visit.path, visit.query)
        headers = to_live(visit.headers, host=rules.host, api_key=rules.api_key)
        sent = visit.now()
        visit.capture.sent(sent)
        self._telemetry.overhead.observe(sent)
        try:
            exchange = await self._live.open(request.method, url, headers, body)
        except ExchangeError as error:
            if intake.broken:  # the client's fault: live only saw its request end
                raise intake.broken from None
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


def _asks(request: BaseRequest, name: str, value: str) -> bool:
    return request.headers.get(name, "").lower() == value


async def _body(request: BaseRequest, relay: Relay, intake: Intake) -> Body:
    if _asks(request, "Expect", "100-continue"):
        relay.go_on()
    length = request.content_length
    if request.content.is_eof() or (length is not None and length <= SMALL):
        return await intake.whole() or None
    return intake.stream()
