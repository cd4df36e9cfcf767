"""Planning against the published table and against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluators.core.stats.eprocess import UNKNOWN, factors
from evaluators.core.stats.planning import chance_at, pairs_needed, red_line_needed


@pytest.mark.parametrize(
    ("discordance", "published"),
    [pytest.param(0.05, 825, id="5 %"), pytest.param(0.10, 1775, id="10 %"), pytest.param(0.30, 6800, id="30 %")],
)
def test_the_median_is_that_of_the_published_table(discordance, published):
    """Equal models at a margin of two points: within 10 % of the simulated medians."""
    assert pairs_needed(discordance, 0.02) == pytest.approx(published, rel=0.10)


def test_more_power_takes_longer_and_more_noise_too():
    """The number grows with power, with discordance, and as margin or alpha shrink."""
    usual = pairs_needed(0.05, 0.02)
    assert usual < pairs_needed(0.05, 0.02, power=0.9)
    assert usual < pairs_needed(0.08, 0.02)
    assert usual < pairs_needed(0.05, 0.015)
    assert usual < pairs_needed(0.05, 0.02, alpha=0.01)


@pytest.mark.parametrize("discordance", [1e-4, 0.001, 0.01])
def test_even_equal_answers_take_their_time(discordance):
    """Nothing is released before the 128 pairs that agreement throughout would need."""
    assert 128 <= pairs_needed(discordance, 0.02) <= 330


def test_a_margin_below_the_grid_of_bets_cannot_be_planned():
    """Where even the smallest bet is too large there is no number to name."""
    assert pairs_needed(0.3, 0.0005) == UNKNOWN


@pytest.mark.parametrize(
    "shares",
    [
        pytest.param((0.0, 0.02, 0.05, 0.5), id="no discordance"),
        pytest.param((0.1, 0.0, 0.05, 0.5), id="no margin"),
        pytest.param((0.1, 0.02, 1.0, 0.5), id="alpha one"),
        pytest.param((0.1, 0.02, 0.05, 1.0), id="certainty"),
    ],
)
def test_nonsense_is_refused(shares):
    """Shares outside their range raise ValueError."""
    with pytest.raises(ValueError, match="shares"):
        pairs_needed(*shares)


@pytest.mark.parametrize(("failures", "needed"), [(0, 3370), (1, 6886), (2, 9278)])
def test_a_red_line_takes_three_over_its_limit_and_more_with_failures(failures, needed):
    """At .1 % and alpha 5 %, as red_line_t_opt says; one conversation before, it is not passed yet."""
    assert red_line_needed(0.001, failures) == needed
    assert red_line_needed(0.5, failures) < 30


def test_the_chance_of_one_look():
    """A fixed test of 2 points has 95 % power at 6 800 pairs with 30 % discordance, and never less than alpha."""
    assert chance_at(6800, 0.3, 0.02) == pytest.approx(0.914, abs=0.005)
    assert chance_at(8000, 0.3, 0.02) == pytest.approx(0.95, abs=0.005)
    assert chance_at(1, 0.3, 1e-9) == pytest.approx(0.05, abs=1e-6)
    for shares in ((0, 0.1, 0.02), (10, 0.0, 0.02), (10, 0.1, 0.0)):
        with pytest.raises(ValueError, match="shares"):
            chance_at(*shares)


def test_the_plan_keeps_its_power():
    """At 5 % discordance at least 75 % of runs are released within the pairs planned for 80 %."""
    chances, pairs = (0.025, 0.95, 0.025), pairs_needed(0.05, 0.02, power=0.8)
    counts = np.random.default_rng(4).multinomial(25, chances, size=(400, pairs // 25)).cumsum(axis=1)
    wealth = np.exp(counts @ factors(np.array([1.0, 0.0, -1.0]), -0.02)).mean(axis=-1)
    assert (wealth.max(axis=1) >= 20).mean() >= 0.75
    assert math.isfinite(wealth.max())
