"""build: which tally becomes what, and in which order."""

from __future__ import annotations

from dataclasses import replace

from config.pair import Role
from evaluators.core.report import ReportRules, build
from evaluators.core.report.shape import UNDECIDED, AssertionReport
from evaluators.core.tally import Accounting
from tests.evaluators.core.samples import WINDOW, assertion, comparison, life, shadow


def test_candidates_and_accounting() -> None:
    """Candidates are reported, the control is the floor, both are accounted for."""
    report = build(life(600), ReportRules(), WINDOW, 5.0, 3)
    assert [candidate.name for candidate in report.candidates] == ["mini"]
    assert list(report.accounting) == ["mini", "control"]
    assert (report.generated_at, report.queue_waiting, report.window, report.alpha) == (5.0, 3, WINDOW, 0.05)
    assert report.candidates[0].control_pairs == 200
    assert report.candidates[0].decision == UNDECIDED


def test_checks_keep_the_order_of_the_file() -> None:
    """Configured checks first, in their order; others after them by name."""
    tally = shadow(assertion("b"), assertion("z"), assertion("a"), comparison("c"))
    report = build([tally], ReportRules(checks=("c", "z")), WINDOW, 0.0, 0)
    assert [check.check for check in report.candidates[0].checks] == ["c", "z", "a", "b"]


def test_the_control_counts_for_its_own_version_only() -> None:
    """A check that was changed starts with a new floor."""
    old = assertion(joint={"pp": 9})
    changed = replace(old, version="2-new")
    tallies = [shadow(changed), shadow(old, name="control", role=Role.CONTROL)]
    (check,) = build(tallies, ReportRules(), WINDOW, 0.0, 0).candidates[0].checks
    assert isinstance(check, AssertionReport)
    assert check.control.n == 0


def test_without_control_and_without_pairs() -> None:
    """A candidate that was never asked is there, empty."""
    tally = shadow(accounting=Accounting(calls=4, sampled_out=4))
    (candidate,) = build([tally], ReportRules(), WINDOW, 0.0, 0).candidates
    assert (candidate.pairs, candidate.checks, candidate.slices, candidate.control_pairs) == (0, (), (), 0)


def test_each_mount_has_its_own_floor() -> None:
    """A candidate is measured against the control of its own live, never against another's."""
    tallies = [
        shadow(comparison("c"), name="mini"),
        shadow(comparison("c"), name="haiku"),
        replace(shadow(comparison("c"), name="control", role=Role.CONTROL), pairs=3),
        replace(shadow(comparison("c"), name="control/anthropic", role=Role.CONTROL), pairs=7),
    ]
    rules = ReportRules(controls={"haiku": "control/anthropic"})
    mini, haiku = build(tallies, rules, WINDOW, 0.0, 0).candidates
    assert (mini.control_pairs, haiku.control_pairs) == (3, 7)
