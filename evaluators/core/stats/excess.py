"""Excess: how much more often the candidate differs from live than live differs from itself.

Made from the letters that tallies count: candidate then control, d differs, m matches. Neighbours: interval has the
formulas; the report shows raw share, noise floor and excess side by side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from evaluators.core.stats.interval import Interval, newcombe_paired, phi, square_and_add, wilson


@dataclass(frozen=True, slots=True)
class Excess:
    """Candidate's share minus control's. Without control calls it is 0 with the interval (-1, 1): unknown."""

    estimate: float
    interval: Interval
    pairs: int  # live and candidate
    control_pairs: int  # live, candidate and control


def excess_paired(dd: int, dm: int, md: int, mm: int, alpha: float = 0.05) -> Excess:
    """Excess over the calls that have candidate and control: (dm - md) / n with Newcombe's paired interval."""
    interval = newcombe_paired(dd, dm, md, mm, alpha)
    n = dd + dm + md + mm
    return Excess((dm - md) / n if n else 0.0, interval, n, n)


def excess_partial(differ: int, n: int, dd: int, dm: int, md: int, mm: int, alpha: float = 0.05) -> Excess:
    """Excess when live was asked twice on m of n calls only, chosen before the outcomes: differ/n - (dd + md)/m.

    Its variance is va/n + vb/m - 2 cab/n, cab from the m calls with both; so the two means correlate by
    phi sqrt(m/n), and Wilson's limits are combined with that correlation. At m = n this is excess_paired, and where
    normal limits would do it comes to the same. The m calls are among the n. Raises ValueError when they cannot be.
    """
    m = dd + dm + md + mm
    if min(dd, dm, md, mm) < 0 or not dd + dm <= differ <= n - (md + mm):
        raise ValueError(f"{differ} of {n} cannot contain {(dd, dm, md, mm)}")
    if m == 0:
        return Excess(0.0, Interval(-1.0, 1.0), n, 0)
    raw, noise = differ / n, (dd + md) / m
    correlation = phi(dd, dm, md, mm) * math.sqrt(m / n)
    interval = square_and_add((raw, wilson(differ, n, alpha)), (noise, wilson(dd + md, m, alpha)), correlation)
    return Excess(raw - noise, interval, n, m)
