"""The three measures against values worked out by hand."""

from __future__ import annotations

import pytest

from evaluators.core.diff.vectors import cosine, dot, euclidean


@pytest.mark.parametrize(
    ("a", "b", "values"),
    [
        pytest.param((1, 0), (1, 0), (1, 1, 0), id="same"),
        pytest.param((1, 0), (0, 1), (0, 0, 2**0.5), id="right angle"),
        pytest.param((3, 4), (-3, -4), (-1, -25, 10), id="opposite"),
        pytest.param((3, 4), (0, 0), (0, 0, 5), id="no length"),
        pytest.param((1, 2), (2, 1), (0.8, 4, 2**0.5), id="between"),
    ],
)
def test_measures(a: tuple[float, ...], b: tuple[float, ...], values: tuple[float, float, float]) -> None:
    """Cosine, dot product and distance."""
    assert (cosine(a, b), dot(a, b), euclidean(a, b)) == pytest.approx(values)


@pytest.mark.parametrize("measure", [cosine, dot, euclidean])
def test_other_lengths(measure: object) -> None:
    """Vectors of different models cannot be compared."""
    with pytest.raises(ValueError, match=r"(different lengths|mismatch)"):
        measure((1.0, 2.0), (1.0,))  # type: ignore[operator]
