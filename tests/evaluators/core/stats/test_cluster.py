"""Conversations as fractions: exact sums, intervals that narrow with what is proved and with nothing else."""

from __future__ import annotations

from collections import Counter
from math import gcd

import numpy as np
import pytest

from evaluators.core.stats.cluster import Values, checked, count, difference_interval, mean, rate_interval, total
from evaluators.core.stats.interval import Interval, tango_paired, wilson


def _close(found: Interval, expected: Interval) -> bool:
    return abs(found.low - expected.low) < 1e-12 and abs(found.high - expected.high) < 1e-12


def test_sums_and_means_are_of_conversations():
    """Every conversation counts once, whatever its length."""
    values = {(1, 2): 2, (-1, 3): 3, (0, 1): 5}
    assert (count(values), total(values), mean(values)) == (10, pytest.approx(0.0), pytest.approx(0.0))
    assert (count({}), total({}), mean({})) == (0, 0, 0.0)


def test_conversations_of_one_call_have_the_plain_intervals():
    """Whole values give Wilson's and Tango's intervals of the counts."""
    assert _close(rate_interval({(1, 1): 15, (0, 1): 133}), wilson(15, 148))
    assert _close(difference_interval({(1, 1): 6, (-1, 1): 16, (0, 1): 139}), tango_paired(6, 16, 161))


def test_no_conversations_say_nothing():
    """Without conversations the interval is everything."""
    assert rate_interval({}) == Interval(0.0, 1.0)
    assert difference_interval({}) == Interval(-1.0, 1.0)


def test_equal_fractions_count_for_their_calls_at_most():
    """Thirty conversations of one in two say as much as sixty calls, not more, although they do not vary."""
    assert _close(rate_interval({(1, 2): 30}), wilson(30, 60))
    assert _close(difference_interval({(1, 10): 30}), tango_paired(30, 0, 300))


def test_conversations_that_hold_together_gain_nothing():
    """Fractions that scatter like whole answers are worth one answer each."""
    assert _close(rate_interval({(10, 10): 10, (0, 10): 10}), wilson(10, 20))


def test_nothing_differing_is_not_certainty():
    """A hundred conversations without a difference still leave room for one."""
    found = difference_interval({(0, 1): 100})
    assert found.low < -0.03 < 0.03 < found.high


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({(1, 0): 1}, id="no denominator"),
        pytest.param({(3, 2): 1}, id="above one"),
        pytest.param({(-1, 2): 1}, id="below the range"),
        pytest.param({(1, 2): -1}, id="negative count"),
    ],
)
def test_impossible_conversations_are_refused(values):
    """A value outside its range, or a negative count, raises ValueError."""
    with pytest.raises(ValueError, match="cannot be"):
        checked(values, 0)


def _conversations(rng: np.random.Generator, n: int, rate: float) -> tuple[Values, Values]:
    """Conversations of 1 to 8 calls with a failing rate of their own: failing shares, and differences of two arms."""
    calls = rng.integers(1, 9, size=n)
    own = rng.beta(2 * rate, 2 * (1 - rate), size=n)
    one, other = rng.binomial(calls, own), rng.binomial(calls, own)
    return _fractions(one, calls), _fractions(one - other, calls)


def _fractions(tops: np.ndarray, bottoms: np.ndarray) -> Values:
    pairs = ((int(top), int(bottom), gcd(int(top), int(bottom))) for top, bottom in zip(tops, bottoms, strict=True))
    return Counter((top // divisor, bottom // divisor) for top, bottom, divisor in pairs)


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_intervals_cover_when_calls_of_a_conversation_hang_together(rate):
    """The 95 % intervals cover the mean over conversations in about 95 % of samples with dependent calls."""
    rng = np.random.default_rng(11)
    samples = [_conversations(rng, 150, rate) for _ in range(600)]
    rates = [rate_interval(failing) for failing, _ in samples]
    differences = [difference_interval(difference) for _, difference in samples]
    assert np.mean([found.low <= rate <= found.high for found in rates]) >= 0.93
    assert np.mean([found.low <= 0.0 <= found.high for found in differences]) >= 0.93
