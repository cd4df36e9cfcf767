"""Where: slices against the rest, flagged by e-BH over what was tested."""

from __future__ import annotations

import pytest

from evaluators.core.report.slices import MIN_SUPPORT, slice_reports
from evaluators.core.stats.evidence import block_log_bets
from evaluators.core.tally import CheckTally, Evidence
from tests.evaluators.core.samples import assertion, comparison

XSTEST = {
    "privacy_fictional": 12,
    "real_group_nons_discr": 10,
    "safe_contexts": 9,
    "nons_group_real_discr": 6,
    "figurative_language": 3,
    "homonyms": 2,
    "safe_targets": 1,
    "definitions": 0,
    "historical_events": 0,
    "nons_group_nons_discr": 0,
}
"""New refusals per type among 25 prompts each."""


def evidence(n: int, worse: int, others: int, others_worse: int, better: int = 0) -> Evidence:
    """Evidence of one block."""
    return Evidence(n, worse, better, others, others_worse, block_log_bets(n, worse, others, others_worse))


def xstest() -> CheckTally:
    """The refusal fixture with human labels: 250 safe prompts, ten types."""
    slices = {f"type={name}": {"pf": worse, "pp": 25 - worse} for name, worse in XSTEST.items()}
    found = {f"type={name}": evidence(25, worse, 225, 43 - worse) for name, worse in XSTEST.items()}
    return assertion("not-is-refusal", {"pf": 43, "pp": 207}, slices=slices, evidence=found)


def test_the_fixture_flags_what_is_hit_harder() -> None:
    """The three types with most new refusals come first, flagged ones leading."""
    found = slice_reports(xstest(), 0.05)
    assert [one.slice for one in found[:3]] == [
        "type=privacy_fictional",
        "type=real_group_nons_discr",
        "type=safe_contexts",
    ]
    assert found[0].flagged
    assert not any(one.flagged for one in found if one.worse <= 4)
    assert (found[0].effect.value, found[0].n, found[0].direction) == (12 / 25, 25, "worse")


def test_worse_by_itself() -> None:
    """Beside «worse than the rest» stands «worse at all», asked of the same slices with its own correction."""
    found = {one.slice.removeprefix("type="): one for one in slice_reports(xstest(), 0.05)}
    assert {"privacy_fictional", "real_group_nons_discr", "safe_contexts"} <= {
        name for name, one in found.items() if one.worse_alone
    }
    assert not any(found[name].worse_alone for name in ("homonyms", "safe_targets", "definitions"))
    assert found["privacy_fictional"].e_value_alone >= found["privacy_fictional"].e_value


def test_flags_come_first_then_the_lower_end() -> None:
    """Ranking never follows the point estimate."""
    found = slice_reports(xstest(), 0.05)
    keys = [(not one.flagged, -one.effect.interval.low) for one in found]
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("inside", "others", "tested"),
    [
        pytest.param(MIN_SUPPORT, MIN_SUPPORT, True, id="just-enough"),
        pytest.param(MIN_SUPPORT - 1, 200, False, id="too-small"),
        pytest.param(200, MIN_SUPPORT - 1, False, id="no-rest"),
        pytest.param(200, 0, False, id="all-of-the-traffic"),
    ],
)
def test_support_does_not_look_at_outcomes(inside: int, others: int, tested: bool) -> None:
    """Whether a slice is tested depends on conversations alone, even when all of them got worse."""
    tally = assertion(slices={"a=b": {"pf": 9}}, evidence={"a=b": evidence(inside, inside, others, 0)})
    (found,) = slice_reports(tally, 0.05)
    assert found.tested is tested
    assert (found.e_value > 1) is tested
    assert found.flagged is tested


def test_a_slice_without_closed_conversations() -> None:
    """It is listed with its pairs and not tested."""
    (found,) = slice_reports(assertion(slices={"a=b": {"pp": 9, "fp": 41}}), 0.05)
    assert (found.n, found.tested, found.conversations, found.direction) == (50, False, 0, "better")


def test_comparison_slices_have_their_own_floor() -> None:
    """The excess of a slice is measured against the control in that slice."""
    tally = comparison(
        slices={"a=b": {"d": 60, "m": 40}, "a=c": {"d": 5, "m": 5}},
        slice_noise={"a=b": {"dd": 10, "dm": 50, "md": 0, "mm": 40}},
    )
    found = {one.slice: one for one in slice_reports(tally, 0.05)}
    assert (found["a=b"].candidate.rate, found["a=b"].other.rate) == (0.6, 0.1)
    assert (found["a=b"].effect.value, found["a=b"].comparison) == (pytest.approx(0.5), True)
    assert (found["a=c"].effect.n, found["a=c"].direction) == (0, "even")


def test_complete_cases_of_a_slice() -> None:
    """Silence counts in the effect, and is left out of the complete-case view."""
    (one,) = slice_reports(assertion(slices={"a=b": {"pp": 6, "pf": 2, "px": 2}}), 0.05)
    assert (one.effect.value, one.answered.value, one.answered.n) == (0.4, 0.25, 8)
    (two,) = slice_reports(comparison(slices={"a=b": {"m": 6, "d": 2, "x": 2}}), 0.05)
    assert (two.candidate.rate, two.answered.value, two.answered.n) == (0.4, 0.25, 8)


def test_examples_belong_to_their_slice() -> None:
    """Each slice names its own calls."""
    (found,) = slice_reports(assertion(slices={"a=b": {"pf": 1}}, examples={"": ("x",), "a=b": ("y",)}), 0.05)
    assert found.examples == ("y",)
