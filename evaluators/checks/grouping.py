"""Checks made of checks: assert-set, and max-score over a file's assertions. Built by the registry in __init__."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import cast

from evaluators.core.finding import (
    Arm,
    Assert,
    BadCheck,
    Check,
    CheckType,
    Compare,
    Finding,
    Member,
    Params,
    Result,
    assertion,
    broken,
    comparison,
    differ,
    failed,
    passed,
    same,
    skipped,
)

MAX_SCORE = "max-score"


@assertion("assert-set", dimension="correctness", takes=("threshold", "assert"), negatable=False)
def assert_set(params: Params) -> Assert:
    """All members hold; with a `threshold`, their weighted mean score reaches it (0 always holds, as in promptfoo).

    A member of weight 0 is measured and never decides. Members that do not apply are left out; a broken one that
    counts breaks the set.
    """
    if not params.members:
        raise BadCheck("assert-set needs `assert:` with its members")
    if params.threshold is not None and not 0 <= params.threshold <= 1:
        raise BadCheck("assert-set needs a `threshold:` between 0 and 1")
    return together(params.members, params.threshold)


@comparison(MAX_SCORE, dimension="correctness", takes=("value",))
def max_score(params: Params) -> Compare:
    """The candidate's answer scores lower than live's over the file's other assertions; equal scores are the same.

    `value` may have `method` (average, the default, or sum), `weights` by the checks' names or types (1, whatever their
    own `weight:`), and `threshold`, which the better answer has to reach; where neither does the check skips. As in
    promptfoo, the members of an assert-set count one by one.
    """
    options = {} if params.value is None else params.value
    if not isinstance(options, dict) or not options.keys() <= {"method", "weights", "threshold"}:
        raise BadCheck("max-score takes `value: {method: average or sum, weights: {NAME: NUMBER}, threshold: NUMBER}`")
    method, weights, least = options.get("method", "average"), options.get("weights", {}), options.get("threshold", 0)
    if method not in ("average", "sum") or not isinstance(weights, dict) or not isinstance(least, int | float):
        raise BadCheck("max-score knows the methods average and sum, weights by name, and a number as threshold")
    unknown = sorted(set(weights) - {name for member in params.members for name in (member.label, member.type)})
    if unknown or not params.members:
        raise BadCheck(f"no assertion is called {unknown[0]!r}" if unknown else "max-score needs assertions beside it")
    if not all(isinstance(weight, int | float) and weight >= 0 for weight in weights.values()):
        raise BadCheck("max-score needs weights that are numbers of zero or more")
    by_name: dict[str, float] = weights
    members = tuple(
        Member(one.label, by_name.get(one.label, by_name.get(one.type, 1.0)), one.run) for one in params.members
    )

    def check(live: Arm, shadow: Arm) -> Finding:
        ran = [_run(members, arm) for arm in (live, shadow)]
        for found in ran:
            for member, finding in found.items():
                if finding.result is Result.BROKEN:
                    return broken(f"{member.label}: {finding.detail}")
        before, after = (_total(found, method == "sum") for found in ran)
        if max(before, after) < least:
            return skipped(f"neither answer scores {least:g}")
        detail = f"live {before:.2f}, shadow {after:.2f}"
        return differ(min(1.0, before - after), detail) if after < before else same(detail)

    return check


TYPES: tuple[CheckType, ...] = (assert_set, max_score)


def together(members: Sequence[Member], threshold: float | None) -> Assert:
    """One assertion out of several."""

    def check(arm: Arm) -> Finding:
        found = _run(members, arm)
        deciding = {member: finding for member, finding in found.items() if member.weight > 0}
        for member, finding in deciding.items():
            if finding.result is Result.BROKEN:
                return broken(f"{member.label}: {finding.detail}")
        if not any(finding.result in _VERDICTS for finding in (deciding or found).values()):
            return skipped("no member applies")
        score = _total(deciding, False)
        wrong = [member.label for member, finding in deciding.items() if finding.result is Result.FAIL]
        holds = not wrong if threshold is None else score >= threshold
        return passed(", ".join(wrong), score) if holds else failed(", ".join(wrong), score, tuple(wrong))

    return check


def metrics(checks: Sequence[Check]) -> list[Check]:
    """One check per metric that several assertions share; its result follows theirs. Raises BadCheck."""
    sharing: dict[str, list[Check]] = {}
    for check in checks:
        if check.metric and not check.comparison:
            sharing.setdefault(check.metric, []).append(check)
    labels = {check.label for check in checks}
    return [_metric(name, found, labels) for name, found in sharing.items() if len(found) > 1]


def _metric(name: str, sharing: Sequence[Check], labels: Collection[str]) -> Check:
    first = sharing[0]
    if any(check.when != first.when for check in sharing):
        who = ", ".join(check.label for check in sharing)
        raise BadCheck(f"metric {name}: {who} share it and apply to other calls; give them the same `when:`")
    members = [Member(check.label, check.weight, cast(Assert, check.run), check.type) for check in sharing]
    version = blake2b("".join(check.version for check in sharing).encode(), digest_size=4).hexdigest()
    label = f"metric {name}" if name in labels else name
    return replace(first, label=label, type="metric", version=f"1-{version}", run=together(members, None))


_VERDICTS = (Result.PASS, Result.FAIL)


def _run(members: Sequence[Member], arm: Arm) -> dict[Member, Finding]:
    return {member: member.run(arm) for member in members}


def _total(found: Mapping[Member, Finding], summed: bool) -> float:
    """Weighted mean of the scores, or their weighted sum; 0 where nothing counts, as in promptfoo."""
    parts = [(member.weight, one.score) for member, one in found.items() if one.result in _VERDICTS]
    weight = sum(part[0] for part in parts)
    total = sum(part[0] * part[1] for part in parts)
    return total if summed else total / weight if weight else 0.0
