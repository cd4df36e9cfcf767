"""Rules on checks and ratios: evidence on either side, doubts, and the interval that agrees with both."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from config.gating import Gate
from evaluators.core.gate.watched import difference, red_line, relative
from evaluators.core.stats.planning import red_line_needed
from evaluators.core.tally import CheckTally
from tests.evaluators.core.gate.cases import case, sliced, timed
from tests.evaluators.core.samples import assertion, comparison, shadow

REGRESSION = Gate(name="g", check="is-json", max_regression="2%")
EXCESS = Gate(name="g", check="shadow:text", max_excess="5%")
LINE = Gate(name="g", check="is-json", red_line="5%", min_conversations=100)
COST = Gate(name="g", metric="cost", max_ratio=1.2)


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
    found = difference(case(REGRESSION, tally))
    assert (found.good, found.bad, found.seen) == (good, bad, better + same + worse)
    assert found.value == pytest.approx((worse - better) / (better + same + worse))


@pytest.mark.parametrize("worse", range(0, 60, 3))
def test_the_interval_says_what_the_rule_says(worse: int) -> None:
    """All of it below the limit exactly when released, all of it above exactly when stopped."""
    found = difference(case(REGRESSION, shadow(assertion(joint={"pp": 900 - worse, "pf": worse, "fp": 2}))))
    low, high = found.interval
    assert (high < 0.02, low > 0.02) == (found.good, found.bad)


def test_needs_is_an_estimate() -> None:
    """At the rates seen so far: 228 agreeing conversations release at 2 %."""
    assert difference(case(REGRESSION, shadow(assertion(joint={"pp": 60})))).needs == 168


def test_excess_needs_both_arms() -> None:
    """Without a call that has candidate and control there is nothing to say."""
    found = difference(case(EXCESS, shadow(comparison(noise={}, joint={"d": 9, "m": 9}))))
    assert (found.good, found.bad, found.seen, found.needs) == (False, False, 0, 100)
    assert "candidate and control" in found.says


def test_excess() -> None:
    """The sentence of a comparison speaks of live and itself."""
    found = difference(case(EXCESS, shadow(comparison())))
    assert found.value == pytest.approx(0.06)
    assert "differs from live on shadow:text 6 points more often than live from itself in 1,000" in found.says


@pytest.mark.parametrize("rule", [REGRESSION, LINE])
def test_a_check_nobody_ran(rule: Gate) -> None:
    """A rule about an unseen check waits."""
    found = (red_line if rule is LINE else difference)(case(rule, shadow()))
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
    found = red_line(case(LINE, shadow(assertion(joint={"ff": failing, "pp": n - failing}))))
    assert (found.good, found.bad, found.value) == (good, bad, failing / n)
    assert found.interval[0] <= found.value <= found.interval[1]


def test_a_service_level_says_what_it_means() -> None:
    """Both limits speak of time, not of a check."""
    tally = shadow(assertion("quick", {"pp": 90, "pf": 10}))
    line = Gate(name="quick", metric="first_byte", within=1.5, red_line=0.5)
    says = "mini takes more than 1.50 s (first byte), or gives no answer,"
    assert red_line(case(line, tally)).says.startswith(f"{says} in 10% of 100 conversations")
    beside = Gate(name="quick", metric="first_byte", within=1.5, max_regression=0.01)
    assert difference(case(beside, tally)).says.startswith(f"{says} 10 points more often than live in 100")


@pytest.mark.parametrize("failed", [0, 1, 2])
def test_a_red_line_knows_what_it_needs(failed: int) -> None:
    """What it says is missing is what it takes: a release when it is there, none one conversation before."""
    line = LINE.model_copy(update={"red_line": 0.001, "min_conversations": 1})
    needed = red_line_needed(0.001, failed)
    joint = {"pf": failed, "pp": needed - failed}
    assert red_line(case(line, shadow(assertion(joint=joint)))).good
    before = red_line(case(line, shadow(assertion(joint={**joint, "pp": needed - failed - 1}))))
    assert not before.good
    assert 1 <= before.needs <= 4  # at the rate so far, which a whole failure does not keep
    assert red_line(case(LINE, shadow(assertion(joint={"pp": 9})))).needs == 91


def test_a_red_line_at_nothing() -> None:
    """«Never» can be broken and never proven; «always» is no line."""
    never = LINE.model_copy(update={"red_line": 0.0})
    found = red_line(case(never, shadow(assertion(joint={"pp": 5000}))))
    assert (found.good, found.bad, found.needs) == (False, False, -1)
    assert red_line(case(never, shadow(assertion(joint={"pp": 5000, "pf": 9})))).bad


def test_red_line_on_a_comparison() -> None:
    """The differing share may have a ceiling too."""
    tally = shadow(comparison(failing={(1, 1): 3, (0, 1): 7}))
    found = red_line(case(Gate(name="g", check="shadow:text", red_line="5%"), tally))
    assert found.says.startswith("mini differs from live on shadow:text in 30% of 10 conversations")


@pytest.mark.parametrize("gate", [REGRESSION, LINE], ids=["difference", "red-line"])
def test_an_answer_that_breaks_the_check_is_no_better_than_a_wrong_one(gate: Gate) -> None:
    """Forty of a thousand answers stop what judges them: that is too few for doubt, and yet no pass."""
    read = difference if gate is REGRESSION else red_line
    many = read(case(gate, shadow(assertion(joint={"pp": 5000, "pb": 200}))))
    assert not many.good
    assert "200 calls not measured at their worst" in many.doubt
    for joint in ({"pp": 5000, "bb": 200}, {"pp": 5000, "bp": 200}, {"pp": 5000, "pb": 2}):
        few = read(case(gate, shadow(assertion(joint=joint))))
        assert few.good
        assert not few.doubt


@pytest.mark.parametrize(
    ("joint", "doubtful"),
    [
        pytest.param({"pp": 95, "bb": 5}, False, id="five-percent"),
        pytest.param({"pp": 94, "bp": 6}, True, id="more"),
        pytest.param({"pp": 94, "ss": 50}, False, id="skips-are-no-doubt"),
        pytest.param({"pp": 100}, False, id="none"),
    ],
)
def test_a_broken_check_may_not_pass(joint: dict[str, int], doubtful: bool) -> None:
    """A gate is not passed by breaking its instrument."""
    check: CheckTally = assertion(joint=joint)
    assert bool(difference(case(REGRESSION, shadow(check))).doubt) is doubtful
    assert bool(red_line(case(LINE, shadow(check))).doubt) is doubtful


@pytest.mark.parametrize(("lost", "passes"), [(0, True), (2, True), (60, False)])
def test_lost_calls_were_the_worst(lost: int, passes: bool) -> None:
    """A few calls behind an open breaker are outweighed; many are named, and nothing fails for them."""
    tally = shadow(assertion(joint={"pp": 1200}))
    for rule, read in ((REGRESSION, difference), (LINE.model_copy(update={"red_line": 0.02}), red_line)):
        found = read(case(rule, tally, lost))
        assert (found.good, found.bad, "breaker_open 60" in found.doubt) == (passes, False, not passes)


@pytest.mark.parametrize(
    ("worse", "good", "bad"), [pytest.param(0, True, False, id="as-good"), pytest.param(90, False, True, id="worse")]
)
def test_one_slice(worse: int, good: bool, bad: bool) -> None:
    """`when` judges the conversations of one slice, although the rest of the traffic agrees throughout."""
    rule = REGRESSION.model_copy(update={"when": {"topic": "billing"}})
    found = difference(case(rule, shadow(sliced(worse, 0, 300))))
    assert (found.good, found.bad, found.seen) == (good, bad, 300)
    assert "in 300 conversations with topic=billing" in found.says


@pytest.mark.parametrize(
    ("joint", "good", "bad"),
    [
        pytest.param({"pp": 390, "pf": 4, "fp": 6}, True, False, id="pass"),
        pytest.param({"pp": 300, "pf": 90, "fp": 10}, False, True, id="fail"),
        pytest.param({"pp": 388, "pf": 8, "fp": 4}, False, False, id="undecided"),
    ],
)
def test_a_fixed_look(joint: dict[str, int], good: bool, bad: bool) -> None:
    """At a number named beforehand Tango's interval decides, and says that it is one look."""
    rule = REGRESSION.model_copy(update={"mode": "fixed", "at": 400})
    found = difference(case(rule, shadow(assertion(joint=joint))))
    assert (found.good, found.bad, found.watched) == (good, bad, False)
    assert "looked at once, at 400 or the first look after (fixed" in found.says
    assert found.needs == -1


