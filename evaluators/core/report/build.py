"""build: tallies of one window → Report without decisions; gate adds those. Called by assess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from config.pair import Role
from config.settings import Gate
from evaluators.core.report.checks import LAYER, check_report
from evaluators.core.report.crossings import Crossings
from evaluators.core.report.resources import latencies, outcomes, spent, tokens
from evaluators.core.report.shape import CandidateReport, CrossingReport, DiscoveryReport, Report, SliceReport
from evaluators.core.report.slices import slice_reports
from evaluators.core.tally import CheckTally, ShadowTally, Window

Discoveries = tuple[DiscoveryReport, ...]


@dataclass(frozen=True, slots=True)
class ReportRules:
    """What the configuration says about reporting: error level, order of the checks (by label), and the gates.

    `controls` names the control of a candidate that is asked beside another live than the first (`mounts`), `layers`
    the layer of a check by its type.
    """

    alpha: float = 0.05
    checks: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
    controls: Mapping[str, str] = field(default_factory=dict)
    layers: Mapping[str, str] = field(default_factory=dict)


def build(
    tallies: Sequence[ShadowTally], rules: ReportRules, window: Window, generated_at: float, queue_waiting: int
) -> Report:
    """The report over `window` (Unix seconds). Candidates keep the order of the tallies."""
    controls = {tally.shadow: tally for tally in tallies if tally.role is Role.CONTROL}
    return Report(
        generated_at=generated_at,
        window=window,
        alpha=rules.alpha,
        accounting={tally.shadow: tally.accounting for tally in tallies},
        queue_waiting=queue_waiting,
        candidates=tuple(
            _candidate(tally, controls.get(rules.controls.get(tally.shadow, Role.CONTROL)), rules)
            for tally in tallies
            if tally.role is Role.CANDIDATE
        ),
    )


def _candidate(tally: ShadowTally, control: ShadowTally | None, rules: ReportRules) -> CandidateReport:
    checks = sorted(tally.checks, key=lambda check: _position(check, rules))
    floor = {(check.label, check.version): check for check in (control.checks if control else ())}
    table = outcomes(tally)
    where = [_where(check, rules.alpha) for check in checks]
    return CandidateReport(
        name=tally.shadow,
        pairs=tally.pairs,
        conversations=tally.conversations,
        control_pairs=control.pairs if control else 0,
        outcomes=table,
        checks=tuple(
            check_report(
                check,
                floor.get((check.label, check.version)),
                rules.alpha,
                rules.layers.get(check.label) or rules.layers.get(check.type, LAYER),
            )
            for check in checks
        ),
        slices=tuple(found for slices, _, _ in where for found in slices),
        latency=latencies(tally, table, rules.alpha),
        tokens=tokens(tally),
        cost=spent(tally, "cost"),
        crossings=tuple(found for _, crossings, _ in where for found in crossings),
        discoveries=tuple(found for _, _, discoveries in where for found in discoveries),
    )


def _where(check: CheckTally, alpha: float) -> tuple[tuple[SliceReport, ...], tuple[CrossingReport, ...], Discoveries]:
    """Slices and crossings share alpha, see slices; what is discovered is a claim of its own, see stats.discovery."""
    crossings = Crossings(check)
    level = alpha / 2 if crossings.tested else alpha
    return slice_reports(check, alpha, level), crossings.reports(alpha, level), crossings.discoveries(alpha)


def _position(check: CheckTally, rules: ReportRules) -> tuple[int, str]:
    """Configured order first; a check that is no longer configured comes last, by name."""
    known = rules.checks.index(check.label) if check.label in rules.checks else len(rules.checks)
    return known, check.label
