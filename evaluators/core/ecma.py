"""JavaScript's regular expressions in Python: the few spellings and meanings that differ. Used by transform and checks.

promptfoo's patterns are JavaScript's: `$` is the very end, `\\d` and `\\w` are ASCII, and `.` stops at four line ends.
"""

from __future__ import annotations

import warnings
from math import prod

import regex

TIMEOUT = 0.5
"""Seconds one search may take: a pattern that backtracks for ever must end long before a worker counts as stuck."""

MAX_SOURCE = 2_000
MAX_REPEATS = 10_000
"""Of all `{n}` multiplied: `regex` writes them out before it searches, and a million take 0.7 s and 280 MB."""

_REPEATS = regex.compile(r"\{0*([1-9]\d{0,8})")
_FLAGS = {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL, "g": 0, "u": 0, "y": 0, "d": 0, "v": 0}
_SPACE = r"\t\n\v\f\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_LINE_END = r"\n\r\u2028\u2029"
_OUTSIDE = {
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": "[A-Za-z0-9_]",
    r"\W": "[^A-Za-z0-9_]",
    r"\s": f"[{_SPACE}]",
    r"\S": f"[^{_SPACE}]",
    r"\b": r"(?a:\b)",
    r"\B": r"(?a:\B)",
    "[^]": r"[\s\S]",
    "[]": "(?!)",
}
_INSIDE = {r"\d": "0-9", r"\w": "A-Za-z0-9_", r"\s": _SPACE, "[": r"\[", r"\b": r"\x08", "&": r"\&", "~": r"\~"}
_INLINE = regex.compile(r"\(\?([a-z]+)\)")  # Python's; JavaScript has none, and nobody has to give them up here
_PIECE = regex.compile(r"\\k<\w+>|\\u\{[0-9a-fA-F]+\}|\\.|\[\^?\]|.", regex.DOTALL)


class BadPattern(ValueError):
    """Not a regular expression; the text says why."""


def compiled(source: str, flags: str = "") -> regex.Pattern[str]:
    """The pattern with JavaScript's meaning; raises BadPattern. Search with `timeout=TIMEOUT`."""
    unknown = sorted(set(flags) - set(_FLAGS))
    if unknown:
        raise BadPattern(f"there is no flag {unknown[0]!r}")
    if len(source) > MAX_SOURCE or prod(int(many) for many in _REPEATS.findall(source)) > MAX_REPEATS:
        raise BadPattern("it is too large; write it with fewer or smaller repeats")
    bits = 0
    for flag in flags:
        bits |= _FLAGS[flag]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a future meaning of [[ does not concern a pattern from JavaScript
            return regex.compile(translated(source, "m" in flags, "s" in flags), bits)
    except (regex.error, OverflowError, RecursionError, ValueError) as error:
        raise BadPattern(str(error)) from error


def translated(source: str, lines: bool = False, dots: bool = False) -> str:
    """The same pattern in Python's spelling; `lines` and `dots` are the flags m and s."""
    given = _INLINE.match(source)
    lines, dots = lines or bool(given and "m" in given[1]), dots or bool(given and "s" in given[1])
    outside = dict(_OUTSIDE)
    if not lines:
        outside["$"] = r"\Z"
    if not dots:
        outside["."] = f"[^{_LINE_END}]"
    inside, written = False, []
    for piece in _PIECE.findall(source):
        if not inside and piece in ("[", "[^"):
            inside = True
            written.append(piece)
        elif inside and piece == "]":
            inside = False
            written.append(piece)
        else:
            written.append(_other(piece) or (_INSIDE if inside else outside).get(piece, piece))
    return "".join(written)


def _other(piece: str) -> str:
    """Spellings that are the same inside and outside a set."""
    if piece.startswith(r"\k<"):
        return f"(?P={piece[3:-1]})"
    if piece.startswith(r"\u{"):
        return regex.escape(chr(min(int(piece[3:-1], 16), 0x10FFFF)))
    return ""
