"""Take, read, check, record, acknowledge. Between intake and store; checking has pairs read and checked in threads.

At least once from the queue, exactly once in the store: an entry is acknowledged only after the commit, and what is
delivered twice adds nothing. So a worker may be killed, frozen or doubled anywhere between any two lines here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from evaluators.core.finding import Result
from evaluators.core.observation import Observation
from evaluators.intake import MOST_DELIVERIES, MOST_UNEXPLAINED, Intake, QueueAway, QueueUnfit, Taken, identity
from evaluators.store import Store, StoreAway, calibrating, write
from evaluators.store.calibrating import Thresholds
from evaluators.store.counting import bucket_of
from evaluators.store.write import DeadLetter, Recorded, Written
from evaluators.telemetry import Telemetry
from evaluators.worker.checking import AssessPair, Checking, Failed

LOG = logging.getLogger("understudy.worker")

T = TypeVar("T")
Judged = tuple[Taken, Observation]


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at a time, and how often; seconds."""

    batch: int = 64  # pairs per transaction; 256 cost a third less per pair and hold the write lock three times longer
    block: float = 1.0  # longest wait for a first pair, and so for noticing a stop
    check_limit: float = 20.0  # longest one check may take on a pair: four times what a door gives one question
    lanes: int = 1  # pairs checked at a time: more than one gains only where checks wait for a network
    lease: float = 60.0  # entries untouched for this long are taken over; renewed three times as often
    reclaim: float = 5.0
    fold: float = 1.0
    patience: float = 5.0  # longest wait of a closed conversation for a full block
    accounting: float = 2.0
    calibrate: float = 3.0
    away: float = 1.0  # pause before the queue or the store is asked again


