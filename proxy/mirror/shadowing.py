"""One shadow call from its plan to its Pair: asked, listened to, joined with live. Made by mirroring, one per shadow.

No task: it is a door.Sink, called by the upstream and then by live's future. Whatever raises in here is caught at the
edge of each callback, counted, and ends this call as dropped; so it is decided exactly once (DESIGN §5).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from config.pair import Call, Failure, Fields, Outcome, Pair, Role
from proxy.core.accounting import Bucket, Ledger
from proxy.core.breaker import Breaker, unwell
from proxy.core.budget import Budget
from proxy.core.capture import Capture
from proxy.core.headers import HeaderPairs
from proxy.core.plan import Planned, Target
from proxy.core.rate import Rate
from proxy.mirror.memory import Memory, MemoryFull
from proxy.telemetry import Telemetry, log
from proxy.upstream.door import Exchange, ExchangeError, Head, Upstream

CAUGHT = (Exception, asyncio.CancelledError)
"""What the edges stop. In a callback nobody is being cancelled: that error is a stray, and would reach the upstream's
or live's code."""

_PIECE = 48
"""Bytes that a piece of an answer costs beside its content: sys.getsizeof(b"") is 33, a list's slot 8, rounded up. A
model's deltas are not longer than that themselves."""


class Taker(Protocol):
    """Who takes Pairs: the publisher."""

    def offer(self, pair: Pair) -> None:
        """Take over a pair and count it; never waits."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """One shadow: how it is asked, over which connections, and when not."""

    target: Target
    upstream: Upstream
    breaker: Breaker
    rate: Rate | None = None


@dataclass(slots=True)
class Means:
    """What all shadow calls use."""

    cap: int  # bytes kept of an answer
    record: Callable[[HeaderPairs], Fields]  # the headers of an Outcome
    memory: Memory
    budget: Budget
    publisher: Taker
    ledger: Ledger
    telemetry: Telemetry
    clock: Callable[[], float]
    open: dict[ShadowCall, None]  # in the order they were asked
    over: Callable[[], None]  # told after a call has left `open`

    def caught(self, error: BaseException) -> None:
        """Count and log what an edge has stopped."""
        with suppress(*CAUGHT):  # out of memory, counting may fail as well, and the undoing must go on
            self.telemetry.caught.labels("mirror").inc()
            log(logging.ERROR, "mirror failed", error=type(error).__name__)


class ShadowCall:
    """One call for one shadow. `begin` and `stop` never raise, and neither does what a Sink is told."""

    __slots__ = tuple(
        "_call _capture _decided _exchange _first _held _live "
        "_means _outcome _planned _received _shadow _slot _started".split()
    )

    def __init__(
        self,
        means: Means,
        shadow: Shadow,
        planned: Planned,
        call: Call,
        live: asyncio.Future[Outcome],
        started: float,
        first: asyncio.Future[Outcome] | None = None,
    ) -> None:
        """`live` is what this shadow is paired with; `first` will hold its own Outcome, or is cancelled without one."""
        self._means = means
        self._shadow = shadow
        self._planned = planned
        self._call = call
        self._live = live
        self._started = started
        self._first = first
        self._capture = Capture(means.cap)
        self._exchange: Exchange | None = None
        self._outcome: Outcome | None = None
        self._held = 0
        self._received = 0
        self._slot = False
        self._decided = False

    def begin(self) -> None:
        """Ask the shadow, if it may be asked now."""
        try:
            self._ask()
        except CAUGHT as error:  # named edge, like the others below: live must never hear of a shadow
            self._crash(error)

    def stop(self) -> None:
        """The process ends."""
        try:
            self._let_go()
            self._decide(Bucket.DROPPED, "shutdown")
        except CAUGHT as error:
            self._crash(error)

    def interim(self, head: Head) -> None:
        """Not part of an Outcome."""

    def head(self, head: Head) -> None:
        """Status and fields came."""
        if self._outcome is not None or self._decided:
            return
        try:
            means = self._means
            fields = means.record(head.headers)
            self._capture.head(head.status, fields, means.clock() - self._started)
            self._hold(sum([len(value) for _, value in fields]))
        except MemoryFull:
            self._full()
        except CAUGHT as error:
            self._crash(error)

    def body(self, data: bytes) -> None:
        """A piece of the answer came; reading stops at the cap, and where the memory ends."""
        if self._outcome is not None or self._decided:
            return
        try:
            self._keep(data)
        except MemoryFull:
            self._full()
        except CAUGHT as error:
            self._crash(error)

    def flush(self) -> None:
        """Nothing waits to be written."""

    def end(self, trailers: HeaderPairs) -> None:
        """The answer is complete."""
        self._over(Failure.NONE, "")

    def failed(self, error: ExchangeError) -> None:
        """There is no answer, or no more of it."""
        self._over(error.failure, error.detail)

    def _ask(self) -> None:
        means, shadow, planned = self._means, self._shadow, self._planned
        now = means.clock()
        if (refusal := self._refusal(now)) is not None:
            self._decide(Bucket.DROPPED, refusal)
            return
        means.open[self] = None
        self._capture.sent(now - self._started)
        self._exchange = shadow.upstream.ask(planned.method, planned.target, planned.headers, planned.body, self)

    def _refusal(self, now: float) -> str | None:
        """Why the shadow is not asked; a slot and the body's memory are taken when it is. No await in between."""
        shadow, name = self._shadow, self._planned.name
        if not shadow.breaker.lets(now):
            return "breaker_open"
        if shadow.rate is not None and not shadow.rate.take(now):
            return "rate"
        if not self._means.budget.take(name):
            return "in_flight"
        self._slot = True
        try:
            self._hold(len(self._planned.body))
        except MemoryFull:
            return "memory"
        return None

    def _keep(self, data: bytes) -> None:
        means = self._means
        room = means.cap - self._received
        self._received += len(data)
        self._hold(min(len(data), max(room, 0)) + _PIECE)
        self._capture.chunk(data, means.clock() - self._started)
        if room < len(data):
            self._let_go()
            self._finish(Failure.TRUNCATED, "stopped at the capture cap")

    def _full(self) -> None:
        try:
            self._let_go()
            self._decide(Bucket.DROPPED, "memory")
        except CAUGHT as error:
            self._crash(error)

    def _over(self, failure: Failure, detail: str) -> None:
        if self._outcome is not None or self._decided:
            return
        try:
            self._finish(failure, detail)
        except CAUGHT as error:
            self._crash(error)

    def _finish(self, failure: Failure, detail: str) -> None:
        means, now = self._means, self._means.clock()
        outcome = self._outcome = self._capture.end(failure, detail, now - self._started)
        self._exchange = None
        self._give_slot()
        self._shadow.breaker.ended(not unwell(failure, outcome.status), now)
        means.telemetry.exchange_ended(self._planned.name, outcome)
        if self._first is not None:
            self._first.set_result(outcome)
        if self._live.done():
            self._join(outcome)
        else:
            self._live.add_done_callback(self._live_ended)

    def _live_ended(self, _live: asyncio.Future[Outcome]) -> None:
        if self._decided or self._outcome is None:
            return
        try:
            self._join(self._outcome)
        except CAUGHT as error:
            self._crash(error)

    def _join(self, outcome: Outcome) -> None:
        again = self._planned.role is Role.AGAIN
        if self._live.cancelled():
            self._decide(Bucket.DROPPED, "first_lost" if again else "shutdown")
            return
        live = self._live.result()
        if live.capped:
            self._decide(Bucket.SKIPPED, "first_answer_too_large" if again else "live_answer_too_large")
            return
        self._means.publisher.offer(Pair(self._call, self._planned.name, self._planned.role, live, outcome))
        self._decided = True  # the publisher counts from here
        self._close()

    def _decide(self, bucket: Bucket, reason: str) -> None:
        """The call ends here, once."""
        if not self._decided:
            self._means.ledger.count(self._call.arrived, self._planned.name, bucket, reason)
            self._decided = True
        self._close()

    def _crash(self, error: BaseException) -> None:
        """Undo whatever was done; a step that fails as well must not keep the others from being taken."""
        self._means.caught(error)
        for step in (self._let_go, self._dropped, self._close):
            try:
                step()
            except CAUGHT as another:
                self._means.caught(another)

    def _dropped(self) -> None:
        self._decide(Bucket.DROPPED, "crash")

    def _let_go(self) -> None:
        if self._exchange is not None:
            self._exchange.cancel()
            self._exchange = None  # after it, as with the slot and the memory: what fails is tried again by _crash

    def _hold(self, size: int) -> None:
        self._means.memory.take(size)
        self._held += size

    def _give_slot(self) -> None:
        if self._slot:
            self._means.budget.give(self._planned.name)
            self._slot = False

    def _close(self) -> None:
        """Nothing is held any more."""
        self._give_slot()
        self._means.memory.give(self._held)
        self._held = 0
        if self._first is not None:
            self._first.cancel()  # nothing happens to one that has its Outcome
        if self in self._means.open:
            del self._means.open[self]
            self._means.over()

    def __repr__(self) -> str:
        state = "decided" if self._decided else "waiting for live" if self._outcome is not None else "open"
        return f"<ShadowCall {self._call.id} for {self._planned.name}, {state}, holds {self._held} bytes>"
