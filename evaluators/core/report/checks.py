"""One CheckTally of a candidate, and the control's, as an AssertionReport or a ComparisonReport. Used by build."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluators.core.report.cells import (
    arm_rate,
    assertion_cells,
    differing,
    excess,
    noise_cells,
    noise_rate,
    paired,
)
from evaluators.core.report.places import path_rates
from evaluators.core.report.shape import AssertionReport, ComparisonReport, Energy, Estimate
from evaluators.core.stats.cluster import count, difference_interval, mean
from evaluators.core.stats.eprocess import confidence_sequence
from evaluators.core.stats.interval import Interval, mcnemar_midp
from evaluators.core.tally import CheckTally, Value

STEADIER = "steadier, still different"
"""The candidate differs from live less often than live from itself, and yet not in the way live does."""

LAYER = "task"


def check_report(
    tally: CheckTally, control: CheckTally | None, alpha: float, layer: str = LAYER
) -> AssertionReport | ComparisonReport:
    """One check; `control` is the same check and version on the control, or None when it has not been seen there."""
    if tally.comparison:
        return _comparison(tally, control, alpha, layer)
    return _assertion(tally, control, alpha, layer)


def worse_positive(difference: Mapping[Value, int], alpha: float) -> Interval:
    """The confidence sequence of the mean difference over conversations, turned so that positive is worse."""
    return _turned(confidence_sequence(difference, alpha))


def _turned(better: Interval) -> Interval:
    """Tallies count scores, negative is worse: this is the one place where the sign changes."""
    return Interval(0.0 - better.high, 0.0 - better.low)


def _assertion(tally: CheckTally, control: CheckTally | None, alpha: float, layer: str) -> AssertionReport:
    cells = assertion_cells(tally.joint)
    again = assertion_cells(control.joint if control else {})
    control_rate = arm_rate(again.candidate, again.n, alpha)
    return AssertionReport(
        **_common(tally, alpha, layer),
        paths=path_rates(tally, control, control_rate, alpha),
        live=arm_rate(cells.other, cells.n, alpha),
        candidate=arm_rate(cells.candidate, cells.n, alpha),
        control=control_rate,
        paired=paired(cells, alpha),
        p=mcnemar_midp(cells.candidate_only, cells.other_only),
        answered=paired(assertion_cells(tally.joint, answered=True), alpha),
    )


def _comparison(tally: CheckTally, control: CheckTally | None, alpha: float, layer: str) -> ComparisonReport:
    candidate, cells = differing(tally.joint, alpha), noise_cells(tally.noise)
    again = differing(control.joint if control else {}, alpha)
    beyond, apart = excess(candidate, cells, alpha), energy(tally.energy, alpha)
    return ComparisonReport(
        **_common(tally, alpha, layer),
        paths=path_rates(tally, control, again, alpha),
        candidate=candidate,
        control=noise_rate(cells, again, alpha),
        excess=beyond,
        energy=apart,
        steadier=_steadier(beyond, apart),
        candidate_only=cells.candidate_only,
        control_only=cells.other_only,
        answered=differing(tally.joint, alpha, answered=True),
    )


def energy(halves: Mapping[Value, int], alpha: float) -> Energy:
    """The energy form of a comparison from conversations' half energies."""
    interval, sequence = difference_interval(halves, alpha), confidence_sequence(halves, alpha)
    return Energy(2 * mean(halves), _doubled(interval), _doubled(sequence), count(halves))


def _doubled(half: Interval) -> Interval:
    return Interval(2 * half.low, 2 * half.high)


def _steadier(beyond: Estimate, apart: Energy) -> str:
    return STEADIER if beyond.value < 0 < apart.interval.low else ""


def _common(tally: CheckTally, alpha: float, layer: str) -> dict[str, Any]:
    return {
        "check": tally.label,
        "type": tally.type,
        "layer": layer,
        "dimension": tally.dimension,
        "severity": tally.severity,
        "version": tally.version,
        "skipped": sum(pairs for letters, pairs in tally.joint.items() if "s" in letters and "b" not in letters),
        "broken": sum(pairs for letters, pairs in tally.joint.items() if "b" in letters),
        "clustered": _turned(difference_interval(tally.difference, alpha)),
        "sequence": worse_positive(tally.difference, alpha),
        "conversations": sum(tally.difference.values()),
        "examples": tally.examples.get("", ()),
    }
