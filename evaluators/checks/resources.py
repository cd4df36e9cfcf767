"""Limits on what an answer took: latency and cost. Built by the registry in __init__."""

from __future__ import annotations

from evaluators.core.finding import Assert, BadCheck, CheckType, Finding, Params, assertion, broken, failed, passed


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


TYPES: tuple[CheckType, ...] = (latency, cost)

_UNKNOWN_TIME = broken("the time is not known")
_UNKNOWN_COST = broken("tokens or price are not known; see `prices:`")


def _known(amount: float) -> bool:
    return amount >= 0


def _within(amount: float, limit: float, unit: str) -> Finding:
    detail = f"{amount:.6g} {unit}"
    return passed(detail) if amount <= limit else failed(f"{detail}, limit {limit:.6g}")


def _required(params: Params, unit: str) -> float:
    if params.threshold is None:
        raise BadCheck(f"{params.type} needs a `threshold:` in {unit}")
    return params.limit(0)
