"""The comparison of embeddings. Built by the registry in __init__."""

from __future__ import annotations

from math import hypot, isfinite

from evaluators.core.finding import Arm, CheckType, Compare, Finding, Params, comparison, differ, same, skipped

DISTANCE = 0.01
"""Cosine distance: far above rounding of the same model's vectors (1e-4 and less), far below another text's (0.2)."""


@comparison("shadow:embedding", dimension="correctness", takes=("threshold",))
def embedding(params: Params) -> Compare:
    """The vectors point in different directions: (1 − cosine) / 2 above `threshold`, or have another length.

    Vectors of two different models are not comparable by direction: expect such a candidate to differ always.
    """
    limit = params.limit(DISTANCE)

    def check(live: Arm, shadow: Arm) -> Finding:
        before, after = live.reply.vector, shadow.reply.vector
        if not before and not after:
            return skipped("neither answer is an embedding")
        if len(before) != len(after):
            return differ(1.0, f"{len(before)} → {len(after)} dimensions", ("dimensions",))
        distance = (1 - _cosine(before, after)) / 2
        return differ(distance, f"distance {distance:.4f}") if distance > limit else same(distance=distance)

    return check


TYPES: tuple[CheckType, ...] = (embedding,)


def _cosine(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    lengths = hypot(*a) * hypot(*b)
    if not isfinite(lengths) or lengths == 0:
        return 1.0 if a == b else -1.0
    return max(-1.0, min(1.0, sum(x * y for x, y in zip(a, b, strict=True)) / lengths))
