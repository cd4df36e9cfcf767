"""Distance by pieces of text: what counts, what does not, and that order hardly does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.core.diff.ngrams import MAX_TEXT, ngram_distance
from evaluators.core.diff.wording import text_distance

ORDER = (
    "The parcel arrives on Monday. Please keep the receipt.",
    "Please keep the receipt. The parcel arrives on Monday.",
)


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        pytest.param("", "", 0, id="both empty"),
        pytest.param("", " \n", 0, id="both blank"),
        pytest.param("", "a", 1, id="one empty"),
        pytest.param("Oslo  is\nnice", "OSLO is nice", 0, id="case and white space"),
        pytest.param("ﬁne", "fine", 0, id="compatibility forms"),
        pytest.param("a", "b", 1, id="one letter"),
        pytest.param("42", "43", 1, id="nothing in common"),
        pytest.param("\ud800 x", "\ud800 x", 0, id="half a character"),
        pytest.param("x" * MAX_TEXT + "a", "x" * MAX_TEXT + "b", 0, id="beyond what is looked at"),
    ],
)
def test_distances(a: str, b: str, distance: float) -> None:
    """Equal but for what nobody sees is 0, nothing in common is 1."""
    assert ngram_distance(a, b) == pytest.approx(distance, abs=1e-9)


def test_order_counts_little() -> None:
    """The same sentences in another order are near as pieces, and far apart as texts."""
    assert ngram_distance(*ORDER) < 0.1 < 0.4 < text_distance(*ORDER)


def test_another_matter_is_further_than_other_words() -> None:
    """A reworded answer is nearer than an answer to something else."""
    answer, reworded = "You can return shoes within 30 days.", "Shoes can be returned within 30 days of purchase."
    assert ngram_distance(answer, reworded) < 0.7 < ngram_distance(answer, "The capital of Norway is Oslo.")


@given(st.text(), st.text())
def test_any_texts(a: str, b: str) -> None:
    """Whatever the texts: between 0 and 1, the same both ways, and 0 to itself."""
    distance = ngram_distance(a, b)
    assert 0 <= distance <= 1
    assert ngram_distance(b, a) == pytest.approx(distance, abs=1e-9)
    assert ngram_distance(a, a) == 0
