"""One check: hand-computed tallies become the published numbers, with positive meaning worse."""

from __future__ import annotations

import pytest

from evaluators.core.report.checks import STEADIER, check_report, energy, worse_positive
from evaluators.core.report.shape import AssertionReport, ComparisonReport
from evaluators.core.stats.interval import Interval
from tests.evaluators.core.samples import assertion, comparison


def asserted(**given: object) -> AssertionReport:
    """An assertion's report without a control."""
    found = check_report(assertion(**given), None, 0.05)  # type: ignore[arg-type]
    assert isinstance(found, AssertionReport)
    return found


def compared(tally: object = None, control: object = None) -> ComparisonReport:
    """A comparison's report."""
    found = check_report(tally or comparison(), control, 0.05)  # type: ignore[arg-type]
    assert isinstance(found, ComparisonReport)
    return found


def test_arms_and_difference_share_their_pairs() -> None:
    """The difference is the candidate's failing rate minus live's."""
    found = asserted(joint={"pp": 80, "pf": 6, "px": 4, "fp": 3, "ff": 2, "xp": 1, "xx": 4})
    assert (found.candidate.failed, found.live.failed, found.candidate.n) == (16, 10, 100)
    assert (found.paired.regressed, found.paired.fixed) == (10, 4)
    assert found.paired.difference == pytest.approx(found.candidate.rate - found.live.rate)
    assert found.effect.value == found.paired.difference


def test_complete_cases_leave_out_silence() -> None:
    """The complete-case view has only pairs where both answered."""
    found = asserted(joint={"pp": 80, "pf": 6, "px": 4, "fp": 3, "xp": 1})
    assert (found.answered.n, found.answered.regressed, found.answered.fixed) == (89, 6, 3)


def test_mid_p() -> None:
    """Cavo et al. 2012: mid-p McNemar .034690."""
    assert asserted(joint={"ff": 59, "pf": 6, "fp": 16, "pp": 80}).p == pytest.approx(0.034690, abs=5e-7)


def test_skips_and_breakage_are_counted_apart() -> None:
    """A pair on which live was not judged is in neither arm; one that only the candidate escaped counts against it."""
    found = asserted(joint={"pp": 5, "ps": 2, "bp": 1, "sb": 1, "ss": 4})
    assert (found.skipped, found.broken, found.paired.n, found.paired.regressed) == (6, 2, 7, 2)
    assert (found.answered.n, found.answered.regressed) == (5, 0)


def test_sign_turns_in_one_place() -> None:
    """Tallies count scores, negative is worse; the report's sequence is positive for worse."""
    found = worse_positive({(-1, 1): 43, (0, 1): 207}, 0.05)
    assert 0 < found.low < 0.172 < found.high
    assert worse_positive({(1, 1): 43, (0, 1): 207}, 0.05) == Interval(-found.high, -found.low)
    assert worse_positive({}, 0.05) == Interval(-1.0, 1.0)


def test_calls_of_one_conversation_are_not_independent() -> None:
    """Ten conversations of ten calls each that fail together say less than a hundred calls."""
    found = asserted(joint={"pp": 60, "pf": 40}, difference={(0, 1): 6, (-1, 1): 4})
    pairs, conversations = found.paired.interval, found.clustered
    assert 0 < conversations.low < pairs.low < 0.4 < pairs.high < conversations.high
    assert asserted(joint={}).clustered == Interval(-1.0, 1.0)


def test_sequence_counts_conversations() -> None:
    """The sequence belongs to closed conversations, the interval to pairs."""
    found = asserted(joint={"pp": 8, "pf": 2}, difference={(0, 1): 3, (-1, 2): 1})
    assert (found.conversations, found.paired.n) == (4, 10)


def test_control_arm() -> None:
    """The control's failing rate stands beside the others."""
    control = assertion(joint={"pp": 18, "pf": 2})
    found = check_report(assertion(), control, 0.05)
    assert isinstance(found, AssertionReport)
    assert (found.control.failed, found.control.n) == (2, 20)
    assert asserted().control.n == 0


def test_comparison() -> None:
    """Rate, noise and excess belong together: the excess is the rate above the noise."""
    found = compared()
    assert (found.candidate.rate, found.control.rate, found.effect.value) == pytest.approx((0.18, 0.12, 0.06))
    assert (found.candidate_only, found.control_only) == (110, 50)


def test_comparison_before_any_conversation_closed() -> None:
    """The control's own rate is shown, the excess is unknown."""
    found = compared(comparison(noise={}, joint={"d": 5, "m": 5}), comparison(noise={}, joint={"d": 1, "m": 9}))
    assert (found.control.rate, found.excess.n, found.excess.interval) == (0.1, 0, Interval(-1.0, 1.0))
    assert compared(comparison(noise={}, joint={"d": 5, "m": 5})).control.n == 0


def test_energy_of_a_steadier_candidate() -> None:
    """Worked by hand: p = (.7, .3) and q = (1, 0) have excess -.12 and energy .18; both stand in the report."""
    noise = {"dd": 0, "dm": 300, "md": 420, "mm": 280}
    tally = comparison(noise=noise, energy={(1, 1): 300, (-1, 2): 420, (0, 1): 280})
    found = compared(tally)
    assert found.excess.value == pytest.approx(-0.12)
    assert (found.energy.value, found.energy.n) == (pytest.approx(0.18), 1000)
    assert found.energy.sequence.low < found.energy.interval.low < 0.18 < found.energy.interval.high
    assert found.energy.interval.low > 0
    assert found.steadier == STEADIER


@pytest.mark.parametrize(
    ("noise", "halves"),
    [
        pytest.param({"dm": 30, "mm": 70}, {(1, 1): 30, (0, 1): 70}, id="differs more often: no need of a note"),
        pytest.param({"md": 30, "mm": 70}, {(1, 2): 1, (-1, 2): 1}, id="energy may be nothing"),
        pytest.param({"md": 30, "mm": 70}, {}, id="nobody asked again"),
    ],
)
def test_no_note_without_both(noise: dict[str, int], halves: dict[tuple[int, int], int]) -> None:
    """«Steadier, still different» needs a negative excess and an energy that is surely positive."""
    assert compared(comparison(noise=noise, energy=halves)).steadier == ""


def test_energy_of_nothing() -> None:
    """Without a second answer the energy is unknown: the widest interval."""
    found = energy({}, 0.05)
    assert (found.value, found.n, found.interval, found.sequence) == (0.0, 0, Interval(-2, 2), Interval(-2, 2))


def test_layers() -> None:
    """A check is of the layer it is said to be of, a task otherwise."""
    assert check_report(assertion(), None, 0.05, "format").layer == "format"
    assert check_report(comparison(), None, 0.05).layer == "task"


def test_examples() -> None:
    """Call ids of regressions over all traffic."""
    assert asserted(examples={"": ("a", "b"), "topic=x": ("c",)}).examples == ("a", "b")
