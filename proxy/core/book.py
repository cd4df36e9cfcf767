"""What the lane owes: the calls that relays began, beside the ledger of what became of them. Kept across its deaths.

A call is owed to each shadow of its route from the moment a relay handed it over or dropped it, and paid by the one
count that the ledger makes for it. The lane writes the book and its ledger down together, many times a second. The next
lane reads them, counts what was owed and not paid as dropped (`lane_away`), and what relays began after the last
writing as well, when they tell their totals. So calls = ineligible + sampled_out + skipped + dropped + paired holds
after any number of deaths of the lane. What a relay that died had not told anybody stays unknown.

Two things follow. What the dead lane did after its last writing is counted as dropped, though up to so many pairs may
be in the stream. And pairs that it left in the spool turn up later: what is then paid beyond what was owed is taken
back from `lane_away`.
"""

from __future__ import annotations

import marshal
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

from proxy.core.accounting import Bucket, Ledger
from proxy.core.handing import KEPT, Totals, hour_of

Rows = list[list[int | str]]  # of a Ledger's snapshot


class Book:
    """Totals by relay, and debts by hour and shadow. `names` gives the shadows of a route."""

    def __init__(self, ledger: Ledger, names: Callable[[str], Collection[str]]) -> None:
        self._ledger = ledger
        self._names = names
        self._relays: dict[str, Counter[tuple[int, str, str]]] = {}
        self._owed: Counter[tuple[int, str]] = Counter()
        self._newest = 0
        self._last: Rows = []
        self.forgotten: Counter[tuple[str, str, str]] = Counter()
        """By shadow, bucket and reason: what the ledger counted in hours that it has forgotten."""

    def begun(self, relay: str, arrived: float, prefix: str) -> None:
        """A relay handed over a call; mirror will count it."""
        self._enter(relay, (hour_of(arrived), prefix, ""), 1)

    def told(self, relay: str, totals: Totals) -> None:
        """Count what a relay has had and the lane has not heard of: its drops, and calls handed to a lane that died."""
        known = self._relays.setdefault(relay, Counter())
        for (hour, prefix, fate), total in totals.items():
            n = total - known[hour, prefix, fate]
            if n <= 0 or hour < self._newest - KEPT:
                continue
            self._enter(relay, (hour, prefix, fate), n)
            for name in self._names(prefix):
                self._ledger.count(hour, name, Bucket.DROPPED, fate or "lane_away", n)

    def written(self) -> bytes:
        """Everything, and the ledger, as of now."""
        self._take_back()
        rows = self._ledger.snapshot()
        first = int(rows[0][0]) if rows else 0
        self._forget(row for row in self._last if int(row[0]) < first)
        self._last = rows
        relays = {relay: dict(totals) for relay, totals in self._relays.items() if totals}
        return marshal.dumps((rows, relays, dict(self._owed), dict(self.forgotten)))

    def read(self, data: bytes) -> int:
        """Go on where a lane that died stopped, with a ledger that is empty; returns the calls that died with it."""
        rows, relays, owed, forgotten = marshal.loads(data)
        for hour, shadow, bucket, reason, n in rows:
            self._ledger.count(hour, shadow, Bucket(bucket), reason, n)
        self._last = rows
        self._relays = {relay: Counter(totals) for relay, totals in relays.items()}
        self._owed = Counter(owed)
        self.forgotten = Counter(forgotten)
        self._newest = max((hour for hour, _ in owed), default=0)
        lost = self._owed - _paid(rows)  # only what is above zero
        for (hour, shadow), n in lost.items():
            self._ledger.count(hour, shadow, Bucket.DROPPED, "lane_away", n)
        return lost.total()

    def _take_back(self) -> None:
        rows = self._ledger.snapshot()
        paid = _paid(rows)
        for hour, shadow, bucket, reason, n in rows:
            owed = self._owed.get((int(hour), str(shadow)))
            if reason == "lane_away" and owed is not None and (excess := paid[int(hour), str(shadow)] - owed) > 0:
                self._ledger.count(int(hour), str(shadow), Bucket(str(bucket)), str(reason), -min(excess, int(n)))

    def _enter(self, relay: str, key: tuple[int, str, str], n: int) -> None:
        hour, prefix, _ = key
        if hour > self._newest:
            self._newest = hour
            self._prune(hour - KEPT)
        self._relays.setdefault(relay, Counter())[key] += n
        for name in self._names(prefix):
            self._owed[hour, name] += n

    def _prune(self, before: int) -> None:
        for totals in self._relays.values():
            for key in [key for key in totals if key[0] < before]:
                del totals[key]
        for owed in [key for key in self._owed if key[0] < before]:
            del self._owed[owed]

    def _forget(self, rows: Iterable[Sequence[int | str]]) -> None:
        for _, shadow, bucket, reason, n in rows:
            self.forgotten[str(shadow), str(bucket), str(reason)] += int(n)

    def __repr__(self) -> str:
        return f"<Book of {len(self._relays)} relays, {self._owed.total()} calls owed in all>"


def _paid(rows: Rows) -> Counter[tuple[int, str]]:
    paid: Counter[tuple[int, str]] = Counter()
    for hour, shadow, _, _, n in rows:
        paid[int(hour), str(shadow)] += int(n)
    return paid
