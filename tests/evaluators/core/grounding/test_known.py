"""What can be found in a context."""

from __future__ import annotations

import pytest

from evaluators.core.grounding import Citation, Context, Known, Source

SOURCES = (
    Source(
        "document",
        "The roof — built in 1990 — “leaks” badly, and the cellar floods every spring.",
        ("doc-3", "Handbook"),
    ),
    Source("search_result", "Rents fell. [b7] See https://www.a.b/page/ or\n12. the list", ("https://c.d/x#part",)),
)
CONTEXT = Context(SOURCES, "Ann O'Hara asks:\n" + "\n".join(source.text for source in SOURCES))
KNOWN = Known(CONTEXT)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("the ROOF-built in 1990", True),
        ('roof – built in 1990 – "leaks" badly', True),
        ("the roof […] leaks' badly", False),
        ("The roof ... the cellar floods", True),
        ("the cellar floods every spring.", True),
        ("**the cellar** floods", True),
        ("the cellar is dry in spring", False),
        ("…", True),
    ],
)
def test_quotes(span: str, expected: bool) -> None:
    """Looks do not count, words do; what an ellipsis leaves out may be anything."""
    assert KNOWN.quote(span) is expected


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("number", "1", True),
        ("number", "2", True),
        ("number", "3", True),
        ("number", "0", False),
        ("number", "4", False),
        ("number", "12", True),
        ("marker", "doc-3", True),
        ("marker", "DOC 2", True),
        ("marker", "doc-9", False),
        ("marker", "b7", True),
        ("marker", "4:0", False),
        ("marker", "1:0", True),
        ("marker", "other.pdf", False),
        ("source", "Handbook", True),
        ("source", "the handbook.", False),
        ("source", "rents fell", True),
        ("source", "Almanac", False),
        ("source", "https://a.b/page", True),
        ("url", "http://a.b/page", True),
        ("url", "https://a.b/pag", False),
        ("url", "https://www.c.d/x", True),
        ("url", "https://e.f", False),
    ],
)
def test_citations(kind: str, text: str, expected: bool) -> None:
    """A number in the list, a name, a label in the text, or an address: something has to be there."""
    assert KNOWN.citation(Citation(kind, text)) is expected


@pytest.mark.parametrize(
    ("word", "expected"), [("O’Hara", True), ("Rent", True), ("Roofs", True), ("Ann-Marie", False), ("Globex", False)]
)
def test_names(word: str, expected: bool) -> None:
    """Part by part, plural or not."""
    assert KNOWN.name(word) is expected


def test_it_says_how_much_it_knows() -> None:
    """Its repr has sizes and no contents."""
    assert repr(KNOWN) == f"Known(2 sources, {len(CONTEXT.said)} characters)"
