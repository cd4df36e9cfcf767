"""Statements that may be watched: e-processes and confidence sequences that hold at every look.

Everything here is a function of counted values, so it does not depend on the order of conversations and merges by
adding counts. E-processes come as natural logarithms: they reach e^1000 without effort. Ville's inequality bounds
the chance that one ever exceeds 1/alpha under its null by alpha. Neighbours: cluster holds the values, evidence
says where, planning how long.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln

from evaluators.core.stats.cluster import Values, checked, total
from evaluators.core.stats.interval import Interval, falling

UNKNOWN = -1
"""No number of further conversations can be named."""

Side = Literal["both", "upper", "lower"]

_BETS = 32
_SHARES = 0.98 * (np.arange(1, _BETS + 1) - 0.5) / _BETS
"""Bets as shares of the largest one that cannot be ruined; fixed, so that wealth depends on counts alone."""

_HORIZON = 10**9  # conversations; nobody waits longer


def release(values: Values, margin: float) -> float:
    """Log e-value against «worse by margin or more», H0 E[D | past] <= -margin; release at log(1/alpha).

    Mixture over 32 fixed bets of the product of 1 + bet (D + margin), bets below 1 / (1 - margin): Waudby-Smith and
    Ramdas 2024 (arXiv 2010.09686). A negative margin asks for «better by as much». Raises ValueError unless
    -1 < margin < 1.
    """
    _margin(margin)
    checked(values, -1)
    return _mixture(values, -margin)


def stop(values: Values, margin: float) -> float:
    """Log e-value against «worse by margin at most», H0 E[D | past] >= -margin; stop at log(1/alpha)."""
    _margin(margin)
    checked(values, -1)
    return _mixture(_mirrored(values), margin)


def log_wealth(values: Values, margin: float, bet: float) -> float:
    """Log wealth of one bet against H0 E[D] <= -margin, -inf when ruined; ValueError on a bet that can go below 0."""
    _margin(margin)
    checked(values, -1)
    if not 0 <= bet * (1 - margin) <= 1:
        raise ValueError(f"a bet of {bet} can lose more than there is")
    factors = [(1 + bet * (part[0] / part[1] + margin), times) for part, times in sorted(values.items()) if times]
    return math.fsum(times * math.log(factor) if factor > 0 else -math.inf for factor, times in factors)


def confidence_sequence(values: Values, alpha: float = 0.05) -> Interval:
    """Interval of E[D] in [-1, 1] that covers at all looks at once with probability 1 - alpha.

    All m that neither e-process at alpha/2 rejects. With bets as shares c of the largest, a factor of the lower one is
    1 - c + c (1 + D) / (1 + m): it falls in m, so the set is an interval and halving finds its ends, kept on the
    outer side. By Jensen neither process exceeds 1 at the sample mean, so the interval contains it. None give (-1, 1).
    """
    _alpha(alpha)
    n = checked(values, -1)
    if n == 0:
        return Interval(-1.0, 1.0)
    return Interval(_lower(values, alpha / 2), -_lower(_mirrored(values), alpha / 2))


def bernoulli_sequence(values: Values, alpha: float = 0.05, side: Side = "both", t_opt: float = 100.0) -> Interval:
    """Interval of a mean in [0, 1] that covers at all looks; "upper" and "lower" spend all of alpha on one end.

    Beta mixture of the Bernoulli likelihood ratio, centred at the hypothesis and tightest near t_opt conversations
    (Howard, Ramdas, McAuliffe, Sekhon 2021, arXiv 1810.08240). A mean in [0, 1] is sub-Bernoulli, exp(lX) being
    convex: so the sum of fractions takes the place of the count. None give (0, 1).
    """
    _alpha(alpha)
    n = checked(values, 0)
    k = min(total(values), float(n))
    if t_opt <= 0:
        raise ValueError(f"t_opt {t_opt} is not a number of conversations")
    limit = math.log(1 / alpha)
    weight = _concentration(alpha, t_opt)
    low, high = 0.0, 1.0
    if side != "upper" and k > 0:
        low = falling(lambda p: _beta_mixture(k, n, p, weight, side) - limit, 0.0, k / n)[0]
    if side != "lower" and k < n:
        high = falling(lambda p: limit - _beta_mixture(k, n, p, weight, side), k / n, 1.0)[1]
    return Interval(low, high)


def sequential_mcnemar(b: int, c: int) -> float:
    """Log e-value against «both directions are equally likely», 2^(b+c) B(1+b, 1+c): a uniform prior on the share."""
    _discordant(b, c)
    return (b + c) * math.log(2) + float(betaln(1 + b, 1 + c))


def sequential_mcnemar_one_sided(worse: int, better: int, prior: float = 1.0) -> float:
    """Log e-value against «worse is not likelier than better»; the share of worse has a Beta(prior, prior) on (1/2, 1].

    prior 1 is uniform; 1/2 leans to the ends and nearly doubles the e-value where all go one way. -inf at the worst.
    """
    _discordant(worse, better)
    beyond = float(betainc(better + prior, worse + prior, 0.5))
    if beyond == 0.0:
        return -math.inf
    weight = float(betaln(worse + prior, better + prior) - betaln(prior, prior))
    return (worse + better + 1) * math.log(2) + weight + math.log(beyond)


def needs(values: Values, margin: float, alpha: float = 0.05) -> int:
    """Estimated conversations still missing to a release, if the rates seen so far went on exactly.

    0 when it is reached; UNKNOWN (-1) when no bet grows at these rates, or there is nothing to go by. It is the
    middle of a wide distribution, not a promise.
    """
    _margin(margin)
    _alpha(alpha)
    n = checked(values, -1)
    if n == 0:
        return UNKNOWN
    growth = _log_factors(values, -margin) / n
    if growth.max() <= 0:
        return UNKNOWN
    enough = _first(lambda total: log_mean(growth * total) >= math.log(1 / alpha))
    return UNKNOWN if enough == UNKNOWN else max(0, enough - n)


def needs_below(values: Values, limit: float, alpha: float = 0.05, t_opt: float = 100.0) -> int:
    """Estimated conversations still missing until the upper end of bernoulli_sequence is at or below a red line.

    As in needs, the mean so far is taken to stay; before the first conversation it is taken to be 0. UNKNOWN (-1)
    when that is not below the line. Raises ValueError unless 0 < limit < 1.
    """
    _alpha(alpha)
    n, weight = checked(values, 0), _concentration(alpha, t_opt)
    share = total(values) / max(1, n)
    if not 0 < limit < 1:
        raise ValueError(f"a red line at {limit} cannot be crossed")
    if share >= limit:
        return UNKNOWN
    enough = _first(lambda m: _beta_mixture(share * m, m, limit, weight, "upper") >= math.log(1 / alpha))
    return UNKNOWN if enough == UNKNOWN else max(0, enough - n)


def red_line_t_opt(limit: float) -> float:
    """The t_opt that serves a red line best: 2 / limit, a prior of a quarter of one failure.

    At .1 % and alpha 5 % it takes 3 370 conversations without a failure, 6 886 with one, 9 278 with two; t_opt 100
    takes 3 014, 9 761, 12 531, and t_opt 1 000 000 takes 25 858 without any.
    """
    if not 0 < limit < 1:
        raise ValueError(f"a red line at {limit} cannot be crossed")
    return 2 / limit


def _first(reached: Callable[[int], bool]) -> int:
    """The first number of conversations at which something lasting holds; UNKNOWN when nobody would wait for it."""
    high = 1
    while not reached(high):
        if high > _HORIZON:
            return UNKNOWN
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def factors(difference: NDArray[np.float64], hypothesis: float) -> NDArray[np.float64]:
    """Log factor of each bet (columns) for each D (rows) against H0 E[D] <= hypothesis."""
    bets = _SHARES / (1 + hypothesis)
    return np.log1p(bets[None, :] * (difference[:, None] - hypothesis))


def log_mean(logs: NDArray[np.float64]) -> float:
    """log of the mean of exponentials: the wealth of a mixture with equal parts."""
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top).mean()))


def _columns(values: Values) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The means and how often each occurs; sorted, so that equal counts give equal bits."""
    ordered = sorted(values.items())
    differences = np.array([top / bottom for (top, bottom), _ in ordered], dtype=np.float64)
    return differences, np.array([n for _, n in ordered], dtype=np.float64)


