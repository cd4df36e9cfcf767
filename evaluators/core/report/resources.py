"""Latency, tokens and cost of both arms, and who answered at all. Used by build.

A call that gave no answer is slower than any that did: leaving it out would let a candidate look faster by
timing out. Its quantile may therefore not exist, and is NEVER then.
"""

from __future__ import annotations

from collections.abc import Mapping

from config.pair import NEVER
from evaluators.core.reply import EXCUSED, Kind
from evaluators.core.report.shape import Amount, Latency, Outcomes, Quantiles, Ratio, Spent
from evaluators.core.stats.histogram import HIGHEST, quantile, ratio, value_of
from evaluators.core.tally import ShadowTally, Total

METRICS = {"first_byte": "first_byte", "total": "total", "gap": "longest_gap"}
"""Names in the report -> names in the tally."""

COUNTED_SILENT = frozenset({"first_byte", "total"})
"""Metrics that every call should have; a gap is between the chunks of a stream, and most calls may not stream."""

NOBODY_SILENT = Outcomes(0, 0, 0, 0, 0, {})

POINTS = {"p50": 0.50, "p95": 0.95, "p99": 0.99}

FAILURES = tuple(kind.value for kind in Kind if kind is not Kind.OK)


def outcomes(tally: ShadowTally) -> Outcomes:
    """The outcome table; a pair whose client hung up is excused, whatever else happened to it."""
    boxes = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    excused = 0
    kinds = {"live": dict.fromkeys(FAILURES, 0), "candidate": dict.fromkeys(FAILURES, 0)}
    for (live, candidate), pairs in tally.outcomes.items():
        for arm, kind in (("live", live), ("candidate", candidate)):
            if kind != Kind.OK:
                kinds[arm][kind] = kinds[arm].get(kind, 0) + pairs
        if live in EXCUSED or candidate in EXCUSED:
            excused += pairs
        else:
            boxes[live == Kind.OK, candidate == Kind.OK] += pairs
    return Outcomes(boxes[True, True], boxes[True, False], boxes[False, True], boxes[False, False], excused, kinds)


def latencies(tally: ShadowTally, answered: Outcomes, alpha: float) -> dict[str, Latency]:
    """Every latency metric. A call that only one arm failed to answer is that arm's slowest; a gap needs chunks."""
    return {
        name: _latency(tally, metric, answered if name in COUNTED_SILENT else NOBODY_SILENT, alpha)
        for name, metric in METRICS.items()
    }


def tokens(tally: ShadowTally) -> dict[str, Spent]:
    """Input and output tokens per answer whose provider reported them."""
    return {name: spent(tally, f"{name}_tokens") for name in ("input", "output")}


def spent(tally: ShadowTally, name: str) -> Spent:
    """Sums and means of both arms, and the ratio of means."""
    live, candidate = (_amount(tally.totals.get((arm, name), Total())) for arm in ("live", "shadow"))
    known = live.mean > 0 and candidate.n > 0
    return Spent(live, candidate, candidate.mean / live.mean if known else NEVER)


def _amount(total: Total) -> Amount:
    return Amount(total.n, total.sum, total.sum / total.n if total.n else NEVER)


def _latency(tally: ShadowTally, metric: str, answered: Outcomes, alpha: float) -> Latency:
    live = tally.histograms.get(("live", metric), {})
    candidate = tally.histograms.get(("shadow", metric), {})
    live_all, candidate_all = _silent(live, answered.live_failed), _silent(candidate, answered.candidate_failed)
    return Latency(
        _quantiles(live, live_all, answered.live_failed),
        _quantiles(candidate, candidate_all, answered.candidate_failed),
        {point: _ratio(live_all, candidate_all, share, alpha) for point, share in POINTS.items()},
    )


def _silent(bins: Mapping[int, int], missing: int) -> dict[int, int]:
    """The bins with the calls that gave no answer at the end of the ladder."""
    return {**bins, HIGHEST: bins.get(HIGHEST, 0) + missing} if missing else dict(bins)


def _quantiles(bins: Mapping[int, int], whole: Mapping[int, int], missing: int) -> Quantiles:
    p50, p95, p99 = (_exists(quantile(whole, share)) for share in POINTS.values())
    return Quantiles(sum(bins.values()), missing, p50, p95, p99)


def _exists(latency: float) -> float:
    return latency if 0 < latency < value_of(HIGHEST) else NEVER


def _ratio(live: Mapping[int, int], candidate: Mapping[int, int], share: float, alpha: float) -> Ratio:
    if not live or not candidate:
        return Ratio(NEVER, ())
    found = ratio(candidate, live, share, alpha)
    exists = min(_exists(quantile(bins, share)) for bins in (live, candidate)) > 0
    return Ratio(found.value if exists else NEVER, (found.interval.low, found.interval.high))
