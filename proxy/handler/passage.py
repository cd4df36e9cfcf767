"""One accepted request on its way: its body in, live asked, the answer out. Made by serving; shadows begin here."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp.web import BaseRequest

from config.pair import Failure, Outcome
from proxy.core.guard import Bounds
from proxy.core.headers import to_live
from proxy.core.plan import Draft
from proxy.handler.intake import SMALL, Intake
from proxy.handler.relay import Recorder, Relay
from proxy.handler.tunnel import Tunnel
from proxy.handler.visit import Visit
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry
from proxy.upstream.door import Exchange, Upstream


class Shadowing(Protocol):
    """Who takes a call over for its shadows: mirror, or the way to it in another process."""

    def begin(self, draft: Draft, live: asyncio.Future[Outcome], started: float) -> None:
        """Never waits, never raises."""


@dataclass(frozen=True, slots=True)
class LiveRoute:
    """One live and who shadows it."""

    base: str  # the base URL's path, without a slash at its end
    host: bytes
    api_key: str = field(repr=False)
    upstream: Upstream
    shadows: Shadowing


@dataclass(frozen=True, slots=True)
class HandlerRules:
    """What the handler needs to know of the operator's file; swapped whole when that changes."""

    routes: Mapping[str, LiveRoute]  # by prefix; "" takes every other path
    cap: int  # bytes kept of a body
    record: Recorder  # response headers of an Outcome
    bounds: Bounds
    stall: float  # seconds a client may pause inside its body


class Passage:
    """`run` ends when nothing more will be written for this request; it may raise IntakeError."""

    __slots__ = ("_followed", "_intake", "_relay", "_request", "_route", "_rules", "_tasks", "_telemetry", "_visit")

    def __init__(
        self,
        request: BaseRequest,
        relay: Relay,
        visit: Visit,
        rules: HandlerRules,
        route: LiveRoute,
        telemetry: Telemetry,
        tasks: Tasks,
    ) -> None:
        self._request = request
        self._relay = relay
        self._visit = visit
        self._rules = rules
        self._route = route
        self._telemetry = telemetry
        self._tasks = tasks
        self._followed = False  # each call is begun exactly once for its shadows
        self._intake = Intake(request.content, rules.cap, rules.bounds.body, rules.stall)

    async def run(self, target: bytes) -> None:
        """Ask live for `target`, its path and query, and relay what it answers."""
        request = self._request
        upgrade = "Upgrade" in request.headers and _asks_for_websocket(request)
        if upgrade:
            self._follow(None, "upgrade")
            body: bytes | None = b""
        else:
            body = await self._body()
        exchange = self._ask(target, body, upgrade)
        try:
            if body is None:
                await self._beside(self._upload(exchange))
            elif upgrade:
                tunnel = Tunnel(request, exchange)
                self._relay.switched = tunnel.open
                await self._beside(tunnel.balance())
            await self._relay.over
        finally:
            self._relay.leave()
            self._telemetry.live_open -= 1

    def ended(self, failure: Failure) -> None:
        """The request is over; `failure` is why, when live has not said so already."""
        if not self._followed:
            self._follow(None, "answered_early" if self._relay.begun else "client_left")
        self._telemetry.live_ended(self._visit.end(failure, "left before the end"))

    async def _body(self) -> bytes | None:
        """All of a small one; None for one that is relayed as it comes."""
        request = self._request
        if request.headers.get("Expect", "").lower() == "100-continue":
            self._relay.go_on()
        length = request.content_length
        if request.content.is_eof() or (length is not None and length <= SMALL):
            body = await self._intake.whole()
            self._follow(self._intake.copy)
            return body
        return None

    def _ask(self, target: bytes, body: bytes | None, upgrade: bool) -> Exchange:
        visit, route, relay = self._visit, self._route, self._relay
        headers = to_live(visit.headers, host=route.host, api_key=route.api_key)
        if upgrade:
            headers += [(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
        elif body and "Content-Length" not in self._request.headers:
            headers.append((b"Content-Length", b"%d" % len(body)))  # it came in chunks, and is here whole
        relay.expect(visit, self._rules.record)
        sent = visit.now()
        visit.capture.sent(sent)
        self._telemetry.overhead.observe(sent)
        self._telemetry.live_open += 1
        exchange = route.upstream.ask(visit.method, target, headers, body, relay, upgrade=upgrade)
        relay.follow(exchange)
        return exchange

    async def _upload(self, exchange: Exchange) -> None:
        async for part in self._intake.stream():
            if not exchange.send(part):
                return  # answered early: the rest is not wanted
            await exchange.room()
        self._follow(self._intake.copy)
        exchange.finish()

    async def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` until it or the answer is over, whichever comes first."""
        task = self._tasks.spawn(work, "live")
        try:
            await asyncio.wait({task, self._relay.over}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            task.cancel()

    def _follow(self, copy: bytes | None, why_no_body: str = "body_too_large") -> None:
        visit, self._followed = self._visit, True
        self._route.shadows.begin(visit.draft(copy, why_no_body), visit.live, visit.started)


def _asks_for_websocket(request: BaseRequest) -> bool:
    """Whether it does, and nothing else (RFC 6455 §4.1): a body beside it would be announced to live and never sent."""
    headers = request.headers
    options = [option.strip().lower() for value in headers.getall("Connection", ()) for option in value.split(",")]
    return (
        headers["Upgrade"].lower() == "websocket"
        and "upgrade" in options
        and request.method == "GET"
        and request.version >= (1, 1)
        and headers.get("Content-Length", "0") == "0"
        and "Transfer-Encoding" not in headers
    )
