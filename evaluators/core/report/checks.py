"""One CheckTally of a candidate, and the control's, as an AssertionReport or a ComparisonReport. Used by build."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluators.core.report.cells import (
    ANSWERED,
    arm_rate,
    assertion_cells,
    differing,
    excess,
    noise_cells,
    noise_rate,
    paired,
)
from evaluators.core.report.shape import ArmRate, AssertionReport, ComparisonReport, PathRate
from evaluators.core.stats.cluster import difference_interval
from evaluators.core.stats.eprocess import confidence_sequence
from evaluators.core.stats.interval import Interval, mcnemar_midp
from evaluators.core.tally import CheckTally, Value

SHOWN_PATHS = 20


def check_report(tally: CheckTally, control: CheckTally | None, alpha: float) -> AssertionReport | ComparisonReport:
    """One check; `control` is the same check and version on the control, or None when it has not been seen there."""
    if tally.comparison:
        return _comparison(tally, control, alpha)
    return _assertion(tally, control, alpha)


def worse_positive(difference: Mapping[Value, int], alpha: float) -> Interval:
    """The confidence sequence of the mean difference over conversations, turned so that positive is worse."""
    return _turned(confidence_sequence(difference, alpha))


def _turned(better: Interval) -> Interval:
    """Tallies count scores, negative is worse: this is the one place where the sign changes."""
    return Interval(0.0 - better.high, 0.0 - better.low)


def _assertion(tally: CheckTally, control: CheckTally | None, alpha: float) -> AssertionReport:
    cells = assertion_cells(tally.joint)
    again = assertion_cells(control.joint if control else {})
    control_rate = arm_rate(again.candidate, again.n, alpha)
    candidate = arm_rate(cells.candidate, cells.n, alpha)
    return AssertionReport(
        **_common(tally, alpha),
        paths=_paths(tally, control, candidate, control_rate),
        live=arm_rate(cells.other, cells.n, alpha),
        candidate=candidate,
        control=control_rate,
        paired=paired(cells, alpha),
        p=mcnemar_midp(cells.candidate_only, cells.other_only),
        answered=paired(assertion_cells(tally.joint, ANSWERED), alpha),
    )


def _comparison(tally: CheckTally, control: CheckTally | None, alpha: float) -> ComparisonReport:
    candidate, cells = differing(tally.joint, alpha), noise_cells(tally.noise)
    noise = noise_rate(cells, differing(control.joint if control else {}, alpha), alpha)
    return ComparisonReport(
        **_common(tally, alpha),
        paths=_paths(tally, control, candidate, differing(control.joint if control else {}, alpha)),
        candidate=candidate,
        control=noise,
        excess=excess(candidate, cells, alpha),
        candidate_only=cells.candidate_only,
        control_only=cells.other_only,
        answered=differing(tally.joint, alpha, answered=True),
    )


def _common(tally: CheckTally, alpha: float) -> dict[str, Any]:
    return {
        "check": tally.label,
        "type": tally.type,
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


def _paths(tally: CheckTally, control: CheckTally | None, candidate: ArmRate, noise: ArmRate) -> tuple[PathRate, ...]:
    again = control.paths if control else {}
    rates = []
    for path, pairs in tally.paths.items():
        share = pairs / candidate.n if candidate.n else 0.0
        floor = again.get(path, 0) / noise.n if noise.n else 0.0
        rates.append(PathRate(path, share, floor, candidate.n, share - floor))
    return tuple(sorted(rates, key=lambda rate: (-rate.excess, rate.path))[:SHOWN_PATHS])
