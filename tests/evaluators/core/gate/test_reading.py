"""What a rule is given, and what is missing and doubtful about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.gating import Gate
from evaluators.core.gate.reading import (
    UNKNOWN,
    blamed,
    broken,
    difference_of,
    hidden,
    missing,
    nothing,
    sample,
    unjudged,
)
from tests.evaluators.core.gate.cases import case, sliced
from tests.evaluators.core.samples import assertion, shadow

REGRESSION = Gate(name="g", check="is-json", max_regression="2%")


@pytest.mark.parametrize(
    ("n", "estimated", "expected"),
    [
        pytest.param(40, UNKNOWN, 60, id="up-to-the-minimum"),
        pytest.param(40, 300, 300, id="evidence-asks-for-more"),
        pytest.param(40, 10, 60, id="minimum-asks-for-more"),
        pytest.param(100, 7, 7, id="minimum-reached"),
        pytest.param(100, UNKNOWN, UNKNOWN, id="nobody-knows"),
    ],
)
def test_missing(n: int, estimated: int, expected: int) -> None:
    """Both the minimum and the evidence must be met."""
    assert missing(case(REGRESSION, shadow()), n, estimated) == expected


def test_the_latest_version_of_a_check_is_judged() -> None:
    """A check that changed starts again; one that never ran is None."""
    old, new = assertion(joint={"pp": 9}), assertion(joint={"pp": 2})
    assert case(REGRESSION, shadow(old, new)).check is new
    assert case(REGRESSION, shadow()).check is None


def test_a_fixed_look_opens_and_closes_at_once() -> None:
    """`at` takes the place of both ends."""
    watched, fixed = (case(gate, shadow()) for gate in (REGRESSION, REGRESSION.model_copy(update={"at": 400})))
    assert (watched.opens, watched.closes, fixed.opens, fixed.closes) == (100, 20_000, 400, 400)


def test_a_slice_has_conversations_of_its_own() -> None:
    """Worse, better and neither, by sign; a slice without evidence has none."""
    check = sliced(worse=3, better=1, conversations=40)
    assert difference_of(check, "topic=billing") == {(1, 1): 1, (0, 1): 36, (-1, 1): 3}
    assert difference_of(check, "topic=other") == {}
    assert difference_of(check, "") == {(0, 1): 2000}
    rule = case(Gate(name="g", check="is-json", max_regression=0.1, when={"topic": ["billing"]}), shadow(check))
    assert sample(rule, {(0, 1): 2}) == "in 2 conversations with topic=billing"
    assert nothing(rule, "candidate").says.startswith("No closed conversation with topic=billing has a candidate")


def test_what_a_check_could_judge() -> None:
    """Skipped pairs are neither judged nor broken, inside a slice or anywhere."""
    check = assertion(joint={"pp": 7, "pb": 2, "bs": 1, "ss": 4}, slices={"turn=1": {"fb": 1, "pf": 2}})
    assert (broken(check, ""), broken(check, "turn=1"), broken(check, "turn=2")) == ((7, 3), (2, 1), (0, 0))


@pytest.mark.parametrize(
    ("judged", "unknown", "lost", "expected"),
    [
        pytest.param(95, 5, 0, "", id="five-percent"),
        pytest.param(94, 6, 0, "it broke on 6 of 100 pairs, so it may not pass", id="more"),
        pytest.param(97, 0, 3, "", id="few-lost"),
        pytest.param(
            90,
            0,
            10,
            "10 calls lost in ways that it can bring about (breaker_open 10): too many of 100 for a pass",
            id="many-lost",
        ),
        pytest.param(
            94,
            1,
            5,
            "it broke on 1 pair, and 5 calls lost in ways that it can bring about (breaker_open 5): too many of 100 "
            "for a pass",
            id="both-together",
        ),
    ],
)
def test_unjudged(judged: int, unknown: int, lost: int, expected: str) -> None:
    """More than 5 % that nobody judged may not pass, whoever is to blame."""
    assert unjudged(case(REGRESSION, shadow(), lost), judged, unknown, "it broke on") == expected


def test_hidden() -> None:
    """Losses are named where they alone decide, and nowhere else."""
    rule = case(REGRESSION, shadow(), 2)
    assert hidden(rule, seen_good=True, good=True) == hidden(rule, seen_good=False, good=False) == ""
    lost = "2 calls lost in ways that it can bring about (breaker_open 2)"
    assert hidden(rule, seen_good=True, good=False).endswith(f"but no longer with {lost} at their worst")
    assert f"with 3 calls not measured and {lost} at" in hidden(rule, seen_good=True, good=False, unknown=3)
    assert "with 3 calls not measured at" in hidden(
        replace(rule, losses=case(REGRESSION, shadow()).losses), True, False, 3
    )


def test_the_candidate_is_blamed_where_its_answer_alone_broke_the_check() -> None:
    """Not where the check broke on live's answer too; in a slice only for the calls there."""
    check = replace(assertion(joint={"pp": 90, "pb": 4, "sb": 1, "bp": 2, "bb": 3}), slices={"topic=a": {"pb": 2}})
    assert (blamed(check, ""), blamed(check, "topic=a"), blamed(check, "topic=b")) == (5, 2, 0)
    assert blamed(replace(check, joint={"m": 5, "b": 2}), "") == 2
