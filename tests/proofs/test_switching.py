"""Shadowing ends within a second of the switch, for one process and for several: `python -m tests.proofs.switching`."""

import pytest

from tests.proofs.switching import switched


@pytest.mark.timeout(20)  # a proxy of three processes starts
@pytest.mark.parametrize("workers", [None, 1])
async def test_the_switch_takes_hold_within_a_second(workers: int | None) -> None:
    """At 200 calls a second: the last copy goes out within a second of the turn, and no live call fails."""
    found = await switched(workers, turns=1, off=1.3)
    print(found.row(str(workers)))
    assert found.quiet > 100
    assert max(found.late) < 1_000
    assert (found.copies, found.failed) == (0, 0)


@pytest.mark.proof
@pytest.mark.timeout(120)
@pytest.mark.parametrize("workers", [None, 1])
async def test_ten_turns(workers: int | None) -> None:
    """The same ten times over: none of the turns takes a second, and none costs a live call."""
    found = await switched(workers, turns=10)
    print(found.row(str(workers)))
    assert max(found.late) < 1_000
    assert (found.copies, found.failed) == (0, 0)
