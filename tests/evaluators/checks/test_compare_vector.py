"""Embeddings compared."""

from __future__ import annotations

import pytest

from evaluators.core.finding import Result
from tests.evaluators.checks.arms import arm, judge

SAME, DIFFER, SKIP = Result.SAME, Result.DIFFER, Result.SKIP


@pytest.mark.parametrize(
    ("live", "shadow", "expected", "distance"),
    [
        pytest.param((), (), SKIP, 0.0, id="no embeddings"),
        pytest.param((1.0, 0.0), (2.0, 0.0), SAME, 0.0, id="the same direction"),
        pytest.param((1.0, 0.0), (0.0, 1.0), DIFFER, 0.5, id="a right angle"),
        pytest.param((1.0, 0.0), (-1.0, 0.0), DIFFER, 1.0, id="the opposite"),
        pytest.param((1.0, 0.0), (1.0, 0.01), SAME, 2.5e-5, id="rounding"),
        pytest.param((1.0, 0.0), (1.0,), DIFFER, 1.0, id="another number of dimensions"),
        pytest.param((1.0, 0.0), (), DIFFER, 1.0, id="none"),
        pytest.param((0.0, 0.0), (0.0, 0.0), SAME, 0.0, id="zero twice"),
        pytest.param((0.0, 0.0), (1.0, 0.0), DIFFER, 1.0, id="zero once"),
        pytest.param((1e308, 1e308), (1e308, 1e308), SAME, 0.0, id="too long to measure"),
    ],
)
def test_direction(live: tuple[float, ...], shadow: tuple[float, ...], expected: Result, distance: float) -> None:
    """Vectors are compared by direction."""
    found = judge("shadow:embedding", arm("", vector=live), arm("", vector=shadow))
    assert found.result is expected
    assert found.score == pytest.approx(distance, abs=1e-6)


def test_threshold() -> None:
    """The distance that still is the same can be chosen."""
    assert (
        judge("shadow:embedding", arm("", vector=(1.0, 0.0)), arm("", vector=(0.0, 1.0)), threshold=0.6).result is SAME
    )
