"""How far two texts are apart, as texts. Neighbours: structure compares JSON, embedded_json finds it."""

from __future__ import annotations

import re
import unicodedata

from rapidfuzz.distance import Indel

MAX_TEXT = 50_000
"""Characters compared; about 12,000 tokens. Two texts of this length take 50 ms, and the cost is quadratic."""

_CJK = "぀-ヿ㐀-鿿豈-﫿가-힯"
_FENCE = "```"
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+")


def normalise(text: str) -> str:
    """The text without differences that nobody sees: Unicode composed (NFC), white space collapsed, case kept."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def text_distance(a: str, b: str) -> float:
    """1 − Indel similarity in [0, 1]: the share of characters that must be deleted or inserted.

    0 for equal texts, 1 for texts with no character in common; of longer texts the first MAX_TEXT characters count.
    """
    return Indel.normalized_distance(a[:MAX_TEXT], b[:MAX_TEXT])


def without_code(text: str) -> str:
    """The text without its fenced blocks of program code; JSON, and a fence that is the whole answer, are no code."""
    whole = text.strip()
    if whole.startswith(_FENCE) and whole.find(_FENCE, len(_FENCE)) in (-1, len(whole) - len(_FENCE)):
        return text
    pieces = text.split(_FENCE)
    return " ".join(piece for place, piece in enumerate(pieces) if place % 2 == 0 or piece[:4].lower() == "json")


def words(text: str) -> int:
    """Words in a text of any script; a Chinese, Japanese or Korean character counts as one."""
    return len(_WORD.findall(text))
