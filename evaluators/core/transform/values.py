"""What JavaScript's values do, as far as transforms need them. Neighbours: parsing calls it, pattern has the regexes.

Texts are counted in characters, not in UTF-16 units as in JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import isfinite, isnan, nan
from typing import Any

import orjson
import regex

from evaluators.core.ecma import TIMEOUT, BadPattern, compiled

MAX_STEPS = 200_000
"""Steps of one evaluation: about a quarter of a second. An answer of 100 000 lines can be mapped once."""
MAX_TEXT = 4 << 20
"""Characters of any text on the way: four times the largest captured answer at the default."""

_WHITE = (
    "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f"
)
WHITE = _WHITE + "\u3000\ufeff"


class Unfit(Exception):
    """The expression fails on this answer: the answer is not what it takes."""


class TooMuch(Exception):
    """The evaluation was stopped: it says nothing about the answer."""


class Nothing(Enum):
    """JavaScript's other null."""

    UNDEFINED = "undefined"


UNDEFINED = Nothing.UNDEFINED


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression literal."""

    pattern: regex.Pattern[str]
    every: bool  # flag g


class Match(list[Any]):
    """What `match` gives: the groups in order, by name, and where it began."""

    named: dict[str, Any]
    start: int


class Budget:
    """The steps that are left."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def spend(self, steps: int = 1) -> None:
        """Raise TooMuch when there are no more."""
        self._left -= steps
        if self._left < 0:
            raise TooMuch("the transform takes too many steps")


def truthy(value: Any) -> bool:
    """JavaScript's truth: an empty list and an empty object are true."""
    if value is UNDEFINED or (isinstance(value, float) and isnan(value)):
        return False
    return isinstance(value, list | dict | Regex) or bool(value)


def as_text(value: Any) -> str:
    """A value as the text that checks see: text as it is, everything else as JSON."""
    return sized(value) if isinstance(value, str) else stringify(value)


def stringify(value: Any, indent: int = 0) -> str:
    """JSON.stringify."""
    try:
        option = orjson.OPT_INDENT_2 if indent else 0
        return sized(orjson.dumps(_plain(value), option=option | orjson.OPT_NON_STR_KEYS).decode())
    except (TypeError, orjson.JSONEncodeError) as error:
        raise Unfit("the value cannot be written as JSON") from error


def parse(text: Any) -> Any:
    """JSON.parse. What the API gave as an object already stays one, where promptfoo would fail."""
    if isinstance(text, dict | list):
        return text
    try:
        return orjson.loads(joined(text))
    except orjson.JSONDecodeError as error:
        raise Unfit("the answer is not JSON") from error


def joined(value: Any) -> str:
    """A value where JavaScript wants a text: `String(value)`."""
    if isinstance(value, str):
        return value
    if value is None or value is UNDEFINED:
        return "null" if value is None else "undefined"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, list):
        return sized(",".join("" if one is None or one is UNDEFINED else joined(one) for one in value))
    return "[object Object]"


def number(value: Any) -> float:
    """`Number(value)`."""
    if isinstance(value, bool | int | float):
        return float(value)
    text = joined(value).strip(WHITE)
    if value is None or not text:
        return 0.0
    return float(text) if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", text, re.I | re.A) else nan


def loosely(one: Any, other: Any) -> bool:
    """`===`, and `==` but for its conversions."""
    if isinstance(one, list | dict) or isinstance(other, list | dict):
        return one is other
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def member(value: Any, key: Any) -> Any:
    """`value[key]`; raises Unfit on null and undefined."""
    if value is None or value is UNDEFINED:
        raise Unfit(f"there is no {joined(key)!r} where nothing is")
    if isinstance(value, dict):
        return value.get(joined(key), UNDEFINED)
    if isinstance(value, Match) and key in ("groups", "index"):
        return value.named if key == "groups" else value.start
    if isinstance(value, str | list):
        if key == "length":
            return len(value)
        position = _position(key)
        return value[position] if position is not None and position < len(value) else UNDEFINED
    return UNDEFINED


def sized(text: str) -> str:
    """The text, unless it is too long."""
    if len(text) > MAX_TEXT:
        raise TooMuch("the transform makes a text that is too long")
    return text


def as_regex(value: Any, every: bool = False) -> Regex:
    """A regular expression, also from a text."""
    if isinstance(value, Regex):
        return value
    try:
        return Regex(compiled(joined(value)), every)
    except BadPattern as error:
        raise Unfit("the answer makes no regular expression") from error


def timed(search: Callable[..., Any], *given: Any) -> Any:
    """A search that ends."""
    try:
        return search(*given, timeout=TIMEOUT)
    except TimeoutError as error:
        raise TooMuch("the pattern takes too long") from error


def found(match: regex.Match[str]) -> Match:
    """A match as JavaScript gives it."""
    said = Match([match[0], *(UNDEFINED if group is None else group for group in match.groups())])
    said.named = {name: UNDEFINED if group is None else group for name, group in match.groupdict().items()}
    said.start = match.start()
    return said


def whole(value: Any, default: int) -> int:
    """An argument that counts something; the default where there is none."""
    if value is UNDEFINED:
        return default
    given = number(value)
    return int(given) if isfinite(given) else 0 if isnan(given) else (MAX_TEXT if given > 0 else -MAX_TEXT)


def cut(value: str | list[Any], arguments: Sequence[Any]) -> Any:
    """`slice`: Python's own, end included in its meaning."""
    return value[whole(argument(arguments, 0), 0) : whole(argument(arguments, 1), len(value))]


def argument(arguments: Sequence[Any], position: int) -> Any:
    """One argument; undefined where it is not given."""
    return arguments[position] if position < len(arguments) else UNDEFINED


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if one is not UNDEFINED}
    if isinstance(value, list):
        return [None if one is UNDEFINED else _plain(one) for one in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def _number(value: float) -> str:
    if not isfinite(value):
        return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    return re.sub(r"e([+-])0*", r"e\1", repr(value))


def _position(key: Any) -> int | None:
    if isinstance(key, str):
        return int(key) if re.fullmatch(r"0|[1-9]\d{0,8}", key, re.A) else None
    return (
        int(key)
        if isinstance(key, int | float) and not isinstance(key, bool) and key >= 0 and key == int(key)
        else None
    )
