"""Numbers, dates and units of two answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.core.finding import BadCheck, Result
from evaluators.core.reply import Request
from tests.evaluators.checks.arms import arm, check, judge

SAME, DIFFER, SKIP = Result.SAME, Result.DIFFER, Result.SKIP


@pytest.mark.parametrize(
    ("live", "shadow", "expected", "paths"),
    [
        ("no number", "none at all", SKIP, ()),
        ("42", "It is 42.", SAME, ()),
        ("42", "43", DIFFER, ("number",)),
        ("42", "none", DIFFER, ("number",)),
        ("1 and 2", "2 and 1", SAME, ()),
        ("42, so 42", "42", SAME, ()),
        ("1,000", "1000", SAME, ()),
        ("1.234", "1234", SAME, ()),
        ("03/04/2024", "3 April 2024", SAME, ()),
        ("03/04/2024", "5 April 2024", DIFFER, ("date",)),
        ("at 2 pm", "at 15:00", DIFFER, ("time",)),
        ("5 km", "5000 m", SAME, ()),
        ("5 kg", "6 kg", DIFFER, ("unit kg",)),
        ("$5", "€5", DIFFER, ("currency",)),
        ("5 %", "6 percent", DIFFER, ("percent",)),
        ("5 %", "5", DIFFER, ("number", "percent")),
        ("three men", "3 men", SAME, ()),
        ("3 men", "three men", SAME, ()),
        ("1. Go\n2. Stop", "Go, stop", SKIP, ()),
        ("42 ```py\nx = 1\n```", "42", SAME, ()),
        ("release 1.2.3", "release 1.2.4", DIFFER, ("code",)),
        ('{"price": 5}', '{"price": 6}', DIFFER, ("number",)),
    ],
)
def test_values(live: str, shadow: str, expected: Result, paths: tuple[str, ...]) -> None:
    """What the numbers mean counts, not how they are written; the path is the kind."""
    found = judge("shadow:numbers", arm(live), arm(shadow))
    assert (found.result, found.paths) == (expected, paths)


@pytest.mark.parametrize(
    ("live", "shadow", "expected"),
    [
        ("Nobody knows.", "For 2023 nobody knows.", SAME),
        ("For 2023 nobody knows.", "Nobody knows.", SAME),
        ("Nobody knows.", "For 2023 nobody knows, 5 say.", DIFFER),
        ("2022", "2023", DIFFER),
    ],
)
def test_a_number_from_the_question(live: str, shadow: str, expected: Result) -> None:
    """Repeating it is no difference; choosing between two of the question is."""
    request = Request("openai-chat", prompt="Was it 2022 or 2023?")
    assert judge("shadow:numbers", arm(live, request=request), arm(shadow, request=request)).result is expected


def test_how_far() -> None:
    """The distance is the share of numbers without a partner; the detail says how many on which side."""
    found = judge("shadow:numbers", arm("1, 2, 3 and 4"), arm("2, 3, 4 and 9 and 10"))
    assert (found.score, found.detail) == (0.4, "1 only in live, 2 only in the shadow")


def test_a_tolerance() -> None:
    """Numbers find the nearest partner within a relative threshold, units and currencies kept apart."""
    near = {"threshold": 0.05}
    assert judge("shadow:numbers", arm("100 and 200"), arm("198 and 103"), **near).result is SAME
    assert judge("shadow:numbers", arm("100 and 200"), arm("103 and 300"), **near).detail.startswith(
        "1 only in live, 1"
    )
    assert judge("shadow:numbers", arm("100 kg"), arm("103 km"), **near).result is DIFFER
    assert judge("shadow:numbers", arm("$100"), arm("$103"), **near).result is SAME
    assert judge("shadow:numbers", arm("1.1.2024"), arm("2.1.2024"), **near).result is DIFFER


def test_repeats_count_on_demand() -> None:
    """How often a number stands there is a difference only where the file says so."""
    found = judge("shadow:numbers", arm("42 and 42"), arm("42"), config={"repeats": True})
    assert (found.result, found.score) == (DIFFER, 0.5)
    with pytest.raises(BadCheck, match="repeats"):
        check("shadow:numbers", config={"repeats": "yes"})


NUMBERS = st.lists(st.sampled_from(["1", "2.5", "1,000", "1.000", "$5", "5 kg", "3 May", "9:30", "7 %"]), max_size=6)


RUNS: list[Any] = [
    check("shadow:numbers", **more).run for more in ({}, {"threshold": 0.1}, {"config": {"repeats": True}})
]


@settings(deadline=None, max_examples=200)
@given(NUMBERS, NUMBERS, st.sampled_from(RUNS))
def test_the_order_of_answers_and_numbers_does_not_count(a: list[str], b: list[str], run: Any) -> None:
    """Both directions say the same, and shuffled numbers are the same numbers."""
    left, right = arm("; ".join(a)), arm("; ".join(b))
    assert run(left, right).score == run(right, left).score
    assert run(left, arm("; ".join(reversed(a)))).result in {SAME, SKIP}
