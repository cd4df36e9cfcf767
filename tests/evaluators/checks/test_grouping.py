"""Checks made of checks: sets, named metrics and max-score add up as promptfoo adds up."""

from __future__ import annotations

from typing import Any

import pytest

from config.settings import Check as Configured
from evaluators import checks
from evaluators.core.finding import BadCheck, Result
from evaluators.core.finding import Check as Built
from tests.evaluators.checks.arms import arm, check, judge

A = {"type": "contains", "value": "a"}
B = {"type": "contains", "value": "b"}


def of(*members: Any, threshold: float | None = None, text: str = "a") -> Any:
    """What a set of these members says about a text."""
    return judge("assert-set", arm(text), threshold=threshold, **{"assert": list(members)})


@pytest.mark.parametrize(
    ("members", "threshold", "result", "score"),
    [
        pytest.param([A, A], None, Result.PASS, 1.0, id="all hold"),
        pytest.param([A, B], None, Result.FAIL, 0.5, id="one does not"),
        pytest.param([A, B], 0.5, Result.PASS, 0.5, id="but half is enough"),
        pytest.param([A, B], 0.51, Result.FAIL, 0.5, id="or not"),
        pytest.param([B, B], 0, Result.PASS, 0.0, id="a threshold of 0 always holds"),
        pytest.param([{**A, "weight": 3}, B], 0.75, Result.PASS, 0.75, id="weights count"),
        pytest.param([A, {**B, "weight": 0}], None, Result.PASS, 1.0, id="weight 0 never decides"),
        pytest.param([{**A, "weight": 0}, B], 0.5, Result.FAIL, 0.0, id="nor does it help"),
        pytest.param([{**A, "weight": 0}], None, Result.PASS, 0.0, id="nothing counts: passes with score 0"),
        pytest.param([{**A, "weight": 0}], 0.1, Result.FAIL, 0.0, id="nothing counts: reaches no threshold"),
        pytest.param(
            [A, {"type": "assert-set", "assert": [B, B, A]}], 0.7, Result.FAIL, (1 + 1 / 3) / 2, id="a set is one item"
        ),
        pytest.param(
            [A, {"type": "assert-set", "assert": [B, A], "threshold": 0.5, "weight": 2}],
            None,
            Result.PASS,
            2 / 3,
            id="with its weight and its own threshold",
        ),
        pytest.param(["not-is-json", "contains:a", "levenshtein(1):ab"], None, Result.PASS, 1.0, id="short forms"),
    ],
)
def test_a_set_adds_up(members: list[Any], threshold: float | None, result: Result, score: float) -> None:
    """The score is the weighted mean; without a threshold every member that counts has to hold."""
    found = of(*members, threshold=threshold)
    assert found.result is result
    assert found.score == pytest.approx(score)


def test_a_set_names_what_failed() -> None:
    """The paths are the names of the members that do not hold."""
    assert of(A, {**B, "name": "the b"}).paths == ("the b",)


def test_members_that_do_not_apply_are_left_out() -> None:
    """A set of members none of which applies skips, whatever else is measured beside them."""
    calls = arm("", tool_calls=(object(),))
    run: Any = check("assert-set", **{"assert": [A, {"type": "finish-reason", "value": "stop", "weight": 0}]}).run
    assert run(calls).result is Result.SKIP


def test_a_broken_member_breaks_the_set() -> None:
    """A member that could not be measured is no verdict; one that never decides does not matter."""
    member = {"type": "perplexity", "threshold": 5}
    assert of(A, member).result is Result.BROKEN
    assert of(A, {**member, "weight": 0}).result is Result.PASS


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "needs `assert:`"),
        ({"assert": [A], "threshold": 2}, "between 0 and 1"),
        ({"assert": [{"type": "shadow:text"}]}, "only assertions on one answer"),
        ({"assert": [{**A, "when": {"topic": "x"}}]}, "no `when:` of its own"),
        ({"assert": [{"type": "contians"}]}, "did you mean"),
    ],
)
def test_a_set_that_makes_no_sense_is_refused(more: dict[str, Any], message: str) -> None:
    """The message has the remedy."""
    with pytest.raises(BadCheck, match=message):
        check("assert-set", **more)


