"""decide: one candidate's numbers against the configured rules → Decision. Called by assess.

Rules on checks are watched, so a failure may come at any look, while a pass also waits for `min_conversations`.
Reaching `max_conversations` undecided is inconclusive, and that never ships. A pass never comes from nothing:
without a blocking rule the verdict is inconclusive. Nor from losses: see losses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from config.gating import Gate
from config.pair import NEVER, Role
from evaluators.core.gate.counted import failures
from evaluators.core.gate.fixed import SHARES, quantile_ratio
from evaluators.core.gate.losses import losses
from evaluators.core.gate.pace import expected_in, lasting, per_second
from evaluators.core.gate.reading import Case, Reading
from evaluators.core.gate.watched import difference, red_line, relative
from evaluators.core.report.build import ReportRules
from evaluators.core.report.export import overall
from evaluators.core.report.shape import UNDECIDED, CandidateReport, Decision, Report, Rule, Verdict
from evaluators.core.report.words import count
from evaluators.core.tally import Accounting, ShadowTally, Window

ONLY_SIGNALS = "Only signals are configured: nothing can block, so nothing can pass."

OVERALL = {
    Verdict.FAIL: "{some} of {all} failed: {names}.",
    Verdict.WAIT: "Nothing failed, {some} of {all} not decided yet: {names}.",
    Verdict.INCONCLUSIVE: "Nothing failed, {some} of {all} stayed undecided to the end: {names}.",
}
"""In this order: the first verdict that any blocking rule has is the verdict."""

EXIT = {Verdict.PASS: 0, Verdict.FAIL: 3, Verdict.WAIT: 4, Verdict.INCONCLUSIVE: 4}

NO_TRAFFIC = Window(0.0, 0.0, NEVER, NEVER)

READ: Mapping[str, Callable[[Case], Reading]] = {
    "max_regression": difference,
    "max_excess": difference,
    "red_line": red_line,
    "max_failures": failures,
    "max_ratio": relative,
}


def decided(report: Report, tallies: Sequence[ShadowTally], rules: ReportRules) -> Report:
    """The report with every candidate's decision filled in; `tallies` are those it was built from."""
    by_name = {tally.shadow: tally for tally in tallies}

    def decision(candidate: CandidateReport) -> Decision:
        control = by_name.get(rules.controls.get(candidate.name, Role.CONTROL))
        asked = control.accounting if control else Accounting()
        return decide(candidate, by_name[candidate.name], rules.gates, rules.alpha, control=asked, window=report.window)

    return replace(report, candidates=tuple(replace(one, decision=decision(one)) for one in report.candidates))


def decide(
    candidate: CandidateReport,
    tally: ShadowTally,
    gates: Sequence[Gate],
    alpha: float,
    *,
    control: Accounting | None = None,
    window: Window = NO_TRAFFIC,
) -> Decision:
    """The verdict on one candidate: all blockers must pass; signals are listed and never block.

    `control` says what was lost of live asked twice, `window` how long the traffic took.
    """
    lost = losses(tally, control or Accounting())
    cases = [Case(gate, candidate, tally, gate.alpha or alpha, lost) for gate in gates]
    verdict, reason, rules = _together(tuple(_rule(case, window) for case in cases))
    return Decision(verdict, f"{reason} {lost.left_out}".rstrip() if gates else reason, rules)


def exit_code(decisions: Iterable[Decision]) -> int:
    """0 when every decision passes, 3 when any fails, 4 otherwise and when there is none."""
    return EXIT[overall(decisions)]


def _together(rules: tuple[Rule, ...]) -> tuple[Verdict, str, tuple[Rule, ...]]:
    blockers = [rule for rule in rules if rule.severity == "blocker"]
    if not rules:
        return UNDECIDED.verdict, UNDECIDED.reason, ()
    if not blockers:
        return Verdict.INCONCLUSIVE, ONLY_SIGNALS, rules
    total = count(len(blockers), "blocking rule")
    for verdict, sentence in OVERALL.items():
        names = [rule.name for rule in blockers if rule.verdict is verdict]
        if names:
            return verdict, sentence.format(some=len(names), all=total, names=", ".join(names)), rules
    return Verdict.PASS, f"All blocking rules passed ({len(blockers)}).", rules


def _rule(case: Case, window: Window) -> Rule:
    gate, reading = case.gate, _read(case)
    pace = per_second(reading.seen or case.candidate.conversations, window)
    verdict, why = _settle(case, reading, pace)
    needs = reading.needs if verdict is Verdict.WAIT else 0
    return Rule(
        name=gate.name,
        kind=gate.kind,
        subject=gate.label or gate.metric or "",
        severity=gate.severity,
        verdict=verdict,
        reason=f"{reading.says}: {why}.",
        limit=gate.limit,
        value=reading.value,
        interval=reading.interval,
        needs=needs,
        expected_in=expected_in(needs, pace) if verdict is Verdict.WAIT else 0.0,
    )


def _read(case: Case) -> Reading:
    if (case.gate.metric or "").endswith(tuple(SHARES)):
        return quantile_ratio(case)
    return READ[case.gate.kind](case)


def _settle(case: Case, reading: Reading, pace: float) -> tuple[Verdict, str]:
    """From evidence to a verdict and the second half of its sentence."""
    enough = reading.noun == "call" or reading.seen >= case.opens
    if reading.bad and (reading.watched or enough):
        return Verdict.FAIL, "above the limit"
    if reading.good and enough and not reading.doubt:
        return Verdict.PASS, "within the limit"
    if reading.noun != "call" and reading.seen >= case.closes:
        after = "undecided at its one look" if case.gate.at else f"undecided after the {case.closes:,} it may use"
        return Verdict.INCONCLUSIVE, reading.doubt or after
    return Verdict.WAIT, reading.doubt or _hope(reading, enough, pace)


def _hope(reading: Reading, enough: bool, pace: float) -> str:
    """What a waiting rule is waiting for, and how long that takes as conversations come in now."""
    if reading.needs <= 0:
        return "not enough evidence either way yet"
    least = "about" if enough and reading.noun != "call" else "at least"
    more = count(reading.needs, reading.noun).replace(" ", " more ", 1)
    time = lasting(expected_in(reading.needs, pace))
    return f"{least} {more}{f', {time} at the present traffic' if time else ''}"
