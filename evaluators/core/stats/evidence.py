"""Where it is worse: evidence for one slice against the rest that may be watched, and control over many slices.

The folder closes conversations in blocks and adds block_log_bets to the slice's running sums; the report turns
sums into an e-value with e_value and into flags with e_bh. Neighbours: eprocess has the one-slice statements.

**Against the rest.** A block is a set of closed conversations chosen without looking at their outcomes. In it n_in
touch the slice and n_out do not; W of all are worse, X of these in the slice. Null: given the past, conversations
are independent, and one in the slice is not likelier to be worse than one outside, p_i <= c <= p_j for some c
that may change from block to block. Then, given the margins n_in, n_out, W, X is stochastically at most
hypergeometric: P(X = x) is proportional to e_x(odds inside) e_(W-x)(odds outside), e being the elementary symmetric
polynomials. By Newton's inequalities e_(x+1)/e_x, each divided by its binomial coefficient, is at most the
arithmetic mean of the odds inside, so at most c/(1-c), and for the outside at least the harmonic mean, so at least
c/(1-c). The likelihood ratio to the hypergeometric therefore falls in x. The bet is Fisher's noncentral
hypergeometric law with odds ratio L > 1 over the one with 1: it rises in x and has mean 1 under the hypergeometric,
so at most 1 under the null. Products over blocks are test supermartingales for every L, and so is their
average over LIFTS. Margins are taken as given, so nothing is estimated, and a rate that drifts does no harm.
What is compared is conversations: where those of a slice are longer, they have more occasion to be worse.

**By itself.** A slice that merely scatters, worse as often as better, is no regression although it has more «worse»
than the rest. So the slice's discordant conversations must also speak against «worse is not likelier than better».
The flag claims both, its null is that either fails, and the smaller of two e-values is an e-value for that union:
E min(A, B) <= E A where A's null holds, <= E B where B's does. So e_bh keeps its promise for either kind of error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, gammaln

from evaluators.core.stats.eprocess import sequential_mcnemar_one_sided

LIFTS = (2.0, 5.0, 12.0, 40.0)
"""Odds ratios bet on; mixing them costs log 4 = 1.4 nats at most. Of four grids of three to five bets this one is the
best, or within a twelfth of the best median log e-value, on slices of 20 % against 10 %, 45 against 30, 5 against 1 and
90 against 5. Sums of another grid cannot be continued: changing it restarts all evidence."""

BLOCK = 64
"""Conversations that fill a block. The slice and the rest must meet in it, and a flag must come while somebody is
watching: on the XSTest counts the third slice is flagged in 71 % of random orders with blocks of 16, 84 % with 32, 95 %
with 64, 99 % with 128."""

_LEAN = 0.5
"""Prior of the slice's own share of worse: nine worse and none better give 190, a uniform prior would give 102."""

_LOG_MOST = 690.0  # e^690 = 4.6e299, the last that a JSON number carries with room to spare


@lru_cache(maxsize=65536)
def block_log_bets(n_in: int, worse_in: int, n_out: int, worse_out: int) -> tuple[float, ...]:
    """Log wealth that one block adds to each bet of LIFTS; zeros when it says nothing, as when one side is empty.

    Raises ValueError unless 0 <= worse <= n on both sides.
    """
    if not 0 <= worse_in <= n_in or not 0 <= worse_out <= n_out:
        raise ValueError(f"{worse_in} of {n_in} against {worse_out} of {n_out} cannot be")
    worse = worse_in + worse_out
    least, most = max(0, worse - n_out), min(n_in, worse)
    if least == most:
        return (0.0,) * len(LIFTS)
    inside = np.arange(least, most + 1)
    central = _log_choose(n_in, inside) + _log_choose(n_out, worse - inside)
    lifted = central[None, :] + _LOG_LIFTS[:, None] * inside[None, :]
    bets = worse_in * _LOG_LIFTS - (_log_sum(lifted) - _log_sum(central[None, :]))
    return tuple(float(bet) for bet in bets)


def e_value(log_bets: Sequence[float], worse: int, better: int) -> float:
    """E-value that the candidate does worse in the slice, and worse there than elsewhere.

    `log_bets` are the sums of block_log_bets, worse and better the slice's own conversations. Never above 1e300, so
    that it survives JSON. Raises ValueError on sums of another number of bets.
    """
    if len(log_bets) != len(LIFTS):
        raise ValueError(f"{len(log_bets)} sums for {len(LIFTS)} bets")
    against_rest = float(_log_sum(np.array([log_bets], dtype=np.float64))[0]) - math.log(len(LIFTS))
    by_itself = sequential_mcnemar_one_sided(worse, better, prior=_LEAN)
    return math.exp(min(against_rest, by_itself, _LOG_MOST))


def e_values(log_bets: NDArray[np.float64], worse: NDArray[np.float64], better: NDArray[np.float64]) -> list[float]:
    """e_value of many slices at once: a row of log_bets and a count for each."""
    if not len(worse):
        return []
    against_rest = _log_sum(log_bets) - math.log(len(LIFTS))
    smaller = np.minimum(against_rest, _alone(worse, better))
    return [float(e) for e in np.exp(np.minimum(smaller, _LOG_MOST))]


