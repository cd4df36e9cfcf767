"""What the gates promise, by simulation: no more false releases than alpha, however often somebody looks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluators.core.stats.planning import chance_at, pairs_needed
from tests.bench import statistics
from tests.bench.statistics import ALPHA, AT, DISCORDANCES, LINES, MARGIN, SPREADS

SHORT, LONG = 500, 4000


def released(found: statistics.Found) -> float:
    """Share of runs that were released at any look."""
    return float(np.isfinite(found).mean())


@pytest.mark.parametrize("discordance", DISCORDANCES)
def test_a_candidate_at_the_margin_is_seldom_released(discordance: float) -> None:
    """Exactly two points worse, looked at every 25 pairs: at most 5 %; the usual test releases a quarter and more."""
    assert released(statistics.watched_releases(discordance, SHORT)) <= ALPHA
    assert released(statistics.z_test_releases(discordance, SHORT)) >= 0.25


@pytest.mark.parametrize("line", LINES)
def test_a_candidate_at_the_red_line_seldom_passes_it(line: float) -> None:
    """Failing exactly as often as the line allows, looked at every 25 pairs: at most 5 %."""
    assert released(statistics.red_line_releases(line, SHORT)) <= ALPHA


@pytest.mark.parametrize("spread", SPREADS)
def test_a_candidate_at_the_ratio_seldom_passes_it(spread: float) -> None:
    """Exactly 1.2 times live's cost, looked at every 25 pairs: at most 5 %."""
    assert released(statistics.ratio_releases(spread, SHORT)) <= ALPHA


@pytest.mark.parametrize("discordance", DISCORDANCES)
def test_a_fixed_look_keeps_alpha_too(discordance: float) -> None:
    """Exactly two points worse at 1,000 pairs, looked at once: 5 %, three standard errors allowed."""
    assert statistics.fixed_share(discordance, 400) <= ALPHA + 3 * math.sqrt(ALPHA / 400)


@pytest.mark.parametrize("line", LINES)
def test_a_fixed_look_at_a_red_line_is_exact(line: float) -> None:
    """Failing as often as the line allows: at most 5 %, three standard errors allowed."""
    assert statistics.fixed_line_share(line, 1000) <= ALPHA + 3 * math.sqrt(ALPHA / 1000)


def test_what_is_planned_is_what_it_takes() -> None:
    """Equal models: the planned medians are within an eighth of the simulated ones; a fixed look passes as planned."""
    for discordance in (0.05, 0.10):
        found = statistics.watched_releases(discordance, SHORT, 0.0, 8000)
        assert np.median(found) == pytest.approx(pairs_needed(discordance, MARGIN), rel=0.125)
    assert statistics.fixed_share(0.10, 400, 0.0) == pytest.approx(chance_at(AT, 0.10, MARGIN), abs=0.07)


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_at_length() -> None:
    """4,000 runs of everything; the table of the README."""
    print("\n" + statistics.table(LONG))
    watched = [released(statistics.watched_releases(one, LONG)) for one in DISCORDANCES]
    lines = [released(statistics.red_line_releases(one, LONG)) for one in LINES]
    ratios = [released(statistics.ratio_releases(one, LONG)) for one in SPREADS]
    assert max(*watched, *lines, *ratios) <= ALPHA
    slack = 3 * math.sqrt(ALPHA / LONG)
    assert max(statistics.fixed_share(one, LONG) for one in DISCORDANCES) <= ALPHA + slack
    assert max(statistics.fixed_line_share(one, LONG) for one in LINES) <= ALPHA + slack
    assert min(statistics.sequence_covers(one, LONG) for one in DISCORDANCES) >= 1 - ALPHA
