"""Latency and cost against their limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.pair import NEVER
from evaluators.core.finding import Arm, BadCheck, Result, Timing
from tests.evaluators.checks.arms import arm, check, judge


@pytest.mark.parametrize(
    ("type", "threshold", "expected"),
    [
        pytest.param("latency", 1500, Result.PASS, id="in time, to the millisecond"),
        pytest.param("latency", 1499, Result.FAIL, id="too late"),
        pytest.param("cost", 0.002, Result.PASS, id="within the price"),
        pytest.param("cost", 0.001, Result.FAIL, id="too dear"),
        pytest.param("cost", 0, Result.FAIL, id="nothing may cost"),
    ],
)
def test_limit(type: str, threshold: float, expected: Result) -> None:
    """Up to the limit passes; the reason names the amount."""
    found = judge(type, arm("a", total=1.5, cost=0.002), threshold=threshold)
    assert found.result is expected
    assert found.detail.startswith("1500 ms" if type == "latency" else "0.002 USD")


@pytest.mark.parametrize("type", ["latency", "cost", "not-latency", "not-cost"])
def test_what_was_not_measured_is_broken(type: str) -> None:
    """An unknown amount is neither low nor high, negated or not."""
    assert judge(type, arm("a", total=NEVER, cost=NEVER), threshold=1).result is Result.BROKEN


@pytest.mark.parametrize("type", ["latency", "cost"])
def test_a_limit_is_needed(type: str) -> None:
    """Without a threshold there is nothing to check."""
    with pytest.raises(BadCheck):
        check(type)


def timed(first_byte: float, total: float = 1.0, cost: float = 0.01) -> Arm:
    """An arm with these measurements."""
    return replace(arm("a", cost=cost), timing=Timing(first_byte, total, NEVER))


def test_first_byte() -> None:
    """The first byte has a limit of its own, which the total does not touch."""
    assert judge("first-byte", timed(0.3, 9.0), threshold=300).result is Result.PASS
    assert judge("first-byte", timed(0.301), threshold=300).result is Result.FAIL
    assert judge("first-byte", timed(NEVER), threshold=300).result is Result.BROKEN


@pytest.mark.parametrize(
    ("live", "shadow", "threshold", "expected"),
    [
        pytest.param(1.0, 1.5, None, Result.SAME, id="half as much again"),
        pytest.param(1.0, 1.6, None, Result.DIFFER, id="more than that"),
        pytest.param(1.0, 0.1, None, Result.SAME, id="much less"),
        pytest.param(1.0, 1.6, 2, Result.SAME, id="a limit of its own"),
        pytest.param(0.0, 0.0, None, Result.SAME, id="nothing on both sides"),
        pytest.param(0.0, 0.1, None, Result.DIFFER, id="something against nothing"),
        pytest.param(NEVER, 1.0, None, Result.SKIP, id="live not measured"),
        pytest.param(1.0, NEVER, None, Result.SKIP, id="the shadow not measured"),
    ],
)
@pytest.mark.parametrize("type", ["shadow:latency-ratio", "shadow:cost-ratio"])
def test_ratios(type: str, live: float, shadow: float, threshold: float | None, expected: Result) -> None:
    """Only slower or dearer differs, by more than the ratio; the path says so."""
    arms = (timed(0.1, live, live), timed(0.1, shadow, shadow))
    found = judge(type, *arms, threshold=threshold)
    path = "slower" if type == "shadow:latency-ratio" else "dearer"
    assert (found.result, found.paths) == (expected, (path,) if expected is Result.DIFFER else ())


def test_the_distance_of_a_ratio_is_logarithmic_and_ends_at_ten() -> None:
    """Ten times as much is as far as it goes."""
    distances = [judge("shadow:cost-ratio", timed(0, 1, 1), timed(0, 1, cost)).score for cost in (1, 10**0.5, 10, 1000)]
    assert distances == pytest.approx([0, 0.5, 1, 1])


def test_a_ratio_below_one_is_refused() -> None:
    """«Slower» than half as long would call nearly everything slower."""
    with pytest.raises(BadCheck, match="1 or more"):
        check("shadow:latency-ratio", threshold=0.5)
