"""Latency and cost against their limits."""

from __future__ import annotations

import pytest

from config.pair import NEVER
from evaluators.core.finding import BadCheck, Result
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
