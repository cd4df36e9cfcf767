"""The bounded memory of delivery: pairs that wait, and batches of them in hand; pairs made ready for the stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from config.pair import Pair
from config.wire import WireError, encode
from proxy.core import resp
from proxy.core.accounting import HOUR
from proxy.core.frames import Entry
from proxy.telemetry import Telemetry

BATCH = 128
BATCH_BYTES = 4 << 20  # so that one append stays within the socket's limit on a slow link
MOST_PAIRS = 20_000  # held at most, however small: each costs about 5 kB of objects beside its bodies
OVERHEAD = 2048  # bytes counted for a pair beside its bodies


@dataclass(slots=True, eq=False)
class Held:
    """A pair in memory, with the bytes it is counted as; packed once it was taken."""

    pair: Pair
    size: int
    entry: Entry | None = None


class Waiting:
    """`add` refuses beyond the bound; what `in_hand` gave out still counts until it is `release`d."""

    def __init__(self, memory: int, telemetry: Telemetry) -> None:
        self._memory = memory
        self._queue: deque[Held] = deque()
        self.pairs = 0
        self.bytes = 0
        telemetry.queue_pairs.set_function(lambda: self.pairs)  # asked at a scrape: telling costs 0.6 µs a pair
        telemetry.queue_bytes.set_function(lambda: self.bytes)

    @property
    def much(self) -> bool:
        """True above a quarter of the bound: time to use the disk, if there is one."""
        return self.bytes > self._memory // 4 or self.pairs > MOST_PAIRS // 4

    def add(self, pair: Pair) -> bool:
        """Keep a pair; False: no room."""
        size = OVERHEAD + len(pair.call.body) + len(pair.live.body) + len(pair.outcome.body)
        if self.bytes + size > self._memory or self.pairs >= MOST_PAIRS:
            return False
        self._queue.append(Held(pair, size))
        self._hold(1, size)
        return True

    @contextmanager
    def in_hand(self) -> Iterator[list[Held]]:
        """Take a batch; what is not released from it waits again, in front."""
        batch: list[Held] = []
        size = 0
        while self._queue and len(batch) < BATCH and size < BATCH_BYTES:
            batch.append(self._queue.popleft())
            size += batch[-1].size
        try:
            yield batch
        finally:
            self._queue.extendleft(reversed(batch))

    def release(self, batch: list[Held], n: int) -> list[Held]:
        """Let go of the first `n` of a batch; returns them."""
        gone = batch[:n]
        del batch[:n]
        self._hold(-len(gone), -sum(held.size for held in gone))
        return gone

    def _hold(self, pairs: int, size: int) -> None:
        self.pairs += pairs
        self.bytes += size

    def __len__(self) -> int:
        return len(self._queue)

    def __repr__(self) -> str:
        return f"{self.pairs} pairs, {self.bytes} bytes"


def pack(pairs: Sequence[Pair]) -> list[Entry | None]:
    """The entries, None for a pair that cannot be written: one bad pair must not hold up the others."""
    entries: list[Entry | None] = []
    for pair in pairs:
        try:
            fields = encode(pair)
        except WireError:
            entries.append(None)
        else:
            hour = int(pair.call.arrived // HOUR) * HOUR
            entries.append(Entry(hour, pair.shadow, len(fields), resp.record(fields)))
    return entries
