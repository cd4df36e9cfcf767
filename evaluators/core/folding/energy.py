"""Energy: how far two models' answers are apart beyond what each differs from itself. Used by fold.

The excess of a comparison says how much more often the candidate differs from live than live from itself. A candidate
that always gives the same answer can bring that below zero and still answer differently. With two answers of each,
L, L' and C, C', the mean of 2 d(L,C) - d(L,L') - d(C,C') is the unbiased energy distance (Szekely, Rizzo 2013): where
d tells the same answer from another, the sum of (p - q)^2 over all answers, zero only where both give each as often.
"""

from __future__ import annotations

from collections.abc import Sequence

from evaluators.core.folding.points import Others
from evaluators.core.folding.shape import FoldPair

ANSWERED = {"m": 0, "d": 1}
"""Only where all four answered: how far two ways of answering are apart is not about who did not answer. A lost second
answer would pass for a difference of the candidate from itself, while a lost first one drops out."""

HALF = 2
"""A call's e is in {-2 .. 2}; kept as e / 2 it is in [-1, 1] as every difference is."""


def energies(judged: Sequence[FoldPair], check: int, others: Others) -> list[tuple[int, int]]:
    """e of every call of one conversation that has candidate, control and the candidate again, over HALF."""
    found = []
    for pair in judged:
        candidate = ANSWERED.get(pair.letters[check])
        control = ANSWERED.get(others.control(pair.call_id, check))
        again = ANSWERED.get(others.second(pair.call_id, pair.shadow, check))
        if candidate is not None and control is not None and again is not None:
            found.append((2 * candidate - control - again, HALF))
    return found
