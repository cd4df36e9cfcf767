"""The queue goes away in nine ways and comes back: figures with `python -m tests.proofs.redis_away`."""

import pytest

from tests.proofs.redis_away import WAYS, Measured, measure


def nothing_lost(found: Measured) -> None:
    """Every pair is in the stream, none was dropped, all are told, and the disk is empty again."""
    print(found.line())
    assert (found.stored, found.told, found.dropped) == (found.offered, found.offered, 0)
    assert found.spooled > 0
    assert found.left == 0


@pytest.mark.parametrize("way", WAYS)
async def test_a_short_absence_loses_nothing(way: str) -> None:
    """Two seconds away at 200 pairs a second: 0 lost of about 600, and no pair took the way over the disk in vain."""
    nothing_lost(await measure(way, 2.0))


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", WAYS)
async def test_a_minute_loses_nothing(way: str) -> None:
    """A minute away at 200 pairs a second: 0 lost of about 12,200, drained within two minutes."""
    found = await measure(way, 60.0)
    nothing_lost(found)
    assert found.drained < 120.0
