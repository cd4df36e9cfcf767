"""Cost, tokens and latency of conversations as log ratios."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import pytest

from config.pair import Role
from evaluators.core.folding.ratios import RATIOS, count_ratios, log_ratio
from evaluators.core.folding.shape import Folded, FoldPair


def conversation(*costs: tuple[float, float]) -> Sequence[FoldPair]:
    return [
        FoldPair(f"{n}", "mini", Role.CANDIDATE, "c", (), {}, (), {}, {}, {"log_cost": cost})
        for n, cost in enumerate(costs)
    ]


@pytest.mark.parametrize(
    ("live", "candidate", "value"),
    [
        pytest.param(1.0, 1.0, (0, 1), id="equal"),
        pytest.param(1.0, exp(0.25), (-1, 4), id="dearer is negative"),
        pytest.param(exp(0.5), 1.0, (1, 2), id="cheaper is positive"),
        pytest.param(1.0, 9.0, (-1, 1), id="clipped"),
        pytest.param(9.0, 1.0, (1, 1), id="clipped above"),
        pytest.param(1.0, 1.2, (-9, 50), id="log 1.2 is .1823"),
        pytest.param(0.0, 0.0, (0, 1), id="nothing beside nothing"),
        pytest.param(0.0, 1.0, (-1, 1), id="something beside nothing"),
        pytest.param(1.0, 0.0, (1, 1), id="nothing beside something"),
    ],
)
def test_log_ratio(live: float, candidate: float, value: tuple[int, int]) -> None:
    """The natural log of live over candidate in hundredths, as an exact fraction."""
    assert log_ratio(live, candidate) == value


def test_sums_come_before_ratios() -> None:
    """A conversation is one ratio of sums over the calls where both are known; the others are counted."""
    folded = Folded()
    count_ratios(folded, "mini", [conversation((1.0, 1.0), (1.0, 1.44), (5.0, -1.0), (-1.0, 5.0), (-1.0, -1.0))])
    assert folded.ratios == {("mini", "log_cost", (-1, 5)): 1}
    assert folded.unmeasured == {("mini", "log_cost"): 2}


def test_what_is_not_known_is_no_ratio() -> None:
    """No call with both, no value; a pair without measures is not even counted."""
    folded = Folded()
    count_ratios(folded, "mini", [conversation((1.0, -1.0)), [FoldPair("9", "mini", Role.CANDIDATE, "d", (), {})]])
    assert (folded.ratios, folded.unmeasured) == ({}, {("mini", "log_cost"): 1})


def test_kinds() -> None:
    """What gates may ask for."""
    assert set(RATIOS) == {"log_cost", "log_output_tokens", "log_total", "log_first_byte"}
