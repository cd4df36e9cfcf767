"""Pairs from bounded memory into the Redis stream, with the accounting in the same transaction.

Filled by mirror through `offer`, which never waits. One task appends in batches; it alone talks to Redis. What when
full: the newest pair is dropped and counted. An append that timed out may have been carried out all the same, so the
batch is sent again until it is acknowledged; readers know a pair by its id and take it once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from config.pair import Pair
from config.wire import WireError, encode
from proxy.core.accounting import HOUR, Bucket, Ledger
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry, log

BATCH = 128
_BATCH_BYTES = 4 << 20  # so that one append stays within the socket's limit on a slow link

TASK = "publisher"  # the name of the one task: a shutdown ends the others first
MOST_PAIRS = 20_000  # held at most, however small: each costs about 5 kB of objects beside its bodies
_OVERHEAD = 2048  # bytes counted for a pair beside its bodies
_IN_A_THREAD = 32 << 10  # bytes whose compression would hold up the loop for about 0.1 ms
_PERIOD = 1.0  # seconds between two looks when nothing happens: accounting is at most this old
_GATHER = 0.02  # seconds for more pairs to join a batch: a transaction costs about as much for ten pairs as for one
_BACKOFF = (0.1, 2.0)  # seconds, doubling from first to last
_LAST_CHANCE = 1.0  # seconds for a server that was away when the shutdown began
_KEPT_HOURS = 48  # hours of accounting that are kept and sent; what is older the evaluators have stored

Records = list[dict[str, bytes]]
_Held = tuple[Pair, int]  # with the bytes it is counted as


def connect(url: str) -> redis.asyncio.Redis:
    """A client with one connection, short limits and no retries of its own: with the library's defaults a hanging
    server holds one append for a minute, and a lost reply makes it write twice without saying so."""
    client: redis.asyncio.Redis = redis.asyncio.Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=1.5,
        socket_connect_timeout=1.0,
        single_connection_client=True,
    )
    return client


class QueueUnfit(Exception):
    """The server would delete the stream when its memory is full; the text names the remedy."""


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
        self, rules: PublisherRules, client: redis.asyncio.Redis, ledger: Ledger, telemetry: Telemetry
    ) -> None:
        self._rules = rules
        self._client: Any = client  # the library's return types are unions that name every protocol version
        self._ledger = ledger
        self._telemetry = telemetry
        self._waiting: deque[_Held] = deque()
        self._held = 0  # bytes, of the waiting and of the batch in hand
        self._held_pairs = 0
        self._news = asyncio.Event()
        self._closing = False
        self._fit = False
        self._away = False
        self._length = 0  # of the stream, when last seen
        self._runner: asyncio.Task[None] | None = None

    def offer(self, pair: Pair) -> None:
        """Take over a pair, or drop and count it when the memory is full. Never waits."""
        size = _OVERHEAD + len(pair.call.body) + len(pair.live.body) + len(pair.outcome.body)
        if self._held + size > self._rules.memory or self._held_pairs >= MOST_PAIRS:
            self._drop(pair, "queue_full")
            return
        self._waiting.append((pair, size))
        self._hold(1, size)
        self._news.set()

    async def start(self, tasks: Tasks) -> None:
        """Look at the server, then begin. Raises QueueUnfit; a server that is away does not prevent the start."""
        try:
            await self.check()
        except (RedisError, OSError) as error:
            self._went_away(error)
        self._runner = tasks.spawn(self._run(), TASK)

    async def check(self) -> None:
        """Look at the server's eviction policy; raises QueueUnfit, or RedisError or OSError when it is away.

        Any policy but noeviction removed the whole stream without an error once the memory was full.
        """
        try:
            policy = (await self._client.config_get("maxmemory-policy")).get("maxmemory-policy", "")
        except redis.exceptions.ResponseError:  # managed servers forbid CONFIG
            policy = (await self._client.info("memory")).get("maxmemory_policy", "")
        policy = policy.decode() if isinstance(policy, bytes) else str(policy)
        if policy not in ("noeviction", ""):
            raise QueueUnfit(
                f"queue: the server's maxmemory-policy is {policy}, which may delete the whole stream without an "
                "error; set it to noeviction"
            )
        self._fit = True

    async def _run(self) -> None:
        while not (self._closing and not self._waiting):
            try:
                await self._step()
            except Exception as error:  # named edge: a bug here must not end the publishing
                self._telemetry.caught.labels("publisher").inc()
                log(logging.ERROR, "publisher failed", error=type(error).__name__)
                await asyncio.sleep(_PERIOD)

    async def _step(self) -> None:
        full = self._length >= self._rules.max_pairs
        if full:
            await asyncio.sleep(_PERIOD)
        elif not self._waiting:
            await self._news_or(_PERIOD)
            await asyncio.sleep(0.0 if self._closing else _GATHER)
        if full or self._waiting or self._ledger.changed:
            await self._deliver([] if full else self._take())

    async def close(self, limit: float) -> None:
        """Append what is left within `limit` seconds; what remains is dropped, counted and logged."""
        self._closing = True
        self._news.set()
        if self._runner is not None:
            await asyncio.wait({self._runner}, timeout=min(limit, _LAST_CHANCE) if self._away else limit)
        if self._held_pairs:
            log(logging.ERROR, "pairs lost at shutdown", pairs=self._held_pairs)
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait({self._runner})
        while self._waiting:
            pair, size = self._waiting.popleft()
            self._drop(pair, "queue_away")
            self._hold(-1, -size)
        if self._fit:
            await self._try([], [])
        await self._client.aclose()

    async def _deliver(self, batch: list[_Held]) -> None:
        """Append one batch, again and again until it is acknowledged; what cannot be is dropped and counted."""
        delay, most = _BACKOFF
        delivered = False
        reason = "crash"
        try:
            batch, records = await self._encoded(batch)
            while not (delivered := await self._try([pair for pair, _ in batch], records)) and batch:
                reason = "queue_away"
                await asyncio.sleep(delay)
                delay = min(delay * 2, most)
        except QueueUnfit as error:
            if not self._away:
                log(logging.ERROR, "queue refused", why=str(error))
            self._away = True
            reason = "queue_away"
        except asyncio.CancelledError:
            reason = "queue_away"
            raise
        finally:
            for pair, size in batch:
                if not delivered:
                    self._drop(pair, reason)
                self._hold(-1, -size)
        if not delivered:
            await asyncio.sleep(_PERIOD)

    async def _try(self, batch: Sequence[Pair], records: Records) -> bool:
        """One transaction: the pairs, and the accounting in which they are paired. False: not acknowledged."""
        paired = Counter((int(pair.call.arrived // HOUR) * HOUR, pair.shadow) for pair in batch)
        stream, rows = self._rules.stream, _snapshot(self._ledger, paired)
        self._ledger.changed = False
        try:
            if not self._fit:
                await self.check()
            async with self._client.pipeline(transaction=True) as pipe:
                for record in records:
                    pipe.xadd(stream, record)
                pipe.hset(f"{stream}:accounting", self._rules.instance, orjson.dumps(rows))
                pipe.xlen(stream)
                self._length = int((await pipe.execute())[-1])
        except (RedisError, OSError) as error:
            self._ledger.changed = True
            self._telemetry.append_failures.inc()
            self._went_away(error)
            return False
        if self._away:
            log(logging.INFO, "queue back")
        self._away = False
        counted_meanwhile = self._ledger.changed
        for pair in batch:
            self._ledger.count(pair.call.arrived, pair.shadow, Bucket.PAIRED)
        self._forget_old_hours()
        self._ledger.changed = counted_meanwhile
        return True

    def _forget_old_hours(self) -> None:
        rows = self._ledger.snapshot()  # sorted by hour
        first_kept = int(rows[-1][0]) - _KEPT_HOURS * HOUR if rows else 0
        if rows and int(rows[0][0]) < first_kept:
            self._telemetry.carry(row for row in rows if int(row[0]) < first_kept)
            self._ledger.prune(first_kept)

    def _take(self) -> list[_Held]:
        batch: list[_Held] = []
        size = 0
        while self._waiting and len(batch) < BATCH and size < _BATCH_BYTES:
            batch.append(self._waiting.popleft())
            size += batch[-1][1]
        return batch

    async def _encoded(self, batch: list[_Held]) -> tuple[list[_Held], Records]:
        pairs = [pair for pair, _ in batch]
        if sum(size - _OVERHEAD for _, size in batch) > _IN_A_THREAD:
            records = await asyncio.to_thread(_encode, pairs)
        else:
            records = _encode(pairs)
        kept: list[_Held] = []
        for held, record in zip(batch, records, strict=True):
            if record is None:
                self._drop(held[0], "encode")
                self._hold(-1, -held[1])
            else:
                kept.append(held)
        return kept, [record for record in records if record is not None]

    async def _news_or(self, limit: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._news.wait()
        self._news.clear()

    def _went_away(self, error: Exception) -> None:
        if not self._away:
            log(logging.WARNING, "queue away", error=type(error).__name__)
        self._away = True
        self._fit = False  # another server may come back

    def _drop(self, pair: Pair, reason: str) -> None:
        self._ledger.count(pair.call.arrived, pair.shadow, Bucket.DROPPED, reason)

    def _hold(self, pairs: int, size: int) -> None:
        self._held_pairs += pairs
        self._held += size
        self._telemetry.queue_pairs.set(self._held_pairs)
        self._telemetry.queue_bytes.set(self._held)

    def __repr__(self) -> str:
        return f"<Publisher holding {self._held_pairs} pairs, {self._held} bytes{', queue away' if self._away else ''}>"


def _encode(pairs: Sequence[Pair]) -> list[dict[str, bytes] | None]:
    """The records, None for a pair that cannot be written: one bad pair must not hold up the others."""
    records: list[dict[str, bytes] | None] = []
    for pair in pairs:
        try:
            records.append(encode(pair))
        except WireError:
            records.append(None)
    return records


def _snapshot(ledger: Ledger, paired: Mapping[tuple[int, str], int]) -> list[list[int | str]]:
    """The ledger as it will be when `paired` (by hour and shadow) is acknowledged."""
    counts = {
        (int(hour), str(shadow), str(bucket), str(reason)): int(n)
        for hour, shadow, bucket, reason, n in ledger.snapshot()
    }
    for (hour, shadow), n in paired.items():
        key = (hour, shadow, Bucket.PAIRED.value, "")
        counts[key] = counts.get(key, 0) + n
    return [[*key, n] for key, n in sorted(counts.items())]
