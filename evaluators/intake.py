"""The evaluators' end of the stream: take, acknowledge, reclaim, bury. Used by worker, filled by proxy.publisher.

Every entry is delivered at least once and leaves the stream when it is acknowledged, so the stream's length is what
waits. An entry whose worker died is claimed by another after its lease. Library errors become QueueAway here.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

GROUP = "evaluators"

SOCKET_SECONDS = 5.0
"""Limit of one exchange with the server, a blocking read included: BLOCK has to end before it (checked)."""

MOST_DELIVERIES = 3
"""A pair whose checking failed this often is buried."""

MOST_UNEXPLAINED = 4
"""An entry that comes once more than this is buried unread. Its first delivery was in a batch, of which any other may
have ended the worker; in three more it was alone. With three in all, 50 kills among 10,000 pairs buried 1 to 3.
"""

DEAD_LETTERS = 10_000
"""Entries kept for `dead-letters`; the oldest make room."""

GONE_SECONDS = 3600.0
"""A worker asks for entries every second; one that has not for an hour will not come back under its name."""

NOBODY = "(unknown)"
"""The shadow of an entry that names none."""

OLDEST = (6, 2)
"""The first server version with XAUTOCLAIM."""

_LATEST = 1e11  # Unix seconds, in the year 5138: what is later is not a time

Fields = Mapping[bytes, bytes]
AccountingRow = tuple[str, int, str, str, str, int]
"""Proxy instance, first second of the hour, shadow, bucket of calls, reason, cumulative number."""


class QueueAway(Exception):
    """The server does not answer, or not now; trying again later is right."""


class QueueUnfit(Exception):
    """The server answers and must not be used as it is; the text names the remedy."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One entry in our hands."""

    id: bytes
    fields: Fields
    deliveries: int  # this one included


@dataclass(frozen=True, slots=True)
class Reclaimed:
    """What a search for abandoned entries found."""

    entries: tuple[Taken, ...]
    lost: int  # entries that somebody trimmed away before they were judged: never our doing


def identity(taken: Taken) -> tuple[str, str, float]:
    """Call id, shadow and arrival (Unix seconds) of an entry that may be unreadable: what it says in clear, else what
    the queue knows of it.
    """
    name, shadow = (taken.fields.get(key, b"").decode("utf-8", "replace") for key in (b"id", b"shadow"))
    try:
        arrived = float(orjson.loads(taken.fields[b"head"])["call"]["arrived"])
    except (KeyError, TypeError, ValueError):
        arrived = -1.0
    if not 0 <= arrived < _LATEST:
        arrived = _order(taken.id)[0] / 1000
    return name.removesuffix(f":{shadow}") or taken.id.decode(), shadow or NOBODY, arrived


def connect(url: str) -> redis.asyncio.Redis:
    """A client that says at once when the server is away; the worker decides when to try again.

    The library's own ten retries would keep one call waiting for a minute, and repeat writes that had been done.
    """
    retry = Retry(NoBackoff(), 0)
    return redis.asyncio.Redis.from_url(url, retry=retry, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=2.0)


