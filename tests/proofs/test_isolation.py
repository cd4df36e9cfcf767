"""No candidate, however bad, makes a live call fail: figures with `python -m tests.proofs.isolation`."""

import sys

import pytest

from tests.proofs.candidates import FAULTS, NAME_HANGS
from tests.proofs.isolation import HEADER, can_hang_names, compare

_GROWTH = 160 << 20
"""Bytes: 64 MiB for open shadow calls, 64 MiB for pairs that wait, and what any load costs."""

HERE = tuple(fault for fault in FAULTS if fault != NAME_HANGS or can_hang_names())


@pytest.mark.timeout(20)  # three processes start, one after the other
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
async def test_all_at_once() -> None:
    """Every kind of bad candidate beside one live: 0 failed calls, and none waits for what a candidate does."""
    found = await compare(HERE, rounds=1, seconds=1.5, rate=25)
    print(f"{HEADER}\n{found.line('all at once')}")
    assert found.failed == 0
    assert max(ms for one in found.with_it for ms in one.following) < 1_000
    assert found.grown < _GROWTH


@pytest.mark.proof
@pytest.mark.timeout(120)
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("fault", HERE)
async def test_live_calls_never_fail(fault: str) -> None:
    """More than 2,000 live calls at 200 a second beside each kind of candidate: 0 failed, none held back 1 s."""
    found = await compare([fault], rounds=2, seconds=5)
    print(f"{found.line(fault)}\n{found.counted}")
    assert found.failed == 0
    assert max(ms for one in found.with_it for ms in one.following) < 1_000
    assert found.grown < _GROWTH
