"""Rules on a quantile of the latency."""

from __future__ import annotations

import pytest

from config.gating import Gate
from evaluators.core.gate.fixed import quantile_ratio
from evaluators.core.gate.reading import Reading
from evaluators.core.tally import ShadowTally
from tests.evaluators.core.gate.cases import case
from tests.evaluators.core.samples import latencies, shadow


def reading(tally: ShadowTally, metric: str = "total_p95", limit: float = 1.2, lost: int = 0) -> Reading:
    """What the rule sees of one candidate."""
    return quantile_ratio(case(Gate(name="g", metric=metric, max_ratio=limit), tally, lost))  # type: ignore[arg-type]


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


@pytest.mark.parametrize(("lost", "good"), [(0, True), (5, True), (40, False)])
def test_lost_calls_were_the_slowest(lost: int, good: bool) -> None:
    """Calls lost behind a breaker may have been slow with the candidate and fast with live."""
    found = reading(timed(0.2, 0.2), lost=lost)
    assert (found.good, found.bad) == (good, False)
    assert ("breaker_open 40" in found.doubt) is not good
