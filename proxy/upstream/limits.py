"""The limits of all open exchanges of an upstream, by one ticker: a timer per request costs more than the check.

An exchange only notes that it was heard; the ticker, which runs while exchanges are open, reads the clock. So a limit
passes up to two ticks late, never early. Used by lean.
"""

from __future__ import annotations

import asyncio

from config.pair import Failure
from config.routing import ShadowTimeout, Timeout
from proxy.upstream.exchange import BEGINNING, Exchange

TICK = 0.025

_SILENT = (
    "no connection within the connect limit",
    "no answer within the first-byte limit",
    "silent for longer than the first-byte limit",
    "silent for longer than the idle limit",
)
_INCOMPLETE = ("no answer within the total limit", "not complete within the total limit")


class Limits:
    """Who is open, and how long each may be silent."""

    __slots__ = ("_limits", "_loop", "_ticker", "_total", "open")

    def __init__(self, timeout: Timeout) -> None:
        self.open: set[Exchange] = set()
        self._limits = (timeout.connect, timeout.first_byte, timeout.first_byte, timeout.idle)  # by stage
        self._total = timeout.total if isinstance(timeout, ShadowTimeout) else None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticker: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """An exchange was opened: see that the ticker runs."""
        if self._ticker is None:
            self._loop = asyncio.get_running_loop()
            self._ticker = self._loop.call_later(TICK, self._tick, self._loop)

    def stop(self) -> None:
        """No ticks any more."""
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._ticker = loop.call_later(TICK, self._tick, loop) if self.open else None
        now = loop.time()
        limits = self._limits
        late = []
        for exchange in self.open:
            if exchange.heard:
                exchange.heard = False
                exchange.until = now + limits[exchange.stage]
            elif now >= exchange.until and not exchange.paused and not exchange.upgraded:  # a session may be quiet
                late.append((exchange, _SILENT[exchange.stage]))
        for exchange, detail in late:
            exchange.fail(Failure.TIMEOUT, detail)
        if self._total is not None:
            self._check_total(now, self._total)

    def _check_total(self, now: float, total: float) -> None:
        late = []
        for exchange in self.open:
            if not exchange.until_total:
                exchange.until_total = now + total
            elif now >= exchange.until_total:
                late.append((exchange, _INCOMPLETE[exchange.stage >= BEGINNING]))
        for exchange, detail in late:
            exchange.fail(Failure.TIMEOUT, detail)
