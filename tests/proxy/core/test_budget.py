"""Slots per shadow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.core.budget import Budget


def test_gives_out_as_many_slots_as_the_limit_and_no_more() -> None:
    """The third of two slots is refused, and a returned one can be taken again."""
    budget = Budget({"mini": 2, "control": 1})
    assert [budget.take("mini"), budget.take("mini"), budget.take("mini")] == [True, True, False]
    assert budget.take("control")
    budget.give("mini")
    assert budget.in_flight == {"mini": 1, "control": 1}
    assert budget.take("mini")


def test_refuses_to_be_misused() -> None:
    """A slot nobody took and a shadow nobody knows are our bugs."""
    budget = Budget({"mini": 1})
    with pytest.raises(ValueError, match="no slot of 'mini'"):
        budget.give("mini")
    with pytest.raises(KeyError):
        budget.take("maxi")


def test_shows_its_slots() -> None:
    """The repr says taken and limit of every shadow."""
    budget = Budget({"mini": 2})
    budget.take("mini")
    assert repr(budget) == "<Budget mini 1/2>"
    assert repr(Budget({})) == "<Budget without shadows>"


@given(st.lists(st.sampled_from(["take", "give"])), st.integers(0, 3))
def test_never_leaves_its_bounds(acts: list[str], limit: int) -> None:
    """Whatever is asked for in whatever order, 0 <= in flight <= limit."""
    budget = Budget({"mini": limit})
    for act in acts:
        if act == "take":
            free = budget.in_flight["mini"] < limit
            assert budget.take("mini") == free
        elif budget.in_flight["mini"]:
            budget.give("mini")
        assert 0 <= budget.in_flight["mini"] <= limit


def test_slots_outlive_a_configuration() -> None:
    """The next budget knows the slots that are taken, and calls of the one before give theirs back."""
    old = Budget({"mini": 1, "gone": 1})
    assert old.take("mini")
    assert old.take("gone")
    new = Budget({"mini": 2, "maxi": 1}, old)
    assert repr(new) == "<Budget mini 1/2, maxi 0/1>"
    assert [new.take("mini"), new.take("mini")] == [True, False]
    old.give("mini")
    old.give("gone")
    assert new.take("mini")
    assert new.in_flight == {"mini": 2, "gone": 0, "maxi": 0}
