"""Closed conversations to conversation-level evidence. Pure; called by store.closing with one block, feeds tally.

The unit of every interval and every bet is the conversation: its pairs are averaged first, exactly, as fractions.
A block is a set of conversations that closed one after the other, chosen without looking at outcomes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd

from config.pair import Role
from evaluators.core.stats.evidence import block_log_bets
from evaluators.core.tally import Evidence, Value

Key = tuple[str, int]
"""A shadow and a check's number."""

_SCORE = {"p": 1, "f": 0, "x": 0}
_DIFFERS = {"m": 0, "d": 1, "x": 1}
_LETTER = ("m", "d")


@dataclass(frozen=True, slots=True)
class FoldPair:
    """What folding needs of one pair."""

    call_id: str
    shadow: str
    role: Role
    conversation: str
    slices: tuple[str, ...]
    letters: Mapping[int, str]  # check's number -> joint letters of observation.Found


@dataclass(frozen=True, slots=True)
class Folded:
    """What a block adds, summed. Keys begin with shadow and check's number."""

    conversations: Mapping[str, int]  # shadow -> conversations with at least one of its pairs
    difference: Mapping[tuple[str, int, Value], int]
    failing: Mapping[tuple[str, int, Value], int]
    noise: Mapping[tuple[str, int, str, str], int]  # with slice ("" all) and letters, candidate then control
    evidence: Mapping[tuple[str, int, str], Evidence]  # with slice


def fold(pairs: Sequence[FoldPair]) -> Folded:
    """Fold one block of whole conversations."""
    controls = {pair.call_id: pair.letters for pair in pairs if pair.role is Role.CONTROL}
    sums = _Sums()
    seen: dict[Key, list[_Conversation]] = defaultdict(list)
    for shadow, conversation in _grouped(pairs):
        sums.conversations[shadow] += 1
        for check in dict.fromkeys(check for pair in conversation for check in pair.letters):
            points = [_point(pair, check, controls) for pair in conversation if check in pair.letters]
            _count(sums, (shadow, check), points)
            whole = _Conversation(points, frozenset(text for pair in conversation for text in pair.slices))
            if whole.means:
                seen[shadow, check].append(whole)
    evidence = {(*key, text): found for key, block in seen.items() for text, found in _evidence(block)}
    return Folded(sums.conversations, sums.difference, sums.failing, sums.noise, evidence)


@dataclass(frozen=True, slots=True)
class _Point:
    """One pair under one check: D and whether the shadow fails, each only where it has a meaning."""

    slices: tuple[str, ...]
    difference: tuple[int, ...]  # one number or none
    failing: tuple[int, ...]
    noise: str  # "" where there is no control to compare with


@dataclass(slots=True)
class _Sums:
    conversations: Counter[str] = field(default_factory=Counter)
    difference: Counter[tuple[str, int, Value]] = field(default_factory=Counter)
    failing: Counter[tuple[str, int, Value]] = field(default_factory=Counter)
    noise: Counter[tuple[str, int, str, str]] = field(default_factory=Counter)


class _Conversation:
    """One conversation under one shadow and check, ready to be counted in and outside of slices."""

    __slots__ = ("means", "slices")

    def __init__(self, points: Iterable[_Point], slices: frozenset[str]) -> None:
        self.slices = slices  # of all its pairs, those without a D included: such a conversation is not "the rest"
        sums: dict[str, int] = {}
        for point in points:
            for d in point.difference:
                for text in ("", *point.slices):
                    sums[text] = sums.get(text, 0) + d
        self.means = sums  # of each slice the sum of its D, which has the sign of the mean; "" is the whole


def _grouped(pairs: Sequence[FoldPair]) -> Iterable[tuple[str, list[FoldPair]]]:
    groups: dict[tuple[str, str], list[FoldPair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.shadow, pair.conversation].append(pair)
    return [(shadow, group) for (shadow, _), group in groups.items()]


def _point(pair: FoldPair, check: int, controls: Mapping[str, Mapping[int, str]]) -> _Point:
    joint = pair.letters[check]
    if len(joint) == 2:
        live, shadow = _SCORE.get(joint[0]), _SCORE.get(joint[1])
        if live is None or shadow is None:
            return _Point(pair.slices, (), (), "")
        return _Point(pair.slices, (shadow - live,), (1 - shadow,), "")
    differs = _DIFFERS.get(joint)
    if differs is None:
        return _Point(pair.slices, (), (), "")
    if pair.role is Role.CONTROL:
        return _Point(pair.slices, (), (differs,), "")  # a control is not compared with itself
    control = _DIFFERS.get(controls.get(pair.call_id, {}).get(check, ""))
    if control is None:
        return _Point(pair.slices, (), (differs,), "")
    return _Point(pair.slices, (control - differs,), (differs,), _LETTER[differs] + _LETTER[control])


def _count(sums: _Sums, key: Key, points: Sequence[_Point]) -> None:
    for counter, found in (
        (sums.difference, [d for point in points for d in point.difference]),
        (sums.failing, [f for point in points for f in point.failing]),
    ):
        if found:
            counter[(*key, _fraction(sum(found), len(found)))] += 1
    for point in points:
        if point.noise:
            for text in ("", *point.slices):
                sums.noise[(*key, text, point.noise)] += 1


def _fraction(over: int, under: int) -> Value:
    divisor = gcd(over, under)
    return over // divisor, under // divisor


def _evidence(block: Sequence[_Conversation]) -> Iterable[tuple[str, Evidence]]:
    """Every slice of the block against its rest: the conversations without any pair in the slice."""
    total, total_worse = len(block), sum(whole.means[""] < 0 for whole in block)
    touched: Counter[str] = Counter()
    touched_worse: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    worse: Counter[str] = Counter()
    better: Counter[str] = Counter()
    for whole in block:
        touched.update(whole.slices)
        touched_worse.update(whole.slices if whole.means[""] < 0 else ())
        for text in whole.slices & whole.means.keys():
            inside[text] += 1
            worse[text] += whole.means[text] < 0
            better[text] += whole.means[text] > 0
    for text, n in inside.items():
        others, others_worse = total - touched[text], total_worse - touched_worse[text]
        bets = block_log_bets(n, worse[text], others, others_worse)
        yield text, Evidence(n, worse[text], better[text], others, others_worse, tuple(bets))
