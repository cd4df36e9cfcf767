"""The simulations' own formulas against published values, and the table that is printed of them."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators.core.stats.eprocess import best_rho
from tests.bench import statistics
from tests.bench.statistics import ALPHA
from tests.commands.bench import main


def test_the_asymptotic_sequence_has_confseqs_boundary() -> None:
    """At v = 100 and the best rho the boundary of the normal mixture is 30.35209, so the half-width .3035209."""
    width = statistics.asymptotic_width(np.array([100]), np.array([1.0]), best_rho(100, ALPHA))
    assert width == pytest.approx([0.3035209], abs=5e-8)


def test_the_usual_test_releases_too_often() -> None:
    """People who watch the usual test release a third of those they should not; beside ours they wait for less."""
    usual, asymptotic, ours = (
        found(0.10, 500)
        for found in (statistics.z_test_releases, statistics.asymptotic_releases, statistics.watched_releases)
    )
    assert np.isfinite(ours).mean() <= ALPHA < 0.3 <= np.isfinite(usual).mean()
    assert np.isfinite(asymptotic).mean() < np.isfinite(usual).mean()


@pytest.mark.parametrize("spread", statistics.SPREADS)
def test_the_ratios_lie_where_they_should(spread: float) -> None:
    """The chances of clipped log ratios add up, and have the mean they are asked for."""
    weights = statistics._log_ratios(spread, -0.18)
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ statistics.HUNDREDTHS == pytest.approx(-0.18)


@pytest.mark.proof
@pytest.mark.timeout(120)
def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """`./run bench statistics` takes less than two minutes and prints Markdown."""
    assert main(["statistics"]) == 0
    out = capsys.readouterr().out
    assert out.count("|---|") >= 3
    assert "| 2 points, 10 % discordant |" in out
