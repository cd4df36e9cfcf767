"""Pairs from bounded memory into the Redis stream, with the accounting in the same transaction.

Filled by mirror through `offer`, which never waits. One task appends in batches; it alone talks to Redis. A second one,
if there is a spool, moves what waits to the disk while the queue is slow, full or away; the first drains it again,
between new pairs. What when full: spool, then memory, then the newest pair is dropped and counted. An append that timed
out may have been carried out all the same, so its pairs are sent again until they are acknowledged; readers know a pair
by its id and take it once.

A pair is counted as paired in the transaction that the queue acknowledged, under the hour of its call. Pairs that lie
on the disk when this process ends are counted by the process that drains them: the calls of their hour grow then, and
until then they are in no bucket. A process that is killed loses what it holds in memory, uncounted: with a spool at
most the batch in hand and what arrived within COMMIT seconds, or SLOW and COMMIT while an append hangs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import redis.asyncio

from config.pair import Pair
from proxy.core.accounting import Ledger
from proxy.core.frames import Entry
from proxy.publisher.account import Account
from proxy.publisher.spool import Spool
from proxy.publisher.stream import Progress, QueueAway, QueueUnfit, Stream
from proxy.publisher.waiting import BATCH, BATCH_BYTES, Held, Waiting, pack
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry, log

TASK = "publisher"  # the name of both tasks: a shutdown ends the others first
COMMIT = 0.025  # seconds between two commits to the spool: a sync costs about as much for ten pairs as for one
SLOW = 0.1  # seconds after which an append is slow, and what waits behind it goes to the spool
_IN_A_THREAD = 32 << 10  # bytes as held, 15 small pairs: their compression would hold up the loop for about 0.5 ms
_PERIOD = 1.0  # seconds between two looks when nothing happens: accounting is at most this old
_GATHER = 0.02  # seconds for more pairs to join a batch: a transaction costs about as much for ten pairs as for one
_BACKOFF = (0.1, 2.0)  # seconds, doubling from first to last
_ADOPT = 30.0  # seconds between two looks for the spools of processes that are gone
_LAST_CHANCE = 1.0  # seconds for a server that was away when the shutdown began, and for the disk


@dataclass(frozen=True, slots=True)
class PublisherRules:
    """What the publisher needs to know of the operator's file; `instance` names this process in the accounting."""

    stream: str
    max_pairs: int
    memory: int  # bytes
    instance: str


