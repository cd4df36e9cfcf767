"""Latency in logarithmic bins: mergeable by adding, every quantile within 2.5 %, with honest intervals.

The store adds one to a bin per pair and arm; the report reads quantiles and their ratios. A bin is the whole number
at or below 20 ln(seconds), so a bin is 5.1 % wide. The ladder runs from 0.1 ms to 28 h; what lies outside is counted
in the last bin on its side, and an end of an interval that nothing bounds is the end of the ladder.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from scipy.special import bdtr

from evaluators.core.stats.interval import Interval

PER_E_FOLD = 20
LOWEST = math.floor(PER_E_FOLD * math.log(1e-4))
HIGHEST = math.floor(PER_E_FOLD * math.log(1e5))


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile, or a ratio of two, with its interval; n = 0 says that there is nothing to read it from."""

    value: float
    interval: Interval
    n: int


def bin_of(seconds: float) -> int:
    """The bin of a duration. Raises ValueError on a negative one, which means «never», and on NaN."""
    if not seconds >= 0:
        raise ValueError(f"{seconds} is not a duration")
    if seconds == 0:
        return LOWEST
    return HIGHEST if math.isinf(seconds) else max(LOWEST, min(HIGHEST, math.floor(PER_E_FOLD * math.log(seconds))))


def value_of(number: int) -> float:
    """The duration that stands for a bin, in seconds: its geometric middle."""
    return math.exp((number + 0.5) / PER_E_FOLD)


def quantile(bins: Mapping[int, int], q: float) -> float:
    """The q-quantile in seconds: the smallest duration with a share of at least q at or below it; 0 when empty."""
    n = _checked(bins, q)
    return value_of(_at_rank(bins, max(1, math.ceil(q * n - 1e-9)))) if n else 0.0


def quantile_interval(bins: Mapping[int, int], q: float, alpha: float = 0.05) -> Quantile:
    """The q-quantile with the interval between two order statistics; no distribution is assumed.

    How many of n durations lie below the quantile is binomial, which gives the two ranks, each missed by at most
    alpha/2; the ends are the outer edges of their bins. Too few durations leave an end at the end of the ladder.
    """
    n = _checked(bins, q)
    if not 0 < alpha < 1:
        raise ValueError(f"alpha {alpha} is not between 0 and 1")
    if n == 0:
        return Quantile(0.0, Interval(_edge(LOWEST), _edge(HIGHEST + 1)), 0)
    below, above = _ranks(n, q, alpha)
    low = _edge(_at_rank(bins, below)) if below >= 1 else _edge(LOWEST)
    high = _edge(_at_rank(bins, above) + 1) if above <= n else _edge(HIGHEST + 1)
    return Quantile(quantile(bins, q), Interval(low, high), n)


def ratio(candidate: Mapping[int, int], live: Mapping[int, int], q: float, alpha: float = 0.05) -> Quantile:
    """The candidate's q-quantile over live's. Each is enclosed at alpha/2, so the interval holds under any dependence.

    `n` is the smaller of both counts; with n = 0 the value is 0 and the interval says nothing.
    """
    top, bottom = quantile_interval(candidate, q, alpha / 2), quantile_interval(live, q, alpha / 2)
    enclosed = Interval(top.interval.low / bottom.interval.high, top.interval.high / bottom.interval.low)
    n = min(top.n, bottom.n)
    return Quantile(top.value / bottom.value if n else 0.0, enclosed, n)


def _checked(bins: Mapping[int, int], q: float) -> int:
    if not 0 < q < 1:
        raise ValueError(f"{q} is not a quantile between 0 and 1")
    if any(times < 0 for times in bins.values()):
        raise ValueError("a bin cannot hold fewer than none")
    return sum(bins.values())


def _at_rank(bins: Mapping[int, int], rank: int) -> int:
    """The bin of the rank-th smallest duration, counting from 1."""
    ordered = sorted(bins)
    return ordered[bisect_left(list(accumulate(bins[number] for number in ordered)), rank)]


def _edge(number: int) -> float:
    return math.exp(number / PER_E_FOLD)


def _ranks(n: int, q: float, alpha: float) -> tuple[int, int]:
    """Ranks r, s as close as can be with P(X < r) <= alpha/2 and P(X >= s) <= alpha/2 for X binomial(n, q).

    X is how many lie at or under the quantile: the r-th is above it when X < r, the s-th below it when X >= s.
    """
    below = _least(n, lambda k: float(bdtr(k, n, q)) > alpha / 2)
    above = _least(n, lambda k: float(bdtr(k, n, q)) >= 1 - alpha / 2) + 1
    return below, above


def _least(n: int, holds: Callable[[int], bool]) -> int:
    """The least k in 0..n for which a statement holds that stays true once true."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
