"""A divided proxy whose processes are killed and stopped: figures with `python -m tests.proofs.workers`, `.rolling`."""

import pytest

from tests.proofs.rolling import HAPROXY, roll, row
from tests.proofs.workers import lane_killed, lane_stopped, relays_killed


@pytest.mark.proof
@pytest.mark.timeout(300)
async def test_lane_killed() -> None:
    """20 deaths of the lane at 200 calls a second: 0 failed of N, and every call in exactly one bucket."""
    one = await lane_killed(20)
    print(one.row("lane: SIGKILL × 20"))
    assert (one.load.failures.total(), one.code) == (0, 0)
    assert [one.books[shadow].total() for shadow in ("mini", "control")] == [one.load.calls] * 2
    assert one.books["mini"]["dropped lane_away"] > 0


@pytest.mark.proof
@pytest.mark.timeout(300)
async def test_relays_killed() -> None:
    """20 deaths of relays: no connection is refused, and at most the calls that were open fail."""
    one, exposed = await relays_killed(20)
    print(one.row(f"relays: SIGKILL × 20, {exposed} calls were open"), dict(one.load.failures))
    assert one.load.failures["refused"] == 0
    assert one.load.failures.total() <= exposed
    assert one.load.calls - one.load.failures.total() <= one.books["mini"].total() <= one.load.calls


@pytest.mark.proof
@pytest.mark.timeout(60)
async def test_lane_stopped() -> None:
    """A lane that stands still for 5 s: 0 failed, bounded memory, counted drops, and live about as quick as before."""
    one, before, meanwhile, grown = await lane_stopped(5.0, "1MiB")
    print(one.row(f"lane: SIGSTOP 5 s (p99 {before:.1f} → {meanwhile:.1f} ms, a relay grew {grown:,} kB)"))
    assert one.load.failures.total() == 0
    assert one.books["mini"].total() == one.load.calls
    assert one.books["mini"]["dropped lane_full"] > 0
    assert grown < 16_000  # kB; the bound is 1 MiB beside what any load costs
    assert meanwhile < before + 50


@pytest.mark.proof
@pytest.mark.skipif(HAPROXY is None, reason="haproxy is not here (Debian: apt install haproxy)")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("workers", [None, 2])
async def test_rolling_restarts(workers: int | None) -> None:
    """10 restarts of two proxies in turns behind HAProxy, which repeats nothing: 0 calls fail of N."""
    load, codes = await roll(10, workers)
    print(row(workers, 10, load, codes))
    assert (load.failures.total(), codes) == (0, {0})
