"""How a configuration names steps and spans: patterns, bounds and tables of known keys. Used by calls and spans."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from evaluators.core.finding import BadCheck, Params

Fits = Callable[[str], bool]

_KIND = "tool"


@dataclass(frozen=True, slots=True)
class Step:
    """Which tool calls are meant."""

    label: str
    fits: Fits
    unseen: str = ""  # why it cannot be told, where it cannot


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many are allowed; both ends are."""

    low: float
    high: float

    def hold(self, count: int) -> bool:
        """True when this many are within them."""
        return self.low <= count <= self.high

    def __str__(self) -> str:
        return f"at least {self.low:g}" if self.high == inf else f"{self.low:g} to {self.high:g}"


def glob(pattern: str) -> Fits:
    """A test for names: `*` is any characters, `?` is one, the case does not count, and the whole name must fit.

    Each piece between two stars is looked for once, from left to right, so that the work is that of the name's length
    times the pattern's, whoever chose the name.
    """
    first, *rest = [re.escape(piece).replace(r"\?", ".") for piece in pattern.split("*")]
    if not rest:
        return _matcher(first)
    *middle, last = rest
    return _matcher(first + "".join(f"(?>.*?{piece})" for piece in middle if piece) + ".*" + last)


def table(params: Params, value: Any, *known: str) -> Mapping[str, Any]:
    """The value as a table that has no other keys than these."""
    if not isinstance(value, dict):
        raise BadCheck(f"{params.type} needs a `value:` with {', '.join(known)}")
    unknown = sorted(str(key) for key in value.keys() - set(known))
    if unknown:
        raise BadCheck(f"{params.type} reads no `{unknown[0]}`; known: {', '.join(known)}")
    return value


def step(params: Params, value: Any) -> Step:
    """One step: a pattern, or a table with `pattern` or `name` (which is a pattern too) and perhaps `type`."""
    fields = {"pattern": value} if isinstance(value, str) else value
    pattern = (fields.get("pattern") or fields.get("name")) if isinstance(fields, dict) else None
    if not isinstance(pattern, str) or not pattern.strip():
        raise BadCheck(f"{params.type} needs the name of a tool, or a `pattern` such as search_*")
    return Step(pattern, glob(pattern), unseen(params, fields))


def unseen(params: Params, fields: Mapping[str, Any]) -> str:
    """Why steps of this `type` cannot be counted; "" where they can."""
    kinds = fields.get("type") or _KIND
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(kinds, list) or not kinds or not all(isinstance(kind, str) for kind in kinds):
        raise BadCheck(f"{params.type} needs a `type` that is a word, or a list of them")
    others = [kind for kind in kinds if kind != _KIND]
    return f"only tool calls are seen here, no steps of type {', '.join(others)}" if others else ""


def bounds(params: Params, fields: Mapping[str, Any], low: float) -> Bounds:
    """`min` and `max` of a table; `low` where no `min` is given."""
    least, most = (number(params, fields, name, other) for name, other in (("min", low), ("max", inf)))
    if most < least:
        raise BadCheck(f"{params.type} can never hold: `max` {most:g} is below `min` {least:g}")
    return Bounds(least, most)


def number(params: Params, fields: Mapping[str, Any], name: str, other: float) -> float:
    """A number of zero or more from a table; `other` where it is not given."""
    value = fields.get(name)
    if value is None:
        return other
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < inf:
        raise BadCheck(f"{params.type} needs a `{name}` of zero or more")
    return float(value)


def _matcher(expression: str) -> Fits:
    compiled = re.compile(expression, re.IGNORECASE | re.DOTALL)
    return lambda name: compiled.fullmatch(name) is not None
