"""Mistake: one thing that a person has to mend in the file, and where. Collected by reading into one ConfigError."""

from __future__ import annotations

from dataclasses import dataclass

Place = tuple[str | int, ...]
"""Keys and list positions from the top of the file down to one value."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """`file:line:column: key: message`, as compilers and editors write it. The message holds the remedy."""

    file: str
    line: int  # 1 is the first
    column: int
    key: str  # dotted, e.g. candidates.0.sample; "" for the file as a whole
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.key + ': ' if self.key else ''}{self.message}"


class ConfigError(Exception):
    """The file cannot be used. `mistakes` are sorted by place; the text has one line for each."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


def dotted(place: Place) -> str:
    """The key of a place as people write it."""
    return ".".join(map(str, place))
