"""Recorded real answers in place of fake models: read and checked here, served by models, asked by traffic.

A file holds JSON (a list) or JSONL, one item each: `messages` or `instruction`, `output`, and optionally `id` and
`tags`. Items of several files belong together by `id`, or by what was asked when there is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class BadAnswers(ValueError):
    """A file of recorded answers that cannot be used; the text is `file:line: what and what to do`."""


@dataclass(frozen=True, slots=True)
class Item:
    """One recorded answer."""

    key: str  # the item's id, or what was asked
    messages: tuple[Mapping[str, str], ...]
    output: str
    tags: Mapping[str, str] = field(default_factory=dict)


def read(path: Path) -> dict[str, Item]:
    """The items of one file by key; raises BadAnswers with the place of the first mistake."""
    items: dict[str, Item] = {}
    for place, record in _records(path):
        item = _item(place, record)
        if item.key in items:
            raise BadAnswers(f"{place}: the item {item.key[:40]!r} is there twice; give every item an `id` of its own")
        items[item.key] = item
    if not items:
        raise BadAnswers(f"{path}: no items; write one JSON object a line with `messages` and `output`")
    return items


def common(arms: Mapping[str, Mapping[str, Item]]) -> list[str]:
    """The keys that every arm has an answer for, in the order of the first; raises BadAnswers when there is none."""
    first, *others = arms.values()
    keys = [key for key in first if all(key in other for other in others)]
    if not keys:
        raise BadAnswers(f"the files of {', '.join(arms)} have no item in common; compare their `id` fields")
    return keys


def _records(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadAnswers(f"{path}: cannot be read ({type(error).__name__}); give a JSON or JSONL file") from error
    if text.lstrip().startswith("["):
        yield from ((f"{path}: item {index}", record) for index, record in enumerate(_json(f"{path}:1", text), 1))
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield f"{path}:{number}", _json(f"{path}:{number}", line)


def _json(place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadAnswers(f"{place}: not JSON ({error}); write one JSON object a line") from error


def _item(place: str, record: Any) -> Item:
    if not isinstance(record, dict) or not isinstance(record.get("output"), str):
        raise BadAnswers(f"{place}: an item is an object with a text `output`")
    messages = record.get("messages")
    if messages is None and isinstance(record.get("instruction"), str):
        messages = [{"role": "user", "content": record["instruction"]}]
    if not isinstance(messages, list) or not messages or not all(isinstance(message, dict) for message in messages):
        raise BadAnswers(f"{place}: an item needs `messages` (a list) or `instruction` (a text)")
    tags = record.get("tags", {})
    if not isinstance(tags, dict):
        raise BadAnswers(f"{place}: `tags` is an object of texts")
    key = str(record.get("id") or json.dumps(messages, sort_keys=True))
    return Item(key, tuple(messages), record["output"], {str(name): str(value) for name, value in tags.items()})
