"""Similarity to references: thresholds, several references, measures, and the endpoint that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from evaluators.core.finding import BadCheck, Doors, Result
from tests.evaluators.checks.arms import arm, check, judge

VECTORS = {"yes": (1.0, 0.0), "yep": (0.8, 0.6), "no": (-1.0, 0.0), "far": (3.0, 4.0)}


def embed(texts: Sequence[str]) -> list[tuple[float, ...]]:
    return [VECTORS[text] for text in texts]


DOORS = Doors(embed=embed)


@pytest.mark.parametrize(
    ("type", "said", "value", "threshold", "result", "score"),
    [
        ("similar", "yep", "yes", None, Result.PASS, 0.8),
        ("similar", "yep", "yes", 0.8, Result.PASS, 0.8),
        ("similar", "yep", "yes", 0.81, Result.FAIL, 0.8),
        ("similar", "no", "yes", None, Result.FAIL, 0.0),
        ("similar:cosine", "yep", ["no", "yes"], None, Result.PASS, 0.8),
        ("similar:cosine", "no", ["yes", "yep"], None, Result.FAIL, 0.0),
        ("not-similar", "yep", ["no", "yes"], None, Result.FAIL, 0.2),
        ("not-similar", "no", ["yes", "yep"], None, Result.PASS, 1.0),
        ("similar:dot", "far", "yes", 3, Result.PASS, 1.0),
        ("similar:dot", "far", "yes", 3.1, Result.FAIL, 1.0),
        ("similar:euclidean", "yes", "yes", None, Result.PASS, 1.0),
        ("similar:euclidean", "no", "yes", 2, Result.PASS, 1 / 3),
        ("similar:euclidean", "no", ["far", "yes"], 1.9, Result.FAIL, 1 / 3),
    ],
)
def test_verdicts(type: str, said: str, value: Any, threshold: float | None, result: Result, score: float) -> None:
    """As promptfoo: at least the threshold (for a distance: at most), and any of several references."""
    found = judge(type, arm(said), value=value, threshold=threshold, doors=DOORS)
    assert found.result is result
    assert found.score == pytest.approx(score)


def test_an_answer_without_text_is_not_similar() -> None:
    """Nothing is asked of the endpoint then."""
    assert judge("similar", arm(" "), value="yes", doors=DOORS).detail == "the answer has no text"


def test_without_an_endpoint_the_start_is_refused() -> None:
    """The message is the remedy."""
    with pytest.raises(BadCheck, match=r"give `embeddings: \{base_url: …, model: …\}`"):
        check("similar:dot", "yes")


@pytest.mark.parametrize(
    ("value", "message"), [(None, "is a text"), ([], "list of texts"), (" ", "not blank"), (["a", ""], "not blank")]
)
def test_references_that_say_nothing(value: Any, message: str) -> None:
    """A reference is a text with something in it."""
    with pytest.raises(BadCheck, match=message):
        check("similar", value, doors=DOORS)