class Publisher:
    """`start`, then `offer` from anywhere in the loop; `close` flushes what is left."""

    def __init__(
        self,
        rules: PublisherRules,
        client: redis.asyncio.Redis,
        ledger: Ledger,
        telemetry: Telemetry,
        spool: Spool | None = None,
    ) -> None:
        self._rules = rules
        self._stream = Stream(client, rules.stream, rules.instance)
        self._account = Account(ledger, telemetry)
        self._telemetry = telemetry
        self._spool = spool
        self._waiting = Waiting(rules.memory, telemetry)
        self._news = asyncio.Event()
        self._pressed = asyncio.Event()  # set: the spool is to take what waits
        self._closing = False
        self._leaving = False  # the appending has ended
        self._fit = False
        self._away = False
        self._slow = False
        self._delay = 0.0
        self._length = 0  # of the stream, when last seen
        self._finished: list[str] = []  # segments that are gone, and that the queue may forget
        self._running: list[asyncio.Task[None]] = []

    def offer(self, pair: Pair) -> None:
        """Take over a pair, or drop and count it when the memory is full. Never waits."""
        if not self._waiting.add(pair):
            self._account.drop(pair, "spool_full" if self._spool is not None and self._spool.full else "queue_full")
            return
        self._news.set()
        if self._wants_spool():
            self._pressed.set()

    async def start(self, tasks: Tasks) -> None:
        """Look at the server, then begin. Raises QueueUnfit; a server that is away does not prevent the start."""
        try:
            await self._stream.check()
            self._fit = True
        except QueueAway as error:
            self._went_away(error)
        self._running.append(tasks.spawn(self._appending(), TASK))
        if self._spool is not None:
            self._running.append(tasks.spawn(self._spooling(self._spool), TASK))

    async def close(self, limit: float) -> None:
        """Append what is left within `limit` seconds, or leave it on the disk; what remains is dropped and counted."""
        self._closing = True
        self._news.set()
        await _ended(self._running[:1], min(limit, _LAST_CHANCE) if self._away else limit)
        self._leaving = True
        self._pressed.set()
        await _ended(self._running[1:], _LAST_CHANCE)
        if self._waiting.pairs:
            log(logging.ERROR, "pairs lost at shutdown", pairs=self._waiting.pairs)
        while self._waiting:
            with self._waiting.in_hand() as batch:
                self._lose(batch, "queue_away")
        if self._spool is not None:
            self._finished += await self._spool.close(_LAST_CHANCE)
        if self._fit:
            await self._try([])
        await self._stream.close()

    async def _appending(self) -> None:
        while not (self._closing and not self._waiting):
            try:
                await self._step()
            except Exception as error:  # named edge: a bug here must not end the publishing
                self._caught(error)
                await asyncio.sleep(_PERIOD)

    async def _step(self) -> None:
        if self._full or self._delay:
            await asyncio.sleep(self._delay or _PERIOD)
        elif not self._waiting:
            await self._news_or(0.0 if self._spool is not None and self._spool.ready else _PERIOD)
            await asyncio.sleep(0.0 if self._closing else _GATHER)
        for_the_disk = self._away and self._spool is not None and self._spool.taking
        if self._waiting and not self._full and not for_the_disk:
            with self._waiting.in_hand() as batch:
                if await self._try(await self._packed(batch)):
                    self._waiting.release(batch, len(batch))
        elif self._full or self._away or self._account.news:
            await self._try([])
        if self._spool is not None and self._to_drain():
            await self._drain(self._spool)

    async def _drain(self, spool: Spool) -> None:
        """Send the next entries of the spool's segment in hand."""
        draining = spool.draining
        if draining is None or draining.over:
            self._pressed.set()
            return
        if not draining.asked:
            try:
                spool.skip(await self._stream.progress(draining.id))
            except QueueAway as error:
                self._went_away(error)
                return
        read = draining.next(BATCH, BATCH_BYTES)
        if read.entries and not await self._try(read.entries, Progress(draining.id, draining.done + len(read.entries))):
            return
        if spool.sent(read):
            self._pressed.set()

    async def _turn_page(self, spool: Spool) -> None:
        """Delete the segment that the queue has, and read the next one; the appending never waits for the disk."""
        drained = spool.draining
        if drained is not None and drained.over and await spool.finish():
            self._finished.append(drained.id)
        if await spool.oldest() is not None:
            self._news.set()

    async def _try(self, entries: Sequence[Entry], progress: Progress | None = None) -> bool:
        """One transaction: the pairs, and the accounting in which they are paired. False: not acknowledged."""
        rows, paired = self._account.told(entries)
        finished = list(self._finished)
        slow = asyncio.get_running_loop().call_later(SLOW, self._is_slow)
        try:
            if not self._fit:
                await self._stream.check()
                self._fit = True
            self._length = await self._stream.append(entries, rows, progress, finished)
        except (QueueAway, QueueUnfit) as error:
            self._account.unheard()
            self._telemetry.append_failures.inc()
            self._went_away(error)
            return False
        finally:
            slow.cancel()
            self._slow = False
        if self._away:
            log(logging.INFO, "queue back")
        self._away = False
        self._delay = 0.0
        del self._finished[: len(finished)]
        old_hours_grow = self._spool is not None and self._spool.facts.pairs > 0
        self._account.acknowledged(paired, forget=not old_hours_grow)
        return True

    async def _spooling(self, spool: Spool) -> None:
        look = asyncio.get_running_loop().time()
        while not (self._leaving and (not self._waiting or not spool.taking)):
            try:
                if (now := asyncio.get_running_loop().time()) >= look and not self._closing:
                    look = now if await spool.adopt() else now + _ADOPT  # a little at a time: pairs may wait
                    self._news.set()
                await self._spool_step(spool, look)
            except Exception as error:  # named edge: a bug here must not end the spooling
                self._caught(error)
                await asyncio.sleep(_PERIOD)

    async def _spool_step(self, spool: Spool, until: float) -> None:
        if not (self._waiting and self._wants_spool()):
            if self._to_drain() and not spool.ready:
                await self._turn_page(spool)
            self._pressed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._pressed.wait()
            return
        with self._waiting.in_hand() as batch:
            taken = await spool.put(await self._packed(batch))
            self._waiting.release(batch, taken)
        self._news.set()
        if not self._leaving and not (spool.taking and len(self._waiting) >= BATCH):
            await asyncio.sleep(COMMIT if spool.taking else _PERIOD)

    async def _packed(self, batch: list[Held]) -> list[Entry]:
        """The entries of a batch; pairs that cannot be written leave it, dropped and counted."""
        raw = [held for held in batch if held.entry is None]
        pairs = [held.pair for held in raw]
        try:
            in_a_thread = sum(held.size for held in raw) > _IN_A_THREAD
            entries = await asyncio.to_thread(pack, pairs) if in_a_thread else pack(pairs)
        except Exception:  # a bug of ours, which would meet the same pairs again
            self._lose(batch, "crash")
            raise
        for held, entry in zip(raw, entries, strict=True):
            held.entry = entry
        bad = [held for held in batch if held.entry is None]
        batch[:] = [held for held in batch if held.entry is not None]
        self._lose(bad, "encode")
        return [held.entry for held in batch if held.entry is not None]

    def _wants_spool(self) -> bool:
        """Whether what waits is to go to the disk."""
        return self._spool is not None and (
            self._away or self._slow or self._leaving or self._full or self._waiting.much
        )

    @property
    def _full(self) -> bool:
        return self._length >= self._rules.max_pairs

    def _to_drain(self) -> bool:
        spool = self._spool
        return spool is not None and spool.drainable and not (self._away or self._full or self._closing)

    async def _news_or(self, limit: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._news.wait()
        self._news.clear()

    def _is_slow(self) -> None:
        self._slow = True
        self._pressed.set()

    def _went_away(self, error: Exception) -> None:
        if not self._away:
            log(logging.WARNING, "queue away", why=str(error))
        self._away = True
        self._fit = False  # another server may come back
        self._delay = min(max(2 * self._delay, _BACKOFF[0]), _BACKOFF[1])
        self._pressed.set()

    def _caught(self, error: Exception) -> None:
        self._telemetry.caught.labels("publisher").inc()
        log(logging.ERROR, "publisher failed", error=type(error).__name__)

    def _lose(self, batch: list[Held], reason: str) -> None:
        for held in self._waiting.release(batch, len(batch)):
            self._account.drop(held.pair, reason)

    def __repr__(self) -> str:
        return f"<Publisher holding {self._waiting!r}{', queue away' if self._away else ''}>"


async def _ended(tasks: Sequence[asyncio.Task[None]], limit: float) -> None:
    for task in tasks:
        await asyncio.wait({task}, timeout=limit)
        task.cancel()
        await asyncio.wait({task})
