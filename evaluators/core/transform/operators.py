"""What the marks between the words of a transform do. Neighbours: parsing puts them together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from evaluators.core.transform import values
from evaluators.core.transform.values import UNDEFINED, Budget, member, truthy

Run = Callable[[Mapping[str, Any], Budget], Any]
"""Names in scope, and what may still be spent -> a value."""
Link = Callable[[Any, Mapping[str, Any], Budget], Any]
"""The same on a value: a member, an index or a call."""


def constant(value: Any) -> Run:
    """Always this value."""
    return lambda scope, budget: value


def statements(steps: list[tuple[str, Run]], result: Run) -> Run:
    """Names given one after the other, then the result."""

    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        known = dict(scope)
        for name, step in steps:
            known[name] = step(known, budget)
        return result(known, budget)

    return run


def choice(condition: Run, yes: Run, no: Run) -> Run:
    """`condition ? yes : no`."""
    return lambda scope, budget: (yes if truthy(condition(scope, budget)) else no)(scope, budget)


def indexed(index: Run) -> Link:
    """`value[index]`."""
    return lambda value, scope, budget: member(value, index(scope, budget))


def chain(run: Run, links: list[tuple[bool, Link]]) -> Run:
    """Members, indices and calls; after `?.` on nothing, the rest of the chain gives undefined."""

    def follow(scope: Mapping[str, Any], budget: Budget) -> Any:
        value = run(scope, budget)
        for soft, link in links:
            if soft and (value is None or value is UNDEFINED):
                return UNDEFINED
            budget.spend()
            value = link(value, scope, budget)
        return value

    return follow


def signed(sign: str, run: Run) -> Run:
    """`!x`, `-x` or `+x`."""
    if sign == "!":
        return lambda scope, budget: not truthy(run(scope, budget))
    factor = -1 if sign == "-" else 1
    return lambda scope, budget: factor * values.number(run(scope, budget))


def _either(one: Run, other: Run) -> Run:
    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        first = one(scope, budget)
        return first if truthy(first) else other(scope, budget)

    return run


def _both(one: Run, other: Run) -> Run:
    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        first = one(scope, budget)
        return other(scope, budget) if truthy(first) else first

    return run


def _present(one: Run, other: Run) -> Run:
    def run(scope: Mapping[str, Any], budget: Budget) -> Any:
        first = one(scope, budget)
        return other(scope, budget) if first is None or first is UNDEFINED else first

    return run


def _of(operate: Callable[[Any, Any], Any]) -> Callable[[Run, Run], Run]:
    return lambda one, other: lambda scope, budget: operate(one(scope, budget), other(scope, budget))


def _sum(one: Any, other: Any) -> Any:
    if isinstance(one, str | list | dict) or isinstance(other, str | list | dict):
        return values.sized(values.joined(one) + values.joined(other))
    return values.number(one) + values.number(other)


def _compared(judge: Callable[[Any, Any], bool]) -> Callable[[Run, Run], Run]:
    def either(one: Any, other: Any) -> bool:
        if isinstance(one, str) and isinstance(other, str):
            return judge(one, other)
        return judge(values.number(one), values.number(other))

    return _of(either)


LEVELS: tuple[dict[str, Callable[[Run, Run], Run]], ...] = (
    {"||": _either, "??": _present},
    {"&&": _both},
    {
        "===": _of(values.loosely),
        "==": _of(values.loosely),
        "!==": _of(lambda one, other: not values.loosely(one, other)),
        "!=": _of(lambda one, other: not values.loosely(one, other)),
    },
    {
        "<": _compared(lambda one, other: one < other),
        ">": _compared(lambda one, other: one > other),
        "<=": _compared(lambda one, other: one <= other),
        ">=": _compared(lambda one, other: one >= other),
    },
    {"+": _of(_sum), "-": _of(lambda one, other: values.number(one) - values.number(other))},
    {
        "*": _of(lambda one, other: values.number(one) * values.number(other)),
    },
)
"""From the loosest to the tightest."""
