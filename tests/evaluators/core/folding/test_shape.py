"""What folding takes and gives."""

from __future__ import annotations

import pytest

from evaluators.core.folding.shape import Folded, Point, fraction


@pytest.mark.parametrize(
    ("over", "under", "expected"), [(2, 4, (1, 2)), (0, 7, (0, 1)), (-3, 9, (-1, 3)), (5, 5, (1, 1))]
)
def test_fractions_are_in_lowest_terms(over: int, under: int, expected: tuple[int, int]) -> None:
    """Equal means are one value."""
    assert fraction(over, under) == expected


def test_points_of_one_conversation_are_one_mean() -> None:
    """Each list is averaged where it has anything, and noise counts per slice."""
    folded = Folded()
    folded.count_points(("mini", 1), [Point(("a=1",), (-1,), (1,), "dm"), Point((), (), (0,), "")])
    assert folded.difference == {("mini", 1, (-1, 1)): 1}
    assert folded.failing == {("mini", 1, (1, 2)): 1}
    assert folded.noise == {("mini", 1, "", "dm"): 1, ("mini", 1, "a=1", "dm"): 1}
