"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evaluators.core.report import words


@pytest.mark.parametrize(
    ("function", "value", "shown"),
    [
        pytest.param(words.percent, 0.0612, "6.1%", id="percent"),
        pytest.param(words.percent, 0.00034, "0.034%", id="small-percent"),
        pytest.param(words.percent, 0.2, "20%", id="whole-percent"),
        pytest.param(words.percent, 0.0, "0%", id="zero-percent"),
        pytest.param(words.points, 0.059, "+5.9", id="points"),
        pytest.param(words.points, -0.0021, "−0.2", id="points-below"),
        pytest.param(words.points, 0.0004, "+0.04", id="small-points"),
        pytest.param(words.points, -0.0000001, "0", id="no-points"),
        pytest.param(words.more_often, 0.046, "4.6 points more often than", id="more-often"),
        pytest.param(words.more_often, -0.018, "1.8 points less often than", id="less-often"),
        pytest.param(words.more_often, 0.0, "just as often as", id="as-often"),
        pytest.param(words.between, (-0.002, 0.014), "−0.2 to +1.4", id="between"),
        pytest.param(words.per_thousand, 0.059, "59 more per 1,000", id="per-thousand"),
        pytest.param(words.per_thousand, -0.0024, "2.4 fewer per 1,000", id="few-per-thousand"),
        pytest.param(words.per_thousand, 0.003, "3 more per 1,000", id="whole-per-thousand"),
        pytest.param(words.energy, 0.214, "0.21", id="energy"),
        pytest.param(words.energy, -0.031, "−0.03", id="energy-below"),
        pytest.param(words.energy, -0.004, "0.00", id="no-energy"),
        pytest.param(words.per_thousand, 0.0, "none more per 1,000", id="none-per-thousand"),
        pytest.param(words.seconds, 0.312, "312 ms", id="milliseconds"),
        pytest.param(words.seconds, 1.24, "1.24 s", id="seconds"),
        pytest.param(words.seconds, -1.0, "–", id="never"),
        pytest.param(words.usd, 1234.5, "$1,234.50", id="dollars"),
        pytest.param(words.usd, 0.0, "$0.00", id="free"),
        pytest.param(words.usd, 0.00074, "$0.00074", id="small-dollars"),
        pytest.param(words.usd, 0.0000074, "$0.0000074", id="tiny-dollars"),
        pytest.param(words.usd, -1.0, "–", id="unknown-cost"),
        pytest.param(words.times, 1.237, "1.24×", id="times"),
        pytest.param(words.times, 1e6, "over 1,000×", id="many-times"),
        pytest.param(words.times, -1.0, "–", id="no-ratio"),
    ],
)
def test_words(function: Callable[[object], str], value: object, shown: str) -> None:
    """Every reader sees the same digits."""
    assert function(value) == shown


@pytest.mark.parametrize(("number", "shown"), [(1, "1 pair"), (0, "0 pairs"), (1204, "1,204 pairs")])
def test_count(number: int, shown: str) -> None:
    """One is singular."""
    assert words.count(number, "pair") == shown
