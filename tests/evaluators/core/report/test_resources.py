"""Latency, spending and outcomes: sums, quantiles, and silence that never makes anyone look faster."""

from __future__ import annotations

import pytest

from config.pair import NEVER
from evaluators.core.report.resources import latencies, outcomes, spent, tokens
from evaluators.core.tally import ShadowTally, Total
from tests.evaluators.core.samples import assertion, shadow
from tests.evaluators.core.samples import latencies as histograms


def tally(**given: object) -> ShadowTally:
    """A candidate with one check."""
    return shadow(assertion(), **given)  # type: ignore[arg-type]


def test_outcome_table_adds_up() -> None:
    """Five boxes hold every pair; kinds are counted per arm, zeros included."""
    found = outcomes(
        tally(
            outcomes={
                ("ok", "ok"): 10,
                ("ok", "timeout"): 4,
                ("blank", "ok"): 3,
                ("timeout", "reset"): 2,
                ("client_left", "ok"): 1,
                ("ok", "client_left"): 1,
            }
        )
    )
    assert (found.both_ok, found.candidate_failed, found.live_failed, found.both_failed, found.excused) == (
        10,
        4,
        3,
        2,
        2,
    )
    assert found.kinds["candidate"]["timeout"] == 4
    assert found.kinds["live"] | {} == {
        **dict.fromkeys(found.kinds["live"], 0),
        "blank": 3,
        "timeout": 2,
        "client_left": 1,
    }
    assert "ok" not in found.kinds["live"]


def test_latency_ratio() -> None:
    """Twice as slow is a ratio of two, and the interval holds it."""
    found = latencies(tally(histograms=histograms(0.2, 0.4)), outcomes(tally()), 0.05)["first_byte"]
    assert found.live.p50 == pytest.approx(0.2, rel=0.05)
    assert found.ratio["p95"].value == pytest.approx(2.0, rel=0.06)
    assert found.ratio["p95"].interval[0] < 2 < found.ratio["p95"].interval[1]


def test_names() -> None:
    """The longest gap of the tallies is the report's gap."""
    assert list(latencies(tally(), outcomes(tally()), 0.05)) == ["first_byte", "total", "gap"]


def test_silence_is_slowest() -> None:
    """With 8% of the calls unanswered the 95th percentile does not exist, the median gets no faster."""
    measured = tally(histograms=histograms(0.2, 0.2, 920), outcomes={("ok", "ok"): 920, ("ok", "timeout"): 80})
    found = latencies(measured, outcomes(measured), 0.05)["total"]
    assert (found.candidate.p95, found.candidate.missing, found.live.missing) == (NEVER, 80, 0)
    assert found.candidate.p50 > found.live.p50
    assert found.ratio["p95"].value == NEVER
    assert found.ratio["p95"].interval[0] > 1000


def test_a_gap_needs_a_stream() -> None:
    """Most calls may not stream, so nobody is silent about gaps."""
    measured = tally(histograms=histograms(0.2, 0.2, 920), outcomes={("ok", "ok"): 920, ("ok", "timeout"): 80})
    found = latencies(measured, outcomes(measured), 0.05)["gap"]
    assert (found.candidate.missing, found.ratio["p95"].value) == (0, pytest.approx(1.0))


def test_nothing_measured() -> None:
    """Without a histogram there is no quantile and no ratio."""
    found = latencies(tally(), outcomes(tally()), 0.05)["total"]
    assert (found.live.p50, found.ratio["p50"].value, found.ratio["p50"].interval) == (NEVER, NEVER, ())


def test_spending() -> None:
    """Means per answer and their ratio."""
    measured = tally(totals={("live", "cost"): Total(10, 2.0), ("shadow", "cost"): Total(20, 1.0)})
    found = spent(measured, "cost")
    assert (found.live.mean, found.candidate.mean, found.ratio) == (0.2, 0.05, 0.25)


@pytest.mark.parametrize(
    "totals",
    [
        pytest.param({}, id="nothing"),
        pytest.param({("live", "output_tokens"): Total(5, 50.0)}, id="candidate-unknown"),
        pytest.param({("live", "output_tokens"): Total(5), ("shadow", "output_tokens"): Total(5, 9.0)}, id="live-free"),
    ],
)
def test_no_ratio(totals: dict[tuple[str, str], Total]) -> None:
    """A ratio needs both arms, and a live mean above zero."""
    assert tokens(tally(totals=totals))["output"].ratio == NEVER
