"""Where nobody asked: slices that past traffic points to, confirmed on later traffic only. Used by the report.

Which slice looks worst is chosen by its outcomes, so the same outcomes cannot speak for it. Traffic is cut at doubling
times after its first hour, t_k = 1, 2, 4 .. hours. At each cut the crossings with the highest SliceLine score
(Sagadeeva, Boehm 2021) on what came before are named, MOST of them, and their e-values are made of what came after.

**Why the rate of false confirmations stays below alpha, whenever one looks.** Where the cuts are does not depend on
outcomes. Let F_k be everything up to t_k. The family C_k that is named there is a function of F_k, its size too. Under
its null a slice's evidence from t_k on is, given F_k, a test supermartingale that begins at 1 (see evidence; blocks lie
in one hour and so on one side of the cut). At any stopping time its mean given F_k is therefore at most 1, and closed
e-BH over C_k at level a_k has E[V_k / max(R_k, 1)] <= a_k, V_k being the false ones among the R_k confirmed. A slice is
confirmed when any cut confirms it: V <= sum V_k and R >= R_k, so V / max(R, 1) <= sum V_k / max(R_k, 1), whose mean is
at most sum a_k. With a_k = 6 alpha / (pi k)^2 that is alpha for all cuts there will ever be. An early cut has more of
the level and more traffic left, a late one knows better what to name; a month has ten of them.

It holds for a window whose beginning was not chosen by looking at outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import pi
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from evaluators.core.stats.evidence import e_bh_closed, e_values

MOST = 5
"""Slices named at one cut. More cost each other level: of five a single one stands at e >= 8.2 k^2 / alpha."""

WEIGHT = 0.95
"""Of a slice's error beside its size: the default of SliceLine's authors."""

_N, _WORSE, _BETTER, _OTHERS, _OTHERS_WORSE, _BETS = range(6)

Spans = Mapping[int, tuple[float, ...]]
"""Evidence of one slice by span of time: conversations, worse, better, others, others_worse and then the log bets, all
as numbers. Plain rows: a report adds up tens of thousands of them."""

Rows = NDArray[np.float64]
N = TypeVar("N", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class Discovery:
    """One slice named at one cut, and what came afterwards."""

    name: str
    cut: int  # k
    score: float
    found: tuple[int, int]  # before the cut: conversations, worse
    later: tuple[int, int, int, int, int]  # conversations, worse, better, others, others_worse
    e_value: float  # of what came later
    confirmed: bool


def cuts(first: int, last: int, hour: int) -> list[int]:
    """The doubling times after the first hour bucket that leave something behind them, up to the last bucket."""
    found, width = [], hour
    while first + width <= last:
        found.append(first + width)
        width *= 2
    return found


def level(alpha: float, cut: int) -> float:
    """What the k-th cut may spend."""
    return 6 * alpha / (pi * cut) ** 2


def score(n: N, error: N, inside: N, error_inside: N, weight: float = WEIGHT) -> N:
    """SliceLine's: how much worse than the whole, less how small; the whole itself scores 0.

    `n` and `inside` are conversations, `error` and `error_inside` their mean errors, both positive but the last.
    """
    return weight * (error_inside / error - 1) - (1 - weight) * (n / inside - 1)


def discover(names: Sequence[str], rows: Rows, support: int, alpha: float) -> list[Discovery]:
    """What every cut names, best confirmed first; of a slice the cut that speaks for it most clearly.

    `rows` are of these names, from `stacked`; `support` is how many conversations a slice and its rest need before
    the cut.
    """
    best: dict[str, tuple[tuple[bool, float], Discovery]] = {}
    for cut in range(1, rows.shape[1]):
        for one in _named(names, rows[:, :cut].sum(axis=1), rows[:, cut:].sum(axis=1), cut, support, level(alpha, cut)):
            rank = (one.confirmed, one.e_value * level(alpha, cut))
            if one.name not in best or rank > best[one.name][0]:
                best[one.name] = (rank, one)
    return sorted((one for _, one in best.values()), key=lambda one: (not one.confirmed, -one.score, one.name))


def stacked(spans: Sequence[Spans]) -> Rows:
    """Slice x span x field; a span without a conversation is zeros."""
    length = max((1 + max(one) for one in spans if one), default=0)
    width = len(next(iter(spans[0].values()))) if length else 0
    empty = (0.0,) * width
    flat = [one.get(span, empty) for one in spans for span in range(length)]
    return np.array(flat, dtype=np.float64).reshape(len(spans), length, width)


def _named(names: Sequence[str], past: Rows, later: Rows, cut: int, support: int, alpha: float) -> list[Discovery]:
    picked = _picked(past, support)
    after = later[[place for place, _ in picked]]
    values = e_values(after[:, _BETS:], after[:, _WORSE], after[:, _BETTER])
    by_name = {names[place]: value for (place, _), value in zip(picked, values, strict=True)}
    standing = e_bh_closed(by_name, alpha)
    return [
        Discovery(
            names[place],
            cut,
            how_bad,
            (int(past[place, _N]), int(past[place, _WORSE])),
            tuple(map(int, later[place, :_BETS])),  # type: ignore[arg-type]
            by_name[names[place]],
            names[place] in standing,
        )
        for place, how_bad in picked
    ]


def _picked(past: Rows, support: int) -> list[tuple[int, float]]:
    """The slices to name, by score; of slices with the same numbers, which are mostly the same group, the first."""
    enough = np.flatnonzero((past[:, _N] >= support) & (past[:, _OTHERS] >= support) & (past[:, _WORSE] > 0))
    inside, worse, _, others, others_worse = past[enough, :_BETS].T
    n = inside + others
    scores = score(n, (worse + others_worse) / n, inside, worse / inside)
    picked: dict[tuple[float, ...], tuple[int, float]] = {}
    for at in np.argsort(-scores, kind="stable"):
        if scores[at] <= 0 or len(picked) == MOST:
            break
        picked.setdefault(tuple(past[enough[at], :_BETS]), (int(enough[at]), float(scores[at])))
    return list(picked.values())