def test_a_fixed_red_line_is_exact() -> None:
    """300 without a failure leave at most 1 %; a conversation that fails in part counts in full against a pass only."""
    rule = LINE.model_copy(update={"red_line": 0.01, "mode": "fixed", "at": 300})
    found = red_line(case(rule, shadow(assertion(joint={"pp": 300}))))
    assert (found.good, found.interval) == (True, (0.0, pytest.approx(0.00994, abs=5e-6)))
    parts = red_line(case(rule, shadow(assertion(failing={(1, 2): 60, (0, 1): 240}))))
    assert (parts.good, parts.bad, parts.interval[0]) == (False, False, 0.0)


@pytest.mark.parametrize(
    ("values", "good", "bad"),
    [
        pytest.param({(5, 100): 300}, True, False, id="cheaper"),
        pytest.param({(-60, 100): 300}, False, True, id="dearer"),
        pytest.param({(0, 1): 5}, False, False, id="too-early"),
        pytest.param({}, False, False, id="nothing"),
    ],
)
def test_ratios(values: dict[tuple[int, int], int], good: bool, bad: bool) -> None:
    """A ratio is the geometric mean over conversations, with a sequence that may be watched."""
    found = relative(case(COST, timed(log_cost=values)))
    assert (found.good, found.bad) == (good, bad)
    if values:
        ((top, bottom),) = values
        assert found.value == pytest.approx(math.exp(-top / bottom))
        assert (found.interval[1] < 1.2, found.interval[0] > 1.2) == (good, bad)


def test_much_cheaper_can_be_asked_for() -> None:
    """A limit below 1 is a margin on the other side: a candidate at 0.6 passes 0.8, one at 0.9 fails it."""
    rule = COST.model_copy(update={"max_ratio": 0.8})
    cheap, dear = (relative(case(rule, timed(log_cost={(d, 100): 900}))) for d in (51, 11))
    assert (cheap.good, cheap.bad, dear.good, dear.bad) == (True, False, False, True)


@pytest.mark.parametrize(
    ("unmeasured", "good", "why"),
    [
        pytest.param(0, True, "", id="all-known"),
        pytest.param(10, True, "", id="few-unknown"),
        pytest.param(40, False, "no longer with 40 calls not measured at their worst", id="the-worst"),
        pytest.param(200, False, "the cost is not known for 200 of 1,200 pairs, so it may not pass", id="too-many"),
    ],
)
def test_unknown_amounts_may_not_pass(unmeasured: int, good: bool, why: str) -> None:
    """What is not measured was dear: a few are outweighed, above 5 % nothing passes."""
    rule = COST.model_copy(update={"max_ratio": 1.03})
    tally = timed(log_cost={(0, 1): 1000})
    found = relative(case(rule, replace(tally, unmeasured={"log_cost": unmeasured})))
    assert (found.good and not found.doubt, found.bad) == (good, False)
    assert why in found.doubt
