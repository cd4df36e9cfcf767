"""Rules on checks: evidence on either side, doubts, and the interval that agrees with both."""

from __future__ import annotations

import pytest

from config.settings import Gate
from evaluators.core.gate.watched import difference, red_line
from evaluators.core.tally import CheckTally
from tests.evaluators.core.samples import assertion, comparison, shadow

REGRESSION = Gate(name="g", check="is-json", max_regression="2%")
EXCESS = Gate(name="g", check="shadow:text", max_excess="5%")
LINE = Gate(name="g", check="is-json", red_line="5%", min_conversations=100)


@pytest.mark.parametrize(
    ("better", "same", "worse", "good", "bad"),
    [
        pytest.param(30, 950, 20, True, False, id="published-pass"),
        pytest.param(0, 207, 43, False, True, id="published-fail"),
        pytest.param(1, 40, 1, False, False, id="too-early"),
    ],
)
def test_difference(better: int, same: int, worse: int, good: bool, bad: bool) -> None:
    """Counts (30, 950, 20) give e = 1114 for release at 2%, (0, 207, 43) give 2.5e9 for stop."""
    tally = shadow(assertion(joint={"fp": better, "pp": same, "pf": worse}))
    found = difference(REGRESSION, tally, 0.05)
    assert (found.good, found.bad, found.conversations) == (good, bad, better + same + worse)
    assert found.value == pytest.approx((worse - better) / (better + same + worse))


@pytest.mark.parametrize("worse", range(0, 60, 3))
def test_the_interval_says_what_the_rule_says(worse: int) -> None:
    """All of it below the limit exactly when released, all of it above exactly when stopped."""
    found = difference(REGRESSION, shadow(assertion(joint={"pp": 900 - worse, "pf": worse, "fp": 2})), 0.05)
    low, high = found.interval
    assert (high < 0.02, low > 0.02) == (found.good, found.bad)


def test_needs_is_an_estimate() -> None:
    """What is missing to a release is told while it can be."""
    found = difference(REGRESSION, shadow(assertion(joint={"pp": 110})), 0.05)
    assert 0 < found.needs < 200


def test_excess_needs_both_arms() -> None:
    """Without a call that has candidate and control there is nothing to say."""
    found = difference(EXCESS, shadow(comparison(noise={}, joint={"d": 9, "m": 9})), 0.05)
    assert (found.good, found.bad, found.conversations, found.needs) == (False, False, 0, 100)
    assert "candidate and control" in found.says


def test_excess() -> None:
    """The sentence of a comparison speaks of live and itself."""
    found = difference(EXCESS, shadow(comparison()), 0.05)
    assert found.value == pytest.approx(0.06)
    assert "differs from live on shadow:text 6 points more often than live from itself in 1,000" in found.says


@pytest.mark.parametrize("rule", [REGRESSION, LINE])
def test_a_check_nobody_ran(rule: Gate) -> None:
    """A rule about an unseen check waits."""
    found = (red_line if rule is LINE else difference)(rule, shadow(), 0.05)
    assert (found.good, found.bad, found.interval) == (False, False, ())
    assert found.says == "No closed conversation has a candidate answer judged by is-json yet"


@pytest.mark.parametrize(
    ("failing", "n", "good", "bad"),
    [
        pytest.param(0, 400, True, False, id="below"),
        pytest.param(60, 400, False, True, id="above"),
        pytest.param(1, 30, False, False, id="too-early"),
    ],
)
def test_red_line(failing: int, n: int, good: bool, bad: bool) -> None:
    """An absolute ceiling does not look at live."""
    found = red_line(LINE, shadow(assertion(joint={"ff": failing, "pp": n - failing})), 0.05)
    assert (found.good, found.bad, found.value) == (good, bad, failing / n)
    assert found.interval[0] <= found.value <= found.interval[1]


def test_red_line_on_a_comparison() -> None:
    """The differing share may have a ceiling too."""
    tally = shadow(comparison(failing={(1, 1): 3, (0, 1): 7}))
    found = red_line(Gate(name="g", check="shadow:text", red_line="5%"), tally, 0.05)
    assert found.says.startswith("mini differs from live on shadow:text in 30% of 10 conversations")


@pytest.mark.parametrize(
    ("joint", "doubtful"),
    [
        pytest.param({"pp": 95, "pb": 5}, False, id="five-percent"),
        pytest.param({"pp": 94, "bp": 6}, True, id="more"),
        pytest.param({"pp": 94, "ss": 50}, False, id="skips-are-no-doubt"),
        pytest.param({"pp": 100}, False, id="none"),
    ],
)
def test_a_broken_check_may_not_pass(joint: dict[str, int], doubtful: bool) -> None:
    """A gate is not passed by breaking its instrument."""
    check: CheckTally = assertion(joint=joint)
    assert bool(difference(REGRESSION, shadow(check), 0.05).doubt) is doubtful
    assert bool(red_line(LINE, shadow(check), 0.05).doubt) is doubtful
