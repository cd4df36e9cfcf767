"""Fixed-n intervals and tests: published values, edges, and coverage computed or simulated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from evaluators.core.stats.interval import (
    Interval,
    clopper_pearson,
    cluster_se,
    falling,
    mcnemar_chi2,
    mcnemar_exact,
    mcnemar_midp,
    newcombe_independent,
    newcombe_paired,
    phi,
    quantile_of_normal,
    square_and_add,
    tango_paired,
    wilson,
)


def _close(found: Interval, low: float, high: float, within: float = 1e-4) -> bool:
    return abs(found.low - low) < within and abs(found.high - high) < within


@pytest.mark.parametrize(
    ("k", "n", "score", "exact"),
    [
        pytest.param(81, 263, (0.2553, 0.3662), (0.2527, 0.3676), id="common"),
        pytest.param(15, 148, (0.0624, 0.1605), (0.0578, 0.1617), id="tenth"),
        pytest.param(0, 20, (0.0, 0.1611), (0.0, 0.1684), id="none"),
        pytest.param(1, 29, (0.0061, 0.1718), (0.0009, 0.1776), id="one"),
        pytest.param(20, 20, (0.8389, 1.0), (0.8316, 1.0), id="all"),
        pytest.param(0, 0, (0.0, 1.0), (0.0, 1.0), id="nothing known"),
    ],
)
def test_rates_have_newcombes_published_limits(k, n, score, exact):
    """Wilson and Clopper-Pearson agree with the table of Newcombe 1998."""
    assert _close(wilson(k, n), *score)
    assert _close(clopper_pearson(k, n), *exact)


def test_no_failure_in_300_is_nearly_the_rule_of_three():
    """The one-sided 95 % bound for 0 of 300 is .00994."""
    assert clopper_pearson(0, 300, 0.10).high == pytest.approx(0.00994, abs=5e-6)


@pytest.mark.parametrize(
    ("table", "difference", "newcombe", "tango"),
    [
        pytest.param((59, 6, 16, 80), -0.0621, (-0.1186, -0.0046), (-0.1240, -0.0054), id="Cavo 2012"),
        pytest.param((70, 110, 50, 770), 0.06, (0.03546, 0.08483), (0.03568, 0.08507), id="excess"),
        pytest.param((4, 43, 0, 203), 0.172, (0.12708, 0.22371), (0.13027, 0.22365), id="XSTest refusals"),
    ],
)
def test_paired_differences_have_published_limits(table, difference, newcombe, tango):
    """Newcombe's and Tango's limits of (n12 - n21) / n are those published."""
    n11, n12, n21, n22 = table
    assert (n12 - n21) / sum(table) == pytest.approx(difference, abs=5e-5)
    assert _close(newcombe_paired(n11, n12, n21, n22), *newcombe)
    assert _close(tango_paired(n12, n21, sum(table)), *tango)


@pytest.mark.parametrize(
    ("found", "low", "high"),
    [
        pytest.param(newcombe_paired(1, 0, 0, 1), -0.5734, 0.5734, id="two pairs that agree"),
        pytest.param(newcombe_paired(0, 0, 0, 0), -1.0, 1.0, id="no pairs"),
        pytest.param(tango_paired(0, 0, 0), -1.0, 1.0, id="no pairs, Tango"),
        pytest.param(tango_paired(10, 0, 10), 0.44493, 1.0, id="all one way, (n - z²) / (n + z²)"),
        pytest.param(tango_paired(0, 10, 10), -1.0, -0.44493, id="all the other way"),
        pytest.param(newcombe_independent(56, 70, 48, 80), 0.0524, 0.3339, id="Newcombe 1998, example a"),
        pytest.param(newcombe_independent(0, 0, 0, 20), -0.1611, 1.0, id="one sample empty"),
    ],
)
def test_differences_at_the_edges(found, low, high):
    """Empty and one-sided tables give the widest honest interval, never an error or a point."""
    assert _close(found, low, high)


def test_a_paired_difference_turns_round_with_the_arms():
    """Exchanging the arms changes the sign and nothing else."""
    one, other = newcombe_paired(30, 12, 5, 60), newcombe_paired(30, 5, 12, 60)
    assert _close(one, -other.high, -other.low, 1e-12)
    one, other = tango_paired(12, 5, 107), tango_paired(5, 12, 107)
    assert _close(one, -other.high, -other.low, 1e-9)


def test_without_correlation_the_pairs_count_as_separate():
    """The combination without correlation is the interval of two separate samples."""
    both = square_and_add((0.8, wilson(56, 70)), (0.6, wilson(48, 80)), 0.0)
    assert both == newcombe_independent(56, 70, 48, 80)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param((1, 0, 0, 1), 0.0, id="small and positive"),
        pytest.param((0, 1, 1, 0), -1.0, id="negative"),
        pytest.param((10, 0, 0, 10), 0.9, id="positive, corrected"),
        pytest.param((5, 0, 5, 0), 0.0, id="undefined"),
    ],
)
def test_the_correlation_is_drawn_toward_zero(table, expected):
    """A positive phi is continuity-corrected, a negative one is not, an undefined one is 0."""
    assert phi(*table) == pytest.approx(expected)


def test_mcnemar_has_the_published_p_values():
    """The exact, mid-p and both chi-squared forms agree with statsmodels and contingencytables."""
    assert mcnemar_exact(121, 59) == pytest.approx(4.434e-6, rel=1e-3)
    plain, corrected = mcnemar_chi2(121, 59), mcnemar_chi2(121, 59, corrected=True)
    assert (plain.statistic, plain.p) == (pytest.approx(21.35556, abs=1e-5), pytest.approx(3.815136e-6, rel=1e-6))
    assert corrected.statistic == pytest.approx(20.67222, abs=1e-5)
    assert corrected.p == pytest.approx(5.450095e-6, rel=1e-6)
    assert mcnemar_exact(6, 16) == pytest.approx(0.052479, abs=5e-7)
    assert mcnemar_midp(6, 16) == pytest.approx(0.034690, abs=5e-7)
    assert mcnemar_exact(110, 50) == pytest.approx(2.388e-6, rel=1e-3)
    assert mcnemar_midp(110, 50) == pytest.approx(1.720e-6, rel=1e-3)
    assert math.sqrt(mcnemar_chi2(6, 16).statistic) == pytest.approx(2.132, abs=5e-4)


def test_mcnemar_says_nothing_when_nothing_differs():
    """Without discordant pairs, or with as many each way, every p-value is 1."""
    assert (mcnemar_exact(0, 0), mcnemar_midp(0, 0), mcnemar_chi2(0, 0).p) == (1.0, pytest.approx(1.0), 1.0)
    assert (mcnemar_exact(7, 7), mcnemar_midp(7, 7), mcnemar_chi2(7, 7).p) == (1.0, pytest.approx(1.0), 1.0)


def test_clustered_errors_are_those_of_inspect():
    """Scores 0 to 19 in four interleaved clusters have the standard error .645."""
    assert cluster_se(range(20), [i % 4 for i in range(20)]) == pytest.approx(0.64550, abs=5e-6)


def test_pairing_gains_what_the_correlation_gives():
    """Miller's MATH row, 65.5 and 63 % of 5 000, correlation .5: errors .672, .683, paired .678, unpaired .958."""
    both, first, second = 2637, 638, 513
    one = [1.0] * (both + first) + [0.0] * (5000 - both - first)
    other = [1.0] * both + [0.0] * first + [1.0] * second + [0.0] * (5000 - both - first - second)
    errors = [
        100 * cluster_se(scores, range(5000))
        for scores in (one, other, [a - b for a, b in zip(one, other, strict=True)])
    ]
    assert errors == [pytest.approx(0.672, abs=5e-4), pytest.approx(0.683, abs=5e-4), pytest.approx(0.678, abs=5e-4)]
    assert math.hypot(errors[0], errors[1]) == pytest.approx(0.958, abs=1e-3)


