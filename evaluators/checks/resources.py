"""What an answer took, against limits and against live: time, first byte, cost. Built by the registry in __init__."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log

from evaluators.core.finding import (
    Arm,
    Assert,
    BadCheck,
    CheckType,
    Compare,
    Finding,
    Params,
    assertion,
    broken,
    comparison,
    differ,
    failed,
    passed,
    same,
    skipped,
)

RATIO = 1.5
"""Half as much again: one slow answer in a few is noise, which the control shows and the report subtracts."""
FARTHEST = 10.0
"""The ratio whose distance is 1; the scale between is logarithmic."""


@assertion("latency", dimension="latency", takes=("threshold",))
def latency(params: Params) -> Assert:
    """The whole answer within `threshold` milliseconds of sending the request; broken when it was not measured."""
    limit = _required(params, "milliseconds")
    return lambda arm: _within(arm.timing.total * 1000, limit, "ms") if _known(arm.timing.total) else _UNKNOWN_TIME


@assertion("cost", dimension="cost", takes=("threshold",))
def cost(params: Params) -> Assert:
    """At most `threshold` USD; broken when tokens or price are unknown, since no number is not a low number."""
    limit = _required(params, "USD")
    return lambda arm: _within(arm.cost, limit, "USD") if _known(arm.cost) else _UNKNOWN_COST


@assertion("first-byte", dimension="latency", takes=("threshold",))
def first_byte(params: Params) -> Assert:
    """The first byte of the answer within `threshold` milliseconds of the request; broken when it was not measured."""
    limit = _required(params, "milliseconds")
    return lambda arm: (
        _within(arm.timing.first_byte * 1000, limit, "ms") if _known(arm.timing.first_byte) else _UNKNOWN_TIME
    )


@comparison("shadow:latency-ratio", dimension="latency", takes=("threshold",))
def latency_ratio(params: Params) -> Compare:
    """The shadow's whole answer took more than `threshold` (1.5) times as long as live's; a faster one is the same."""
    return _dearer(params, lambda arm: arm.timing.total, "slower")


@comparison("shadow:cost-ratio", dimension="cost", takes=("threshold",))
def cost_ratio(params: Params) -> Compare:
    """The shadow's answer cost more than `threshold` (1.5) times as much as live's; a cheaper one is the same."""
    return _dearer(params, lambda arm: arm.cost, "dearer")


TYPES: tuple[CheckType, ...] = (latency, cost, first_byte, latency_ratio, cost_ratio)

_UNKNOWN_TIME = broken("the time is not known")
_UNKNOWN_COST = broken("tokens or price are not known; see `prices:`")


def _dearer(params: Params, amount: Callable[[Arm], float], path: str) -> Compare:
    limit = params.limit(RATIO)
    if limit < 1:
        raise BadCheck(f"{params.type} needs a `threshold:` of 1 or more, a ratio")

    def check(live: Arm, shadow: Arm) -> Finding:
        before, after = amount(live), amount(shadow)
        if not _known(before) or not _known(after):
            return skipped("not measured on both sides")
        ratio = 1.0 if after <= before else after / before if before else inf
        detail, distance = f"{ratio:.3g} times as much", min(1.0, log(ratio) / log(FARTHEST))
        return differ(distance, detail, (path,)) if ratio > limit else same(detail, distance)

    return check


def _known(amount: float) -> bool:
    return amount >= 0


def _within(amount: float, limit: float, unit: str) -> Finding:
    detail = f"{amount:.6g} {unit}"
    return passed(detail) if amount <= limit else failed(f"{detail}, limit {limit:.6g}")


def _required(params: Params, unit: str) -> float:
    if params.threshold is None:
        raise BadCheck(f"{params.type} needs a `threshold:` in {unit}")
    return params.limit(0)
