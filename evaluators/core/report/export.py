"""to_json: a Report as plain dicts with the names of the published format. Used by the CLI and the dashboard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from evaluators.core.report.shape import (
    ArmRate,
    AssertionReport,
    CandidateReport,
    CheckReport,
    ComparisonReport,
    CrossingReport,
    Decision,
    DiscoveryReport,
    Estimate,
    Latency,
    Paired,
    Ratio,
    Report,
    SliceReport,
    Spent,
    Verdict,
)
from evaluators.core.stats.interval import Interval
from evaluators.core.tally import Accounting

Json = dict[str, Any]

WORST_FIRST = (Verdict.FAIL, Verdict.WAIT, Verdict.INCONCLUSIVE, Verdict.PASS)


def to_json(report: Report) -> Json:
    """The whole report, ready for orjson; intervals are [low, high]."""
    return {
        "schema": report.schema,
        "generated_at": report.generated_at,
        "window": asdict(report.window),
        "alpha": report.alpha,
        "accounting": {shadow: _accounting(account) for shadow, account in report.accounting.items()},
        "queue_waiting": report.queue_waiting,
        "candidates": [_candidate(candidate) for candidate in report.candidates],
    }


def overall(decisions: Iterable[Decision]) -> Verdict:
    """One verdict for all: the first of fail, wait, inconclusive that any has, else pass; of none, inconclusive."""
    found = {decision.verdict for decision in decisions} or {Verdict.INCONCLUSIVE}
    return next(verdict for verdict in WORST_FIRST if verdict in found)


def gate_json(report: Report) -> Json:
    """Only the decisions: what `gate --json` prints and `/gate.json` serves."""
    return {
        "schema": report.schema,
        "generated_at": report.generated_at,
        "verdict": overall(candidate.decision for candidate in report.candidates).value,
        "candidates": [
            {"name": candidate.name, "decision": decision_json(candidate.decision)} for candidate in report.candidates
        ],
    }


def decision_json(decision: Decision) -> Json:
    """One decision with its rules."""
    rules = [
        {**asdict(rule), "verdict": rule.verdict.value, "interval": list(rule.interval)} for rule in decision.rules
    ]
    return {"verdict": decision.verdict.value, "reason": decision.reason, "rules": rules}


def _accounting(account: Accounting) -> Json:
    return {
        "calls": account.calls,
        "ineligible": dict(account.ineligible),
        "sampled_out": account.sampled_out,
        "skipped": dict(account.skipped),
        "dropped": dict(account.dropped),
        "paired": account.paired,
        "evaluated": account.evaluated,
        "waiting": account.waiting,
        "dead_lettered": account.dead_lettered,
        "balanced": account.balanced,
    }


def _candidate(candidate: CandidateReport) -> Json:
    return {
        "name": candidate.name,
        "pairs": candidate.pairs,
        "conversations": candidate.conversations,
        "control_pairs": candidate.control_pairs,
        "outcomes": asdict(candidate.outcomes),
        "checks": [_check(check) for check in candidate.checks],
        "slices": [_slice(found) for found in candidate.slices],
        "crossings": [_crossing(found) for found in candidate.crossings],
        "discoveries": [_discovery(found) for found in candidate.discoveries],
        "latency": {name: _latency(metric) for name, metric in candidate.latency.items()},
        "tokens": {name: _spent(amount) for name, amount in candidate.tokens.items()},
        "cost": _spent(candidate.cost),
        "decision": decision_json(candidate.decision),
    }


def _check(check: AssertionReport | ComparisonReport) -> Json:
    return {**_common(check), **(_assertion(check) if isinstance(check, AssertionReport) else _comparison(check))}


def _common(check: CheckReport) -> Json:
    return {
        "check": check.check,
        "kind": "assertion" if isinstance(check, AssertionReport) else "comparison",
        "type": check.type,
        "layer": check.layer,
        "dimension": check.dimension,
        "severity": check.severity,
        "version": check.version,
        "skipped": check.skipped,
        "broken": check.broken,
        "clustered": _interval(check.clustered),
        "sequence": _interval(check.sequence),
        "conversations": check.conversations,
        "paths": [{**asdict(path), "interval": _interval(path.interval)} for path in check.paths],
        "examples": list(check.examples),
    }


def _assertion(check: AssertionReport) -> Json:
    return {
        "arms": {"live": _arm(check.live), "candidate": _arm(check.candidate), "control": _arm(check.control)},
        **_paired(check.paired),
        "p": check.p,
        "answered": _paired(check.answered),
    }


def _comparison(check: ComparisonReport) -> Json:
    return {
        "arms": {"candidate": _arm(check.candidate), "control": _arm(check.control)},
        "rate": _rate(check.candidate),
        "noise": _rate(check.control),
        "excess": {
            **_estimate(check.excess),
            "candidate_only": check.candidate_only,
            "control_only": check.control_only,
        },
        "answered": _arm(check.answered),
        "energy": {
            "value": check.energy.value,
            "interval": _interval(check.energy.interval),
            "sequence": _interval(check.energy.sequence),
            "n": check.energy.n,
        },
        "steadier": check.steadier,
    }


def _crossing(found: CrossingReport) -> Json:
    return {
        "slice": found.slice,
        "check": found.check,
        "conversations": found.conversations,
        "worse": found.worse,
        "better": found.better,
        "others": found.others,
        "others_worse": found.others_worse,
        "excess" if found.comparison else "difference": found.effect.value,
        "interval": _interval(found.effect.interval),
        "e_value": found.e_value,
        "tested": found.tested,
        "flagged": found.flagged,
        "alone": {"e_value": found.e_value_alone, "flagged": found.worse_alone},
        "direction": found.direction,
        "examples": list(found.examples),
    }


def _discovery(found: DiscoveryReport) -> Json:
    return {
        "slice": found.slice,
        "check": found.check,
        "score": found.score,
        "found": {
            "conversations": found.conversations,
            "worse": found.worse,
            "rate": found.worse / found.conversations,
        },
        "later": {
            "conversations": found.later,
            "worse": found.later_worse,
            "better": found.later_better,
            "others": found.later_others,
            "others_worse": found.later_others_worse,
            "e_value": found.e_value,
        },
        "confirmed": found.confirmed,
    }


def _slice(found: SliceReport) -> Json:
    other, measure = ("control", "excess") if found.comparison else ("live", "difference")
    return {
        "slice": found.slice,
        "check": found.check,
        "n": found.n,
        "arms": {"candidate": _arm(found.candidate), other: _arm(found.other)},
        measure: found.effect.value,
        "interval": _interval(found.effect.interval),
        "answered": _estimate(found.answered),
        "conversations": found.conversations,
        "worse": found.worse,
        "others": found.others,
        "others_worse": found.others_worse,
        "e_value": found.e_value,
        "tested": found.tested,
        "flagged": found.flagged,
        "alone": {"e_value": found.e_value_alone, "flagged": found.worse_alone},
        "direction": found.direction,
        "examples": list(found.examples),
    }


def _latency(metric: Latency) -> Json:
    return {
        "live": asdict(metric.live),
        "candidate": asdict(metric.candidate),
        "ratio": {point: _ratio(ratio) for point, ratio in metric.ratio.items()},
    }


def _spent(amount: Spent) -> Json:
    return {"live": asdict(amount.live), "candidate": asdict(amount.candidate), "ratio": amount.ratio}


def _ratio(ratio: Ratio) -> Json:
    return {"value": ratio.value, "interval": list(ratio.interval)}


def _arm(arm: ArmRate) -> Json:
    return {"n": arm.n, "failed": arm.failed, "rate": arm.rate, "interval": _interval(arm.interval)}


def _rate(arm: ArmRate) -> Json:
    return {"value": arm.rate, "interval": _interval(arm.interval), "n": arm.n}


def _estimate(estimate: Estimate) -> Json:
    return {"value": estimate.value, "interval": _interval(estimate.interval), "n": estimate.n}


def _paired(pair: Paired) -> Json:
    return {
        "n": pair.n,
        "regressed": pair.regressed,
        "fixed": pair.fixed,
        "difference": pair.difference,
        "interval": _interval(pair.interval),
    }


def _interval(interval: Interval) -> list[float]:
    return [interval.low, interval.high]
