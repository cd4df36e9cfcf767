"""The shadow calls of one request: planned, asked within budget, joined with live into Pairs, handed to publisher.

Begun by handler, which never waits for it: all of this runs in tasks of its own. Nothing here raises into anybody;
what goes wrong is counted, so that each call ends in exactly one bucket per shadow (DESIGN §5).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

from config.pair import Call, Failure, Outcome, Pair
from proxy.core.accounting import Bucket, Ledger
from proxy.core.budget import Budget
from proxy.core.capture import Capture
from proxy.core.headers import record
from proxy.core.plan import Draft, Planned, PlanRules, Target, make_plan
from proxy.publisher import Publisher
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry, log
from proxy.upstream import ExchangeError, Upstream


@dataclass(frozen=True, slots=True)
class Shadow:
    """One shadow: how it is asked, and over which connections."""

    target: Target
    upstream: Upstream


@dataclass(frozen=True, slots=True)
class MirrorRules:
    """What mirror needs to know of the operator's file."""

    plan: PlanRules
    cap: int  # bytes kept of an answer
    recorded: tuple[str, ...]  # response headers of an Outcome
    memory: int  # bytes that all open shadow calls may hold together


class Mirror:
    """Carries out plans. What when full: a call over a shadow's slots or over the memory is dropped and counted."""

    def __init__(
        self,
        rules: MirrorRules,
        shadows: Sequence[Shadow],
        budget: Budget,
        publisher: Publisher,
        ledger: Ledger,
        telemetry: Telemetry,
        tasks: Tasks,
    ) -> None:
        self._rules = rules
        self._plan_rules = rules.plan
        self._targets = tuple(shadow.target for shadow in shadows)
        self._upstreams = {shadow.target.name: shadow.upstream for shadow in shadows}
        self._budget = budget
        self._publisher = publisher
        self._ledger = ledger
        self._telemetry = telemetry
        self._tasks = tasks
        self._memory = Memory(rules.memory)
        telemetry.shadowing.set(1)

    @property
    def enabled(self) -> bool:
        """Whether new calls are shadowed (the kill switch)."""
        return self._plan_rules.enabled

    def switch(self, enabled: bool) -> None:
        """Turn the kill switch; shadows that are open go on."""
        self._plan_rules = replace(self._plan_rules, enabled=enabled)
        self._telemetry.shadowing.set(int(enabled))

    def drain(self) -> None:
        """Start no shadow from now on: this process is stopping."""
        self._plan_rules = replace(self._plan_rules, draining=True)

    def begin(self, draft: Draft, live: asyncio.Future[Outcome], started: float) -> None:
        """Shadow one call, in tasks of its own; `live` will hold the live Outcome, `started` is the loop's time."""
        if self._targets:
            fate = _Fate(self._ledger, draft.arrived, {target.name for target in self._targets})
            self._spawn(self._follow(draft, live, started, fate), "plan", fate)

    async def _follow(self, draft: Draft, live: asyncio.Future[Outcome], started: float, fate: _Fate) -> None:
        # The handler goes on to ask for live in this very turn of the loop; wait until that request is written.
        await asyncio.sleep(0)
        plan = make_plan(draft, self._targets, self._plan_rules)
        for name, bucket, reason in plan.verdicts:
            fate.decide(name, bucket, reason)
        if plan.call is not None:
            for planned in plan.shadows:
                alone = fate.split(planned.name)
                self._spawn(self._shadow(plan.call, planned, live, started, alone), f"shadow {planned.name}", alone)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str, fate: _Fate) -> None:
        def done(task: asyncio.Task[None]) -> None:
            # As a callback, for a task that is cancelled before its first step runs none of its own lines.
            work.close()
            fate.decide_rest("shutdown" if task.cancelled() else "crash")

        self._tasks.spawn(self._guarded(work), name).add_done_callback(done)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # named edge: whatever happens to a shadow, live must never hear of it
            self._telemetry.caught.labels("mirror").inc()
            log(logging.ERROR, "mirror failed", error=type(error).__name__)

    async def _shadow(
        self, call: Call, planned: Planned, live: asyncio.Future[Outcome], started: float, fate: _Fate
    ) -> None:
        name = planned.name
        if not self._budget.take(name):
            fate.decide(name, Bucket.DROPPED, "in_flight")
            return
        with Holding(self._memory) as holding:
            try:
                holding.add(len(planned.body))
                outcome = await self._exchange(planned, started, holding)
            except MemoryFull:
                fate.decide(name, Bucket.DROPPED, "memory")
                return
            finally:
                self._budget.give(name)
            answered = await asyncio.shield(live)  # a cancelled shadow must not cancel what others wait for
            if answered.capped:
                fate.decide(name, Bucket.SKIPPED, "live_answer_too_large")
                return
            self._publisher.offer(Pair(call, name, planned.role, answered, outcome))
            fate.hand_over(name)

    async def _exchange(self, planned: Planned, started: float, holding: Holding) -> Outcome:
        clock = asyncio.get_running_loop().time
        capture = Capture(self._rules.cap)
        capture.sent(clock() - started)
        with self._telemetry.in_flight.labels(planned.name).track_inprogress():
            try:
                failure, detail = await self._read(planned, capture, started, holding)
            except ExchangeError as error:
                failure, detail = error.failure, error.detail
        outcome = capture.end(failure, detail, clock() - started)
        self._telemetry.exchange_ended(planned.name, outcome)
        return outcome

    async def _read(self, planned: Planned, capture: Capture, started: float, holding: Holding) -> tuple[Failure, str]:
        clock = asyncio.get_running_loop().time
        headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in planned.headers)
        exchange = await self._upstreams[planned.name].open(planned.method, planned.url, headers, planned.body)
        try:
            head = exchange.head
            capture.head(head.status, record(head.headers, self._rules.recorded), clock() - started)
            received = 0
            while chunk := await exchange.read():
                holding.add(len(chunk))
                capture.chunk(chunk, clock() - started)
                received += len(chunk)
                if received > self._rules.cap:
                    return Failure.TRUNCATED, "stopped at the capture cap"
            return Failure.NONE, ""
        finally:
            exchange.close()


