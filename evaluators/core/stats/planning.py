"""How long a gate will take: pairs until a release that may be watched, before the first pair is seen.

Neighbours: eprocess.needs and needs_below answer the same question from the rates seen so far.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import log_ndtr, ndtr

from evaluators.core.stats.eprocess import UNKNOWN, bernoulli_sequence, factors, log_mean, red_line_t_opt
from evaluators.core.stats.interval import falling, quantile_of_normal

_LONGEST = 1e9  # pairs; nobody waits longer


def pairs_needed(discordance: float, margin: float, alpha: float = 0.05, power: float = 0.5) -> int:
    """Pairs within which an equally good candidate is released with probability `power`, about.

    `discordance` is the share of pairs on which the two models disagree, half each way. Net losses are taken as a
    Brownian motion; the net that the mixture of bets still accepts at n pairs is its boundary, replaced by its tangent
    at n, for which the chance of a crossing before n is known exactly (Siegmund 1985, Lerche 1986). Within 10 % of
    simulation at the median, and up to 20 % too many at high power. UNKNOWN (-1) when the margin is too small for
    the fixed grid of bets. Raises ValueError unless 0 < discordance <= 1, 0 < margin < 1, and alpha and power are
    between 0 and 1.
    """
    if not (0 < discordance <= 1 and 0 < margin < 1 and 0 < alpha < 1 and 0 < power < 1):
        raise ValueError("discordance, margin, alpha and power are shares")
    low, high = 1.0, _LONGEST
    if _released_by(high, discordance, margin, alpha) < power:
        return UNKNOWN
    while high / low > 1.0005:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if _released_by(middle, discordance, margin, alpha) >= power else (middle, high)
    return math.ceil(high)


def red_line_needed(limit: float, failures: int, alpha: float = 0.05) -> int:
    """Conversations until a red line is passed when so many of them fail, looking at every one of them.

    About 3.4 / limit without a failure; the pace at which failures come does not matter. Raises ValueError unless
    0 < limit < 1.
    """
    t_opt, low, high = red_line_t_opt(limit), failures, failures + 1
    while not _passed(failures, high, limit, alpha, t_opt):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _passed(failures, middle, limit, alpha, t_opt) else (middle, high)
    return high


def chance_at(n: int, discordance: float, margin: float, alpha: float = 0.05) -> float:
    """Chance that one look at n pairs releases an equally good candidate; the normal approximation of a single test."""
    if not (0 < discordance <= 1 and 0 < margin < 1 and 0 < alpha < 1 and n > 0):
        raise ValueError("discordance, margin and alpha are shares, and n is a number of pairs")
    return float(ndtr(margin * math.sqrt(n / discordance) - quantile_of_normal(2 * alpha)))


def _passed(failures: int, n: int, limit: float, alpha: float, t_opt: float) -> bool:
    seen = {(1, 1): failures, (0, 1): n - failures}
    return bernoulli_sequence(seen, alpha, "upper", t_opt).high <= limit


def _released_by(n: float, discordance: float, margin: float, alpha: float) -> float:
    """Probability of a release within n pairs: a line start + slope t, crossed by a Brownian motion without drift."""
    step = 1e-3 * n
    here = _boundary(n, discordance, margin, alpha)
    if math.isinf(here):
        return 0.0
    slope = (_boundary(n + step, discordance, margin, alpha) - here) / step
    start, deviation = here - slope * n, math.sqrt(discordance * n)
    again = -2 * start * slope / discordance + float(log_ndtr((slope * n - start) / deviation))
    return float(ndtr(-here / deviation)) + math.exp(min(0.0, again))


def _boundary(n: float, discordance: float, margin: float, alpha: float) -> float:
    """The smallest net gain, in pairs, that is released at n pairs; infinite while none is enough."""
    steps = factors(np.array([-1.0, 0.0, 1.0]), -margin)
    most = discordance * n

    def missing(net: float) -> float:
        pairs = np.array([(most - net) / 2, n - most, (most + net) / 2])
        return -math.log(alpha) - log_mean(pairs @ steps)

    return falling(missing, -most, most)[1] if missing(most) <= 0 else math.inf
