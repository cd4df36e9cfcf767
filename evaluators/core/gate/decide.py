"""decide: one candidate's numbers against the configured rules → Decision. Called by assess.

Rules on checks are watched, so a failure may come at any look, while a pass also waits for `min_conversations`.
Reaching `max_conversations` undecided is inconclusive, and that never ships. A pass never comes from nothing:
without a blocking rule the verdict is inconclusive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from config.settings import Gate
from evaluators.core.gate.fixed import ratio
from evaluators.core.gate.reading import Reading, limit_of
from evaluators.core.gate.watched import difference, red_line
from evaluators.core.report.build import ReportRules
from evaluators.core.report.export import overall
from evaluators.core.report.shape import UNDECIDED, CandidateReport, Decision, Report, Rule, Verdict
from evaluators.core.report.words import count
from evaluators.core.tally import ShadowTally

ONLY_SIGNALS = "Only signals are configured: nothing can block, so nothing can pass."

OVERALL = {
    Verdict.FAIL: "{some} of {all} failed: {names}.",
    Verdict.WAIT: "Nothing failed, {some} of {all} not decided yet: {names}.",
    Verdict.INCONCLUSIVE: "Nothing failed, {some} of {all} stayed undecided to the end: {names}.",
}
"""In this order: the first verdict that any blocking rule has is the verdict."""

EXIT = {Verdict.PASS: 0, Verdict.FAIL: 3, Verdict.WAIT: 4, Verdict.INCONCLUSIVE: 4}


def decided(report: Report, tallies: Sequence[ShadowTally], rules: ReportRules) -> Report:
    """The report with every candidate's decision filled in; `tallies` are those it was built from."""
    by_name = {tally.shadow: tally for tally in tallies}
    candidates = (
        replace(candidate, decision=decide(candidate, by_name[candidate.name], rules.gates, rules.alpha))
        for candidate in report.candidates
    )
    return replace(report, candidates=tuple(candidates))


def decide(candidate: CandidateReport, tally: ShadowTally, gates: Sequence[Gate], alpha: float) -> Decision:
    """The verdict on one candidate: all blockers must pass; signals are listed and never block."""
    rules = tuple(_rule(gate, candidate, tally, alpha) for gate in gates)
    blockers = [rule for rule in rules if rule.severity == "blocker"]
    if not rules:
        return UNDECIDED
    if not blockers:
        return Decision(Verdict.INCONCLUSIVE, ONLY_SIGNALS, rules)
    total = count(len(blockers), "blocking rule")
    for verdict, sentence in OVERALL.items():
        names = [rule.name for rule in blockers if rule.verdict is verdict]
        if names:
            return Decision(verdict, sentence.format(some=len(names), all=total, names=", ".join(names)), rules)
    return Decision(Verdict.PASS, f"All blocking rules passed ({len(blockers)}).", rules)


def exit_code(decisions: Iterable[Decision]) -> int:
    """0 when every decision passes, 3 when any fails, 4 otherwise and when there is none."""
    return EXIT[overall(decisions)]


def _rule(gate: Gate, candidate: CandidateReport, tally: ShadowTally, alpha: float) -> Rule:
    kind, limit = limit_of(gate)
    reading = _read(kind, gate, candidate, tally, alpha)
    verdict, why = _settle(gate, reading)
    return Rule(
        name=gate.name,
        kind=kind,
        subject=gate.check or gate.metric or "",
        severity=gate.severity,
        verdict=verdict,
        reason=f"{reading.says}: {why}.",
        limit=limit,
        value=reading.value,
        interval=reading.interval,
        needs=reading.needs if verdict is Verdict.WAIT else 0,
    )


def _read(kind: str, gate: Gate, candidate: CandidateReport, tally: ShadowTally, alpha: float) -> Reading:
    if kind == "max_ratio":
        return ratio(gate, candidate)
    return red_line(gate, tally, alpha) if kind == "red_line" else difference(gate, tally, alpha)


def _settle(gate: Gate, reading: Reading) -> tuple[Verdict, str]:
    """From evidence to a verdict and the second half of its sentence."""
    n, enough = reading.conversations, reading.conversations >= gate.min_conversations
    if reading.bad and (reading.watched or enough):
        return Verdict.FAIL, "above the limit"
    if reading.good and enough and not reading.doubt:
        return Verdict.PASS, "within the limit"
    if n >= gate.max_conversations:
        return Verdict.INCONCLUSIVE, reading.doubt or f"undecided after the {gate.max_conversations:,} it may use"
    return Verdict.WAIT, reading.doubt or _hope(enough, reading.needs)


def _hope(enough: bool, needs: int) -> str:
    """What a waiting rule is waiting for."""
    if needs <= 0:
        return "not enough evidence either way yet"
    return f"{'about ' if enough else 'at least '}{count(needs, 'conversation')} more"
