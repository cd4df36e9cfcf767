"""The methods and functions that a transform may call, by name. Neighbours: values, whose they are, and parsing.

Everything else is refused when the transform is read, so a name is here or it is no part of the language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import regex

from evaluators.core.transform import values
from evaluators.core.transform.values import (
    MAX_TEXT,
    UNDEFINED,
    WHITE,
    Budget,
    Regex,
    TooMuch,
    Unfit,
    argument,
    joined,
    truthy,
    whole,
)

Method = Callable[[Any, Sequence[Any], Budget], Any]


def called(value: Any, name: str, arguments: Sequence[Any], budget: Budget) -> Any:
    """`value.name(arguments)`; raises Unfit where this value has no such method."""
    table = next((table for kind, table in _TABLES if isinstance(value, kind)), {})
    if name not in table:
        raise Unfit(f"there is no {name}() on {_KINDS.get(type(value), 'this value')}")
    budget.spend(1 + len(value) // 64 if isinstance(value, str | list) else 1)
    return table[name](value, arguments, budget)


def _replace(text: str, arguments: Sequence[Any], every: bool) -> str:
    wanted, new = argument(arguments, 0), joined(argument(arguments, 1))
    pattern = wanted.pattern if isinstance(wanted, Regex) else regex.compile(regex.escape(joined(wanted)))
    room = MAX_TEXT

    def one(match: regex.Match[str]) -> str:
        nonlocal room
        made = _REFERENCE.sub(lambda part: _referred(part[1], match), new) if "$" in new else new
        room -= len(made)
        if room < 0:
            raise TooMuch("the transform makes a text that is too long")
        return made

    often = 0 if every or (isinstance(wanted, Regex) and wanted.every) else 1
    return str(values.timed(pattern.sub, one, text, often))


def _referred(name: str, match: regex.Match[str]) -> str:
    """What `$1`, `$&`, `$$` or `$<name>` stands for in a replacement."""
    if name in "$&":
        return "$" if name == "$" else match[0]
    group: Any = name[1:-1] if name.startswith("<") else int(name)
    try:
        return match[group] or ""
    except IndexError:
        return f"${name}"


def _split(text: str, arguments: Sequence[Any], budget: Budget) -> list[Any]:
    separator, limit = argument(arguments, 0), whole(argument(arguments, 1), MAX_TEXT)
    if separator is UNDEFINED:
        parts: list[Any] = [text]
    elif isinstance(separator, Regex):
        parts = [UNDEFINED if one is None else one for one in values.timed(separator.pattern.split, text)]
    else:
        parts = text.split(joined(separator)) if joined(separator) else list(text)
    budget.spend(len(parts))
    return parts[:limit]


def _match(text: str, arguments: Sequence[Any], budget: Budget) -> Any:
    wanted = values.as_regex(argument(arguments, 0))
    if not wanted.every:
        first = values.timed(wanted.pattern.search, text)
        return None if first is None else values.found(first)
    every = [one[0] for one in values.timed(wanted.pattern.finditer, text)]
    budget.spend(len(every))
    return every or None


def _index(text: str, arguments: Sequence[Any], budget: Budget) -> int:
    return text.find(joined(argument(arguments, 0)), max(0, whole(argument(arguments, 1), 0)))


def _substring(text: str, arguments: Sequence[Any], budget: Budget) -> str:
    start, end = sorted(
        min(max(0, whole(argument(arguments, at), default)), len(text)) for at, default in enumerate((0, len(text)))
    )
    return text[start:end]


def _at(value: Any, arguments: Sequence[Any], budget: Budget) -> Any:
    position = whole(argument(arguments, 0), 0)
    return value[position] if -len(value) <= position < len(value) else UNDEFINED


def _join(parts: list[Any], arguments: Sequence[Any], budget: Budget) -> str:
    given = argument(arguments, 0)
    between = "," if given is UNDEFINED else joined(given)
    texts = ["" if one is None or one is UNDEFINED else joined(one) for one in parts]
    if sum(map(len, texts)) + len(between) * len(texts) > MAX_TEXT:
        raise TooMuch("the transform makes a text that is too long")
    return between.join(texts)


def _each(parts: list[Any], arguments: Sequence[Any], budget: Budget) -> Iterator[tuple[Any, Any]]:
    judge = argument(arguments, 0)
    if not callable(judge):
        raise Unfit("a function belongs here, like x => x.name")
    for position, one in enumerate(parts):
        budget.spend()
        yield one, judge(one, position)


def _holds(value: Any, arguments: Sequence[Any], budget: Budget) -> bool:
    wanted = argument(arguments, 0)
    if isinstance(value, str):
        return joined(wanted) in value
    return any(values.loosely(one, wanted) for one in value)


def _place(parts: list[Any], arguments: Sequence[Any], budget: Budget) -> int:
    return next((at for at, one in enumerate(parts) if values.loosely(one, argument(arguments, 0))), -1)


_REFERENCE = regex.compile(r"\$(\$|&|\d{1,2}|<\w+>)")
_KINDS: dict[type, str] = {str: "a text", list: "a list", dict: "an object", values.Nothing: "undefined"}

_TEXT: dict[str, Method] = {
    "trim": lambda text, _, __: text.strip(WHITE),
    "trimStart": lambda text, _, __: text.lstrip(WHITE),
    "trimEnd": lambda text, _, __: text.rstrip(WHITE),
    "toLowerCase": lambda text, _, __: text.lower(),
    "toUpperCase": lambda text, _, __: text.upper(),
    "toString": lambda text, _, __: text,
    "slice": lambda text, given, _: values.cut(text, given),
    "substring": _substring,
    "at": _at,
    "charAt": lambda text, given, _: text[slice(whole(argument(given, 0), 0), whole(argument(given, 0), 0) + 1)],
    "split": _split,
    "replace": lambda text, given, _: _replace(text, given, False),
    "replaceAll": lambda text, given, _: _replace(text, given, True),
    "match": _match,
    "includes": _holds,
    "indexOf": _index,
    "startsWith": lambda text, given, _: text.startswith(joined(argument(given, 0))),
    "endsWith": lambda text, given, _: text.endswith(joined(argument(given, 0))),
    "concat": lambda text, given, _: values.sized(text + "".join(map(joined, given))),
}
_LIST: dict[str, Method] = {
    "slice": lambda parts, given, _: values.cut(parts, given),
    "at": _at,
    "join": _join,
    "includes": _holds,
    "indexOf": _place,
    "toString": lambda parts, _, __: joined(parts),
    "map": lambda parts, given, budget: [made for _, made in _each(parts, given, budget)],
    "filter": lambda parts, given, budget: [one for one, kept in _each(parts, given, budget) if truthy(kept)],
    "find": lambda parts, given, budget: next(
        (one for one, kept in _each(parts, given, budget) if truthy(kept)), UNDEFINED
    ),
    "some": lambda parts, given, budget: any(truthy(kept) for _, kept in _each(parts, given, budget)),
    "every": lambda parts, given, budget: all(truthy(kept) for _, kept in _each(parts, given, budget)),
}
_REGEX: dict[str, Method] = {
    "test": lambda one, given, _: values.timed(one.pattern.search, joined(argument(given, 0))) is not None,
    "exec": lambda one, given, budget: _match(joined(argument(given, 0)), [Regex(one.pattern, False)], budget),
}
_OTHER: dict[str, Method] = {
    "toString": lambda value, _, __: joined(value),
    "toFixed": lambda value, given, _: f"{values.number(value):.{min(max(whole(argument(given, 0), 0), 0), 20)}f}",
}
_TABLES: tuple[tuple[type | tuple[type, ...], dict[str, Method]], ...] = (
    (str, _TEXT),
    (list, _LIST),
    (Regex, _REGEX),
    ((bool, int, float), _OTHER),
)

METHODS = frozenset(name for _, table in _TABLES for name in table)
TAKE_FUNCTIONS = frozenset({"map", "filter", "find", "some", "every"})

FUNCTIONS: dict[str, Method] = {
    "JSON.parse": lambda _, given, budget: _read(given, budget),
    "JSON.stringify": lambda _, given, __: values.stringify(argument(given, 0), whole(argument(given, 2), 0)),
    "Object.keys": lambda _, given, __: list(_table(given)),
    "Object.values": lambda _, given, __: list(_table(given).values()),
    "String": lambda _, given, __: joined(argument(given, 0)),
    "Number": lambda _, given, __: values.number(argument(given, 0)),
    "Boolean": lambda _, given, __: truthy(argument(given, 0)),
}
"""Functions that belong to no value."""


def _read(arguments: Sequence[Any], budget: Budget) -> Any:
    text = argument(arguments, 0)
    budget.spend(1 + len(text) // 64 if isinstance(text, str) else 1)
    return values.parse(text)


def _table(arguments: Sequence[Any]) -> dict[str, Any]:
    """What Object.keys sees: the characters of a text, the places of a list, nothing on a number."""
    given = argument(arguments, 0)
    if given is None or given is UNDEFINED:
        raise Unfit("an object belongs here")
    if isinstance(given, str | list):
        return {str(position): one for position, one in enumerate(given)}
    return given if isinstance(given, dict) else {}
