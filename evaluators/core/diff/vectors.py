"""How near two vectors are, in promptfoo's three measures. Beside ngrams, which makes vectors of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Vector = Sequence[float]


def cosine(a: Vector, b: Vector) -> float:
    """The cosine of the angle between them, in [-1, 1]; 0 where one has no length. Raises ValueError, as all of these.

    It does so for vectors of different lengths.
    """
    one, other = np.asarray(a, np.float64), np.asarray(b, np.float64)
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return max(-1.0, min(1.0, float(one @ other) / lengths)) if lengths else 0.0


def dot(a: Vector, b: Vector) -> float:
    """The dot product."""
    return float(np.asarray(a, np.float64) @ np.asarray(b, np.float64))


def euclidean(a: Vector, b: Vector) -> float:
    """The length of their difference."""
    if len(a) != len(b):
        raise ValueError("vectors of different lengths")
    return float(np.linalg.norm(np.asarray(a, np.float64) - np.asarray(b, np.float64)))
