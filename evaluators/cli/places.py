"""Settings that the evaluators accept too; what they refuse gets its file:line:column. Used by setup and running.

The file's language is checked by config.load. Which checks there are, and what each of them takes, only the evaluators
know; this joins their complaint with the place that it is about.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from config.load import ConfigError, Mistake
from config.load.document import read
from config.load.mistake import Place, dotted
from config.settings import Settings
from evaluators import wiring
from evaluators.cli.say import settings_of
from evaluators.core.finding import BadCheck
from evaluators.core.slicing import BadRule

_CHECK = re.compile(r"checks\[(\d+)\] ")
_TABLE = re.compile(r"(slices|topics): ")


def checked(file: Path) -> Settings:
    """The settings of a file, checks and slices tried out; raises ConfigError with every mistake."""
    settings = settings_of(file)
    try:
        wiring.observer(settings, 0.0)
    except (BadCheck, BadRule) as error:
        raise ConfigError(tuple(_mistakes(file, str(error)))) from error
    return settings


def _mistakes(file: Path, complaint: str) -> Iterator[Mistake]:
    text = file.read_text(encoding="utf-8-sig")
    places = read(text, os.environ, lambda _: True, lambda _, found: found).places
    for line in complaint.splitlines():
        place, said = _about(line)
        yield Mistake(str(file), *_nearest(places, place), dotted(place), said)


def _about(line: str) -> tuple[Place, str]:
    """What a line of the complaint is about, and what it says of it."""
    if check := _CHECK.match(line):
        return ("checks", int(check[1])), line[check.end() :]
    if table := _TABLE.match(line):
        return (table[1],), line[table.end() :]
    return (), line


def _nearest(places: Mapping[Place, tuple[int, int]], place: Place) -> tuple[int, int]:
    """Where it stands; what is there by default stands nowhere, and gets the beginning of the file."""
    return places.get(place, (1, 1)) if place else (1, 1)
