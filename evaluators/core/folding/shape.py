"""What folding takes and gives: one pair, and the sums of a block. Filled by the neighbours in this folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd
from typing import Any

from config.pair import Role
from evaluators.core.tally import Evidence, Value

Sums = Counter[Any]

Together = tuple[str, str]
"""Two slices of different keys; who is in both is in their crossing."""

NOWHERE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FoldPair:
    """What folding needs of one pair."""

    call_id: str
    shadow: str
    role: Role
    conversation: str
    slices: tuple[str, ...]
    letters: Mapping[int, str]  # check's number -> joint letters of observation.Found
    crossed: tuple[Together, ...] = ()  # of the crossings of its slices, those that are looked at
    paths: Mapping[int, frozenset[str]] = field(
        default_factory=dict
    )  # check's number -> where the shadow fails, differs
    live_paths: Mapping[int, frozenset[str]] = field(default_factory=dict)  # the same of live, for assertions
    measured: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Of ratios.RATIOS live's and the shadow's, negative where it is not known; empty for a pair that says nothing."""


@dataclass(frozen=True, slots=True)
class Point:
    """One pair under one check: D and whether the shadow fails, each only where it has a meaning."""

    slices: tuple[str, ...]
    difference: tuple[int, ...]  # one number or none
    failing: tuple[int, ...]
    noise: str  # "" where there is no control to compare with


@dataclass(frozen=True, slots=True)
class Folded:
    """What a block adds, summed. Keys begin with shadow and, but for ratios, the check's number."""

    conversations: Counter[str] = field(default_factory=Counter)  # shadow -> with at least one of its pairs
    difference: Sums = field(default_factory=Counter)  # then Value
    failing: Sums = field(default_factory=Counter)
    energy: Sums = field(default_factory=Counter)
    noise: Sums = field(default_factory=Counter)  # then slice ("" all) and letters, candidate then control
    places: Sums = field(default_factory=Counter)  # then path ("" the whole answer) and letters; see places
    evidence: dict[tuple[str, int, str], Evidence] = field(default_factory=dict)  # then slice
    crossed: dict[tuple[str, int, Together], Evidence] = field(default_factory=dict)
    examples: dict[tuple[str, int, Together], str] = field(default_factory=dict)  # the latest call that did worse
    ratios: Sums = field(default_factory=Counter)  # shadow, kind and Value
    unmeasured: Sums = field(default_factory=Counter)  # shadow and kind: calls known on one side only

    def count_points(self, key: tuple[str, int], points: Sequence[Point]) -> None:
        """Add what the pairs of one conversation say under one check."""
        for counter, found in (
            (self.difference, [d for one in points for d in one.difference]),
            (self.failing, [f for one in points for f in one.failing]),
        ):
            if found:
                counter[(*key, fraction(sum(found), len(found)))] += 1
        for one in points:
            if one.noise:
                for text in ("", *one.slices):
                    self.noise[(*key, text, one.noise)] += 1


def fraction(over: int, under: int) -> Value:
    """In lowest terms."""
    divisor = gcd(over, under)
    return over // divisor, under // divisor
