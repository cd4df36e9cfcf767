"""Logarithmic bins: what is kept, how well a quantile is read, and that its interval covers."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from evaluators.core.stats.histogram import (
    HIGHEST,
    LOWEST,
    bin_of,
    quantile,
    quantile_interval,
    ratio,
    value_of,
)


def binned(seconds) -> Counter[int]:
    """A histogram of durations."""
    return Counter(bin_of(float(s)) for s in seconds)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(1.0, 0, id="one second"),
        pytest.param(0.999, -1, id="just below"),
        pytest.param(math.e + 1e-9, 20, id="an e-fold"),
        pytest.param(0.25, -28, id="quarter of a second"),
        pytest.param(0.0, LOWEST, id="at once"),
        pytest.param(1e-9, LOWEST, id="below the ladder"),
        pytest.param(1e9, HIGHEST, id="above the ladder"),
        pytest.param(math.inf, HIGHEST, id="endless"),
    ],
)
def test_durations_fall_into_bins(seconds, expected):
    """Twenty bins to an e-fold, with everything outside in the last one of its side."""
    assert bin_of(seconds) == expected


def test_a_bin_stands_for_a_duration_within_two_and_a_half_per_cent():
    """Reading a bin back changes a duration by at most 2.6 %, and never its bin."""
    for seconds in np.geomspace(1.1e-4, 9e4, 500):
        back = value_of(bin_of(float(seconds)))
        assert back == pytest.approx(seconds, rel=0.0256)
        assert bin_of(back) == bin_of(float(seconds))


@pytest.mark.parametrize("nonsense", [-1.0, math.nan])
def test_what_never_came_has_no_bin(nonsense):
    """A negative duration stands for «never» and is refused."""
    with pytest.raises(ValueError, match="not a duration"):
        bin_of(nonsense)


@pytest.mark.parametrize(("q", "expected"), [(0.5, 5.0), (0.95, 9.5), (0.99, 9.9), (0.001, 0.01)])
def test_quantiles_are_read_within_a_bin(q, expected):
    """Quantiles of 1 000 known durations come out within the width of a bin."""
    assert quantile(binned(np.arange(1, 1001) / 100), q) == pytest.approx(expected, rel=0.0256)


def test_an_empty_histogram_is_named_empty():
    """Nothing measured is n = 0 with an interval that says nothing."""
    found = quantile_interval({}, 0.95)
    assert (quantile({}, 0.5), found.value, found.n) == (0.0, 0.0, 0)
    assert found.interval.low < 1e-4
    assert found.interval.high > 1e5
    assert ratio({}, {0: 5}, 0.5).n == 0
    assert ratio({0: 5}, {}, 0.5).value == 0.0


def test_a_few_durations_do_not_bound_a_tail():
    """Twenty durations bound the median on both sides, and the 95th percentile from below only."""
    twenty = binned(np.linspace(1, 2, 20))
    middle, tail = quantile_interval(twenty, 0.5).interval, quantile_interval(twenty, 0.95).interval
    assert 1.0 < middle.low < 1.5 < middle.high < 2.0
    assert 1.5 < tail.low < 2.0
    assert tail.high > 1e5


def test_intervals_shrink_with_numbers_and_hold_the_value():
    """More durations give a narrower interval around the same quantile."""
    widths = []
    for n in (50, 500, 5000):
        found = quantile_interval(binned(np.geomspace(0.1, 10, n)), 0.5)
        assert found.interval.low <= found.value <= found.interval.high
        widths.append(found.interval.high / found.interval.low)
    assert widths[0] > widths[1] > widths[2]


def test_a_ratio_compares_the_arms():
    """A candidate twice as slow has a ratio of two, inside its interval."""
    live = binned(np.geomspace(0.1, 10, 4000))
    slow = binned(2 * np.geomspace(0.1, 10, 4000))
    found = ratio(slow, live, 0.95)
    assert found.value == pytest.approx(2.0, rel=0.055)
    assert 1.5 < found.interval.low <= found.value <= found.interval.high < 2.7
    assert found.n == 4000


@pytest.mark.parametrize(
    "nonsense",
    [
        pytest.param(lambda: quantile({0: 1}, 0.0), id="quantile zero"),
        pytest.param(lambda: quantile({0: -1}, 0.5), id="negative count"),
        pytest.param(lambda: quantile_interval({0: 1}, 0.5, 1.0), id="alpha one"),
    ],
)
def test_nonsense_is_refused(nonsense):
    """What cannot be raises ValueError."""
    with pytest.raises(ValueError, match=r"."):
        nonsense()


@pytest.mark.parametrize(("q", "n"), [(0.5, 60), (0.95, 60), (0.95, 400), (0.99, 2000)])
def test_quantile_intervals_cover(q, n):
    """Of log-normal samples, at least 95 % have the true quantile inside the interval."""
    rng = np.random.default_rng(10)
    truth = float(np.quantile(np.exp(rng.normal(size=2_000_000)), q))
    found = [quantile_interval(binned(np.exp(rng.normal(size=n))), q).interval for _ in range(150)]
    assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.95
