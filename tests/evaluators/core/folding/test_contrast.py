"""Groups against their rest: the matrices say what the plainest loop says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from config.pair import Role
from evaluators.core.folding.contrast import CELLS, Block, contrasts, crossings
from evaluators.core.folding.shape import FoldPair
from evaluators.core.stats.evidence import block_log_bets
from evaluators.core.tally import Evidence


def made(call: int, conversation: int, *slices: str) -> FoldPair:
    return FoldPair(f"{call}", "mini", Role.CANDIDATE, f"{conversation}", slices, {}, crossings(slices))


@pytest.mark.parametrize(
    ("slices", "expected"),
    [
        pytest.param(("b=1", "a=1"), (("a=1", "b=1"),), id="in order"),
        pytest.param(("a=1", "a=2", "b=1"), (("a=1", "b=1"), ("a=2", "b=1")), id="two values of one key do not cross"),
        pytest.param(("a=1",), (), id="one key"),
        pytest.param((), (), id="none"),
    ],
)
def test_crossings(slices: tuple[str, ...], expected: object) -> None:
    """Every two slices of different keys, once."""
    assert crossings(slices) == expected


@pytest.mark.parametrize("calls", [1, 4])
@pytest.mark.parametrize("cells", [CELLS, 50])
def test_matrices_count_as_a_loop_does(calls: int, cells: int) -> None:
    """Whole conversations, several calls of different kinds in each, some without a D; wide blocks part by part."""
    dice = np.random.default_rng(5)
    for _ in range(20):
        block = [
            [
                made(call, conversation, f"a={dice.integers(3)}", f"b={dice.integers(2)}", *["c=1"][: dice.integers(2)])
                for call in range(dice.integers(1, calls + 1))
            ]
            for conversation in range(12)
        ]
        pairs = [pair for conversation in block for pair in conversation]
        d = {place: int(dice.integers(-1, 2)) for place in range(len(pairs)) if dice.random() < 0.8}
        groups = Block(block)
        assert dict(contrasts(groups.slices, d, cells)) == by_loop(block, d, lambda pair: pair.slices)
        assert dict(contrasts(groups.crossed, d, cells)) == by_loop(block, d, lambda pair: pair.crossed)


def by_loop(block: Sequence[Sequence[FoldPair]], d: dict[int, int], groups_of: object) -> dict[object, Evidence]:
    assert callable(groups_of)
    sums: list[tuple[set[object], dict[object, int]]] = []  # of each conversation all its groups, and D by group
    at = 0
    for conversation in block:
        touched: set[object] = set()
        means: dict[object, int] = {}
        for place, pair in enumerate(conversation, at):
            touched |= set(groups_of(pair))
            for group in ("", *groups_of(pair)) if place in d else ():
                means[group] = means.get(group, 0) + d[place]
        at += len(conversation)
        if means:
            sums.append((touched, means))
    found: dict[object, Evidence] = {}
    for group in {group for _, means in sums for group in means} - {""}:
        inside = [means[group] for _, means in sums if group in means]
        rest = [means[""] for touched, means in sums if group not in touched]
        n, worse, others, bad = len(inside), sum(x < 0 for x in inside), len(rest), sum(x < 0 for x in rest)
        better = sum(x > 0 for x in inside)
        found[group] = Evidence(n, worse, better, others, bad, block_log_bets(n, worse, others, bad))
    return found
