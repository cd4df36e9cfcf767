"""Rules on latency, tokens and cost."""

from __future__ import annotations

import pytest

from config.settings import Gate
from evaluators.core.gate.fixed import ratio
from evaluators.core.gate.reading import Reading
from evaluators.core.report import ReportRules, build
from evaluators.core.tally import ShadowTally, Total
from tests.evaluators.core.samples import WINDOW, latencies, shadow


def reading(tally: ShadowTally, metric: str = "total_p95", limit: float = 1.2) -> Reading:
    """What the rule sees of one candidate."""
    (candidate,) = build([tally], ReportRules(), WINDOW, 0.0, 0).candidates
    return ratio(Gate(name="g", metric=metric, max_ratio=limit), candidate)  # type: ignore[arg-type]


def timed(live: float, candidate: float, answered: int = 1000, silent: int = 0, live_silent: int = 0) -> ShadowTally:
    """A candidate with these middles in seconds."""
    return shadow(
        pairs=answered + silent + live_silent,
        conversations=answered,
        histograms=latencies(live, candidate, answered) if answered else {},
        outcomes={("ok", "ok"): answered, ("ok", "timeout"): silent, ("timeout", "ok"): live_silent},
    )


@pytest.mark.parametrize(
    ("tally", "good", "bad", "says"),
    [
        pytest.param(timed(0.2, 0.2), True, False, "mini's p95 of total is 1.00× live's", id="as-fast"),
        pytest.param(timed(0.2, 0.6), False, True, "is 3.00× live's", id="three-times"),
        pytest.param(timed(0.2, 0.24, 60), False, False, "mini's p95", id="too-few"),
        pytest.param(timed(0.2, 0.1, 900, 100), False, True, "100 calls gave no answer", id="silent"),
        pytest.param(timed(0.2, 0.1, 0, 100), False, True, "100 calls gave no answer", id="only-silent"),
        pytest.param(timed(0.2, 0.9, 900, 0, 100), False, False, "live has no p95 of total", id="live-silent"),
        pytest.param(timed(0.2, 0.2, 0), False, False, "mini has no p95 of total", id="nothing"),
    ],
)
def test_latency(tally: ShadowTally, good: bool, bad: bool, says: str) -> None:
    """The interval decides; silence is slower than anything."""
    found = reading(tally)
    assert (found.good, found.bad) == (good, bad)
    assert says in found.says
    assert not found.watched


def test_the_metric_names_its_quantile() -> None:
    """first_byte_p50 is the median of the first byte."""
    assert "p50 of first byte" in reading(timed(0.2, 0.2), "first_byte_p50").says


@pytest.mark.parametrize(
    ("metric", "name", "says"),
    [
        ("cost", "cost", "mini's mean cost per answer is 1.50× live's (limit 1.20×)"),
        ("output_tokens", "output_tokens", "mini's mean output tokens per answer is 1.50× live's (limit 1.20×)"),
    ],
)
def test_amounts(metric: str, name: str, says: str) -> None:
    """A ratio of means has no interval: the point estimate decides."""
    tally = shadow(pairs=9, totals={("live", name): Total(10, 20.0), ("shadow", name): Total(10, 30.0)})
    found = reading(tally, metric)
    assert (found.good, found.bad, found.interval, found.doubt, found.says) == (False, True, (), "", says)
    assert reading(tally, metric, 1.6).good


def test_unknown_amounts_may_not_pass() -> None:
    """When usage is known for few of the answers, cheap proves nothing."""
    tally = shadow(pairs=9, totals={("live", "cost"): Total(10, 20.0), ("shadow", "cost"): Total(5, 1.0)})
    assert reading(tally, "cost").doubt == "the cost is known for only 50% as many of mini's answers as of live's"
    assert reading(shadow(pairs=9), "cost").good is False
