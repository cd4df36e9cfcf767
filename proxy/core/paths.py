"""Which methods and paths have shadows: the lines of shadow_paths. Used by plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from proxy.core.accounting import Bucket
from proxy.core.remembering import Remembered

Why = tuple[Bucket, str]
"""Where a call ends and for which reason."""


@dataclass(frozen=True, slots=True)
class PathRule:
    """One line of shadow_paths, compiled."""

    method: str
    pattern: re.Pattern[str]


class Paths:
    """All lines of shadow_paths. A path is judged once and remembered, for an application calls few of them."""

    def __init__(self, rules: Sequence[PathRule]) -> None:
        self._rules = tuple(rules)
        self._judged: Remembered[str, Why | None] = Remembered(self._judge)

    def refusal(self, method: str, path: str) -> Why | None:
        """Why calls of this kind have no shadow; None when they may."""
        return self._judged[f"{method} {path}"]

    def _judge(self, asked: str) -> Why | None:
        method, _, path = asked.partition(" ")
        matching = [rule for rule in self._rules if rule.pattern.fullmatch(path)]
        if not matching:
            return Bucket.INELIGIBLE, "path"
        if not any(rule.method in ("*", method) for rule in matching):
            return Bucket.INELIGIBLE, "method"
        return None


def compile_paths(globs: Sequence[str]) -> Paths:
    """`METHOD /glob` lines: `*` stays inside a segment, `/**` spans any number of them, none included.

    ValueError names the line that is not understood.
    """
    rules = []
    for line in globs:
        match = re.fullmatch(r"([A-Z]+|\*) +(/\S*)", line.strip())
        if match is None or "**" in re.sub(r"/\*\*(?=/|$)", "", match[2]):
            raise ValueError(f"{line!r} is not understood; write it like POST /**/chat/completions")
        pieces = re.split(r"(/\*\*(?=/|$)|\*)", match[2])
        pattern = "".join({"/**": "(?:/[^/]*)*", "*": "[^/]*"}.get(piece, re.escape(piece)) for piece in pieces)
        rules.append(PathRule(match[1], re.compile(pattern)))
    return Paths(rules)
