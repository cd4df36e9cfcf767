"""What a pure function said about a text, kept for the next time. Used by sorting and paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

LIMIT = 512
"""Answers kept. Clients choose what is asked, so there is a bound. What when full: all are forgotten, for what comes
often is soon back, and nobody can keep it out."""

LONGEST = 256
"""Characters of a text that is remembered: header names and paths of real calls are below 100."""

_Text = TypeVar("_Text", bound=str | bytes)
_Found = TypeVar("_Found")


class Remembered(dict[_Text, _Found], Generic[_Text, _Found]):
    """`remembered[text]` is what `function(text)` says."""

    def __init__(self, function: Callable[[_Text], _Found]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, text: _Text) -> _Found:
        found = self._function(text)
        if len(text) <= LONGEST:
            if len(self) >= LIMIT:
                self.clear()
            self[text] = found
        return found