def built(*configured: dict[str, Any]) -> dict[str, Built]:
    """Built checks by label."""
    return {one.label: one for one in checks.build([Configured(**one) for one in configured])}


def compared(value: Any, live: str, shadow: str, *others: dict[str, Any]) -> Any:
    """What max-score says over these assertions."""
    run: Any = built({"type": "max-score", "value": value}, *others)["max-score"].run
    return run(arm(live), arm(shadow))


C = {**B, "name": "second", "weight": 5}


@pytest.mark.parametrize(
    ("value", "live", "shadow", "result", "distance"),
    [
        pytest.param(None, "ab", "a", Result.DIFFER, 0.5, id="the candidate scores less"),
        pytest.param(None, "a", "ab", Result.SAME, 0.0, id="or more"),
        pytest.param(None, "a", "b", Result.SAME, 0.0, id="a tie goes to the first; weights of their own do not count"),
        pytest.param({"weights": {"second": 3}}, "b", "a", Result.DIFFER, 0.5, id="weights by name"),
        pytest.param({"weights": {"contains": 0}}, "b", "a", Result.SAME, 0.0, id="weights by type"),
        pytest.param({"method": "sum"}, "ab", "", Result.DIFFER, 1.0, id="sums are cut at 1"),
        pytest.param({"threshold": 0.9}, "a", "b", Result.SKIP, 0.0, id="neither reaches the threshold"),
        pytest.param({"threshold": 0.9}, "ab", "b", Result.DIFFER, 0.5, id="one does"),
    ],
)
def test_max_score_picks_the_better_answer(value: Any, live: str, shadow: str, result: Result, distance: float) -> None:
    """The candidate differs where live scores more over the file's other assertions."""
    found = compared(value, live, shadow, A, C)
    assert (found.result, found.score) == (result, distance)


def test_max_score_counts_the_members_of_a_set_one_by_one() -> None:
    """As promptfoo does, and not the set itself."""
    found = compared(None, "abc", "a", {"type": "assert-set", "assert": [A, B]}, {**A, "value": "c"})
    assert found.detail == "live 1.00, shadow 0.33"


def test_max_score_is_broken_where_one_of_its_assertions_is() -> None:
    """A score that could not be measured is not compared."""
    assert compared(None, "a", "a", A, {"type": "perplexity", "threshold": 5}).result is Result.BROKEN


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"weights": {"third": 1}}, "no assertion is called 'third'"),
        ({"weights": {"second": -1}}, "zero or more"),
        ({"method": "median"}, "average and sum"),
        ({"methods": "sum"}, "max-score takes"),
    ],
)
def test_a_max_score_that_makes_no_sense_is_refused(value: Any, message: str) -> None:
    """The message has the remedy."""
    with pytest.raises(BadCheck, match=message):
        compared(value, "a", "a", A, C)


def test_assertions_that_share_a_metric_give_a_named_score() -> None:
    """The named check follows its members, by their weights."""
    found = built({**A, "metric": "tone", "weight": 3}, {**C, "metric": "tone", "weight": 1}, {"type": "is-json"})
    run: Any = found["tone"].run
    assert (found["tone"].type, run(arm("a")).result, run(arm("a")).score) == ("metric", Result.FAIL, 0.75)
    assert run(arm("ab")).result is Result.PASS


def test_a_metric_is_shared_by_checks_of_the_same_calls() -> None:
    """Otherwise its score would be of different things on different calls."""
    with pytest.raises(BadCheck, match="give them the same `when:`"):
        built({**A, "metric": "tone", "when": {"topic": "x"}}, {**C, "metric": "tone"})


def test_a_metric_of_one_assertion_is_that_assertion() -> None:
    """No second row for the same thing, and a metric called like a check gets another name."""
    assert set(built({**A, "metric": "tone"})) == {"contains"}
    assert "metric contains" in built({**A, "metric": "contains"}, {**C, "metric": "contains"})


def test_the_version_of_a_set_follows_its_members() -> None:
    """A changed member starts new tallies for the set, also where only what it reads has changed."""
    versions = {check("assert-set", **{"assert": [one]}).version for one in (A, B, {**A, "transform": "output"})}
    assert len(versions) == 3
