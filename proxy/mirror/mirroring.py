"""The shadow calls of one live: planned one turn after live was asked, begun, and waited for at the end.

Begun by handler, which never waits and never hears of any of it. What goes wrong is counted, so that each call ends
in exactly one bucket per shadow (DESIGN §5).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from config.pair import Outcome, Role
from config.routing import again_name
from proxy.core.accounting import Bucket, Ledger
from proxy.core.budget import Budget
from proxy.core.headers import recorder
from proxy.core.plan import Draft, Planned, PlanRules, make_plan
from proxy.mirror.memory import Memory
from proxy.mirror.shadowing import CAUGHT, Means, Shadow, ShadowCall, Taker
from proxy.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class MirrorRules:
    """What mirror needs to know of the operator's file."""

    plan: PlanRules
    cap: int  # bytes kept of an answer
    recorded: tuple[str, ...]  # response headers of an Outcome


class Mirror:
    """Carries out plans. What when full: a call over a shadow's slots or over the memory is dropped and counted."""

    def __init__(
        self,
        rules: MirrorRules,
        shadows: Sequence[Shadow],
        budget: Budget,
        memory: Memory,
        publisher: Taker,
        ledger: Ledger,
        telemetry: Telemetry,
    ) -> None:
        self._plan_rules = rules.plan
        self._targets = tuple(shadow.target for shadow in shadows)
        self._shadows = {shadow.target.name: shadow for shadow in shadows}
        self._loop = asyncio.get_running_loop()
        self._idle = asyncio.Event()
        self._open: dict[ShadowCall, None] = {}
        # Emptied in the next turn of the loop, so it never holds more than the calls that one turn brings.
        self._waiting: deque[tuple[Draft, asyncio.Future[Outcome], float]] = deque()
        self._means = Means(
            cap=rules.cap,
            record=recorder(rules.recorded),
            memory=memory,
            budget=budget,
            publisher=publisher,
            ledger=ledger,
            telemetry=telemetry,
            clock=self._loop.time,
            open=self._open,
            over=self._over,
        )
        for name in self._shadows:
            telemetry.in_flight.labels(name).set_function(partial(budget.in_flight.__getitem__, name))

    @property
    def names(self) -> Collection[str]:
        """The shadows that every call is counted for."""
        return self._shadows.keys()

    @property
    def enabled(self) -> bool:
        """Whether new calls are shadowed (the kill switch)."""
        return self._plan_rules.enabled

    def switch(self, enabled: bool) -> None:
        """Turn the kill switch; shadows that are open go on."""
        self._plan_rules = replace(self._plan_rules, enabled=enabled)
        self._means.telemetry.shadowing.set(int(enabled))

    def drain(self) -> None:
        """Start no shadow from now on: this process is stopping."""
        self._plan_rules = replace(self._plan_rules, draining=True)

    def begin(self, draft: Draft, live: asyncio.Future[Outcome], started: float) -> None:
        """Shadow one call; `live` will hold the live Outcome, `started` is the loop's time. Never raises."""
        if not self._targets:
            return
        begun = (draft, live, started)
        try:
            # The handler goes on to ask for live in this very turn of the loop; plan when that request is written.
            self._waiting.append(begun)
            self._loop.call_soon(self._next)
        except CAUGHT as error:  # named edge, like the one below: live must never hear of a shadow
            with suppress(ValueError):
                self._waiting.remove(begun)
            self._crashed(draft, self._shadows, error)

    async def settle(self, limit: float) -> int:
        """Wait up to `limit` seconds for all shadow calls, then stop the rest; returns how many those were."""
        until = self._loop.time() + limit
        while True:
            while self._waiting:
                self._next()
            left = until - self._loop.time()
            if not self._open or left <= 0:
                break
            self._idle.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._idle.wait()
        late = list(self._open)
        for call in late:
            call.stop()
        return len(late)

    def _next(self) -> None:
        """Plan the call that has waited longest, unless settle has done so."""
        if not self._waiting:
            return
        draft, live, started = self._waiting.popleft()
        undecided = set(self._shadows)
        try:
            plan = make_plan(draft, self._targets, self._plan_rules)
            for name, bucket, reason in plan.verdicts:
                self._means.ledger.count(draft.arrived, name, bucket, reason)
                undecided.remove(name)
            if plan.call is not None:
                firsts = self._firsts(plan.shadows)
                for planned in plan.shadows:
                    shadow, first = self._shadows[planned.name], firsts.get(again_name(planned.name))
                    beside = firsts.get(planned.name, live)
                    call = ShadowCall(self._means, shadow, planned, plan.call, beside, started, first)
                    undecided.remove(planned.name)  # from here it decides itself
                    call.begin()
        except CAUGHT as error:
            self._crashed(draft, undecided, error)

    def _firsts(self, planned: Sequence[Planned]) -> dict[str, asyncio.Future[Outcome]]:
        """What second answers of candidates are paired with, by the names of these seconds."""
        return {one.name: self._loop.create_future() for one in planned if one.role is Role.AGAIN}

    def _crashed(self, draft: Draft, names: Iterable[str], error: BaseException) -> None:
        self._means.caught(error)
        for name in sorted(names):
            self._means.ledger.count(draft.arrived, name, Bucket.DROPPED, "crash")

    def _over(self) -> None:
        if not self._open:
            self._idle.set()

    def __repr__(self) -> str:
        return f"<Mirror of {len(self._targets)} shadows, {len(self._open)} calls open, {len(self._waiting)} to plan>"
