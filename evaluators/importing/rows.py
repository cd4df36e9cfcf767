"""A row of a table of tests, and promptfoo's short form of an assertion, as promptfoo reads them. Neighbours: cases."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from evaluators.core.finding import fields

_SHORT = re.compile(r"(not-)?((?:(?:trajectory|similar):)?[a-z][a-z0-9-]*)(?:\((\d+(?:\.\d+)?)\))?(?::([\s\S]*))?")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_CONFIG = re.compile(r"__config:__expected(\d*):threshold")
_CODE = {"javascript:": "javascript", "fn:": "javascript", "eval:": "javascript", "python:": "python"}
_RUBRIC = {"grade:": "llm-rubric", "llm-rubric:": "llm-rubric"}
_LISTS = frozenset({"contains-all", "contains-any", "icontains-all", "icontains-any"})
_THRESHOLD = frozenset(
    "answer-relevance classifier context-faithfulness context-recall context-relevance cost latency levenshtein "
    "perplexity-score perplexity rouge-n similar starts-with".split()
)
"""Types of which the short form has a threshold: 0.75 where none is written. Elsewhere it is dropped."""
_UNREAD_THRESHOLD = frozenset({"starts-with"})


class BadRow(ValueError):
    """A cell that cannot be read; the text names the column."""


def assertion(cell: str, types: Collection[str]) -> dict[str, Any]:
    """`type(threshold):value`, `not-type:value`, `grade:…`, `python:…`; a bare value is what the answer equals."""
    for table in (_CODE, _RUBRIC):
        for prefix, kind in table.items():
            if cell.startswith(prefix):
                value = cell.removeprefix(prefix)
                return {"type": kind, "value": value.strip() if table is _CODE else value}
    if cell.startswith("file://"):
        return {"type": "python" if re.search(r"\.py(:|$)", cell) else "javascript", "value": cell}
    match = _SHORT.fullmatch(cell)
    if match is None or match[2] not in types:
        return {"type": "equals", "value": cell}
    return _spelled_out(match)


def test_of(row: Mapping[str, str], types: Collection[str]) -> dict[str, Any]:
    """A row as a test: `__` columns say what they say, every other one is a variable. Raises BadRow."""
    variables: dict[str, str] = {}
    test: dict[str, Any] = {"vars": variables, "assert": [], "options": {}}
    thresholds: dict[int, float] = {}
    for key, cell in row.items():
        if key.startswith("__expected"):
            if cell.strip():
                test["assert"].append(assertion(cell.strip(), types))
        elif (match := _CONFIG.fullmatch(key)) is not None:
            thresholds[int(match[1] or 1) - 1] = _number(key, cell)
        elif key.startswith("__config:"):
            raise BadRow(f"the column {key} is not understood; write __config:__expected1:threshold")
        elif not _special(test, key, cell):
            variables[key] = cell
    for position, one in enumerate(test["assert"]):
        one.update({"metric": row["__metric"]} if row.get("__metric") else {})
        one.update({"threshold": thresholds[position]} if position in thresholds else {})
    return test


def _spelled_out(match: re.Match[str]) -> dict[str, Any]:
    kind, value = match[2], match[4]
    found: dict[str, Any] = {"type": f"{match[1] or ''}{kind}"}
    if value is not None:
        found["value"] = list(fields(value)) if kind in _LISTS else value if kind.endswith("-json") else value.strip()
    if kind in _THRESHOLD - _UNREAD_THRESHOLD:
        found["threshold"] = _plain(match[3]) if match[3] else 0.75
    if found.get("value") == "" and kind in _THRESHOLD:
        del found["value"]
    return found


def _special(test: dict[str, Any], key: str, cell: str) -> bool:
    """Columns with a meaning of their own; True where this is one."""
    if key == "__threshold":
        test.update({"threshold": _plain(cell)} if _NUMBER.fullmatch(cell.strip()) else {})
    elif key == "__description":
        test["description"] = cell
    elif key in ("__prefix", "__suffix"):
        test["options"][key.removeprefix("__")] = cell
    elif key.startswith("__metadata:"):
        test.setdefault("metadata", {})[key.removeprefix("__metadata:").removesuffix("[]")] = cell
    return key.startswith("__metadata") or key in ("__threshold", "__description", "__prefix", "__suffix", "__metric")


def _number(key: str, cell: str) -> float:
    if not _NUMBER.fullmatch(cell.strip()):
        raise BadRow(f"the column {key} has no number")
    return _plain(cell)


def _plain(text: str) -> float:
    found = float(text)
    return int(found) if found.is_integer() else found
