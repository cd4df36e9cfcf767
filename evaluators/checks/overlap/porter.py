"""Porter's stemmer as the package `natural` has it: cats and cat are one word for meteor. Used by scores.

It differs from Porter's paper where a word's longest ending may not go: here a shorter one is tried too.
"""

from __future__ import annotations

import re

MAX_WORD = 100
"""Letters; longer words stay as they are, for the patterns below take quadratic time."""

_GROUPS = ((re.compile("[^aeiouy]+y"), "CV"), (re.compile("[aeiou]+"), "V"), (re.compile("[^V]+"), "C"))
_LETTERS = ((re.compile("[^aeiouy]y"), "CV"), (re.compile("[aeiou]"), "V"), (re.compile("[^V]"), "C"))
_DOUBLED = re.compile(r"([^aeiou])\1\Z")
_SHORTENED = (("at", "ate"), ("bl", "ble"), ("iz", "ize"))
_SECOND = (
    *(("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("abli", "able")),
    *(("bli", "ble"), ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize")),
    *(("ation", "ate"), ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous")),
    *(("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"), ("logi", "log")),
)
_THIRD = (("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""))
_FOURTH = re.compile("(.+?)(?:al|ance|ence|er|ic|able|ible|ant|ement|ment|ent|ou|ism|ate|iti|ous|ive|ize)", re.DOTALL)


def stem(word: str) -> str:
    """The word without its endings."""
    if not 3 <= len(word) <= MAX_WORD:
        return word
    return _final(_fourth(_replaced(_replaced(_y(_past(_plural(word))), _SECOND), _THIRD)))


def _shape(word: str, rules: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    for pattern, letter in rules:
        word = pattern.sub(letter, word)
    return word


def _measure(word: str) -> float:
    """How many times vowels and consonants follow each other; -1 for nothing."""
    if not word:
        return -1
    return len(_shape(word, _GROUPS).removeprefix("C").removesuffix("V")) / 2


def _plural(word: str) -> str:
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _past(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    ending = next((each for each in ("ed", "ing") if word.endswith(each)), "")
    short = word.removesuffix(ending)
    return _mended(short) if ending and "V" in _shape(short, _GROUPS) else word


def _mended(word: str) -> str:
    for ending, whole in _SHORTENED:
        if word.endswith(ending):
            return word.removesuffix(ending) + whole
    if _DOUBLED.search(word) and word[-1] not in "lsz":
        return word[:-1]
    closed = _measure(word) == 1 and _shape(word, _LETTERS).endswith("CVC") and word[-1] not in "wxy"
    return word + "e" if closed else word


def _y(word: str) -> str:
    return word[:-1] + "i" if word.endswith("y") and "V" in _shape(word, _GROUPS)[:-1] else word


def _replaced(word: str, endings: tuple[tuple[str, str], ...]) -> str:
    for ending, other in endings:
        if word.endswith(ending) and _measure(word.removesuffix(ending)) > 0:
            return word.removesuffix(ending) + other
    return word


def _fourth(word: str) -> str:
    found = _FOURTH.fullmatch(word)
    if found and _measure(found[1]) > 1:
        return found[1]
    return word[:-3] if word.endswith(("sion", "tion")) and _measure(word[:-3]) > 1 else word


def _final(word: str) -> str:
    count = _measure(word.removesuffix("e"))
    closed = _shape(word, _LETTERS)[-4:][:3] == "CVC" and word[-2:-1] not in "wxy"
    if count > 1 or (count == 1 and not closed):
        word = word.removesuffix("e")
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word
