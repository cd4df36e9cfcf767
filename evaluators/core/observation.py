"""Observation: everything the worker learned from one pair, ready to be recorded in one transaction.

Made by observing (the pure walk from Pair to findings), recorded by store.write, which turns it into tallies.
"""

from __future__ import annotations

from dataclasses import dataclass

from config.pair import Role
from evaluators.core.finding import Check, Finding, Timing
from evaluators.core.reply import Kind, Usage

REGRESSED = ("pf", "px", "ps", "pb", "d", "x")
"""Joint letters of a pair in which the candidate does worse than live, or differs from it; see Found. An answer that
escapes a check which live's passed is among them, as in every rate."""


@dataclass(frozen=True, slots=True)
class Found:
    """One check on one pair, with the letters that the tallies count.

    `joint` of an assertion is two letters, live then shadow: p pass, f fail, x no answer (counts as a failure),
    s skip, b broken; "pf" is a regression, "px" a regression by not answering, "fp" a fix. `joint` of a
    comparison is one letter: m match, d differ, x no answer where live has one (counts as differing), s, b.
    """

    check: Check
    joint: str
    live: Finding  # a skip for comparisons
    shadow: Finding


@dataclass(frozen=True, slots=True)
class ArmFacts:
    """What is measured of one arm besides the checks; NEVER (-1.0) or UNKNOWN (-1) where it is not known."""

    kind: Kind
    status: int
    timing: Timing
    usage: Usage
    cost: float  # USD


@dataclass(frozen=True, slots=True)
class Observation:
    """One pair, read and checked."""

    call_id: str
    shadow: str
    role: Role
    conversation: str
    arrived: float  # Unix seconds
    slices: tuple[str, ...]  # "topic=billing"; sorted, unique
    live: ArmFacts
    arm: ArmFacts  # the shadow's
    found: tuple[Found, ...]
    preview: str  # the first words of the last user turn, for lists