class Worker:
    """One worker process's work. `assess_pair` is pure; it runs in threads, and asks `thresholds`."""

    def __init__(
        self,
        intake: Intake,
        store: Store,
        assess_pair: AssessPair,
        telemetry: Telemetry,
        *,
        closes_after: float,
        pace: Pace | None = None,
        thresholds: Thresholds | None = None,
        clock: Callable[[], float] = time.time,  # noqa: TID251 - a clock room: records say when they were made
    ) -> None:
        self._intake, self._store, self._telemetry = intake, store, telemetry
        self._closes_after, self._pace, self._clock = closes_after, pace or Pace(), clock
        self._checking = Checking(assess_pair, telemetry, limit=self._pace.check_limit, lanes=self._pace.lanes)
        self._thresholds = thresholds or Thresholds(store)
        # One batch waits while one is in work: that hides the queue's answer time, and more would only age.
        self._batches: asyncio.Queue[list[Taken]] = asyncio.Queue(maxsize=1)
        self._held: set[bytes] = set()

    def __repr__(self) -> str:
        return f"<Worker {self._intake.consumer} holding {len(self._held)}>"

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what is in hand. Raises QueueUnfit when the server must not be used."""
        while not stop.is_set():
            try:
                await self._intake.open()
                break
            except QueueAway as error:
                await self._away("queue", error, stop)
        pace = self._pace
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._every(pace.fold, "fold", self._fold, stop))
            tasks.create_task(self._every(pace.accounting, "accounting", self._account, stop))
            tasks.create_task(self._every(pace.lease / 3, "renew", self._renew, stop))
            tasks.create_task(self._every(pace.calibrate, "calibrate", self._calibrate, stop))
            reclaim = tasks.create_task(self._every(pace.reclaim, "reclaim", partial(self._reclaim, stop), stop))
            take = tasks.create_task(self._take(stop))
            work = tasks.create_task(self._work(stop))
            await asyncio.wait((take, reclaim))
            await self._batches.join()
            work.cancel()
        with contextlib.suppress(QueueAway, StoreAway):
            await self._account()

    # --- taking -------------------------------------------------------------------------------------------------------

    async def _take(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                taken = await self._intake.take(self._pace.batch, self._pace.block)
            except QueueAway as error:
                await self._away("queue", error, stop)
                with contextlib.suppress(QueueAway, QueueUnfit):
                    await self._intake.open()  # a server that lost its data has lost the group too
                continue
            if taken:
                self._held.update(one.id for one in taken)
                await self._batches.put(taken)

    async def _renew(self) -> None:
        """Deliveries shall count workers that died, not ones that are slow or wait for the store.

        A check that hangs does not live on by this: check_limit ends it; where it stops the process, it stops this too.
        """
        await self._intake.renew(list(self._held))

    async def _reclaim(self, stop: asyncio.Event) -> None:
        """Take over what dead workers left, one entry at a time.

        A delivery counts against an entry. Whichever entry ended its worker, those beside it in the batch did not, and
        alone they are counted alone.
        """
        while not stop.is_set():
            found = await self._intake.reclaim(self._pace.lease, 1)
            self._telemetry.lost.inc(found.lost)
            if not found.entries:
                break
            fresh = [taken for taken in found.entries if taken.id not in self._held]
            self._telemetry.reclaimed.inc(len(fresh))
            self._held.update(taken.id for taken in fresh)
            await self._finish(fresh, stop)
        await self._intake.forget_the_gone()

    async def _work(self, stop: asyncio.Event) -> None:
        while True:
            await self._finish(await self._batches.get(), stop)
            self._batches.task_done()

    async def _finish(self, batch: Sequence[Taken], stop: asyncio.Event) -> None:
        try:
            await self._judge(batch, stop)
        except QueueAway as error:  # what was recorded is recorded; the entries come again and add nothing
            await self._away("queue", error, stop)
        except Exception as error:  # the edge of the worker: a bug of ours costs a batch, which comes again
            self._crashed("work", error)
        finally:
            self._held.difference_update(taken.id for taken in batch)

    async def _judge(self, batch: Sequence[Taken], stop: asyncio.Event) -> None:
        for taken in batch:
            if taken.deliveries > MOST_UNEXPLAINED:
                await self._bury(taken, Failed("deliveries", "every worker that took it ended", True), stop)
        waiting = [taken for taken in batch if taken.deliveries <= MOST_UNEXPLAINED]
        with self._telemetry.checking.time():
            results = await self._checking.check(waiting)
        pairs = list(zip(waiting, results, strict=True))
        judged = [(taken, result) for taken, result in pairs if isinstance(result, Observation)]
        failed = [(taken, result) for taken, result in pairs if isinstance(result, Failed)]
        for taken, failure in failed + await self._record(judged, stop):
            await self._give_up(taken, failure, stop)

    async def _record(self, judged: Sequence[Judged], stop: asyncio.Event) -> list[tuple[Taken, Failed]]:
        """Record, then acknowledge; returns what the store refuses."""
        if not judged:
            return []
        rows = [Recorded(observation, taken.fields) for taken, observation in judged]
        try:
            with self._telemetry.recording.time():
                written = await self._stored(lambda: write.record(self._store, rows, self._clock()), stop)
            await self._measure([one.observation for one in rows], stop)
        except StoreAway:
            return []  # stopping: not recorded, so not acknowledged
        except Exception as error:  # one row that the database cannot hold fails all: find it
            if len(judged) == 1:
                return [(judged[0][0], Failed("record", type(error).__name__, False))]
            return [refused for one in judged for refused in await self._record([one], stop)]
        self._count(written, [observation for _, observation in judged])
        await self._intake.acknowledge([taken.id for taken, _ in judged])
        return []

    async def _measure(self, seen: Sequence[Observation], stop: asyncio.Event) -> None:
        """Keep the distances that thresholds are made of: after the pairs are recorded, before they are acknowledged.

        Whoever dies in between leaves entries that come again and add what is missing.
        """
        if distances := calibrating.measured(seen):
            await self._stored(lambda: calibrating.add(self._store, distances, self._clock()), stop)

    async def _give_up(self, taken: Taken, failure: Failed, stop: asyncio.Event) -> None:
        self._telemetry.failures.labels(failure.reason).inc()
        LOG.warning("entry %s: %s (%s), delivery %d", taken.id, failure.reason, failure.detail, taken.deliveries)
        if failure.final or taken.deliveries >= MOST_DELIVERIES:
            await self._bury(taken, failure, stop)

    async def _bury(self, taken: Taken, failure: Failed, stop: asyncio.Event) -> None:
        """Count as dead in the store, then move in the queue: a kill in between moves it again and counts nothing."""
        call_id, shadow, arrived = identity(taken)
        letter = DeadLetter(call_id, shadow, bucket_of(arrived), failure.reason)
        try:
            await self._stored(lambda: write.bury(self._store, letter), stop)
        except StoreAway:
            return
        trimmed = await self._intake.bury(taken, f"{failure.reason}: {failure.detail}")
        self._telemetry.dead_letters.labels(failure.reason).inc()
        self._telemetry.dead_letters_trimmed.inc(trimmed)

    async def _stored(self, act: Callable[[], T], stop: asyncio.Event) -> T:
        """Do it in a thread; while the store is away wait and try again, until `stop`: then raises StoreAway."""
        while True:
            try:
                return await asyncio.to_thread(act)
            except StoreAway as error:
                if stop.is_set():
                    raise
                await self._away("store", error, stop)

    async def _fold(self) -> None:
        now, pace = self._clock(), self._pace
        folded = await asyncio.to_thread(write.fold, self._store, now, self._closes_after, pace.patience)
        self._telemetry.conversations.inc(folded)

    async def _calibrate(self) -> None:
        await asyncio.to_thread(self._thresholds.refresh)

    async def _account(self) -> None:
        self._telemetry.waiting.set(await self._intake.waiting())
        await asyncio.to_thread(write.accounting, self._store, await self._intake.accounting())

    async def _every(self, seconds: float, name: str, act: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        while not await _set_within(stop, seconds):
            try:
                await act()
            except QueueAway as error:
                await self._away("queue", error, stop)
            except StoreAway as error:
                await self._away("store", error, stop)
            except Exception as error:  # a named edge: the next round may do better, and pairs matter more
                self._crashed(name, error)

    async def _away(self, what: str, error: Exception, stop: asyncio.Event) -> None:
        self._telemetry.away.labels(what).inc()
        LOG.warning("%s; trying again in %g s", error, self._pace.away)
        await _set_within(stop, self._pace.away)

    def _crashed(self, task: str, error: Exception) -> None:
        self._telemetry.crashes.labels(task).inc()
        LOG.error("%s: %s", task, type(error).__name__, exc_info=error)

    def _count(self, written: Written, recorded: Sequence[Observation]) -> None:
        self._telemetry.pairs.labels("new").inc(written.new)
        self._telemetry.pairs.labels("duplicate").inc(written.duplicates)
        findings = (one for seen in recorded for found in seen.found for one in (found.live, found.shadow))
        self._telemetry.broken_checks.inc(sum(one.result is Result.BROKEN for one in findings))


async def _set_within(stop: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, at most so long; whether it is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()
