"""Places in JSON named by a person: `metadata.documents[*].text`, or RFC 6901, `/items/0/price`.

Used by sources, and by checks that look into an answer. Both forms know `*` for all items or members, and indexes
from the end.
"""

from __future__ import annotations

import re
from typing import Any

MAX_VALUES = 10_000
"""Values a path may lead to at each step; a request has as many documents in no sane case."""

_NAMED, _BRACKETED = r"[^.\[\]\"]+", r"\[(?:\*|-?\d{1,9}|\"[^\"]*\")\]"
_WHOLE = re.compile(rf"(?!\$$)(?:\$\.?)?(?:{_NAMED}|{_BRACKETED})(?:\.{_NAMED}|{_BRACKETED})*")
_STEP = re.compile(rf"({_NAMED})|\[(\*|-?\d+)\]|\[\"([^\"]*)\"\]")
_INDEX = re.compile(r"-?\d{1,9}")

Path = tuple[str, ...]


class BadPath(ValueError):
    """A path that cannot be read; the text says how one is written."""


def path_of(text: str) -> Path:
    """The steps of a path; raises BadPath."""
    if text.startswith("/"):
        return tuple(step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/"))
    if not _WHOLE.fullmatch(text):
        raise BadPath(f"{text!r} is no path; write one such as metadata.documents[*].text or /items/0/price")
    return tuple("".join(step) for step in _STEP.findall(text.removeprefix("$").removeprefix(".")))


def values_at(value: Any, path: Path) -> tuple[Any, ...]:
    """Everything that the path leads to, in order; () where it leads nowhere."""
    values = [value]
    for step in path:
        values = [inner for outer in values for inner in _below(outer, step)][:MAX_VALUES]
    return tuple(values)


def _below(value: Any, step: str) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values()) if step == "*" else [value[step]] if step in value else []
    if not isinstance(value, list):
        return []
    if step == "*":
        return value
    return value[int(step) :][:1] if _INDEX.fullmatch(step) and -len(value) <= int(step) else []
