"""Whether a shadow that does not answer is asked again."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from config.pair import Failure
from proxy.core.breaker import Breaker, unwell


def test_opens_after_failures_in_a_row_and_probes() -> None:
    """A transcript: two failures are too few, a success forgets them, the third in a row opens."""
    breaker = Breaker(3, 1.0)
    for well in (False, False, True, False, False):
        assert breaker.lets(0.0)
        breaker.ended(well, 0.0)
    assert repr(breaker) == "<Breaker closed, 2 failures in a row, limit 3>"
    breaker.ended(False, 10.0)
    assert breaker.open
    assert repr(breaker) == "<Breaker open, 3 failures in a row, limit 3>"
    assert [breaker.lets(at) for at in (10.0, 10.9, 11.0, 11.5, 11.9, 12.0)] == [False, False, True, False, False, True]


def test_one_success_closes_it() -> None:
    """And it takes the full number of failures to open it again."""
    breaker = Breaker(2, 1.0)
    for _ in range(2):
        breaker.ended(False, 0.0)
    assert not breaker.lets(0.5)
    breaker.ended(True, 0.6)
    assert not breaker.open
    assert breaker.lets(0.6)
    breaker.ended(False, 0.7)
    assert breaker.lets(0.7)


def test_late_failures_do_not_put_the_probe_off() -> None:
    """Sixty-four calls that were out and fail one after the other leave the probe at its time."""
    breaker = Breaker(1, 1.0)
    for at in range(64):
        breaker.ended(False, at / 100)
    assert not breaker.lets(0.99)
    assert breaker.lets(1.0)


def test_without_a_limit_it_never_opens() -> None:
    """Zero means never."""
    breaker = Breaker(0, 1.0)
    for _ in range(1000):
        breaker.ended(False, 0.0)
        assert breaker.lets(0.0)
    assert not breaker.open


def test_a_dead_candidate_gets_less_than_a_hundredth() -> None:
    """200 calls a second for five minutes, dead from 10 s to 290 s: at most one probe a second, and back at once."""
    breaker = Breaker(20, 1.0)
    asked: list[float] = []
    for tick in range(60_000):
        now = tick / 200
        if breaker.lets(now):
            asked.append(now)
            breaker.ended(not 10.0 <= now < 290.0, now)
    dead = [at for at in asked if 10.0 <= at < 290.0]
    assert dead[19] <= 10.1
    assert len(dead) - 20 <= 280
    assert len(dead) <= 0.01 * 200 * 280
    gaps = [later - earlier for earlier, later in pairwise(dead[20:])]
    assert min(gaps) >= 1.0 - 1e-9
    assert not breaker.open
    after = [at for at in asked if at >= 291.0]
    assert len(after) == 200 * 9


def test_whatever_happens_probes_keep_their_distance() -> None:
    """Over 300 random histories with calls that overlap, never two probes within the time, while it stays open."""
    for seed in range(300):
        dice = random.Random(seed)
        breaker, now, probed = Breaker(dice.randrange(1, 5), 1.0), 0.0, -10.0
        for _ in range(200):
            now += dice.random() / 4
            if dice.random() < 0.5:
                breaker.ended(dice.random() < 0.1, now)
                probed = probed if breaker.open else -10.0
            elif breaker.lets(now) and breaker.open:
                assert now - probed >= 1.0
                probed = now


@pytest.mark.parametrize(
    ("failure", "status", "counts"),
    [
        (Failure.CONNECT, 0, True),
        (Failure.TIMEOUT, 0, True),
        (Failure.TIMEOUT, 200, True),
        (Failure.RESET, 0, True),
        (Failure.MALFORMED, 0, True),
        (Failure.NONE, 500, True),
        (Failure.NONE, 599, True),
        (Failure.NONE, 429, True),
        (Failure.TRUNCATED, 503, True),
        (Failure.TRUNCATED, 200, False),
        (Failure.NONE, 200, False),
        (Failure.NONE, 404, False),
    ],
)
def test_what_counts_as_a_failure(failure: Failure, status: int, counts: bool) -> None:
    """No answer, an overloaded server and a broken one; a mistake of the caller's is an answer."""
    assert unwell(failure, status) is counts
