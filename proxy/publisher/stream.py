"""The queue's server as delivery sees it: looked at, and given one transaction at a time. Alone here to use redis-py.

Errors of the library become QueueAway at the call, with the kind of error and no text: it may hold a URL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from proxy.core import resp
from proxy.core.frames import Entry


class QueueUnfit(Exception):
    """The server would delete the stream when its memory is full; the text names the remedy."""


class QueueAway(Exception):
    """The server did not do what was asked, or did not say so; the text is the kind of error."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a segment the queue will have after a transaction."""

    segment: str
    entries: int


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


class Stream:
    """One stream on one server, with the accounting and the spools' progress beside it."""

    def __init__(self, client: redis.asyncio.Redis, name: str, instance: str) -> None:
        self._client: Any = client  # the library's return types are unions that name every protocol version
        self._name = name.encode()
        self._spooled = f"{name}:spooled"
        self._account = (b"HSET", f"{name}:accounting".encode(), instance.encode())

    async def check(self) -> None:
        """Look at the server's eviction policy; raises QueueUnfit, or QueueAway.

        Any policy but noeviction removed the whole stream without an error once the memory was full.
        """
        try:
            try:
                policy = (await self._client.config_get("maxmemory-policy")).get("maxmemory-policy", "")
            except ResponseError:  # managed servers forbid CONFIG
                policy = (await self._client.info("memory")).get("maxmemory_policy", "")
        except (RedisError, OSError) as error:
            raise QueueAway(type(error).__name__) from error
        policy = policy.decode() if isinstance(policy, bytes) else str(policy)
        if policy not in ("noeviction", ""):
            raise QueueUnfit(
                f"queue: the server's maxmemory-policy is {policy}, which may delete the whole stream without an "
                "error; set it to noeviction"
            )

    async def append(
        self, entries: Sequence[Entry], account: bytes, progress: Progress | None, finished: Sequence[str]
    ) -> int:
        """One transaction: the entries, the accounting in which they are paired, how far the spool is drained, and the
        segments to forget. Returns the stream's length; raises QueueAway: not acknowledged."""
        commands = [resp.command(*self._account, account)]
        spooled = self._spooled.encode()
        if progress is not None:
            commands.append(resp.command(b"HSET", spooled, progress.segment.encode(), b"%d" % progress.entries))
        if finished:
            commands.append(resp.command(b"HDEL", spooled, *(segment.encode() for segment in finished)))
        commands.append(resp.command(b"XLEN", self._name))
        try:
            done = await self._transaction(entries, commands)
        except (RedisError, OSError) as error:
            raise QueueAway(type(error).__name__) from error
        return int(done[-1])

    async def progress(self, segment: str) -> int:
        """How many entries of a segment the queue has; raises QueueAway."""
        try:
            return int(await self._client.hget(self._spooled, segment) or 0)
        except (RedisError, OSError, ValueError) as error:
            raise QueueAway(type(error).__name__) from error

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _transaction(self, entries: Sequence[Entry], commands: Sequence[bytes]) -> list[Any]:
        """Sent as bytes of ours over the library's connection, which connects, authenticates and parses."""
        beginnings = {fields: resp.xadd(self._name, fields) for fields in {entry.fields for entry in entries}}
        packed = [resp.command(b"MULTI")]
        for entry in entries:
            packed += (beginnings[entry.fields], entry.record)
        packed += (*commands, resp.command(b"EXEC"))
        await self._client.initialize()
        connection = self._client.connection
        try:
            await connection.send_packed_command(b"".join(packed))
            for _ in range(1 + len(entries) + len(commands)):  # OK, and QUEUED for each
                await connection.read_response()
            done = await connection.read_response()
            for result in done:
                if isinstance(result, Exception):
                    raise result
        except BaseException:
            await connection.disconnect(nowait=True)  # replies that nobody read would answer the next transaction
            raise
        return list(done)
