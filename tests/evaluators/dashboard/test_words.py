"""Two answers, word by word."""

from __future__ import annotations

import pytest

from evaluators.dashboard.words import MOST_WORDS, word_diff


@pytest.mark.parametrize(
    ("live", "candidate", "shown"),
    [
        pytest.param("a b c", "a x c", "<pre>a <del>b</del><ins>x</ins> c</pre>", id="replaced"),
        pytest.param("a b", "a", "<pre>a<del> b</del></pre>", id="taken-out"),
        pytest.param("a", "a b", "<pre>a<ins> b</ins></pre>", id="put-in"),
        pytest.param("<b>", "<i>", "<pre>&lt;<del>b</del><ins>i</ins>&gt;</pre>", id="markup-is-text"),
    ],
)
def test_word_diff(live: str, candidate: str, shown: str) -> None:
    """What only one side has is marked; all of it is text."""
    assert word_diff(live, candidate) == shown


def test_same() -> None:
    """Equal answers are said to be equal."""
    assert "the same" in word_diff("a", "a")


def test_too_long() -> None:
    """A comparison that would hold up the page is not made."""
    assert "too long" in word_diff("a " * MOST_WORDS, "b")
    assert "too long" in word_diff("b", "a " * MOST_WORDS)
