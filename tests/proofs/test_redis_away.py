"""The queue goes away in nine ways: figures with `python -m tests.proofs.redis_away` and `tests.proofs.proxy_away`."""

import pytest

from tests.proofs import proxy_away
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


@pytest.mark.parametrize("way", ["killed", "stopped"])
async def test_clients_of_the_proxy_see_nothing(way: str) -> None:
    """Two seconds away: 0 of about 500 calls fail, and each has its pair in the end."""
    seen = await proxy_away.measure(way, 2.0)
    print(seen.line())
    assert (seen.failed, seen.dropped, seen.stored) == (0, 0, seen.calls)


@pytest.mark.proof
@pytest.mark.timeout(300)
async def test_clients_see_nothing_for_a_minute() -> None:
    """A minute with a server that hangs: 0 of about 14,000 calls fail, each has its pair, p99 grows by 5 ms at most."""
    seen = await proxy_away.measure("stopped", 60.0)
    print(seen.line())
    assert (seen.failed, seen.dropped, seen.stored) == (0, 0, seen.calls)
    assert seen.during - seen.before < 0.005
