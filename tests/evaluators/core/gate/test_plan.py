"""Planning: what each kind of gate will want, from what was seen or from what is given."""

from __future__ import annotations

from typing import Any

import pytest

from config.gating import Gate
from evaluators.core.gate.plan import Planned, plan
from evaluators.core.stats.planning import chance_at, pairs_needed
from evaluators.core.tally import ShadowTally
from tests.evaluators.core.gate.cases import case, sliced, timed
from tests.evaluators.core.samples import assertion, shadow

ROUGH = {"pp": 900, "pf": 50, "fp": 50}


def planned(tally: ShadowTally, *shares: float, **more: Any) -> Planned:
    """One gate's plan."""
    gate = Gate(**{"name": "g", "check": "is-json", "max_regression": "2%", **more})
    (found,) = plan(case(gate, tally).candidate, tally, [gate], 0.05, shares)
    return found


def test_from_what_was_seen() -> None:
    """A tenth differs so far: half of the releases come by about 1,800 conversations."""
    found = planned(shadow(assertion(joint=ROUGH)))
    assert found.seen is not None
    assert (found.seen.conversations, found.seen.share, found.seen.spread) == (1000, 0.1, 0.1)
    assert found.seen.interval.low < 0.1 < found.seen.interval.high
    (step,) = found.steps
    assert (step.half, step.likely) == (pairs_needed(0.1, 0.02), pairs_needed(0.1, 0.02, power=0.9))
    assert (found.margin, found.minimum, found.maximum, found.note) == (0.02, 100, 20_000, "")


def test_which_of_both_was_better_does_not_matter() -> None:
    """Planning is no look at the result: the same plan for a candidate that only wins and one that only loses."""
    wins, loses = (planned(shadow(assertion(joint={"pp": 900, two: 100}))) for two in ("fp", "pf"))
    assert wins == loses


def test_where_nothing_differs_yet() -> None:
    """The most that may still be true is planned with, not a promise of nothing."""
    found = planned(shadow(assertion(joint={"pp": 400})))
    assert found.seen is not None
    assert found.steps[0].discordance == found.seen.interval.high > 0


def test_given_shares() -> None:
    """Before the first pair the shares are given; the minimum of the gate counts as well."""
    found = planned(shadow(), 0.02, 0.1, min_conversations=1000)
    assert [step.discordance for step in found.steps] == [0.02, 0.1]
    assert [step.half for step in found.steps] == [1000, pairs_needed(0.1, 0.02)]
    assert found.seen is None


def test_a_margin_that_is_too_small() -> None:
    """Where nobody would wait long enough there is no number."""
    assert planned(shadow(), 0.3, max_regression=0.0005).steps[0].half == -1


def test_red_lines_by_failures() -> None:
    """3,370 conversations without a failure pass a line at .1 %, 6,886 with one, 9,278 with two."""
    found = planned(shadow(), max_regression=None, red_line=0.001)
    assert [(step.failures, step.half) for step in found.steps] == [(0, 3370), (1, 6886), (2, 9278)]


def test_a_fixed_look() -> None:
    """One look has a number of its own, and a chance."""
    (step,) = planned(shadow(), 0.1, mode="fixed", at=1000).steps
    assert (step.half, step.likely, step.chance) == (1000, 1000, chance_at(1000, 0.1, 0.02))


def test_ratios_are_planned_by_their_logarithm() -> None:
    """A limit of 1.2 leaves a margin of .182; the spread is that of the clipped log ratios."""
    gate = {"check": None, "max_regression": None, "metric": "cost", "max_ratio": 1.2, "min_conversations": 1}
    found = planned(timed(log_cost={(1, 2): 50, (-1, 2): 50}), **gate)
    assert found.margin == pytest.approx(0.1823, abs=1e-4)
    assert found.seen is not None
    assert (found.seen.share, found.seen.spread) == (1.0, 0.25)
    assert found.steps[0].half == pairs_needed(0.25, found.margin)


def test_one_slice() -> None:
    """A slice is planned by its own conversations."""
    found = planned(shadow(sliced(5, 5, 200)), when={"topic": "billing"})
    assert found.seen is not None
    assert (found.seen.conversations, found.seen.share) == (200, 0.05)


@pytest.mark.parametrize(
    ("more", "note"),
    [
        pytest.param({}, "nothing seen yet", id="nothing-seen"),
        pytest.param({"max_regression": 0.0}, "no room", id="no-margin"),
        pytest.param({"max_regression": None, "red_line": 0.0}, "no room", id="never"),
        pytest.param({"max_regression": None, "max_failures": 0}, "counts", id="golden"),
        pytest.param(
            {"max_regression": None, "check": None, "metric": "cost", "max_ratio": 0.8}, "no room", id="cheaper"
        ),
        pytest.param(
            {"max_regression": None, "check": None, "metric": "total_p95", "max_ratio": 1.2},
            "by its interval, from 100",
            id="quantile",
        ),
    ],
)
def test_what_cannot_be_planned(more: dict[str, Any], note: str) -> None:
    """No number is better than a wrong one; the reason is said."""
    found = planned(shadow(), **more)
    assert found.steps == ()
    assert note in found.note
