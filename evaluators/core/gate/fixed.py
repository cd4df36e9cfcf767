"""Rules on a quantile of the latency: fixed-sample statements, silent before `min_conversations`. Used by decide."""

from __future__ import annotations

import math
from collections import Counter

from evaluators.core.gate.reading import Case, Reading, hidden, missing
from evaluators.core.report.resources import METRICS
from evaluators.core.report.shape import Quantiles
from evaluators.core.report.words import count, times
from evaluators.core.stats import histogram
from evaluators.core.stats.histogram import HIGHEST, LOWEST
from evaluators.core.stats.interval import Interval

SHARES = {"p50": 0.50, "p95": 0.95}


def quantile_ratio(case: Case) -> Reading:
    """max_ratio of a latency quantile: candidate over live."""
    gate, candidate = case.gate, case.candidate
    name, point = (gate.metric or "").rsplit("_", 1)
    latency, what = candidate.latency[name], f"{point} of {name.replace('_', ' ')}"
    value, enclosed = latency.ratio[point].value, _enclosed(case, name, point, 0)
    low, high = enclosed.low, enclosed.high
    silent = _silent(latency.candidate, point)
    if _silent(latency.live, point):
        says, low, silent = f"live has no {what} to compare with", 0.0, False
    elif getattr(latency.candidate, point) < 0:
        says = f"{candidate.name} has no {what}, {count(latency.candidate.missing, 'call')} gave no answer to measure"
    else:
        says = f"{candidate.name}'s {what} is {times(value)} live's ({times(low)} to {times(high)})"
    seen_good = value >= 0 and high <= gate.limit
    good = seen_good and _enclosed(case, name, point, case.losses.n).high <= gate.limit
    return Reading(
        seen=candidate.conversations,
        value=value,
        interval=(enclosed.low, enclosed.high) if math.isfinite(enclosed.high) else (),
        good=good,
        bad=silent or low > gate.limit,
        says=f"{says}, limit {times(gate.limit)}",
        needs=missing(case, candidate.conversations),
        watched=False,
        doubt=hidden(case, seen_good, good),
    )


def _enclosed(case: Case, name: str, point: str, lost: int) -> Interval:
    """The ratio's interval. A call without an answer is slower than any; a lost one was live's fastest, too."""
    live, shadow = (case.tally.histograms.get((arm, METRICS[name]), {}) for arm in ("live", "shadow"))
    if not live or not shadow:
        return Interval(0.0, math.inf)
    table = case.candidate.outcomes
    fast = Counter(live) + Counter({LOWEST: lost, HIGHEST: table.live_failed})
    slow = Counter(shadow) + Counter({HIGHEST: table.candidate_failed + lost})
    return histogram.ratio(slow, fast, SHARES[point], case.alpha).interval


def _silent(arm: Quantiles, point: str) -> bool:
    """True when so many calls gave nothing to measure that the quantile does not exist."""
    return arm.missing > (1 - SHARES[point]) * (arm.n + arm.missing)
