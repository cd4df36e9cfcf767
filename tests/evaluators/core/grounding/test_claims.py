"""What an answer quotes, cites and names."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.core.grounding import Citation, citations, names, plainly, quotes
from evaluators.core.grounding.claims import MAX_CLAIMS


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ('He said "the roof leaks since May" twice.', ["the roof leaks since May"]),
        ("“one two three four” and «five six seven eight»", ["one two three four", "five six seven eight"]),
        ("„eins zwei drei vier“", ["eins zwei drei vier"]),
        ('"too short"', []),
        ('5" and 6" of a pipe that is long', []),
        ("don't 'single quotes are not read'", []),
        ('"over two\nlines it goes"', []),
        ('"a b c d" and "a b c d"', ["a b c d"]),
    ],
    ids=["straight", "curly", "German", "short", "inches", "single", "lines", "twice"],
)
def test_quotes(text: str, spans: list[str]) -> None:
    """Stretches in quotes of at least four words, each once."""
    assert list(quotes(text, 4)) == spans


def test_quotes_of_fewer_words() -> None:
    """How many words make a quote is chosen."""
    assert quotes('"too short"', 2) == ("too short",)


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("so [1] and [2, 4-6].", ["number 1", "number 2", "number 4", "number 5", "number 6"]),
        ("so [^3]", ["number 3"]),
        ("[doc-3], [Source 4] and [file_7.txt]", ["marker doc-3", "marker Source 4", "marker file_7.txt"]),
        (
            "【4:0†handbook.pdf】【5†source】【6†L1-L9】【7】",
            ["marker handbook.pdf", "marker 5", "marker 6", "marker 7"],
        ),
        ("(Source: Handbook, p. 3)", ["source Handbook"]),
        ("[Sources: A; B, section 2]", ["source A", "source B"]),
        ("see [this](https://a.b/c) and https://d.e/f.", ["url https://a.b/c", "url https://d.e/f"]),
        ("[1](https://a.b)", ["url https://a.b"]),
        ("`x[1]` and [Your Name] and [sic]", []),
        ("(Source: , p. 3)", []),
    ],
)
def test_citations(text: str, cited: list[str]) -> None:
    """Every way to point to a source is read, and no other bracket."""
    assert [f"{one.kind} {one.text}" for one in citations(text)] == cited


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("The firm of Jane Smith was sold to Globex's owner.", ["Jane", "Smith", "Globex"]),
        ("And then came Bob with us. Alice left: Carol stayed at home.", ["Bob"]),
        ("It was in May that I met Mr Brown again, on a Monday.", ["Brown"]),
        ("The NASA and the OK button", []),
        ("# A Heading With Names\n**Key Points** are Here below them all", ["Here"]),
        ("Jane Smith Brown", []),
        ("wir haben die Firma und das Haus nicht mit dem Auto gesehen", []),
        ("das Haus und die Firma und der Hund ist nicht klein", []),
        ("we met O’Brien and Anne-Marie there", ["O’Brien", "Anne-Marie"]),
        ("", []),
    ],
)
def test_names(text: str, called: list[str]) -> None:
    """Only names inside sentences, and none where the language writes every noun large."""
    assert list(names(text)) == called


def test_plain_text() -> None:
    """What nobody would call another wording is one."""
    assert plainly("“Don’t — *ever* —\n GO”") == plainly('"don\'t-ever-go"')


@settings(deadline=None, max_examples=200)
@given(st.text() | st.text('"“”[](1, -)sourceABC:\n.', max_size=60))
def test_any_text_is_read(text: str) -> None:
    """No text raises."""
    assert len(quotes(text, 1)) + len(names(text)) + len(citations(text)) <= 3 * MAX_CLAIMS


@pytest.mark.parametrize(
    "unit",
    ['"', '"a', "“", "[1", "[1,", "[1]", "[doc", "[doc1", "(source: ", "【", "【a", "http://", "https://a.b/c ",
     "Aa ", "aA", "**", "**a", "#", "`", "Ab. ", "A-", "[source: x; ", "\n"],
)  # fmt: skip
def test_a_megabyte_is_read_in_time(unit: str) -> None:
    """Whatever it repeats, a megabyte is read in about a second."""
    text = unit * (1_000_000 // len(unit))
    began = time.process_time()
    assert max(len(quotes(text, 4)), len(citations(text)), len(names(text))) <= MAX_CLAIMS
    assert time.process_time() - began < 3


def test_a_citation_is_a_fact() -> None:
    """Kind and text."""
    assert citations("[1]") == (Citation("number", "1"),)
