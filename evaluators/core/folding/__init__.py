"""Closed conversations to conversation-level evidence. Pure; called by store.closing with one block, feeds tally.

The unit of every interval and every bet is the conversation: its pairs are averaged first, exactly, as fractions.
A block is a set of conversations that closed one after the other, chosen without looking at outcomes. What one pair
says is in points, groups are set against their rest in contrast, and beside them stand places, energy and ratios.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from config.pair import Role
from evaluators.core.folding.contrast import Block, contrasts, crossings
from evaluators.core.folding.energy import energies
from evaluators.core.folding.places import count_places
from evaluators.core.folding.points import Others, point
from evaluators.core.folding.ratios import RATIOS, count_ratios
from evaluators.core.folding.shape import Folded, FoldPair, Sums, fraction

__all__ = ["RATIOS", "FoldPair", "Folded", "crossings", "fold"]


def fold(pairs: Sequence[FoldPair]) -> Folded:
    """Fold one block of whole conversations."""
    others = Others.of(pairs)
    folded = Folded()
    for shadow, conversations in _grouped(pairs).items():
        folded.conversations[shadow] += len(conversations)
        block = Block(conversations)
        for check in dict.fromkeys(check for pair in block.pairs for check in pair.letters):
            differences = _fold_check(folded, conversations, check, others)
            if differences and block.role is Role.CANDIDATE:  # nobody asks where the control is worse
                _contrast(folded, block, shadow, check, differences)
        if block.role is Role.CANDIDATE:
            count_ratios(folded, shadow, conversations)
    return folded


def _grouped(pairs: Sequence[FoldPair]) -> Mapping[str, list[list[FoldPair]]]:
    """By shadow its conversations, each a list of pairs."""
    groups: dict[str, dict[str, list[FoldPair]]] = defaultdict(lambda: defaultdict(list))
    for pair in pairs:
        groups[pair.shadow][pair.conversation].append(pair)
    return {shadow: list(conversations.values()) for shadow, conversations in groups.items()}


def _fold_check(
    folded: Folded, conversations: Iterable[Sequence[FoldPair]], check: int, others: Others
) -> dict[int, int]:
    """Count one check's points; returns every pair's D by the pair's place in the block, where it has one."""
    differences: dict[int, int] = {}
    at = 0
    for conversation in conversations:
        judged = [pair for pair in conversation if check in pair.letters]
        points = {pair.call_id: point(pair, check, others) for pair in judged}
        folded.count_points((conversation[0].shadow, check), list(points.values()))
        if judged and judged[0].role is Role.CANDIDATE:
            count_places(folded, check, judged, others)
            _add(folded.energy, (judged[0].shadow, check), energies(judged, check, others))
        for place, pair in enumerate(conversation, at):
            if check in pair.letters and points[pair.call_id].difference:
                differences[place] = points[pair.call_id].difference[0]
        at += len(conversation)
    return differences


def _add(counter: Sums, key: tuple[str, int], halves: Sequence[tuple[int, int]]) -> None:
    """The mean of equal parts of one conversation."""
    if halves:
        counter[(*key, fraction(sum(top for top, _ in halves), halves[0][1] * len(halves)))] += 1


def _contrast(folded: Folded, block: Block, shadow: str, check: int, differences: Mapping[int, int]) -> None:
    for text, found in contrasts(block.slices, differences):
        folded.evidence[shadow, check, text] = found
    for together, one in contrasts(block.crossed, differences):
        folded.crossed[shadow, check, together] = one
    _examples(folded, block, shadow, check, differences)


def _examples(folded: Folded, block: Block, shadow: str, check: int, differences: Mapping[int, int]) -> None:
    """Of every pair of slices the latest call that did worse there; ids are in order of time."""
    for place, d in differences.items():
        if d < 0:
            pair = block.pairs[place]
            for together in pair.crossed:
                key = (shadow, check, together)
                folded.examples[key] = max(folded.examples.get(key, ""), pair.call_id)