def e_values_alone(worse: NDArray[np.float64], better: NDArray[np.float64]) -> list[float]:
    """e_value_alone of many slices at once."""
    return [float(e) for e in np.exp(np.minimum(_alone(worse, better), _LOG_MOST))]


def e_value_alone(worse: int, better: int) -> float:
    """E-value that worse is likelier than better among the slice's own conversations, whatever happens elsewhere."""
    return math.exp(min(sequential_mcnemar_one_sided(worse, better, prior=_LEAN), _LOG_MOST))


def e_bh(e_values: Mapping[str, float], alpha: float = 0.05) -> set[str]:
    """Names flagged by e-BH: the false discovery rate is at most alpha however the slices overlap.

    The k largest for the largest k with k e_(k) / K >= 1/alpha (Wang, Ramdas 2022, arXiv 2009.02824). Take current
    e-values, never the highest seen: a flag may go away again. Raises ValueError on a negative e-value or NaN.
    """
    ranked = _ranked_e(e_values, alpha)
    return _most(ranked, lambda k: k * e_values[ranked[k - 1]] * alpha >= len(ranked))


def e_bh_closed(e_values: Mapping[str, float], alpha: float = 0.05) -> set[str]:
    """Names flagged by closed e-BH: the same promise as e_bh and never fewer names (Xu, Ramdas 2025, arXiv 2504.11759).

    The k largest, R, for the largest k such that every set S of slices has mean e-value >= |S and R| / (alpha k). The
    worst S takes the a smallest of R and of the others those below a / (alpha k), so K comparisons do for each k.
    """
    ranked = _ranked_e(e_values, alpha)
    falling = np.array([e_values[name] for name in ranked], dtype=np.float64)

    def holds(k: int) -> bool:
        if alpha * k * falling[k - 1] < 1:  # the set of the k-th alone already fails; cheap, and true of most k
            return False
        picked = np.arange(1, k + 1)
        inside = np.cumsum(falling[:k][::-1])
        others = falling[k:][::-1]
        taken = np.searchsorted(others, picked / (alpha * k))
        outside = np.concatenate(([0.0], np.cumsum(others)))[taken]
        return bool(np.all(alpha * k * (inside + outside) >= (picked + taken) * picked))

    return _most(ranked, holds)


def bh(p_values: Mapping[str, float], alpha: float = 0.05) -> set[str]:
    """Names flagged by Benjamini and Hochberg 1995, for a report written once, on independent p-values."""
    ranked = _ranked_p(p_values, alpha)
    return _most(ranked, lambda k: p_values[ranked[k - 1]] * len(ranked) <= alpha * k)


def by(p_values: Mapping[str, float], alpha: float = 0.05) -> set[str]:
    """Names flagged by Benjamini and Yekutieli 2001: bh at alpha / (1 + 1/2 + ... + 1/K), under any dependence."""
    _ranked_p(p_values, alpha)
    return bh(p_values, alpha / math.fsum(1 / rank for rank in range(1, len(p_values) + 1))) if p_values else set()


def _alone(worse: NDArray[np.float64], better: NDArray[np.float64]) -> NDArray[np.float64]:
    """sequential_mcnemar_one_sided with the prior _LEAN, of many."""
    with np.errstate(divide="ignore"):  # all better, and many: the log of nothing is the right answer
        beyond = np.log(betainc(better + _LEAN, worse + _LEAN, 0.5))
    weight = betaln(worse + _LEAN, better + _LEAN) - betaln(_LEAN, _LEAN)
    logs: NDArray[np.float64] = (worse + better + 1) * math.log(2) + weight + beyond
    return logs


def _most(ranked: Sequence[str], holds: Callable[[int], bool]) -> set[str]:
    """The first k names for the largest k that holds."""
    return next((set(ranked[:k]) for k in range(len(ranked), 0, -1) if holds(k)), set())


def _ranked_e(e_values: Mapping[str, float], alpha: float) -> list[str]:
    if not 0 < alpha < 1 or not all(e >= 0 for e in e_values.values()):
        raise ValueError("e-values are at least 0, and alpha is between 0 and 1")
    return sorted(e_values, key=lambda name: (-e_values[name], name))


def _ranked_p(p_values: Mapping[str, float], alpha: float) -> list[str]:
    if not 0 < alpha < 1 or not all(0 <= p <= 1 for p in p_values.values()):
        raise ValueError("p-values are in [0, 1], and alpha is between 0 and 1")
    return sorted(p_values, key=lambda name: (p_values[name], name))


def _log_choose(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    logs: NDArray[np.float64] = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return logs


def _log_sum(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """log of the sum of exponentials along each row."""
    top = logs.max(axis=1, keepdims=True)
    sums: NDArray[np.float64] = top[:, 0] + np.log(np.exp(logs - top).sum(axis=1))
    return sums


_LOG_LIFTS = np.log(np.array(LIFTS))
