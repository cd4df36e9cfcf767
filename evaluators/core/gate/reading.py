"""Reading: what one rule sees, before it is settled. Made by watched and fixed, settled by decide."""

from __future__ import annotations

from dataclasses import dataclass

from config.settings import Gate
from evaluators.core.report.shape import Span

UNKNOWN = -1
"""Nobody can say how many conversations are still missing."""

MIN_SCORED = 0.95
"""A rule may not pass when more than 5% of what it should look at could not be judged: what nobody saw is not good."""

LIMITS = ("max_regression", "max_excess", "red_line", "max_ratio")


@dataclass(frozen=True, slots=True)
class Reading:
    """The numbers of one rule, and which way they point."""

    conversations: int
    value: float
    interval: Span
    good: bool  # evidence that the limit holds
    bad: bool  # evidence that it does not
    says: str  # the numbers, as the beginning of a sentence
    needs: int  # conversations still missing
    watched: bool = True  # the evidence is valid at every look, so a failure need not wait
    doubt: str = ""  # why it may not pass, whatever the numbers say


def limit_of(gate: Gate) -> tuple[str, float]:
    """The one limit of a gate: its kind and number. The configuration guarantees that there is exactly one."""
    return next((kind, float(getattr(gate, kind))) for kind in LIMITS if getattr(gate, kind) is not None)


def missing(gate: Gate, n: int, estimated: int = UNKNOWN) -> int:
    """Conversations still missing: up to the minimum at least, and what the evidence asks for where that is known."""
    short = max(gate.min_conversations - n, 0)
    return max(short, estimated) if short or estimated >= 0 else UNKNOWN
