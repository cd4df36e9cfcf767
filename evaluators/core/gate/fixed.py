"""Rules on latency, tokens and cost: fixed-sample statements, silent before `min_conversations`. Used by decide."""

from __future__ import annotations

import math

from config.settings import Gate
from evaluators.core.gate.reading import MIN_SCORED, Reading, limit_of, missing
from evaluators.core.report.shape import CandidateReport, Quantiles, Spent
from evaluators.core.report.words import count, percent, times

SHARES = {"p50": 0.50, "p95": 0.95}


def ratio(gate: Gate, candidate: CandidateReport) -> Reading:
    """max_ratio: candidate over live for a latency quantile, the cost or the output tokens."""
    metric = gate.metric or ""
    if metric == "cost":
        return _amount(gate, candidate, candidate.cost)
    if metric == "output_tokens":
        return _amount(gate, candidate, candidate.tokens["output"])
    name, point = metric.rsplit("_", 1)
    return _quantile(gate, candidate, name, point)


def _quantile(gate: Gate, candidate: CandidateReport, name: str, point: str) -> Reading:
    latency, (_, limit) = candidate.latency[name], limit_of(gate)
    found, what = latency.ratio[point], f"{point} of {name.replace('_', ' ')}"
    low, high = found.interval or (0.0, math.inf)
    silent = _silent(latency.candidate, point)
    if _silent(latency.live, point):
        says, low, silent = f"live has no {what} to compare with", 0.0, False
    elif getattr(latency.candidate, point) < 0:
        says = f"{candidate.name} has no {what}, {count(latency.candidate.missing, 'call')} gave no answer to measure"
    else:
        says = f"{candidate.name}'s {what} is {times(found.value)} live's ({times(low)} to {times(high)})"
    return Reading(
        conversations=candidate.conversations,
        value=found.value,
        interval=found.interval,
        good=found.value >= 0 and high <= limit,
        bad=silent or low > limit,
        says=f"{says}, limit {times(limit)}",
        needs=missing(gate, candidate.conversations),
        watched=False,
    )


def _amount(gate: Gate, candidate: CandidateReport, spent: Spent) -> Reading:
    """A ratio of means: only sums are kept, so it has no interval and the point estimate decides."""
    _, limit = limit_of(gate)
    what = (gate.metric or "").replace("_", " ")
    known = min(spent.candidate.n / spent.live.n, 1.0) if spent.live.n else 0.0
    doubt = f"the {what} is known for only {percent(known)} as many of {candidate.name}'s answers as of live's"
    return Reading(
        conversations=candidate.conversations,
        value=spent.ratio,
        interval=(),
        good=0 <= spent.ratio <= limit,
        bad=spent.ratio > limit,
        says=f"{candidate.name}'s mean {what} per answer is {times(spent.ratio)} live's (limit {times(limit)})",
        needs=missing(gate, candidate.conversations),
        watched=False,
        doubt=doubt if known < MIN_SCORED else "",
    )


def _silent(arm: Quantiles, point: str) -> bool:
    """True when so many calls gave nothing to measure that the quantile does not exist."""
    return arm.missing > (1 - SHARES[point]) * (arm.n + arm.missing)
