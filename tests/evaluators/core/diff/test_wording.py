"""Texts made comparable, compared and counted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.core.diff import normalise, text_distance, without_code, words
from evaluators.core.diff.wording import MAX_TEXT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a \n\tb ", "a b"),
        ("a\u00a0b", "a b"),
        ("cafe\u0301", "caf\u00e9"),
        ("A", "A"),
        ("", ""),
        ("\ud800", "\ud800"),
    ],
    ids=["white space", "a hard space", "composed", "case kept", "nothing", "a lone surrogate"],
)
def test_normalise(text: str, expected: str) -> None:
    """What nobody sees is gone; what somebody reads stays."""
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [("", "", 0.0), ("a", "", 1.0), ("abc", "abc", 0.0), ("abc", "xyz", 1.0), ("ab", "ac", 0.5), ("\ud800", "a", 1.0)],
    ids=["nothing", "one", "equal", "nothing in common", "half", "a lone surrogate"],
)
def test_distance(a: str, b: str, distance: float) -> None:
    """Deleted and inserted characters as a share of all."""
    assert text_distance(a, b) == distance


@settings(deadline=None)
@given(st.text(), st.text())
def test_distance_is_symmetric_and_bounded(a: str, b: str) -> None:
    """The order of the texts does not count; 0 is equality."""
    assert text_distance(a, b) == text_distance(b, a)
    assert 0 <= text_distance(a, b) <= 1
    assert (text_distance(a, b) == 0) == (a == b)


def test_long_texts_are_compared_by_their_beginning() -> None:
    """The cost is quadratic, so it is capped."""
    assert text_distance("a" * MAX_TEXT + "b" * 1_000_000, "a" * MAX_TEXT) == 0


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("one two, three!", 3), ("don't", 2), ("日本語", 3), ("日本 is Japan", 4), ("한국어", 3), ("...", 0)],
    ids=["nothing", "English", "an apostrophe", "Japanese", "mixed", "Korean", "punctuation"],
)
def test_words(text: str, count: int) -> None:
    """Words of any script; a character of a script without spaces is one."""
    assert words(text) == count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a ```py\nx = 1\n``` b", "a   b"),
        ('a ```json\n{"a": 1}\n``` b', 'a  json\n{"a": 1}\n  b'),
        ("```\n42\n```", "```\n42\n```"),
        ("```\n42", "```\n42"),
        ("a ```b", "a "),
        ("plain", "plain"),
        ("```a``` b ```c```", "  b  "),
    ],
    ids=["code", "JSON", "the whole answer", "the whole answer, cut", "unclosed", "none", "two"],
)
def test_without_code(text: str, expected: str) -> None:
    """Program code is taken out; JSON, and a fence around everything, stays."""
    assert without_code(text) == expected
