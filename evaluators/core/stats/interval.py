"""Intervals and tests for a sample whose size was fixed beforehand: rates, paired and unpaired differences.

Neighbours: cluster uses these for conversations, excess for the noise floor; what may be watched is in eprocess.
Every function takes plain counts, so the numbers come straight from tallies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from scipy.special import bdtr, betaincinv, ndtri

_STEPS = 60  # halvings of [-1, 1]: the rest is below 2e-18


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval; the widest possible one, (0, 1) or (-1, 1), where nothing is known."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class McNemar:
    """A chi-squared statistic with one degree of freedom, and its p-value."""

    statistic: float
    p: float


def wilson(k: float, n: float, alpha: float = 0.05) -> Interval:
    """Score interval of a rate (Wilson 1927; Newcombe 1998). Fractions are allowed: an effective sample has them.

    n = 0 gives (0, 1). Raises ValueError unless 0 <= k <= n and 0 < alpha < 1.
    """
    z = quantile_of_normal(alpha)
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is not a rate")
    if n == 0:
        return Interval(0.0, 1.0)
    middle = k + z * z / 2
    reach = z * math.sqrt(k * (n - k) / n + z * z / 4)
    low = 0.0 if k == 0 else (middle - reach) / (n + z * z)
    high = 1.0 if k == n else (middle + reach) / (n + z * z)
    return Interval(max(0.0, low), min(1.0, high))


def clopper_pearson(k: int, n: int, alpha: float = 0.05) -> Interval:
    """Exact interval of a rate; each end holds alone at alpha/2, so alpha = .10 gives the one-sided 95 % bound.

    n = 0 gives (0, 1). Raises ValueError unless 0 <= k <= n and 0 < alpha < 1.
    """
    quantile_of_normal(alpha)
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is not a rate")
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, alpha / 2))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - alpha / 2))
    return Interval(low, high)


def newcombe_paired(n11: int, n12: int, n21: int, n22: int, alpha: float = 0.05) -> Interval:
    """Interval of (n12 - n21) / n, the first rate minus the second over the same n pairs (Newcombe 1998, method 10).

    n11 both, n12 only the first, n21 only the second, n22 neither; no pairs give (-1, 1).
    """
    n = _pairs(n11, n12, n21, n22)
    if n == 0:
        return Interval(-1.0, 1.0)
    first, second = n11 + n12, n11 + n21
    return square_and_add(
        (first / n, wilson(first, n, alpha)), (second / n, wilson(second, n, alpha)), phi(n11, n12, n21, n22)
    )


def newcombe_independent(k1: float, n1: float, k2: float, n2: float, alpha: float = 0.05) -> Interval:
    """Interval of k1/n1 - k2/n2 from two separate samples (Newcombe 1998); an empty sample may have any rate."""
    one, two = wilson(k1, n1, alpha), wilson(k2, n2, alpha)
    if n1 == 0 or n2 == 0:
        return Interval(one.low - two.high, one.high - two.low)
    return square_and_add((k1 / n1, one), (k2 / n2, two), 0.0)


def square_and_add(first: tuple[float, Interval], second: tuple[float, Interval], correlation: float) -> Interval:
    """Interval of the first estimate minus the second, from the interval of each (Newcombe 1998; Zou, Donner 2008)."""
    (a, of_a), (b, of_b) = first, second

    def reach(of_first: float, of_second: float) -> float:
        crossed = 2 * correlation * of_first * of_second
        return math.sqrt(max(0.0, of_first * of_first - crossed + of_second * of_second))

    low = a - b - reach(a - of_a.low, of_b.high - b)
    high = a - b + reach(of_a.high - a, b - of_b.low)
    return Interval(max(-1.0, low), min(1.0, high))


def phi(n11: int, n12: int, n21: int, n22: int) -> float:
    """Correlation of two paired yes-no answers, drawn toward zero as Newcombe's method 10 asks; 0 when undefined."""
    margins = (n11 + n12) * (n21 + n22) * (n11 + n21) * (n12 + n22)
    if margins == 0:
        return 0.0
    crossed, half = n11 * n22 - n12 * n21, (n11 + n12 + n21 + n22) / 2
    if crossed > half:
        crossed_and_corrected = crossed - half
    else:
        crossed_and_corrected = float(min(crossed, 0))
    return crossed_and_corrected / math.sqrt(margins)


