"""Excess over the noise floor: the worked example, the part with a control on some calls only, coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluators.core.stats.excess import excess_paired, excess_partial
from evaluators.core.stats.interval import Interval


def test_the_worked_example():
    """70 both, 110 candidate only, 50 control only of 1 000: six points, 3.5 to 8.5."""
    found = excess_paired(70, 110, 50, 770)
    assert (found.estimate, found.pairs, found.control_pairs) == (pytest.approx(0.06), 1000, 1000)
    assert (found.interval.low, found.interval.high) == (
        pytest.approx(0.03546, abs=5e-6),
        pytest.approx(0.08483, abs=5e-6),
    )


def test_a_control_on_every_call_is_the_paired_excess():
    """With m = n both functions say the same."""
    assert excess_partial(180, 1000, 70, 110, 50, 770) == excess_paired(70, 110, 50, 770)


def test_without_control_nothing_is_known():
    """No control calls leave the widest interval, and their number says so."""
    found = excess_partial(30, 100, 0, 0, 0, 0)
    assert (found.estimate, found.interval, found.pairs, found.control_pairs) == (0.0, Interval(-1.0, 1.0), 100, 0)
    assert excess_paired(0, 0, 0, 0).interval == Interval(-1.0, 1.0)


def test_large_samples_have_the_variance_of_the_formula():
    """With many calls the width is 2 · 1.96 of the root of va/n + vb/m - 2 cab/n."""
    n, m, cells = 1_000_000, 100_000, (7_000, 11_000, 5_000, 77_000)
    found = excess_partial(180_000, n, *cells)
    share_a, share_b = 0.18, 0.12
    covariance = cells[0] / m - share_a * share_b
    variance = share_a * (1 - share_a) / n + share_b * (1 - share_b) / m - 2 * covariance / n
    width = found.interval.high - found.interval.low
    assert width == pytest.approx(2 * 1.959964 * math.sqrt(variance), rel=1e-3)


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param((30, 100, 40, 0, 0, 0), id="more controls differ than candidates"),
        pytest.param((90, 100, 5, 5, 20, 0), id="too few left to match"),
        pytest.param((10, 100, -1, 0, 0, 5), id="negative"),
    ],
)
def test_impossible_counts_are_refused(cells):
    """The calls with a control are among all calls, or ValueError."""
    with pytest.raises(ValueError, match="cannot contain"):
        excess_partial(*cells)


@pytest.mark.parametrize(
    ("n", "share"),
    [
        pytest.param(400, 0.05, id="few controls"),
        pytest.param(400, 0.3, id="a third"),
        pytest.param(3000, 0.05, id="many"),
    ],
)
def test_partial_intervals_cover(n, share):
    """The 95 % interval holds the true excess in about 95 % of samples, even with twenty controls."""
    rng = np.random.default_rng(12)
    chances, m = (0.06, 0.12, 0.06, 0.76), int(n * share)
    covered = []
    for _ in range(600):
        dd, dm, md, mm = map(int, rng.multinomial(m, chances))
        alone = int(rng.binomial(n - m, chances[0] + chances[1]))
        found = excess_partial(dd + dm + alone, n, dd, dm, md, mm).interval
        covered.append(found.low <= chances[1] - chances[2] <= found.high)
    assert np.mean(covered) >= 0.93