def _log_factors(values: Values, hypothesis: float) -> NDArray[np.float64]:
    """Log wealth of every bet."""
    differences, times = _columns(values)
    wealth: NDArray[np.float64] = times @ factors(differences, hypothesis)
    return wealth


def _mixture(values: Values, hypothesis: float) -> float:
    return log_mean(_log_factors(values, hypothesis))


def _lower(values: Values, alpha: float) -> float:
    """The largest m known to be rejected from below, -1 when none can be."""
    if all(top == -bottom for (top, bottom), n in values.items() if n):
        return -1.0
    limit = math.log(1 / alpha)
    at = total(values) / sum(values.values())
    differences, times = _columns(values)
    return falling(lambda m: log_mean(times @ factors(differences, m)) - limit, -1.0, min(1.0, at))[0]


def _mirrored(values: Values) -> Values:
    return {(-top, bottom): n for (top, bottom), n in values.items()}


def _concentration(alpha: float, t_opt: float) -> float:
    """Weight of the Beta prior in conversations, from the best rho of the normal mixture at v = t_opt p (1 - p)."""
    return max(best_rho(t_opt, alpha) - 1, 1e-3)


def best_rho(v: float, alpha: float) -> float:
    """Howard et al. 2021: the mixing variance whose two-sided normal boundary is tightest at intrinsic time v."""
    return v / (2 * math.log(1 / alpha) + math.log(1 + 2 * math.log(1 / alpha)))


def _beta_mixture(k: float, n: int, p: float, weight: float, side: Side) -> float:
    """Log of the Beta(weight p, weight (1 - p)) mixture of likelihood ratios against p, cut at p when one-sided."""
    a, b = weight * p, weight * (1 - p)
    likelihood = (k * math.log(p) if k > 0 else 0.0) + ((n - k) * math.log1p(-p) if k < n else 0.0)
    mixture = float(betaln(a + k, b + n - k) - betaln(a, b)) - likelihood
    if side == "both":
        return mixture
    one, two, cut = (k, n - k, p) if side == "upper" else (n - k, k, 1 - p)
    first, second = (a, b) if side == "upper" else (b, a)
    after = float(betainc(first + one, second + two, cut))
    before = float(betainc(first, second, cut))
    return mixture + math.log(after / before) if after > 0 else -math.inf


def _margin(margin: float) -> None:
    if not -1 < margin < 1:
        raise ValueError(f"a margin of {margin} is not between -1 and 1")


def _alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha {alpha} is not between 0 and 1")


def _discordant(one: int, other: int) -> None:
    if min(one, other) < 0:
        raise ValueError(f"counts cannot be negative: {one}, {other}")
