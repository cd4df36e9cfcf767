"""The ledger as delivery sends it along: as it will stand when a transaction is acknowledged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import orjson

from config.pair import Pair
from proxy.core.accounting import HOUR, Bucket, Ledger
from proxy.core.frames import Entry
from proxy.telemetry import Telemetry

KEPT_HOURS = 48
"""Hours of accounting that are kept and sent; what is older the evaluators have stored."""

Paired = Mapping[tuple[int, str], int]
"""How many pairs, by hour and shadow."""


class Account:
    """`told` before a transaction, `acknowledged` or `unheard` after it."""

    def __init__(self, ledger: Ledger, telemetry: Telemetry) -> None:
        self._ledger = ledger
        self._telemetry = telemetry
        self._oldest = 0
        self._newest = 0

    @property
    def news(self) -> bool:
        """True when something was counted that has not been told."""
        return self._ledger.changed

    def told(self, entries: Sequence[Entry]) -> tuple[bytes, Paired]:
        """The ledger with `entries` paired, as JSON, and those pairs."""
        paired = Counter((entry.hour, entry.shadow) for entry in entries)
        rows = self._ledger.snapshot()  # sorted by hour; two days of rows are about a thousand, and this runs often
        missing = dict(paired)
        first = min(missing, default=(0, ""))[0]
        for row in reversed(rows):
            if not missing or int(row[0]) < first:
                break
            if row[2] == Bucket.PAIRED:
                row[4] = int(row[4]) + missing.pop((int(row[0]), str(row[1])), 0)
        if missing:
            rows += [[hour, shadow, Bucket.PAIRED.value, "", n] for (hour, shadow), n in missing.items()]
            rows.sort()
        self._oldest, self._newest = (int(rows[0][0]), int(rows[-1][0])) if rows else (0, 0)
        self._ledger.changed = False
        return orjson.dumps(rows), paired

    def acknowledged(self, paired: Paired, forget: bool) -> None:
        """Count what was paired; with `forget`, let go of the hours that were told often enough."""
        counted_meanwhile = self._ledger.changed
        for (hour, shadow), n in paired.items():
            self._ledger.count(hour, shadow, Bucket.PAIRED, n=n)
        first_kept = self._newest - KEPT_HOURS * HOUR
        if forget and self._oldest < first_kept:
            self._telemetry.carry(row for row in self._ledger.snapshot() if int(row[0]) < first_kept)
            self._ledger.prune(first_kept)
        self._ledger.changed = counted_meanwhile

    def unheard(self) -> None:
        """Nobody acknowledged what was told."""
        self._ledger.changed = True

    def drop(self, pair: Pair, reason: str) -> None:
        """Count a pair as lost by us."""
        self._ledger.count(pair.call.arrived, pair.shadow, Bucket.DROPPED, reason)
