"""Every group of a block against its rest: the conversations without any pair in the group. Used by fold.

Groups are slices, and crossings of two slices of different keys. A conversation is in a group with the pairs that it
has there. With nine keys a call is in 45 groups, and a block sees hundreds; so this is done by matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from evaluators.core.folding.shape import FoldPair, Together
from evaluators.core.stats.evidence import block_log_bets
from evaluators.core.tally import Evidence

G = TypeVar("G", bound=Hashable)

CELLS = 4_000_000
"""Cells of one matrix: 16 MB. A conversation may have 10^5 pairs, and a block hundreds of groups."""


def crossings(slices: Sequence[str]) -> tuple[Together, ...]:
    """All pairs of these slices that have different keys, in order; two topics of one call are no crossing."""
    texts = sorted(slices)
    return tuple((a, b) for a, b in combinations(texts, 2) if a.partition("=")[0] != b.partition("=")[0])


class Block:
    """The pairs of one shadow, conversation by conversation, and who is in which group."""

    def __init__(self, conversations: Sequence[Sequence[FoldPair]]) -> None:
        self.pairs = [pair for conversation in conversations for pair in conversation]
        self.role = self.pairs[0].role
        owner = np.repeat(np.arange(len(conversations)), [len(conversation) for conversation in conversations])
        self.slices: Groups[str] = Groups.of(self.pairs, owner, lambda pair: pair.slices)
        self.crossed: Groups[Together] = Groups.of(self.pairs, owner, lambda pair: pair.crossed)


@dataclass(frozen=True, slots=True)
class Groups(Generic[G]):
    """Which pairs of a block are in which groups: pairs of the same conversation and groups share an entry."""

    names: Sequence[G]
    entry: NDArray[np.int64]  # of each pair
    owner: NDArray[np.int64]  # of each entry its conversation, rising
    inside: NDArray[np.bool_]  # entry x group
    conversations: int

    @classmethod
    def of(
        cls,
        pairs: Sequence[FoldPair],
        owner: NDArray[np.int64],
        group: Callable[[FoldPair], Sequence[G]],
    ) -> Groups[G]:
        """Read the groups of every pair."""
        kinds: dict[Sequence[G], int] = {}
        kind = np.array([kinds.setdefault(group(pair), len(kinds)) for pair in pairs], dtype=np.int64)
        names = {name: place for place, name in enumerate(dict.fromkeys(name for one in kinds for name in one))}
        table = np.zeros((len(kinds), len(names)), dtype=np.bool_)
        for one, row in kinds.items():
            table[row, [names[name] for name in one]] = True
        codes, entry = np.unique(owner * len(kinds) + kind, return_inverse=True)
        return cls(list(names), entry, codes // len(kinds), table[codes % len(kinds)], int(owner[-1]) + 1)


def contrasts(groups: Groups[G], differences: Mapping[int, int], cells: int = CELLS) -> Iterable[tuple[G, Evidence]]:
    """Every group that holds a D. `differences` has the D of some pairs, by their place in the block.

    A conversation that has pairs in a group and none of them with a D there is neither in the group nor of its rest.
    """
    step = max(1, cells // max(1, len(groups.owner)))
    places = np.fromiter(differences, dtype=np.int64, count=len(differences))
    d = np.fromiter(differences.values(), dtype=np.int64, count=len(differences))
    sums = np.bincount(groups.entry[places], weights=d, minlength=len(groups.owner)).astype(np.int32)
    judged = np.bincount(groups.entry[places], minlength=len(groups.owner)) > 0
    for start in range(0, len(groups.names), step):
        part = groups.inside[:, start : start + step]
        counted = _counted(groups, part, sums, judged)
        for name, (n, worse, better, others, others_worse) in zip(
            groups.names[start : start + step], counted.T.tolist(), strict=True
        ):
            if n:
                bets = block_log_bets(n, worse, others, others_worse)
                yield name, Evidence(n, worse, better, others, others_worse, bets)


def _counted(
    groups: Groups[G], part: NDArray[np.bool_], sums: NDArray[np.int32], judged: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Of each group n, worse, better, others, others_worse."""
    starts = np.flatnonzero(np.diff(groups.owner, prepend=-1))
    whole = np.add.reduceat(sums, starts)
    heard = np.logical_or.reduceat(judged, starts)
    if len(starts) == len(groups.owner):  # one entry each: most conversations are of one kind of call
        touched, inside, means = part, part & judged[:, None], part * sums[:, None]
    else:
        touched = np.logical_or.reduceat(part, starts, axis=0)
        inside = np.logical_or.reduceat(part & judged[:, None], starts, axis=0)
        means = np.add.reduceat(part * sums[:, None], starts, axis=0)
    bad = heard & (whole < 0)
    apart = heard.sum() - touched[heard].sum(axis=0)
    apart_bad = bad.sum() - touched[bad].sum(axis=0)
    return np.array([inside.sum(axis=0), (means < 0).sum(axis=0), (means > 0).sum(axis=0), apart, apart_bad])
