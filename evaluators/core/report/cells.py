"""Cells: the two-by-two table behind every paired number, read from the tally's letters. Used by checks and slices.

Which pairs count is decided by live, and a candidate's answer that no check could judge counts as a failure there, as
in folding.points: a check that the answers escape must not make them look better. The complete-case view leaves
them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evaluators.core.report.shape import ArmRate, Estimate, Paired
from evaluators.core.stats.excess import excess_paired, excess_partial
from evaluators.core.stats.interval import newcombe_paired, wilson

JUDGED = frozenset("pfx")
ANSWERED = frozenset("pf")
BAD = frozenset("fxsb")  # no answer, or none that can be judged, is a failure: silence cannot improve a candidate


@dataclass(frozen=True, slots=True)
class Cells:
    """Pairs by who fails (or differs): the candidate and the other side, live or the control."""

    both: int = 0
    candidate_only: int = 0
    other_only: int = 0
    neither: int = 0

    @property
    def n(self) -> int:
        """All pairs in the table."""
        return self.both + self.candidate_only + self.other_only + self.neither

    @property
    def candidate(self) -> int:
        """Pairs where the candidate fails."""
        return self.both + self.candidate_only

    @property
    def other(self) -> int:
        """Pairs where the other side fails."""
        return self.both + self.other_only


def assertion_cells(joint: Mapping[str, int], answered: bool = False) -> Cells:
    """Live and candidate over pairs on which live was judged, or on which both answered and were judged."""
    found = {(True, True): 0, (False, True): 0, (True, False): 0, (False, False): 0}
    for letters, pairs in joint.items():
        if ANSWERED.issuperset(letters) if answered else letters[0] in JUDGED:
            found[letters[0] in BAD, letters[1] in BAD] += pairs
    return Cells(found[True, True], found[False, True], found[True, False], found[False, False])


def noise_cells(noise: Mapping[str, int]) -> Cells:
    """Candidate and control over calls that have both; letters candidate then control, d differs."""
    return Cells(noise.get("dd", 0), noise.get("dm", 0), noise.get("md", 0), noise.get("mm", 0))


def arm_rate(failed: int, n: int, alpha: float) -> ArmRate:
    """A failing rate with its Wilson interval; n 0 is total ignorance, [0, 1]."""
    return ArmRate(n, failed, failed / n if n else 0.0, wilson(failed, n, alpha))


def differing(joint: Mapping[str, int], alpha: float, *, answered: bool = False) -> ArmRate:
    """How often a shadow differs from live, from a comparison's letters; an answer that breaks the check differs."""
    failed = joint.get("d", 0) + (0 if answered else joint.get("x", 0) + joint.get("b", 0))
    return arm_rate(failed, failed + joint.get("m", 0), alpha)


def paired(cells: Cells, alpha: float) -> Paired:
    """The difference of failing rates on the same pairs, Newcombe's interval; n 0 is total ignorance, [-1, 1]."""
    only, other = cells.candidate_only, cells.other_only
    interval = newcombe_paired(cells.both, only, other, cells.neither, alpha)
    return Paired(cells.n, only, other, (only - other) / cells.n if cells.n else 0.0, interval)


def excess(candidate: ArmRate, cells: Cells, alpha: float) -> Estimate:
    """How much more often the candidate differs than the control; n is the calls that have both.

    All of the candidate's pairs count, also those without a control call. Where the window cuts between a call and
    its folding, the calls with both may not be among them; then only these are used.
    """
    counts = (cells.both, cells.candidate_only, cells.other_only, cells.neither)
    if cells.candidate <= candidate.failed <= candidate.n - cells.other_only - cells.neither:
        found = excess_partial(candidate.failed, candidate.n, *counts, alpha=alpha)
    else:
        found = excess_paired(*counts, alpha=alpha)
    return Estimate(found.estimate, found.interval, found.control_pairs)


def noise_rate(cells: Cells, control: ArmRate, alpha: float) -> ArmRate:
    """The noise floor the excess was measured against; before any conversation closed, what the control shows."""
    return arm_rate(cells.other, cells.n, alpha) if cells.n else control
