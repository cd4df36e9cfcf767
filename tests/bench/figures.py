"""Medians, tables and goals from samples; knows nothing of how they were measured. Used by scenarios and chart."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ALL_PAIRS = 0.999  # of the shadow calls that were due: with fewer a figure was bought with lost pairs
NONE = "–"

Samples = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Goal:
    """One promise beside what was measured."""

    text: str
    wanted: str
    measured: str
    met: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """The samples of one scenario, by label."""

    results: Mapping[str, Samples]

    def has(self, *labels: str) -> bool:
        """Were all of them measured?"""
        return all(self.results.get(label) for label in labels)

    def rows(self, name: str, path: str) -> list[float]:
        """One figure of every round; `path` like `latency_ms.p99`."""
        found = (_dig(sample, path) for sample in self.results[name])
        return [float(value) for value in found if value is not None]

    def middle(self, label: str, path: str) -> float:
        """The median over the rounds; not a number when there is none."""
        rows = self.rows(label, path)
        return statistics.median(rows) if rows else float("nan")

    def times(self, label: str, other: str, path: str) -> float:
        """How many times the other's median; not a number, so never a goal met, when the other has none."""
        base = self.middle(other, path)
        return self.middle(label, path) / base if base else float("nan")

    def show(self, label: str, path: str, form: str) -> str:
        """The median with the range over the rounds."""
        rows = self.rows(label, path)
        if not rows:
            return NONE
        return f"{statistics.median(rows):{form}} ({min(rows):{form}}–{max(rows):{form}})"

    def total(self, label: str, path: str) -> int:
        """The sum over the rounds."""
        return int(sum(self.rows(label, path)))

    def doubts(self, *labels: str) -> str:
        """Why a figure of these may not count, for the table of goals; empty when nothing speaks against it."""
        found = []
        for label in labels:
            bad, pairs = self.total(label, "bad"), self.rows(label, "pairs")
            if bad:
                found.append(f"{label} gave {bad} bad answers")
            if pairs and min(pairs) < ALL_PAIRS:
                found.append(f"{label} kept {min(pairs):.1%} of its pairs")
        return "; ".join(found)

    def goal(self, text: str, wanted: str, measured: str, met: bool, own: str) -> Goal:
        """A goal of the system `own`; it is not met when the figure was bought with bad answers or lost pairs."""
        doubts = self.doubts(own)
        return Goal(text, wanted, f"{measured}; {doubts}" if doubts else measured, met and not doubts)


def split(label: str) -> tuple[str, int]:
    """The name and the number of shadows in a label."""
    name, _, shadows = label.rpartition(":")
    return name, int(shadows)


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def share(value: float) -> str:
    """As per cent; a dash for a share of nothing. 99.96 % is not shown as all."""
    if value != value:
        return NONE
    return "100%" if value >= 1 else f"{min(value, 0.999):.1%}"


def _dig(sample: Mapping[str, Any], path: str) -> Any:
    found: Any = sample
    for name in path.split("."):
        found = found.get(name) if found is not None else None
    return found
