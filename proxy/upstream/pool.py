"""The connections of one upstream: last in, first out, and none kept so long that its upstream may be hanging up.

A request that meets a connection which is just being closed fails, and a POST cannot be repeated. So a connection is
used again only while it is younger than half the age at which this upstream was seen to close an idle one. One older
connection, which nobody uses, is left to see whether that still holds: a restart closes connections of any age.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from proxy.upstream.connection import Connection

_LOOK_AFTER = 0.005
"""Seconds of idleness after which a connection is looked at before use: a system call (under 1 µs) per exchange."""

_AGES = 8
"""Closings remembered, of which the earliest counts: a busy loop sees one too late, by twice the limit and more."""

_SWEEP = 0.25  # seconds between two looks for idle connections to let go


class Pool:
    """The open connections of one upstream, and the idle ones among them."""

    __slots__ = ("_ages", "_gone", "_idle", "_keep", "_loop", "_open", "_seen", "_sweeper", "_watched")

    def __init__(self, keep: float) -> None:
        self._keep = keep
        self._seen = keep  # what experience adds to that
        self._ages: deque[float] = deque(maxlen=_AGES)  # at which idle connections were closed
        self._idle: list[Connection] = []  # oldest first
        self._open: set[Connection] = set()
        self._watched: Connection | None = None  # too old to be used: left to see when its upstream closes it
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._gone: Callable[[], None] | None = None

    def take(self) -> Connection | None:
        """The connection that was idle for the shortest time, if any is fit for use."""
        while self._idle:
            connection = self._idle.pop()
            if connection.transport.is_closing():
                continue
            age = self._time() - connection.idle_since
            if age <= min(connection.keep, self._seen) and (age < _LOOK_AFTER or connection.sound()):
                return connection
            self._retire(connection, age)
        return None

    def put(self, connection: Connection, keep_for: float | None) -> None:
        """Keep it for the next exchange; `keep_for`: what its upstream said, let go one second earlier."""
        connection.keep = self._keep if keep_for is None else min(self._keep, keep_for - 1.0)
        if connection.keep <= 0 or self._gone is not None:
            connection.transport.abort()
            return
        connection.idle_since = self._time()
        self._idle.append(connection)
        if self._sweeper is None:
            self._sweeper = self._running_loop().call_later(_SWEEP, self._sweep)

    def made(self, connection: Connection) -> None:
        """A connection exists; it is counted until `lost`."""
        self._open.add(connection)

    def lost(self, connection: Connection, *, unused: bool) -> None:
        """It has ended; `unused`: while it carried no exchange."""
        if connection is self._watched:
            self._watched = None
            self._learn(connection)
        elif unused and connection in self._idle:
            self._idle.remove(connection)
            self._learn(connection)
        self.forget(connection)

    def forget(self, connection: Connection) -> None:
        """It is not waited for at the end: it has ended, or was given up before it carried anything."""
        self._open.discard(connection)
        if self._gone is not None and not self._open:
            self._gone()

    def refused(self, connection: Connection) -> None:
        """It ended under a request, before an answer."""
        if connection.idle_since >= 0:
            self._learn(connection)

    def keep_none(self) -> None:
        """Let the idle connections go now, and the busy ones as their exchanges end."""
        self._keep = self._seen = 0.0
        idle, self._idle = self._idle, []
        if self._watched is not None:
            idle.append(self._watched)
            self._watched = None
        for connection in idle:
            connection.transport.abort()

    async def close(self) -> None:
        """Close every connection, and wait until they are."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        self._idle.clear()
        self._watched = None
        ended = self._running_loop().create_future()
        self._gone = lambda: None if ended.done() else ended.set_result(None)
        for connection in tuple(self._open):
            connection.transport.abort()
        if self._open:
            await ended

    def __len__(self) -> int:
        return len(self._open)

    def __repr__(self) -> str:
        return f"<Pool open={len(self._open)} idle={len(self._idle)}>"

    def _learn(self, connection: Connection) -> None:
        self._ages.append(self._time() - connection.idle_since)
        self._seen = min(self._keep, min(self._ages) / 2)

    def _retire(self, connection: Connection, age: float) -> None:
        if self._watched is None and self._seen < age < connection.keep and connection.sound():
            self._watched = connection
        else:
            connection.transport.abort()

    def _sweep(self) -> None:
        now = self._time()
        watched = self._watched
        if watched is not None and now - watched.idle_since >= watched.keep:
            self._watched = None
            self._ages.clear()
            self._seen = self._keep  # it was left open all that time: what was seen before was no habit
            watched.transport.abort()
        kept = []
        for connection in self._idle:
            age = now - connection.idle_since
            if age <= min(connection.keep, self._seen):
                kept.append(connection)
            else:
                self._retire(connection, age)
        self._idle[:] = kept
        again = self._idle or self._watched is not None
        self._sweeper = self._running_loop().call_later(_SWEEP, self._sweep) if again else None

    def _time(self) -> float:
        return self._running_loop().time()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop
