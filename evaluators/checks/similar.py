"""promptfoo's similarity to a reference text, by an embeddings endpoint. Built by the registry in __init__."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from evaluators.core.diff.vectors import cosine, dot, euclidean
from evaluators.core.finding import (
    CLOSED,
    Arm,
    Assert,
    BadCheck,
    CheckType,
    Finding,
    Params,
    assertion,
    failed,
    passed,
)

THRESHOLD = 0.75
"""promptfoo's default, for all three measures."""

_ROUNDING = 1e-9  # promptfoo allows one unit in the last place; the endpoints send six digits

Measure = Callable[[Sequence[float], Sequence[float]], float]


def _type(name: str, measure: Measure) -> CheckType:
    @assertion(name, dimension="correctness", takes=("value", "threshold"))
    def similar(params: Params) -> Assert:
        if params.doors.embed is CLOSED.embed:
            raise BadCheck(f"{params.type} needs an endpoint: give `embeddings: {{base_url: …, model: …}}`")
        references = (params.text(),) if not isinstance(params.value, list) else params.texts()
        if not all(reference.strip() for reference in references):
            raise BadCheck(f"{params.type} needs a `value:` that is not blank")
        limit = params.limit(THRESHOLD)

        def check(arm: Arm) -> Finding:
            if not arm.reply.text.strip():
                return failed("the answer has no text")
            said, *wanted = params.doors.embed([arm.reply.text, *references])
            return _judged([measure(said, one) for one in wanted], limit, measure is euclidean)

        return check

    return similar


def _judged(found: Sequence[float], limit: float, distance: bool) -> Finding:
    """The best of the references decides: any of them may be met."""
    best = min(found) if distance else max(found)
    holds = best <= limit + _ROUNDING if distance else best >= limit - _ROUNDING
    score = 1 / (1 + best) if distance else min(1.0, max(0.0, best))
    detail = f"{'distance' if distance else 'similarity'} {best:.2f}, limit {limit:g}"
    return passed(detail, score) if holds else failed(detail, score)


TYPES: tuple[CheckType, ...] = (
    _type("similar", cosine),
    _type("similar:cosine", cosine),
    _type("similar:dot", dot),
    _type("similar:euclidean", euclidean),
)