@pytest.mark.parametrize(
    "nonsense",
    [
        pytest.param(lambda: wilson(3, 2), id="more than all"),
        pytest.param(lambda: wilson(-1, 2), id="negative"),
        pytest.param(lambda: clopper_pearson(3, 2), id="more than all, exact"),
        pytest.param(lambda: clopper_pearson(1, 2, 0.0), id="alpha zero"),
        pytest.param(lambda: quantile_of_normal(1.0), id="alpha one"),
        pytest.param(lambda: newcombe_paired(1, -1, 0, 0), id="negative cell"),
        pytest.param(lambda: tango_paired(2, 2, 3), id="more discordant than pairs"),
        pytest.param(lambda: tango_paired(-1, 2, 3), id="negative discordant"),
        pytest.param(lambda: mcnemar_exact(-1, 2), id="negative discordant, exact"),
        pytest.param(lambda: mcnemar_chi2(-1, 2), id="negative discordant, chi-squared"),
        pytest.param(lambda: cluster_se([1.0], [1, 2]), id="a cluster too many"),
        pytest.param(lambda: cluster_se([1.0, 2.0], [1, 1]), id="one cluster"),
        pytest.param(lambda: cluster_se([1.0, math.nan], [1, 2]), id="not a number"),
        pytest.param(lambda: cluster_se([], []), id="no scores"),
    ],
)
def test_nonsense_is_refused(nonsense):
    """Counts that cannot be raise ValueError instead of giving an interval."""
    with pytest.raises(ValueError, match=r"."):
        nonsense()


def test_halving_keeps_both_sides_of_the_zero():
    """The zero of a falling function lies between the two returned points."""
    low, high = falling(lambda x: 0.3 - x, 0.0, 1.0)
    assert low <= 0.3 <= high
    assert high - low < 1e-12


@pytest.mark.parametrize(("n", "floor"), [(20, 0.945), (100, 0.945), (1000, 0.948)])
def test_wilson_covers_on_average(n, floor):
    """Averaged over rates, exactly computed, Wilson's 95 % interval covers about 95 %, Clopper-Pearson always."""
    k = np.arange(n + 1)
    score, exact = [wilson(i, n) for i in range(n + 1)], [clopper_pearson(i, n) for i in range(n + 1)]
    covered: list[tuple[float, float]] = []
    for rate in np.linspace(0.01, 0.99, 99):
        chance = binom.pmf(k, n, rate)
        inside = [[found.low <= rate <= found.high for found in kind] for kind in (score, exact)]
        covered.append((float(chance @ inside[0]), float(chance @ inside[1])))
    mean, worst = np.mean(covered, axis=0), np.min(covered, axis=0)
    assert mean[0] >= floor
    assert worst[1] >= 0.95


@pytest.mark.parametrize(
    "chances",
    [
        pytest.param((0.02, 0.02, 0.02, 0.94), id="rare"),
        pytest.param((0.3, 0.1, 0.15, 0.45), id="common"),
        pytest.param((0.0, 0.05, 0.0, 0.95), id="one way"),
    ],
)
def test_paired_intervals_cover(chances):
    """Newcombe's and Tango's 95 % intervals cover the true difference in about 95 % of samples of 200 pairs."""
    tables = np.random.default_rng(7).multinomial(200, chances, size=600)
    truth = chances[1] - chances[2]
    newcombe = [newcombe_paired(*map(int, table)) for table in tables]
    tango = [tango_paired(int(table[1]), int(table[2]), 200) for table in tables]
    for found in (newcombe, tango):
        assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.93
