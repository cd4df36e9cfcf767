"""Files that checks name: `file://PATH` -> its content. Read while checks are built; the door `read` of wiring."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from evaluators.core.finding import BadCheck

MAX_FILE = 32 << 20
"""Bytes of one file: a golden set of 10 000 items with a page of text each."""

MAX_REPEATED = 100_000
"""Values of a YAML file with its aliases written out, where they are more than ten times those that stand there."""

_FILE = "file://"
_BEYOND = "\0"  # no name of a column: cells for which the first row has none


def read(url: str) -> Any:
    """Parsed for .json, .yaml, .yml and .jsonl, rows for .csv, trimmed text for anything else; raises BadCheck."""
    path = Path(url.removeprefix(_FILE))
    return parse(content(path), path)


def content(path: Path) -> str:
    """The text of a file; raises BadCheck."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise BadCheck(f"the file {path} is larger than {MAX_FILE >> 20} MiB; split it")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise BadCheck(
            f"the file {path} cannot be read: {error.strerror}; check the path and its permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise BadCheck(f"the file {path} is not UTF-8; save it as UTF-8") from error


def parse(text: str, path: Path) -> Any:
    """The content by the name's ending; raises BadCheck with the place of what cannot be read."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        return text.strip()
    try:
        return reader(text)
    except json.JSONDecodeError as error:
        raise BadCheck(f"{path}:{error.lineno}:{error.colno}: this is not JSON; mend it here") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise BadCheck(f"{path}:{place}: this is not YAML; check indentation, colons and quotes here") from error
    except (yaml.YAMLError, csv.Error, ValueError, RecursionError) as error:
        raise BadCheck(f"the file {path} cannot be read as {path.suffix[1:]}; mend it or save it anew") from error


def lines(text: str) -> list[str]:
    """The lines of a .jsonl file: a text inside may hold what else ends a line, such as U+2028."""
    return text.split("\n")


def refuse_bomb(text: str, path: Path) -> None:
    """Raise BadCheck for YAML whose aliases repeat a text millions of times; what is no YAML is not looked at."""
    try:
        _refuse_repeats(yaml.compose(text, Loader=yaml.BaseLoader))
    except (yaml.YAMLError, RecursionError):
        return
    except ValueError as error:
        raise BadCheck(f"the file {path}: {error}; write fewer of them") from error


class _Core(yaml.SafeLoader):
    """YAML 1.2's core words, as the configuration and promptfoo have them: `no` is a text, and so is a date."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - how PyYAML declares it


_WORDS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]{1,18}", list("-+0123456789")),
    "float": (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?", list("-+.0123456789")),
    "merge": ("<<", ["<"]),
}
for _word, (_pattern, _first) in _WORDS.items():
    _Core.add_implicit_resolver(f"tag:yaml.org,2002:{_word}", re.compile(rf"(?:{_pattern})\Z"), _first)
_Core.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))  # 010 is ten
_Core.add_constructor("tag:yaml.org,2002:float", lambda _, node: float(node.value))


def _lines(text: str) -> list[Any]:
    return [json.loads(line) for line in lines(text) if line.strip()]


def _rows(text: str) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(text, newline=""), restkey=_BEYOND, restval="", strict=True))
    if any(_BEYOND in row for row in rows):
        raise ValueError("a row has more cells than the first row has names")
    return [{(name or "").strip(): cell for name, cell in row.items()} for row in rows]


def _yaml(text: str) -> Any:
    loader = _Core(text)  # a SafeLoader with fewer words
    try:
        node = loader.get_single_node()
        _refuse_repeats(node)
        return None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _refuse_repeats(node: yaml.Node | None) -> None:
    known: dict[int, int] = {}
    if node is not None and _written_out(node, known) > max(MAX_REPEATED, 10 * len(known)):
        raise ValueError("the aliases repeat too much")


def _written_out(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node has with every alias written out; raises ValueError for one inside itself."""
    if id(node) in known:
        if not known[id(node)]:
            raise ValueError("an alias contains itself")
        return known[id(node)]
    known[id(node)] = 0
    parts = node.value if isinstance(node, yaml.CollectionNode) else ()
    inner = (one for part in parts for one in (part if isinstance(part, tuple) else (part,)))
    known[id(node)] = 1 + sum(_written_out(one, known) for one in inner)
    return known[id(node)]


_READERS: dict[str, Callable[[str], Any]] = {
    ".json": json.loads,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".jsonl": _lines,
    ".csv": _rows,
}
