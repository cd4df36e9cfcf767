"""Where: every slice of one check beside the rest of the traffic, with closed e-BH over the slices. Used by build.

Which slices are tested depends on how many conversations they hold, never on how those ended: a slice that is all
of the traffic has no rest to be compared with, a tiny one could not be told from chance.

**Two families.** Slices of one key and crossings of two (see crossings) are asked the same question on one filtration:
what is known after each sealed block, whatever the slice. Each family is corrected by itself: its false discovery rate
is at most its own level at any stopping time, so the two levels add up to the rate over both, V / R being at most
V1 / R1 + V2 / R2. Both get alpha / 2 when there are crossings to test, else the single slices get all of it; which
it is depends on numbers of conversations only, and once a level fell it stays low. The many crossings thereby cost the
few slices a factor of two, and not their own number.

Flags are of the present e-values and may go away again. Of the highest values ever seen they would be wrong: each of
those is only a p-value turned over. K is the number tested now. That is exact for as long as nothing new grows to
MIN_SUPPORT; a slice that comes later raises K for all, and against a reader who stops whenever that suits, the bound
is alpha (1 + log(K / K at first)) at worst. Simulated with a growing family it stays below alpha by far.
"""

from __future__ import annotations

from evaluators.core.report.cells import arm_rate, assertion_cells, differing, excess, noise_cells, paired
from evaluators.core.report.shape import ArmRate, Estimate, Paired, SliceReport
from evaluators.core.stats.evidence import e_bh_closed, e_value, e_value_alone
from evaluators.core.tally import CheckTally, Evidence

MIN_SUPPORT = 20
"""Conversations needed in the slice and in the rest. With fewer, even a slice that only gets worse is weak evidence."""

NO_EVIDENCE = Evidence(0, 0, 0, 0, 0, ())


def slice_reports(tally: CheckTally, alpha: float, level: float | None = None) -> tuple[SliceReport, ...]:
    """All slices of one check: flagged first, then by how bad they are at least (the interval's lower end).

    Flags are at `level`, intervals at alpha, which is the level too where none is given.
    """
    level = alpha if level is None else level
    evidence = {name: tally.evidence.get(name, NO_EVIDENCE) for name in tally.slices}
    tested = {name: seen for name, seen in evidence.items() if _supported(seen)}
    against_rest = _Tests(
        {name: e_value(seen.log_bets, seen.worse, seen.better) for name, seen in tested.items()}, level
    )
    alone = _Tests({name: e_value_alone(seen.worse, seen.better) for name, seen in tested.items()}, level)
    found = (_slice(tally, name, evidence[name], against_rest, alone, alpha) for name in evidence)
    return tuple(sorted(found, key=_rank))


class _Tests:
    """One question asked of every tested slice: e-values, and which of them stand together."""

    def __init__(self, e_values: dict[str, float], alpha: float) -> None:
        self.e_values = e_values
        self.standing = e_bh_closed(e_values, alpha)


def _rank(found: SliceReport) -> tuple[bool, float, float, str]:
    return (not found.flagged, -found.effect.interval.low, -found.e_value, found.slice)


def _supported(evidence: Evidence) -> bool:
    return evidence.conversations >= MIN_SUPPORT and evidence.others >= MIN_SUPPORT


def _slice(
    tally: CheckTally, name: str, evidence: Evidence, against_rest: _Tests, alone: _Tests, alpha: float
) -> SliceReport:
    candidate, other, effect, answered = (_compared if tally.comparison else _asserted)(tally, name, alpha)
    return SliceReport(
        slice=name,
        check=tally.label,
        comparison=tally.comparison,
        n=candidate.n,
        candidate=candidate,
        other=other,
        effect=effect,
        answered=answered,
        conversations=evidence.conversations,
        worse=evidence.worse,
        others=evidence.others,
        others_worse=evidence.others_worse,
        e_value=against_rest.e_values.get(name, 1.0),
        tested=name in against_rest.e_values,
        flagged=name in against_rest.standing,
        direction=effect.direction,
        examples=tally.examples.get(name, ()),
        e_value_alone=alone.e_values.get(name, 1.0),
        worse_alone=name in alone.standing,
    )


def _asserted(tally: CheckTally, name: str, alpha: float) -> tuple[ArmRate, ArmRate, Estimate, Estimate]:
    letters = tally.slices[name]
    cells = assertion_cells(letters)
    return (
        arm_rate(cells.candidate, cells.n, alpha),
        arm_rate(cells.other, cells.n, alpha),
        _difference(paired(cells, alpha)),
        _difference(paired(assertion_cells(letters, answered=True), alpha)),
    )


def _compared(tally: CheckTally, name: str, alpha: float) -> tuple[ArmRate, ArmRate, Estimate, Estimate]:
    letters = tally.slices[name]
    candidate, cells = differing(letters, alpha), noise_cells(tally.slice_noise.get(name, {}))
    answered = differing(letters, alpha, answered=True)
    return (
        candidate,
        arm_rate(cells.other, cells.n, alpha),
        excess(candidate, cells, alpha),
        Estimate(answered.rate, answered.interval, answered.n),
    )


def _difference(pair: Paired) -> Estimate:
    return Estimate(pair.difference, pair.interval, pair.n)
