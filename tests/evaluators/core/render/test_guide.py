"""The reading help."""

from __future__ import annotations

from evaluators.core.render.guide import WORDS, guide
from tests.evaluators.core.render.pages import read


def test_guide() -> None:
    """Every word is explained, with the error level of this report."""
    text = guide(0.1)
    read(text)
    assert text.count("<dt>") == len(WORDS)
    assert "90 of 100 such intervals" in text
    assert "at most 10% are expected" in text
