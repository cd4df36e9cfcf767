"""A file that is carried over, with the place of every value; what cannot be carried is noted there. For all here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.load import ConfigError, Mistake
from config.load.document import read
from config.load.mistake import Place, dotted
from evaluators import files
from evaluators.core.finding import BadCheck


@dataclass(slots=True)
class Notes:
    """What a person has to know about what was not carried over."""

    refused: list[Mistake] = field(default_factory=list)
    ignored: list[Mistake] = field(default_factory=list)  # says nothing about answers, so nothing is lost


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its values, and where each stands."""

    path: Path
    values: Any
    places: Mapping[Place, tuple[int, int]]
    notes: Notes

    def refuse(self, place: Place, why: str) -> None:
        """Note that what stands here is not carried over; the text holds the remedy."""
        self.notes.refused.append(self._mistake(place, why))

    def ignore(self, place: Place, why: str) -> None:
        """Note that what stands here says nothing about answers."""
        self.notes.ignored.append(self._mistake(place, why))

    def _mistake(self, place: Place, why: str) -> Mistake:
        known = place
        while known and known not in self.places:
            known = known[:-1]
        return Mistake(str(self.path), *self.places.get(known, (1, 1)), dotted(place), why)


def opened(path: Path, notes: Notes) -> Source:
    """The file with its places; raises ConfigError where it cannot be read at all."""
    try:
        text = files.content(path)
        if path.suffix.lower() not in (".yaml", ".yml"):
            values = files.parse(text, path)
            return Source(path, values, _lines_of(path, text, values), notes)
        files.refuse_bomb(text, path)
    except BadCheck as error:
        raise ConfigError((Mistake(str(path), 1, 1, "", str(error)),)) from error
    document = read(text.replace("$", "$$"), {}, lambda place: False, lambda place, found: found)
    wrong = [(*document.places.get(place, (1, 1)), why) for place, why in document.wrong]
    if document.broken or wrong:
        raise ConfigError(tuple(Mistake(str(path), line, at, "", why) for line, at, why in [*document.broken, *wrong]))
    lines = text.split("\n")
    places = {
        tuple(part.replace("$$", "$") if isinstance(part, str) else part for part in place): (
            line,
            _before(lines[line - 1], at),
        )
        for place, (line, at) in document.places.items()
    }
    return Source(path, _single(document.values), places, notes)


def _lines_of(path: Path, text: str, values: Any) -> dict[Place, tuple[int, int]]:
    """Where each row or line begins; a .json file has no places."""
    if path.suffix.lower() == ".jsonl":
        numbers = [number for number, line in enumerate(files.lines(text), 1) if line.strip()]
        return {(position,): (number, 1) for position, number in enumerate(numbers)}
    places: dict[Place, tuple[int, int]] = {}
    if path.suffix.lower() == ".csv":
        line = 2
        for position, row in enumerate(values):
            places[(position,)] = (line, 1)
            line += 1 + sum(cell.count("\n") for cell in row.values())
    return places


def _single(values: Any) -> Any:
    """Keys have their `$` doubled still: only values are filled."""
    if isinstance(values, dict):
        return {key.replace("$$", "$"): _single(one) for key, one in values.items()}
    return [_single(one) for one in values] if isinstance(values, list) else values


def _before(line: str, column: int) -> int:
    """The column of the file itself: each `$` was doubled, since here it begins no variable."""
    doubled = line.replace("$", "$$")[: column - 1].count("$") // 2
    return column - doubled