def tango_paired(n12: float, n21: float, n: float, alpha: float = 0.05) -> Interval:
    """Score interval of (n12 - n21) / n over n pairs (Tango 1998); only discordant pairs matter, n = 0 gives (-1, 1).

    Fractions are allowed: an effective sample has them.
    """
    z = quantile_of_normal(alpha)
    if min(n12, n21) < 0 or n12 + n21 > n * (1 + 1e-12):
        raise ValueError(f"{n12} and {n21} discordant of {n} pairs cannot be")
    if n == 0:
        return Interval(-1.0, 1.0)

    def score(difference: float) -> float:
        """Standardised distance of the data from the hypothesis; falls as the hypothesis rises."""
        b = -n12 - n21 + (2 * n - n12 + n21) * difference
        c = -n21 * difference * (1 - difference)
        only_second = (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
        variance = n * (2 * only_second + difference * (1 - difference))
        distance = n12 - n21 - n * difference
        return distance / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, distance)

    observed = (n12 - n21) / n
    low = -1.0 if observed <= -1 else falling(lambda d: score(d) - z, -1.0, observed)[0]
    high = 1.0 if observed >= 1 else falling(lambda d: score(d) + z, observed, 1.0)[1]
    return Interval(low, high)


def mcnemar_exact(n12: int, n21: int) -> float:
    """Two-sided exact p-value that n12 and n21 are equally likely; 1 when there is no discordant pair."""
    return min(1.0, 2 * _half_binomial(n12, n21))


def mcnemar_midp(n12: int, n21: int) -> float:
    """Two-sided mid-p value: the exact one less the probability of the observed split (Fagerland et al. 2013)."""
    n, fewer = n12 + n21, min(n12, n21)
    split = math.exp(math.lgamma(n + 1) - math.lgamma(fewer + 1) - math.lgamma(n - fewer + 1) - n * math.log(2))
    return max(0.0, min(1.0, 2 * _half_binomial(n12, n21) - split))


def mcnemar_chi2(n12: int, n21: int, corrected: bool = False) -> McNemar:
    """Chi-squared form with its p-value, optionally with Edwards' continuity correction; 0 and 1 when none differ."""
    _pairs(n12, n21)
    if n12 + n21 == 0:
        return McNemar(0.0, 1.0)
    distance = max(0.0, abs(n12 - n21) - (1.0 if corrected else 0.0))
    statistic = distance * distance / (n12 + n21)
    return McNemar(statistic, math.erfc(math.sqrt(statistic / 2)))


def cluster_se(scores: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """Standard error of the mean score when scores within a cluster belong together, with the factor G/(G-1).

    Miller 2024 (arXiv 2411.00640). Raises ValueError on fewer than two clusters, unequal lengths or a score that
    is no number: a wrong guess here would look like precision.
    """
    if len(scores) != len(clusters):
        raise ValueError("every score needs its cluster")
    if not all(map(math.isfinite, scores)):
        raise ValueError("a score is not a number")
    mean = sum(scores) / len(scores) if scores else 0.0
    sums: dict[Hashable, float] = {}
    for score, cluster in zip(scores, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + score - mean
    if len(sums) < 2:
        raise ValueError("a standard error needs at least two clusters")
    spread = math.fsum(total * total for total in sums.values()) * len(sums) / (len(sums) - 1)
    return math.sqrt(spread) / len(scores)


def quantile_of_normal(alpha: float) -> float:
    """The two-sided normal quantile, 1.96 for .05; raises ValueError unless 0 < alpha < 1."""
    if not 0 < alpha < 1:
        raise ValueError(f"alpha {alpha} is not between 0 and 1")
    return float(-ndtri(alpha / 2))


def falling(function: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Both sides of the zero of a falling function: where it is still positive, and where no longer."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if function(middle) > 0:
            low = middle
        else:
            high = middle
    return low, high


def _pairs(*counts: int) -> int:
    if min(counts) < 0:
        raise ValueError(f"counts cannot be negative: {counts}")
    return sum(counts)


def _half_binomial(n12: int, n21: int) -> float:
    """P(X <= the rarer count) for X binomial with one half."""
    return float(bdtr(min(n12, n21), _pairs(n12, n21), 0.5))
