"""Pairs to and from files, one JSON object per line. Used by `pairs export` and `replay`; the form is config.wire's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from config import wire
from config.pair import Pair
from config.wire import WireError


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that holds no pair; as text it reads file:line: reason."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


def dump(pairs: Iterable[Pair], file: BinaryIO) -> int:
    """Write the pairs, one line each; returns how many. Raises OSError."""
    written = 0
    for pair in pairs:
        file.write(orjson.dumps(wire.to_json(pair)) + b"\n")
        written += 1
    return written


def load(path: Path) -> Iterator[Pair | BadLine]:
    """Every pair of a file, and a BadLine for every line that is none; blank lines are nothing. Raises OSError.

    A bad line is yielded and not raised, so that one of them does not hide the rest; the caller decides.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _pair(line, str(path), number)


def _pair(line: bytes, file: str, number: int) -> Pair | BadLine:
    try:
        record = orjson.loads(line)
    except ValueError:
        return BadLine(file, number, "not JSON")
    if not isinstance(record, dict):
        return BadLine(file, number, "not a JSON object")
    try:
        return wire.from_json(record)
    except WireError as error:
        return BadLine(file, number, str(error))
