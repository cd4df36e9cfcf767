"""The JSON in an answer: the whole of it, or a block inside prose. Neighbours: structure compares what is found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

MAX_BLOCKS = 64
MAX_STARTS = 5_000
"""Opening brackets tried: a failed try costs about 1 µs, and prose or program text may hold many."""
_REREAD = 4
"""How often the text may be read again by tries that fail late (unclosed objects inside each other)."""

_START = re.compile(r"\{|\[\s*[\[{\"]")  # a bare "[1]" in prose is a citation, not data
_DECODER = json.JSONDecoder(parse_float=len, parse_int=len)  # extents only: the values come from orjson


@dataclass(frozen=True, slots=True)
class Block:
    """One JSON object or array found in a text."""

    value: Any
    size: int  # characters
    whole: bool  # True when the text is nothing else


def whole_json(text: str) -> tuple[Any, ...]:
    """The value of a text that is JSON and nothing else, as a tuple of one; () when it is not.

    Strict: no NaN, no lone surrogates, at most 1024 levels (the parser's limit).
    """
    try:
        return (orjson.loads(text),)
    except orjson.JSONDecodeError:
        return ()


def json_blocks(text: str) -> tuple[Block, ...]:
    """The JSON objects and arrays of a text, in order, at most MAX_BLOCKS; scalars are not blocks."""
    for value in whole_json(text):
        return (Block(value, len(text), True),) if isinstance(value, dict | list) else ()
    return tuple(_search(text))


def _search(text: str) -> Iterator[Block]:
    position, found, work = 0, 0, _REREAD * len(text)
    for _ in range(MAX_STARTS):
        start = _START.search(text, position)
        if start is None or work < 0 or found == MAX_BLOCKS:
            return
        end, read = _extent(text, start.start())
        work -= read
        position = max(end, start.start() + 1)
        for value in whole_json(text[start.start() : end]):
            found += 1
            yield Block(value, end - start.start(), False)


def _extent(text: str, start: int) -> tuple[int, int]:
    """Where the value that starts here ends (0 when it does not), and how many characters were read."""
    try:
        _, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        return 0, error.pos - start
    except RecursionError:
        return 0, len(text)
    return end, 0
