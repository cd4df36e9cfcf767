"""The lane's book: after any death, every call that a relay began is counted once for each shadow."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from proxy.core.accounting import HOUR, Bucket, Ledger
from proxy.core.book import Book

ROUTES = {"": ("mini", "control"), "/other": ("big",)}


class Lane:
    """A book and its ledger; `die` gives the lane that comes after."""

    def __init__(self, data: bytes | None = None) -> None:
        self.ledger = Ledger()
        self.book = Book(self.ledger, lambda prefix: ROUTES.get(prefix, ()))
        self.lost = 0 if data is None else self.book.read(data)
        self.saved = self.book.written()

    def call(self, relay: Relay, decided: bool, prefix: str = "", hour: int = 0) -> None:
        """One call handed over; with `decided`, every shadow of it was counted before anything else happened."""
        relay.totals[hour, prefix, ""] += 1
        self.book.begun(relay.name, float(hour), prefix)
        if decided:
            for name in ROUTES.get(prefix, ()):
                self.ledger.count(hour, name, Bucket.PAIRED)

    def save(self) -> None:
        """Write the book down."""
        self.saved = self.book.written()

    def die(self) -> Lane:
        """The next lane, with what was written last."""
        return Lane(self.saved)


class Relay:
    """A relay's own totals."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.totals: Counter[tuple[int, str, str]] = Counter()


def _lost(lane: Lane, shadow: str) -> int:
    return lane.ledger.total(shadow=shadow, bucket=Bucket.DROPPED, reason="lane_away")


def test_undecided_calls_of_a_dead_lane_are_dropped() -> None:
    """What was owed and not paid when the book was written is lane_away, for every shadow of the route."""
    lane, relay = Lane(), Relay("a")
    lane.call(relay, decided=True)
    lane.call(relay, decided=False)
    lane.call(relay, decided=False, prefix="/other")
    lane.save()
    after = lane.die()
    assert after.lost == 3
    assert [_lost(after, name) for name in ("mini", "control", "big")] == [1, 1, 1]
    assert after.ledger.total(shadow="mini", bucket=Bucket.PAIRED) == 1


def test_calls_after_the_last_writing_are_dropped_when_their_relay_tells() -> None:
    """Handed over or decided after the last writing: lane_away, once the relay says how many it had."""
    lane, relay = Lane(), Relay("a")
    lane.call(relay, decided=True)
    lane.save()
    lane.call(relay, decided=True)
    lane.call(relay, decided=False)
    after = lane.die()
    for _ in range(2):  # telling twice counts once
        after.book.told("a", relay.totals)
        assert (_lost(after, "mini"), after.ledger.calls("mini")) == (2, 3)
    assert after.die().lost == 0


def test_drops_of_a_relay_keep_their_reason() -> None:
    """What a relay dropped itself is counted under the reason it gave, for every shadow of the route."""
    lane = Lane()
    lane.book.told("a", {(0, "", "lane_full"): 4, (0, "", "lane_away"): 2, (0, "/unknown", "lane_full"): 9})
    assert lane.ledger.total(shadow="control", reason="lane_full") == 4
    assert lane.ledger.calls("mini") == 6
    lane.save()
    assert lane.die().lost == 0


def test_pairs_from_the_spool_are_taken_back() -> None:
    """A pair of a dead lane that turns up after all moves from lane_away to paired, never below zero."""
    lane, relay = Lane(), Relay("a")
    for _ in range(3):
        lane.call(relay, decided=False)
    lane.save()
    after = lane.die()
    after.ledger.count(0, "mini", Bucket.PAIRED, n=2)
    after.save()
    assert (_lost(after, "mini"), after.ledger.calls("mini")) == (1, 3)
    after.ledger.count(0, "mini", Bucket.PAIRED, n=2)
    after.save()
    assert (_lost(after, "mini"), after.ledger.calls("mini")) == (0, 4)
    assert "owed" in repr(after.book)


def test_old_hours_are_forgotten_everywhere() -> None:
    """After 48 hours a relay's old totals count for nothing, and what the ledger forgot is kept as sums."""
    lane, relay = Lane(), Relay("a")
    lane.call(relay, decided=True)
    lane.save()
    lane.call(relay, decided=True, hour=49 * HOUR)
    lane.ledger.prune(HOUR)
    lane.save()
    assert lane.book.forgotten == {("mini", "paired", ""): 1, ("control", "paired", ""): 1}
    after = lane.die()
    assert after.book.forgotten == lane.book.forgotten
    after.book.told("a", relay.totals)
    assert (after.lost, after.ledger.calls("mini")) == (0, 1)


@pytest.mark.parametrize("seed", range(20))
def test_conservation_over_many_deaths(seed: int) -> None:
    """Whatever is handed over, dropped, decided, written and killed in whatever order: calls = sum of buckets."""
    dice = random.Random(seed)
    lane, relays = Lane(), [Relay("a"), Relay("b")]
    for _ in range(400):
        relay = dice.choice(relays)
        match dice.randrange(10):
            case 0:
                lane = lane.die()
            case 1 | 2:
                lane.save()
            case 3:
                relay.totals[0, "", dice.choice(("lane_full", "lane_away"))] += 1
            case _:
                lane.book.told(relay.name, relay.totals)
                lane.call(relay, decided=dice.random() < 0.7, hour=dice.randrange(3) * HOUR)
    lane.save()
    lane = lane.die()
    for relay in relays:
        lane.book.told(relay.name, relay.totals)
    made = sum(relay.totals.total() for relay in relays)
    assert [lane.ledger.calls(name) for name in ("mini", "control")] == [made, made]
