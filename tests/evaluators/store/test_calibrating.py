"""Thresholds from the control: which pairs set them, that each is set once, and that workers agree."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from config.pair import NEVER, Role
from evaluators.core.finding import Check, Finding, Result, same, skipped
from evaluators.core.observation import Found, Observation
from evaluators.core.reply import Kind
from evaluators.store import Store, calibrating, open_store, schema
from evaluators.store.calibrating import CALIBRATION, MOST_ROUTES, Distance, Thresholds
from tests.evaluators.made import NOON, observation

NEAR = Check("near", "shadow:semantic", True, "correctness", "signal", "1-a", lambda live, arm: same())
CHAT = ("near", "1-a", "/v1/chat")


def seen(number: int, finding: Finding, shadow: str = "control", kind: Kind = Kind.OK) -> Observation:
    """Call `number` with this finding, and another check's."""
    made = observation(number, shadow, kind=kind)
    return replace(made, found=(*made.found, Found(NEAR, "s", skipped(""), finding)))


def calibrates(distance: float, route: str = "/v1/chat") -> Finding:
    return Finding(Result.SKIP, distance, "calibrating", (route,))


def distances(count: int, first: int = 0, key: calibrating.Key = CHAT) -> list[Distance]:
    """Of calls `first` and later: 0.001, 0.002, …"""
    return [Distance(key, f"c{number}", (number + 1) / 1000) for number in range(first, first + count)]


def known(store: Store, version: str = "1-a") -> Thresholds:
    """What a worker with this version of the check knows after a look."""
    found = Thresholds(store)
    found.use({"near": version})
    found.refresh()
    return found


def rows(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(schema.distances)).scalar_one())


def test_only_answered_control_pairs_that_calibrate_are_measured() -> None:
    """Candidates, pairs without two answers, and findings that are something else leave no distance."""
    batch = [
        seen(1, calibrates(0.25)),
        seen(2, calibrates(0.5), "mini"),
        seen(3, calibrates(0.5), kind=Kind.TIMEOUT),
        seen(4, skipped("neither answer has text")),
        seen(5, same("", 0.5)),
        replace(seen(6, calibrates(0.5)), role=Role.AGAIN),
    ]
    assert calibrating.measured(batch) == [Distance(CHAT, batch[0].call_id, 0.25)]


def test_the_threshold_is_set_once(store: Store) -> None:
    """With the last of the pairs it is there, rank 191 of 200; what comes later changes nothing and leaves nothing."""
    calibrating.add(store, distances(CALIBRATION - 1), NOON)
    assert (known(store)("near", "/v1/chat"), rows(store)) == (NEVER, CALIBRATION - 1)
    calibrating.add(store, distances(1, CALIBRATION - 1), NOON + 1)
    assert (known(store)("near", "/v1/chat"), rows(store)) == (0.191, 0)
    calibrating.add(store, distances(CALIBRATION, 5000), NOON + 2)
    assert (known(store)("near", "/v1/chat"), rows(store)) == (0.191, 0)
    with store.reading() as connection:
        assert connection.execute(select(schema.calibrations)).all() == [(*CHAT, 0.191, CALIBRATION, NOON + 1)]


def test_a_pair_counts_once_however_often_it_comes(store: Store) -> None:
    """Deliveries repeat; the number of pairs does not."""
    for _ in range(3):
        calibrating.add(store, distances(CALIBRATION - 1), NOON)
    assert rows(store) == CALIBRATION - 1


def test_each_check_version_and_route_has_its_own(store: Store) -> None:
    """A changed check begins anew, and so does another route."""
    calibrating.add(store, distances(CALIBRATION), NOON)
    calibrating.add(store, distances(CALIBRATION, 1000, ("near", "1-a", "/v1/other")), NOON)
    assert [known(store)("near", route) for route in ("/v1/chat", "/v1/other", "/x")] == [0.191, 1.191, NEVER]
    assert known(store, "1-b")("near", "/v1/chat") == NEVER
    assert known(store)("far", "/v1/chat") == NEVER
    assert repr(known(store)) == "<Thresholds of 2 routes>"


def test_nothing_is_read_where_nothing_is_asked(store: Store) -> None:
    """A worker without such checks does not look."""
    store.close()
    Thresholds(store).refresh()


def test_routes_are_bounded(store: Store) -> None:
    """Traffic may invent paths; the first MOST_ROUTES of a check are calibrated, others are forgotten."""
    many = [Distance(("near", "1-a", f"/{number:04d}"), "c", 0.5) for number in range(MOST_ROUTES + 20)]
    calibrating.add(store, many, NOON)
    calibrating.add(store, many[::-1], NOON)
    assert rows(store) == MOST_ROUTES
    calibrating.add(store, [Distance(("near", "2", "/x"), "c", 0.5)], NOON)
    assert rows(store) == MOST_ROUTES + 1


def test_workers_agree(store: Store) -> None:
    """Four writers with pieces of the same pairs make one threshold, of at least CALIBRATION of them."""
    url = str(store.engine.url)
    pieces = [distances(25, first) for first in range(0, 400, 25)]

    def write(own: Sequence[Sequence[Distance]]) -> None:
        mine = open_store(url)
        for piece in own:
            calibrating.add(mine, piece, NOON)
        mine.close()

    threads = [threading.Thread(target=write, args=(pieces[at::4],)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(9)
    with store.reading() as connection:
        ((*_, threshold, n, _at),) = connection.execute(select(schema.calibrations)).all()
    assert (n, rows(store)) == (CALIBRATION, 0)
    assert known(store)("near", "/v1/chat") == threshold


@pytest.mark.parametrize(("n", "rank"), [(1, 1), (19, 19), (20, 20), (39, 38), (200, 191), (1000, 951)])
def test_the_quantile_counts_the_next_one_too(n: int, rank: int) -> None:
    """One more draw is above it with at most 5 %, as far as n allows."""
    assert calibrating.quantile(range(1, n + 1)) == rank
