"""Tally: mergeable counts, the only thing that numbers on a screen or in a gate are made of.

Read by store.read as one snapshot per shadow, turned into a Report by report. Every field is a sum, so tallies of
two workers or two hours merge by adding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from config.pair import Role
from evaluators.core.stats.discovery import Spans

BUCKET = 3600
"""Seconds per time bucket: a report over a window is exact to the hour."""

Value = tuple[int, int]
"""A conversation's mean as an exact fraction (numerator, denominator > 0), in lowest terms."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What closed conversations say about one slice against the rest; see stats.evidence."""

    conversations: int  # in the slice
    worse: int  # of them, where the candidate did worse than live (or than the control, for comparisons)
    better: int
    others: int  # conversations with no pair in the slice
    others_worse: int
    log_bets: tuple[float, ...]  # one running log-wealth per bet of stats.evidence.LIFTS


@dataclass(frozen=True, slots=True)
class CheckTally:
    """One check on one shadow."""

    label: str
    type: str
    comparison: bool
    dimension: str
    severity: str
    version: str
    joint: Mapping[str, int]  # letters of observation.Found -> pairs
    slices: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # slice -> letters -> pairs
    paths: Mapping[str, int] = field(default_factory=dict)  # where -> pairs that differ or fail there
    difference: Mapping[Value, int] = field(default_factory=dict)
    """Closed conversations by their mean D in [-1, 1]: candidate score minus live score for an assertion (negative is
    worse); control's differing minus candidate's differing for a comparison, over calls that have both."""
    failing: Mapping[Value, int] = field(default_factory=dict)
    """Closed conversations by the candidate's failing (or differing) share in [0, 1]."""
    noise: Mapping[str, int] = field(default_factory=dict)
    """Comparisons, calls with candidate and control: letters candidate then control, m or d: "dd" "dm" "md" "mm"."""
    slice_noise: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # slice -> the same letters
    evidence: Mapping[str, Evidence] = field(default_factory=dict)  # slice -> evidence
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # slice ("" all) -> call ids that regressed
    places: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Path ("" the whole answer) -> letters: of calls "dd" "dm" "md" "mm", of conversations "w" and "b", as
    folding.places says. For a comparison beside the control, for an assertion beside live."""
    energy: Mapping[Value, int] = field(default_factory=dict)
    """Closed conversations by half their mean energy, over calls with candidate, control and the candidate again."""
    crossed: Mapping[str, Spans] = field(default_factory=dict)  # "a=1 & b=2" -> evidence
    crossed_examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Total:
    """How many and how much."""

    n: int = 0
    sum: float = 0.0


@dataclass(frozen=True, slots=True)
class Accounting:
    """Where every call of one shadow went, summed over proxies; DESIGN's identity holds exactly."""

    calls: int = 0
    ineligible: Mapping[str, int] = field(default_factory=dict)  # reason -> calls
    sampled_out: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    paired: int = 0
    evaluated: int = 0
    dead_lettered: int = 0

    @property
    def waiting(self) -> int:
        """Pairs published and not yet judged."""
        return self.paired - self.evaluated - self.dead_lettered

    @property
    def balanced(self) -> bool:
        """True when every call is in exactly one bucket and nothing was judged that was not published."""
        parts = sum(self.ineligible.values()) + self.sampled_out + sum(self.skipped.values())
        return self.calls == parts + sum(self.dropped.values()) + self.paired and self.waiting >= 0


@dataclass(frozen=True, slots=True)
class ShadowTally:
    """Everything known about one shadow in the window. Arms are "live" and "shadow" over the same pairs."""

    shadow: str
    role: Role
    pairs: int
    conversations: int
    outcomes: Mapping[tuple[str, str], int]  # (live kind, shadow kind) -> pairs
    checks: tuple[CheckTally, ...]
    histograms: Mapping[tuple[str, str], Mapping[int, int]]
    """(arm, metric) -> bin -> pairs; metrics first_byte, total, longest_gap; bins are stats.histogram's."""
    totals: Mapping[tuple[str, str], Total]  # (arm, name) with names input_tokens, output_tokens, cost
    accounting: Accounting = field(default_factory=Accounting)
    ratios: Mapping[str, Mapping[Value, int]] = field(default_factory=dict)
    """Closed conversations by their log ratio live / shadow in [-1, 1] (negative is dearer or slower); kinds log_cost,
    log_output_tokens, log_total, log_first_byte."""
    unmeasured: Mapping[str, int] = field(default_factory=dict)
    """Of the same kinds: calls of closed conversations on which it is known of one arm only, and so in no ratio."""


@dataclass(frozen=True, slots=True)
class Window:
    """What the tallies cover, in Unix seconds; start 0 is everything."""

    start: float
    end: float
    first_arrival: float  # NEVER (-1.0) when there is no pair
    last_arrival: float
