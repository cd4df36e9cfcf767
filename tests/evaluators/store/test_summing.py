"""Sums over hours, and evidence cut at doubling times."""

from __future__ import annotations

from evaluators.store import Store, read, write
from evaluators.store.summing import leaf
from tests.evaluators.made import NOON, observation, recorded


def hours(store: Store, *folded: int) -> None:
    """One conversation folded in each of these hours."""
    for hour in folded:
        seen = observation(hour, conversation=f"c{hour}", joints=("pf", "m"), slices=("a=1", "b=1"))
        write.record(store, [recorded(seen)], NOON)
        assert write.fold(store, NOON + 3600 * hour, 600) == 1


def test_spans_double(store: Store) -> None:
    """The first hour, the second, the next two, the next four: each folded conversation is in one of them."""
    hours(store, *range(1, 10))
    (mini,) = read.tallies(store, 0, 1e11)
    spans = mini.checks[1].crossed["a=1 & b=1"]
    assert {span: row[:2] for span, row in spans.items()} == {0: (1, 1), 1: (1, 1), 2: (2, 2), 3: (4, 4), 4: (1, 1)}
    assert mini.checks[1].crossed_examples["a=1 & b=1"] == tuple(f"{n:032x}" for n in (9, 8, 7, 6, 5))


def test_a_window_has_spans_of_its_own(store: Store) -> None:
    """The doubling begins at the first hour of the window that has crossings; hours without any pass all the same."""
    hours(store, 1, 4, 5, 6)
    (mini,) = read.tallies(store, 0, NOON + 3600 * 6)
    assert {span: row[0] for span, row in mini.checks[1].crossed["a=1 & b=1"].items()} == {0: 1, 2: 1, 3: 1}


def test_a_branch_is_made_once() -> None:
    """The same path leads to the same leaf."""
    tree: dict[object, object] = {}
    leaf(tree, (1, 2))["x"] = 3
    assert leaf(tree, (1, 2)) == {"x": 3}
