"""The comparison of what two answers are about. Built by the registry in __init__; store.calibrating sets limits."""

from __future__ import annotations

from evaluators.core.diff import normalise
from evaluators.core.diff.ngrams import ngram_distance
from evaluators.core.diff.vectors import cosine
from evaluators.core.finding import (
    CLOSED,
    Arm,
    BadCheck,
    CheckType,
    Compare,
    Finding,
    Params,
    Result,
    comparison,
    differ,
    same,
    skipped,
)

CALIBRATING = "calibrating: this route's first control pairs set the limit, and are not judged"


@comparison("shadow:semantic", dimension="correctness", takes=("threshold",))
def semantic(params: Params) -> Compare:
    """The answers are about different things: the cosine distance of their vectors is above the limit.

    The vectors come from the `embeddings:` endpoint where one is configured, else from hashed pieces of three to five
    characters: these know no synonyms. The limit is `threshold` if given. Otherwise it is what 95 of 100 control pairs
    of the same route stay below: live beside itself says how far apart two right answers are there. The pairs that set
    it are skipped, so that the noise floor is measured on others: on its own pairs it would be 5 % whatever they are.
    """
    fixed = -1.0 if params.threshold is None else params.limit(0)
    if fixed > 1:
        raise BadCheck(f"{params.type} needs a `threshold:` between 0 and 1")
    doors = params.doors

    def distance(before: str, after: str) -> float:
        if doors.embed is CLOSED.embed or not (before and after):
            return ngram_distance(before, after)
        return min(1.0, max(0.0, 1 - cosine(*doors.embed([before, after]))))

    def check(live: Arm, shadow: Arm) -> Finding:
        before, after = (normalise(arm.reply.words) for arm in (live, shadow))
        if not (before or after):
            return skipped("neither answer has text")
        route = live.request.route
        limit = fixed if fixed >= 0 or doors.threshold is CLOSED.threshold else doors.threshold(params.label, route)
        found = 0.0 if before == after else distance(before, after)
        if limit < 0:
            return Finding(Result.SKIP, found, CALIBRATING, (route,))
        detail = f"distance {found:.2f}, limit {limit:.2f}"
        return differ(found, detail) if found > limit else same(detail, found)

    return check


TYPES: tuple[CheckType, ...] = (semantic,)
