"""From a request to its answer. Stands between aiohttp's low-level server and guard, live, and mirror.

Live is asked first, and its bytes go from its socket to the client's before anything else sees them (see relay).
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import cast

from aiohttp.web import BaseRequest, StreamResponse

from config.pair import Failure
from config.routing import matching
from proxy.core.guard import refuse
from proxy.core.headers import split_target
from proxy.handler.intake import IntakeError
from proxy.handler.passage import HandlerRules, Passage
from proxy.handler.relay import Relay
from proxy.handler.visit import arrive
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry, log
from proxy.upstream.door import LOOP


class Handler:
    """Called by the server for each request; `draining`, `idle` and `stop` are for the shutdown."""

    def __init__(self, rules: HandlerRules, telemetry: Telemetry, tasks: Tasks) -> None:
        self.rules = rules
        self.draining = False  # answers close their connections
        self._stopping = False
        self.open_requests = 0
        self._idle = asyncio.Event()
        self._telemetry = telemetry
        self._tasks = tasks

    async def __call__(self, request: BaseRequest) -> StreamResponse:
        """Answer one request. Only CancelledError leaves: anything else ends as an answer or a cut connection."""
        # After chunks aiohttp's parser would put the last trailer before the fields of the next request.
        relay = Relay(request, last=self.draining or "Transfer-Encoding" in request.headers)
        self.open_requests += 1
        try:
            await self._serve(request, relay)
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
            self._telemetry.answered(relay.code)
        return cast(StreamResponse, relay)

    async def idle(self, limit: float) -> None:
        """Wait until no request is open, at most `limit` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                while self.open_requests:
                    self._idle.clear()
                    await self._idle.wait()

    def stop(self) -> None:
        """What is cancelled from now on was cancelled by us, not by the client."""
        self._stopping = True

    async def _serve(self, request: BaseRequest, relay: Relay) -> None:
        rules = self.rules  # one set for the whole request, whatever is reloaded meanwhile
        raw = request.raw_path
        refusal = refuse(request.method, raw, request.version, request.raw_headers, rules.bounds)
        if refusal is not None:
            self._refuse(relay, refusal.status, refusal.reason, "this is not a valid HTTP request")
            return
        path, query = split_target(raw)
        prefix = "" if rules.routes.keys() == _ONE else matching(rules.routes, path)
        if prefix is None:
            self._refuse(relay, 404, "no_mount", "no mount fits this path, and there is no live for the rest")
            return
        route, below = rules.routes[prefix], path[len(prefix) :] or "/"
        visit = arrive(request, path, below, query, rules.cap, bare=raw.endswith("?") and not query)
        passage = Passage(request, relay, visit, rules, route, self._telemetry, self._tasks)
        try:
            await passage.run((route.base + below + _query(raw)).encode("utf-8", "surrogateescape"))
            self._excuse(relay)
        except IntakeError as error:
            if relay.begun:
                relay.abort("aborted")
            else:
                self._refuse(relay, error.status, "body", "the request body did not arrive whole")
        finally:
            passage.ended(Failure.CANCELLED if self._stopping else Failure.CLIENT_LEFT)

    def _excuse(self, relay: Relay) -> None:
        """Where live gave no answer at all, say so."""
        if relay.error is not None:
            status = 504 if relay.error.failure is Failure.TIMEOUT else 508 if relay.error.detail == LOOP else 502
            relay.refuse(status, "understudy_upstream_error", relay.error.failure.value, relay.error.detail)

    def _refuse(self, relay: Relay, status: int, reason: str, sentence: str) -> None:
        self._telemetry.refused.labels(reason).inc()
        relay.refuse(status, "understudy_refused", reason, sentence)


_ONE = {""}


def _query(raw: str) -> str:
    """The query with its question mark, which is a byte of the client's even where nothing follows it."""
    at = raw.find("?")
    return raw[at:] if at >= 0 else ""