class MemoryFull(Exception):
    """One more chunk would go over the bound."""


class Memory:
    """Bytes held by all open shadow calls, with a bound."""

    def __init__(self, limit: int) -> None:
        self.held = 0
        self.limit = limit


class Holding:
    """One shadow call's part of the Memory; given back as a whole when the `with` ends."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._mine = 0

    def add(self, size: int) -> None:
        """Hold `size` more bytes; raises MemoryFull, holding nothing more, when that is over the bound."""
        if self._memory.held + size > self._memory.limit:
            raise MemoryFull
        self._memory.held += size
        self._mine += size

    def __enter__(self) -> Holding:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._memory.held -= self._mine


class _Fate:
    """The bucket in which one call ends for each of some shadows: every name is decided exactly once."""

    def __init__(self, ledger: Ledger, arrived: float, names: set[str]) -> None:
        self._ledger = ledger
        self._arrived = arrived
        self._open = names

    def decide(self, name: str, bucket: Bucket, reason: str) -> None:
        """The call ends here for this shadow."""
        self._open.remove(name)
        self._ledger.count(self._arrived, name, bucket, reason)

    def split(self, name: str) -> _Fate:
        """A fate of its own for a shadow that goes on in another task."""
        self._open.remove(name)
        return _Fate(self._ledger, self._arrived, {name})

    def hand_over(self, name: str) -> None:
        """The publisher counts from here."""
        self._open.remove(name)

    def decide_rest(self, reason: str) -> None:
        """Whatever is undecided when its task is over was dropped by us."""
        for name in sorted(self._open):
            self.decide(name, Bucket.DROPPED, reason)
