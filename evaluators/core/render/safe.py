"""safe: what models and users wrote, made harmless before any renderer shows it. Used by text, markdown, junit, html.

Escaping is the renderer's; here go the characters that no output should carry: control characters (terminals obey
them, XML forbids them), bidirectional overrides (they make a line read other than it is) and lone surrogates.
"""

from __future__ import annotations

import re

MAX_SHOWN = 160

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_BLANK = re.compile(r"[\t\n ]+")


def line(text: str, most: int = MAX_SHOWN) -> str:
    """One line of at most `most` characters without anything that acts on its surroundings."""
    shown = _BLANK.sub(" ", block(text)).strip()
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def block(text: str) -> str:
    """The whole text with its line breaks, harmful characters replaced by �."""
    return _UNSAFE.sub("\ufffd", text.replace("\r\n", "\n"))
