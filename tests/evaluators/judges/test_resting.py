"""Who is late again and again: refused for a while, then tried by one question."""

from __future__ import annotations

import pytest

from evaluators.core.finding import DoorFailed
from evaluators.judges.resting import MOST_LATE, Resting


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_after_some_late_answers_it_rests_and_one_question_tries() -> None:
    """Others are asked meanwhile; a late trial prolongs the rest, and one in time ends it."""
    clock = Clock()
    resting = Resting(rest=10, clock=clock)
    for _ in range(MOST_LATE):
        resting.admit("a", "hook")
        resting.late("a")
    assert repr(resting) == "<Resting of 1 that were late>"
    with pytest.raises(DoorFailed, match=r"^the hook rests: it was late 3 times in a row$"):
        resting.admit("a", "hook")
    resting.admit("b", "hook")
    for ends in (resting.late, resting.ended):
        clock.now += 10
        resting.admit("a", "hook")
        with pytest.raises(DoorFailed):  # the trial is still under way
            resting.admit("a", "hook")
        ends("a")
    resting.admit("a", "hook")


def test_only_late_answers_in_a_row_count() -> None:
    """A check that is late on some answers is asked about all others."""
    resting = Resting()
    for _ in range(3 * MOST_LATE):
        resting.late("a")
        resting.ended("a")
        resting.admit("a", "hook")
