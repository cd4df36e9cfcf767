"""The records: what their few derived values say."""

from __future__ import annotations

import pytest

from evaluators.core.report import ReportRules, build
from evaluators.core.report.shape import UNDECIDED, Estimate, Verdict
from evaluators.core.stats.interval import Interval
from tests.evaluators.core.samples import WINDOW, assertion, comparison, shadow


@pytest.mark.parametrize(
    ("low", "high", "direction"),
    [(0.01, 0.02, "worse"), (-0.02, -0.01, "better"), (-0.01, 0.01, "even"), (0.0, 0.01, "even"), (-0.01, 0.0, "even")],
)
def test_direction(low: float, high: float, direction: str) -> None:
    """Only an interval that leaves out zero has a direction."""
    assert Estimate(0.0, Interval(low, high), 1).direction == direction


def test_effect_is_the_difference_or_the_excess() -> None:
    """Both kinds of check have one number that says how much worse."""
    one, two = build([shadow(assertion(), comparison())], ReportRules(), WINDOW, 0.0, 0).candidates[0].checks
    assert (one.effect.value, two.effect.value) == pytest.approx((0.05, 0.06))


def test_a_pass_never_comes_from_nothing() -> None:
    """What nobody decided is inconclusive."""
    assert UNDECIDED.verdict is Verdict.INCONCLUSIVE