class Intake:
    """One consumer of the group. Call `open` first, and again whenever the server has been away."""

    def __init__(self, client: redis.asyncio.Redis, stream: str, consumer: str = "") -> None:
        self._client: Any = client  # the library's return types are unions that name every protocol version
        self._stream = stream
        self._dead = f"{stream}:dead"
        self.consumer = consumer or f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(3)}"

    def __repr__(self) -> str:
        return f"<Intake {self._stream} as {self.consumer}>"

    async def open(self) -> None:
        """Check the server and make the group; raises QueueUnfit, or QueueAway."""
        with _mapped():
            info = await self._client.info()
            _fit(info)
            try:
                await self._client.xgroup_create(self._stream, GROUP, id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def inspect(self) -> int:
        """Check the server without writing to it; entries waiting. Raises QueueUnfit, or QueueAway."""
        with _mapped():
            _fit(await self._client.info())
            return int(await self._client.xlen(self._stream))

    async def take(self, limit: int, block: float) -> list[Taken]:
        """Up to `limit` new entries; waits up to `block` seconds (0: not at all) for the first."""
        if not 0 <= block < SOCKET_SECONDS:
            raise ValueError(f"block {block} s must end before the socket's own limit of {SOCKET_SECONDS} s")
        wait = {"block": round(block * 1000)} if block >= 0.001 else {}
        with _mapped():
            streams = await self._client.xreadgroup(GROUP, self.consumer, {self._stream: ">"}, count=limit, **wait)
        entries = streams[0][1] if streams else []
        return [Taken(entry, fields, 1) for entry, fields in entries]

    async def reclaim(self, idle: float, limit: int) -> Reclaimed:
        """Up to `limit` entries that no living worker has touched for `idle` seconds."""
        entries: list[tuple[bytes, Fields]] = []
        start, lost = b"0-0", 0
        with _mapped():
            while len(entries) < limit:
                reply = await self._client.xautoclaim(
                    self._stream, GROUP, self.consumer, round(idle * 1000), start, count=limit - len(entries)
                )
                start, found = reply[0], reply[1]
                entries += [(entry, fields) for entry, fields in found if fields]
                # Redis 7 names deleted entries and forgets them; 6.2 (no third part) hands them over empty.
                gone = [entry for entry, fields in found if not fields]
                lost += len(gone) + len(reply[2] if len(reply) > 2 else [])
                if gone:
                    await self._client.xack(self._stream, GROUP, *gone)
                if start == b"0-0":
                    break
            deliveries = await self._deliveries([entry for entry, _ in entries])
        return Reclaimed(tuple(Taken(entry, fields, deliveries.get(entry, 1)) for entry, fields in entries), lost)

    async def renew(self, entries: Sequence[bytes]) -> None:
        """Say that these are still in living hands. No delivery: their count stays."""
        if not entries:
            return
        with _mapped():
            await self._client.xclaim(self._stream, GROUP, self.consumer, 0, list(entries), justid=True)

    async def acknowledge(self, entries: Sequence[bytes]) -> None:
        """Say that these are done; they leave the stream. Doing it again is harmless."""
        if not entries:
            return
        with _mapped():
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.xack(self._stream, GROUP, *entries)
                pipe.xdel(self._stream, *entries)
                await pipe.execute()

    async def bury(self, taken: Taken, reason: str) -> int:
        """Move an entry to the dead letters, all at once; returns how many old ones made room for it."""
        fields = {**taken.fields, b"dead:reason": reason.encode(), b"dead:deliveries": str(taken.deliveries).encode()}
        with _mapped():
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.xadd(self._dead, fields)
                pipe.xtrim(self._dead, maxlen=DEAD_LETTERS, approximate=False)
                pipe.xack(self._stream, GROUP, taken.id)
                pipe.xdel(self._stream, taken.id)
                results = await pipe.execute()
        return int(results[1])

    async def waiting(self) -> int:
        """Entries published and neither judged nor buried."""
        with _mapped():
            return int(await self._client.xlen(self._stream))

    async def dead_letters(self) -> int:
        """Entries in the dead-letter stream."""
        with _mapped():
            return int(await self._client.xlen(self._dead))

    async def accounting(self) -> list[AccountingRow]:
        """What every proxy says became of its calls; rows that cannot be read are left out."""
        with _mapped():
            snapshots = await self._client.hgetall(f"{self._stream}:accounting")
        return [row for instance, value in snapshots.items() for row in _rows(instance, value)]

    async def forget_the_gone(self, silent: float = GONE_SECONDS) -> int:
        """Remove consumers that hold nothing and have been silent for so many seconds; returns how many."""
        with _mapped():
            consumers = await self._client.xinfo_consumers(self._stream, GROUP)
            gone = [
                one["name"]
                for one in consumers
                if one["pending"] == 0 and one["idle"] > silent * 1000 and one["name"] != self.consumer
            ]
            for name in gone:
                await self._client.xgroup_delconsumer(self._stream, GROUP, name)
        return len(gone)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _deliveries(self, entries: Sequence[bytes]) -> dict[bytes, int]:
        if not entries:
            return {}
        lowest, highest = min(entries, key=_order), max(entries, key=_order)
        rows = await self._client.xpending_range(
            self._stream, GROUP, lowest, highest, count=10_000, consumername=self.consumer
        )
        return {row["message_id"]: int(row["times_delivered"]) for row in rows}


def _fit(info: Mapping[str, Any]) -> None:
    version = tuple(int(part) for part in str(info.get("redis_version", "0.0")).split(".")[:2])
    if version < OLDEST:
        raise QueueUnfit(f"queue: the server is version {info.get('redis_version')}, and 6.2 is the oldest that works")
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise QueueUnfit(
            f"queue: the server's maxmemory-policy is {policy}, which may delete the whole stream without an error; "
            "set it to noeviction"
        )


def _rows(instance: bytes, value: bytes) -> list[AccountingRow]:
    try:
        return [
            (instance.decode(), int(hour), str(shadow), str(bucket), str(reason), int(n))
            for hour, shadow, bucket, reason, n in orjson.loads(value)
        ]
    except (ValueError, TypeError):
        return []


def _order(entry: bytes) -> tuple[int, int]:
    milliseconds, _, sequence = entry.partition(b"-")
    return int(milliseconds), int(sequence)


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        # The type only: messages of the library may hold the URL with its password.
        raise QueueAway(f"queue: {type(error).__name__}") from error
