"""promptfoo's templates: `{{ name }}` filled from a test's variables. What goes further is refused by name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

MAX_DEPTH = 5
"""Variables inside variables."""
MAX_TEXT = 1 << 20

_PIECE = re.compile(r"\{#[\s\S]*?#\}|\{%[\s\S]*?%\}|\{\{([\s\S]*?)\}\}")
_PATH = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_0-9]\w*|\[\s*(?:\d+|\"[^\"]*\"|'[^']*')\s*\])*", re.ASCII)
_STEP = re.compile(r"\.(\w+)|\[\s*(?:(\d+)|\"([^\"]*)\"|'([^']*)')\s*\]|^([\w-]+)", re.ASCII)


class Unfilled(ValueError):
    """A template that has no value here; the text names it, and the remedy."""


def filled(text: str, variables: Mapping[str, Any], depth: int = 0) -> str:
    """The text with every `{{ … }}` replaced; raises Unfilled."""
    if depth > MAX_DEPTH:
        raise Unfilled("variables that contain each other have no end; write one of them out")

    def one(match: re.Match[str]) -> str:
        if match[0].startswith("{#"):
            return ""
        if match[1] is None:
            raise Unfilled(f"{match[0]} is a statement of the template language; write the text out")
        return _shown(_value(match[1].strip("- \t\n"), variables, depth))

    found = _PIECE.sub(one, text)
    if len(found) > MAX_TEXT:
        raise Unfilled(f"the text is longer than {MAX_TEXT} characters once filled; shorten it")
    return found


def has_template(found: Any) -> bool:
    """True where a text, or a text of a list, is to be filled."""
    texts = found if isinstance(found, list) else [found]
    return any(isinstance(text, str) and _PIECE.search(text) for text in texts)


def names(found: Any) -> frozenset[str]:
    """The variables that a text, or the texts of a list, ask for."""
    texts = [text for text in (found if isinstance(found, list) else [found]) if isinstance(text, str)]
    pieces = [match[1] for text in texts for match in _PIECE.finditer(text) if match[1]]
    return frozenset(re.split(r"[.|\[]", piece)[0].strip("- \t\n") for piece in pieces)


def _value(expression: str, variables: Mapping[str, Any], depth: int) -> Any:
    path, *filters = (part.strip() for part in expression.split("|"))
    if not _PATH.fullmatch(path) or any(name not in _FILTERS for name in filters):
        raise Unfilled(f"{{{{{expression}}}}} goes beyond a variable and {', '.join(_FILTERS)}; write the value out")
    value: Any = variables
    for step in _STEP.finditer(path):
        key = next(group for group in step.groups() if group is not None)
        value = _inside(value, key)
        if value is None:
            raise Unfilled(f"{{{{{expression}}}}} has no value here; give it in `vars:`, or write the value out")
    if isinstance(value, str) and has_template(value):
        value = filled(value, variables, depth + 1)
    for name in filters:
        value = _FILTERS[name](value)
    return value


def _inside(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, list) and key.isdigit() and int(key) < len(value):
        return value[int(key)]
    return None


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_FILTERS: dict[str, Callable[[Any], Any]] = {
    "trim": lambda value: _shown(value).strip(),
    "upper": lambda value: _shown(value).upper(),
    "lower": lambda value: _shown(value).lower(),
    "safe": lambda value: value,
    "dump": lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
}
