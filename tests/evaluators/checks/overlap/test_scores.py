"""rouge-n, bleu, gleu and meteor against values of promptfoo 0.123.1's own package, and within bounds."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators.core.finding import BadCheck, Result
from evaluators.core.reply import ToolCall
from tests.evaluators.checks.arms import arm, check, judge

NAMES = ("rouge-n", "bleu", "gleu", "meteor")
# meteor's column is promptfoo's code without WordNet, with the stemmer that the package fails to load.
SCORES: list[tuple[str, str, tuple[float, ...]]] = [
    ("The cat sat on a mat.", "The cat sat on the mat.", (0.857142857, 0.537284966, 0.611111111, 0.743333333)),
    ("the cat sat on the mat", "The cat sat on the mat.", (0.923076923, 0.759835686, 1, 0.997685185)),
    (
        "It is a guide to action which ensures that the military always obeys the commands of the party",
        "It is a guide to action that ensures that the military will forever heed Party commands",
        (0.705882353, 0.420859807, 0.454545455, 0.694444444),
    ),
    (
        'He said "hello" to me, didn\'t he?',
        "He said 'hello' to me; didn't he?",
        (0.695652174, 0.000220896, 0.318181818, 0.637142857),
    ),
    ("I can't, won't and don't.", "I cannot and will not.", (0.352941176, 0.000004472, 0.142857143, 0.2)),
    (
        "Price: $3.50, or 1,000 (about) -- ok...",
        "Price 3.50 or 1,000 about ok",
        (0.631578947, 0.000147722, 0.181818182, 0.418943534),
    ),
    (
        "The dogs are running quickly to the stations",
        "the dog is running quickly to a station",
        (0.5, 0.006985342, 0.269230769, 0.638888889),
    ),
    (
        "one two three",
        "one two three four five six seven eight",
        (0.545454545, 0.188875603, 0.230769231, 0.392592593),
    ),
    ("the the the the the the the", "the cat is on the mat", (0.307692308, 0.000004111, 0.090909091, 0.163934426)),
    ("x\xa0y z", "x y z", (1, 1, 1, 0.981481481)),
    ("...", "...", (1, 1, 0, 0.5)),
    ("a", "a a a a", (0.4, 0.049787068, 0.1, 0.135135135)),
    ("yes", "no", (0, 0.0000001, 0, 0)),
    ("", "x", (0, 0, 0, 0)),
    (" \n", "x", (0, 0, 0, 0)),
]


@pytest.mark.parametrize(("text", "reference", "scores"), SCORES)
def test_scores(text: str, reference: str, scores: tuple[float, ...]) -> None:
    """Each score is promptfoo's."""
    found = [judge(name, arm(text), value=reference, threshold=0).score for name in NAMES]
    assert found == pytest.approx(scores, abs=1e-9)


@pytest.mark.parametrize("name", ["bleu", "gleu", "meteor"])
def test_the_best_reference_counts(name: str) -> None:
    """With several references the score is that of the nearest one, and a comma belongs to a text."""
    best = judge(name, arm("the cat sat on the mat"), value=["a dog, asleep", "the cat sat on the mat"])
    assert best.score == pytest.approx(1, abs=0.01)
    assert judge(name, arm("a, b, c, d"), value="a, b, c, d").result is Result.PASS


@pytest.mark.parametrize(("name", "limit"), [("rouge-n", 0.75), ("bleu", 0.5), ("gleu", 0.5), ("meteor", 0.5)])
def test_the_threshold(name: str, limit: float) -> None:
    """The default is promptfoo's and inclusive; the opposite scores one minus the score."""
    text, reference = "the cat sat on a mat", "the cat sat on the mat"
    score = judge(name, arm(text), value=reference, threshold=0).score
    assert judge(name, arm(text), value=reference).result is (Result.PASS if score >= limit else Result.FAIL)
    assert judge(name, arm(text), value=reference, threshold=score).result is Result.PASS
    assert judge(name, arm(text), value=reference, threshold=score + 1e-6).result is Result.FAIL
    assert judge(f"not-{name}", arm(text), value=reference).score == pytest.approx(1 - score)


def test_meteor_takes_weights() -> None:
    """alpha, beta and gamma are promptfoo's; without a penalty a scattered match costs nothing."""
    scattered = arm("mat the on sat cat the")
    whole = judge("meteor", scattered, value="the cat sat on the mat", config={"gamma": 0})
    assert whole.score == pytest.approx(1)
    assert judge("meteor", scattered, value="the cat sat on the mat").score < 0.6


@pytest.mark.parametrize(
    ("name", "value", "config"),
    [
        ("rouge-n", None, {}),
        ("rouge-n", ["a"], {}),
        ("bleu", [], {}),
        ("gleu", {"a": 1}, {}),
        ("meteor", "a", {"alpha": "much"}),
        ("meteor", "a", {"delta": 1}),
        ("bleu", "a", {"alpha": 1}),
    ],
)
def test_a_mistake_stops_the_start(name: str, value: Any, config: dict[str, Any]) -> None:
    """A reference that is none, and options that are not read, are refused."""
    with pytest.raises(BadCheck):
        check(name, value, config=config)


def test_names_of_old_files_have_a_remedy() -> None:
    """rouge-l and rouge-s are refused with what to write instead."""
    for name in ("rouge-l", "not-rouge-s"):
        with pytest.raises(BadCheck, match="no longer in promptfoo; use rouge-n"):
            check(name, "a")


def test_a_long_answer_is_not_read_to_its_end() -> None:
    """Beyond the limit rouge-n counts no words."""
    assert judge("rouge-n", arm("a " * 200_000 + "b"), value="b", threshold=0).score == 0
    assert judge("rouge-n", arm("a " * 2_000 + "b"), value="b", threshold=0).score > 0


def test_an_answer_of_calls_is_skipped_and_a_long_one_is_not_stemmed() -> None:
    """No text, nothing to compare; beyond the limit only whole words match."""
    assert judge("bleu", arm("", tool_calls=(ToolCall("a", "{}"),)), value="a").result is Result.SKIP
    assert judge("meteor", arm("cats " * 30_000), value="cat", threshold=0).score == 0
    assert judge("meteor", arm("cats " * 10), value="cat", threshold=0).score > 0
