"""Processes killed while they spool: figures with `python -m tests.proofs.spooling`."""

import pytest

from tests.proofs.spooling import Found, measure


def whole_or_gone(found: Found, window: float) -> None:
    """What was written is stored and told once; what is lost was offered shortly before a kill."""
    print(found.line())
    assert (found.crashes, found.strangers, found.left) == (0, 0, 0)
    assert found.told == found.stored
    assert found.oldest_lost <= window


def test_kills_cost_the_last_moment_only() -> None:
    """Five kills, each at a random point: the lost pairs arrived within a window that allows for a busy machine."""
    found = measure(kills=5)
    assert found.offered > 50
    whole_or_gone(found, window=0.5)


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_two_hundred_kills() -> None:
    """200 kills over about 20,000 pairs: whole or discarded, 0 crashes, and what is lost is younger than 100 ms."""
    found = measure(kills=200)
    assert found.offered > 15_000
    whole_or_gone(found, window=0.1)
