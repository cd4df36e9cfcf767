"""How many calls a second a shadow may get."""

from __future__ import annotations

import pytest

from proxy.core.rate import Rate


def test_a_second_worth_may_come_at_once() -> None:
    """Then tokens come back one by one, and never more than that."""
    rate = Rate(4.0)
    assert [rate.take(0.0) for _ in range(5)] == [True] * 4 + [False]
    assert [rate.take(0.25), rate.take(0.25)] == [True, False]
    assert [rate.take(100.0) for _ in range(5)] == [True] * 4 + [False]
    assert repr(rate) == "<Rate 4/s, 0.0 of 4 tokens>"


def test_less_than_one_a_second_is_one_now_and_then() -> None:
    """A bucket that could not hold one token would refuse for ever."""
    rate = Rate(0.1)
    assert [rate.take(at) for at in (0.0, 5.0, 9.0, 10.5, 11.0)] == [True, False, False, True, False]


def test_a_clock_that_steps_back_gives_nothing() -> None:
    """Nor does it take anything."""
    rate = Rate(1.0)
    assert rate.take(10.0)
    assert not rate.take(5.0)
    assert rate.take(6.0)


@pytest.mark.parametrize("per_second", [0.5, 1.0, 7.0, 50.0])
def test_the_mean_is_kept(per_second: float) -> None:
    """Of 200 calls a second over 100 s it lets through its rate and the first burst, and not one more."""
    rate = Rate(per_second)
    taken = sum(rate.take(tick / 200) for tick in range(20_000))
    assert per_second * 100 - 1 <= taken <= per_second * 100 + max(1.0, per_second)
