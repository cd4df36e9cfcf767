"""The words of a transform."""

from __future__ import annotations

import pytest

from evaluators.core.transform.spelling import BadTransform, literal, spelled, unescaped


def kinds(source: str) -> list[str]:
    """The kinds of the tokens, spaces aside."""
    return [kind for kind, _ in spelled(source) if kind != "space"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a / b", ["name", "mark", "name"]),
        ("a.match(/b/g)", ["name", "mark", "name", "mark", "regex", "mark"]),
        ("return /x/", ["name", "regex"]),
        ("x[0] / 2", ["name", "mark", "number", "mark", "mark", "number"]),
        ("a // b", ["name"]),
        ("a /* b */ + 'c\\'d'", ["name", "mark", "text"]),
        ("/[/]/", ["regex"]),
    ],
)
def test_a_stroke_divides_after_a_value_and_opens_a_pattern_elsewhere(source: str, expected: list[str]) -> None:
    """The one ambiguity of the language is settled by what stands before."""
    assert kinds(source) == expected


def test_texts_are_unescaped() -> None:
    """Escapes as JavaScript has them."""
    assert unescaped(r"a\n\t\\\'é\x41\u{1F600}\q") == "a\n\t\\'éA😀q"


def test_a_pattern_knows_its_flags() -> None:
    """`g` means every match; an unknown flag is refused."""
    assert literal("/a/gi").every
    assert not literal("/a/").every
    with pytest.raises(BadTransform, match="no flag"):
        literal("/a/x")


def test_an_open_text_is_refused() -> None:
    """The message quotes where it begins."""
    with pytest.raises(BadTransform, match="is not understood"):
        spelled("output + 'open")
