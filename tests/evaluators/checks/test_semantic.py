"""Semantic distance: its own vectors or the endpoint's, a given limit or a calibrated one, and skips until then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from config.pair import NEVER
from evaluators.checks.semantic import CALIBRATING
from evaluators.core.finding import Arm, BadCheck, Doors, Result
from tests.evaluators.checks.arms import arm, check, judge

SHOES, RETURNS, OSLO = (
    arm("You can return shoes within 30 days."),
    arm("Shoes can be returned within 30 days of purchase."),
    arm("The capital of Norway is Oslo."),
)


def on(route: str, one: Arm) -> Arm:
    """The arm on a route."""
    return replace(one, request=replace(one.request, route=route))


def knows(thresholds: Mapping[tuple[str, str], float]) -> Doors:
    return Doors(threshold=lambda label, route: thresholds.get((label, route), NEVER))


def test_a_given_limit() -> None:
    """Above the limit is different, at or below it the same; white space is nothing."""
    near = judge("shadow:semantic", SHOES, RETURNS, threshold=0.75)
    far = judge("shadow:semantic", SHOES, OSLO, threshold=0.75)
    assert (near.result, far.result) == (Result.SAME, Result.DIFFER)
    assert 0 < near.score < 0.75 < far.score <= 1
    assert far.detail == f"distance {far.score:.2f}, limit 0.75"
    assert judge("shadow:semantic", arm("a  b"), arm(" a b"), threshold=0).score == 0


def test_the_calibrated_limit_is_asked_by_label_and_route() -> None:
    """Two checks, two routes: each its own limit."""
    doors = knows({("shadow:semantic", "/v1/a"): 0.75, ("mine", "/v1/a"): 0.1})
    arms = (on("/v1/a", SHOES), on("/v1/a", RETURNS))
    assert judge("shadow:semantic", *arms, doors=doors).result is Result.SAME
    assert judge("shadow:semantic", *arms, doors=doors, name="mine").result is Result.DIFFER


def test_until_there_is_a_limit_the_distance_is_a_skip() -> None:
    """It carries the distance and the route, of which the limit is made; with no door it stays so."""
    for doors in (knows({}), Doors()):
        found = judge("shadow:semantic", on("/v1/b", SHOES), on("/v1/b", RETURNS), doors=doors)
        assert (found.result, found.paths, found.detail) == (Result.SKIP, ("/v1/b",), CALIBRATING)
        assert 0.2 < found.score < 0.75


def test_the_endpoints_vectors_are_used() -> None:
    """With an endpoint meaning counts: it is asked for both answers together, unless they are equal or one is empty."""
    asked: list[list[str]] = []

    def embed(texts: list[str]) -> list[tuple[float, ...]]:
        asked.append(texts)
        return [(1.0, 0.0), (-1.0, 0.0)] if "no" in texts else [(1.0, 0.0), (0.8, 0.6)]

    doors = Doors(embed=embed)  # type: ignore[arg-type]
    assert judge("shadow:semantic", arm("yes"), arm("yep"), threshold=0.5, doors=doors).score == pytest.approx(0.2)
    assert judge("shadow:semantic", arm("yes"), arm("no"), threshold=0.5, doors=doors).score == 1
    assert judge("shadow:semantic", arm("yes"), arm(" yes"), threshold=0.5, doors=doors).score == 0
    assert judge("shadow:semantic", arm("yes"), arm(""), threshold=0.5, doors=doors).score == 1
    assert asked == [["yes", "yep"], ["yes", "no"]]


def test_answers_without_text_are_not_compared() -> None:
    """And they leave no distance; a refusal is text."""
    found = judge("shadow:semantic", arm(""), arm(" "))
    assert (found.result, found.paths) == (Result.SKIP, ())
    assert judge("shadow:semantic", arm("", refusal="I will not."), arm("I will not."), threshold=0).score == 0


@pytest.mark.parametrize("threshold", [-0.1, 1.1])
def test_limits_that_are_none(threshold: float) -> None:
    """A distance is between 0 and 1."""
    with pytest.raises(BadCheck):
        check("shadow:semantic", threshold=threshold)
