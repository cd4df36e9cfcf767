"""Pairs on the disk while the queue is slow or away: group commits in a thread of its own, drained oldest first.

Used by delivery. Bounded by `most` bytes; what when full, or when the disk refuses: `put` takes fewer, the rest stays
in memory, and beyond the memory's bound the newest pair is dropped and counted. A killed process leaves its segments;
the next one on the same directory drains them. What a kill may lose is what had not been written: what arrived within
`delivery.COMMIT` seconds and the write itself; the page cache survives a process, so the sync need not be over.

A segment is drained under its id: the queue stores, in the transaction that takes the pairs, how many entries of the
segment it has; whoever drains the rest goes on there. So a pair is counted once, by the process that drained it, under
its own hour; until then it is in no bucket but in `pairs`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from proxy.core import frames
from proxy.core.frames import Entry
from proxy.publisher.segments import Disk, Segment, Segments
from proxy.telemetry import log

REST = 1.0  # seconds before a disk that refused is asked again

_T = TypeVar("_T")


@dataclass(slots=True)
class SpoolFacts:
    """What the metrics say of a spool; the first two go up and down, the others only up."""

    pairs: int = 0
    bytes: int = 0
    written: int = 0  # pairs
    drained: int = 0  # pairs
    damaged: int = 0  # stretches that no record could be read from
    foreign: int = 0  # files that are not ours to read
    failures: int = 0  # of the disk


class Draining:
    """One segment on its way to the queue."""

    def __init__(self, segment: Segment, data: bytes) -> None:
        self.segment = segment
        self.marker = frames.marker_of(data) or b""
        self._data = data
        self._at = frames.HEADER
        self.done = 0  # entries that the queue has
        self.asked = False  # how many the queue had before

    @property
    def id(self) -> str:
        """Names the segment, whichever process drains it."""
        return self.marker.hex()

    def next(self, entries: int, size: int) -> frames.Read:
        """The entries to send next, without going on."""
        return frames.read(self._data, self._at, self.marker, entries, size)

    def advance(self, read: frames.Read) -> None:
        """Go on behind what was read: the queue has it."""
        self._at = read.next
        self.done += len(read.entries)

    @property
    def over(self) -> bool:
        """True when all of it was read."""
        return self._at >= len(self._data)


class Spool:
    """`put`, `oldest` and `finish` wait for the disk, one at a time; `close` leaves the rest to the next process."""

    def __init__(self, root: Path, instance: str, most: int, disk: Disk | None = None) -> None:
        self._segments = Segments(root, instance, most, disk or Disk())
        self._thread = ThreadPoolExecutor(1, "understudy-spool")  # a hanging disk must not take live's threads
        self.facts = SpoolFacts()
        self.draining: Draining | None = None
        self.full = False
        self.failing = False
        self._rest_until = 0.0

    @property
    def taking(self) -> bool:
        """False after a put that could not take everything, until one can."""
        return not (self.full or self.failing)

    @property
    def drainable(self) -> bool:
        """True when there is something to drain and the disk has had a moment since it last refused."""
        return self.facts.bytes > 0 and asyncio.get_running_loop().time() >= self._rest_until

    @property
    def ready(self) -> bool:
        """True when there are entries in hand to send."""
        return self.draining is not None and not self.draining.over

    async def put(self, entries: Sequence[Entry]) -> int:
        """Commit entries; returns how many of the first of them are on the disk."""
        taken = await self._do(lambda: self._segments.append(entries))
        if taken is None:
            return 0
        self.facts.written += taken
        full = taken < len(entries)
        if full and not self.full:
            log(logging.WARNING, "spool full", bytes=self.facts.bytes)
        self.full = full
        return taken

    async def oldest(self) -> Draining | None:
        """The segment to drain, the same one until it is `finish`ed."""
        if self.draining is None and (found := await self._do(self._segments.oldest)) is not None:
            self.draining = Draining(*found)
        return self.draining

    def skip(self, entries: int) -> None:
        """Go on behind what the queue got of `draining` from another process, or before we forgot."""
        assert self.draining is not None
        self.draining.asked = True
        if entries:
            self.draining.advance(self.draining.next(entries, self.draining.segment.size))

    def sent(self, read: frames.Read) -> bool:
        """What `draining.next` gave is in the queue. True: that was all of the segment."""
        assert self.draining is not None
        self.draining.advance(read)
        self.facts.drained += len(read.entries)
        self.facts.damaged += read.damaged
        self._count()
        if read.damaged:
            log(logging.ERROR, "spool damaged", places=read.damaged)
        return self.draining.over

    async def finish(self) -> bool:
        """Delete the segment in hand; False: the disk refuses, ask again."""
        assert self.draining is not None
        segment = self.draining.segment
        if not await self._do(lambda: self._segments.remove(segment)):
            return False
        self.draining = None
        self._count()
        self.full = False
        return True

    async def adopt(self) -> bool:
        """Take over some of what processes that are gone have left; True: there may be more."""
        known = self.facts.foreign
        found = await self._do(self._segments.adopt)
        if found:
            log(logging.INFO, "spool found", pairs=self.facts.pairs, bytes=self.facts.bytes)
        if self.facts.foreign > known:
            log(logging.WARNING, "spool: files that are not ours", files=self.facts.foreign - known)
        return bool(found)

    async def close(self, limit: float) -> list[str]:
        """Leave the directory; a disk that hangs is not waited for. Returns the id of a segment that is gone now."""
        drained = self.draining if self.draining is not None and self.draining.over else None
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self._close, drained)
        await asyncio.wait({closing}, timeout=limit)
        self._thread.shutdown(wait=False)
        if closing.done() and (error := closing.exception()) is not None:
            log(logging.WARNING, "spool not closed", error=type(error).__name__)
        if self.facts.pairs:
            log(logging.WARNING, "pairs left in the spool", pairs=self.facts.pairs)
        return [drained.id] if drained is not None and closing.done() and closing.exception() is None else []

    def _close(self, drained: Draining | None) -> None:
        if drained is not None:
            self._segments.remove(drained.segment)
        self._segments.close()

    async def _do(self, work: Callable[[], _T]) -> _T | None:
        """In the thread; None when the disk refuses. A cancelled caller does not stop the thread."""
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except OSError as error:
            self.facts.failures += 1
            if not self.failing:
                log(logging.ERROR, "spool failing", error=type(error).__name__, errno=error.errno)
            self.failing = True
            self._rest_until = asyncio.get_running_loop().time() + REST
            return None
        if self.failing:
            log(logging.INFO, "spool works again")
        self.failing = False
        self._count()
        return result

    def _count(self) -> None:
        done = self.draining.done if self.draining else 0
        self.facts.pairs = max(self._segments.entries - done, 0)
        self.facts.bytes = self._segments.size
        self.facts.foreign = len(self._segments.foreign)

    def __repr__(self) -> str:
        state = " full" if self.full else " failing" if self.failing else ""
        return f"<Spool of {self.facts.pairs} pairs, {self.facts.bytes} bytes{state}>"
