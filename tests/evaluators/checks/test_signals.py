"""perplexity, perplexity-score and guardrails: what the provider tells beside the answer."""

from __future__ import annotations

from math import exp, inf
from typing import Any

import pytest

from evaluators.core.finding import BadCheck, Result
from tests.evaluators.checks.arms import arm, check, judge

PASS, FAIL, BROKEN = Result.PASS, Result.FAIL, Result.BROKEN


@pytest.mark.parametrize(
    ("logprobs", "limit", "result"),
    [((-1.0, -1.0), exp(1), PASS), ((-1.0, -3.0), 7.3, FAIL), ((0.0,), 1, PASS), ((-1e300, -1e300), 1e9, FAIL)],
)
def test_perplexity(logprobs: tuple[float, ...], limit: float, result: Result) -> None:
    """exp of minus the mean, at most the threshold."""
    assert judge("perplexity", arm("a", logprobs=logprobs), threshold=limit).result is result


@pytest.mark.parametrize(
    ("logprobs", "limit", "score", "result"),
    [((0.0,), 0.5, 0.5, PASS), ((-1.0, -1.0), 0.2689, 0.2689, PASS), ((-1.0, -1.0), 0.27, 0.2689, FAIL)],
)
def test_perplexity_score(logprobs: tuple[float, ...], limit: float, score: float, result: Result) -> None:
    """The logistic of the mean, which is never above a half."""
    found = judge("perplexity-score", arm("a", logprobs=logprobs), threshold=limit)
    assert found.result is result
    assert found.score == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("name", ["perplexity", "not-perplexity", "perplexity-score", "not-perplexity-score"])
@pytest.mark.parametrize("logprobs", [(), (-1.0, -inf)])
def test_without_log_probabilities(name: str, logprobs: tuple[float, ...]) -> None:
    """Nothing to measure never passes, negated or not."""
    found = judge(name, arm("a", logprobs=logprobs), threshold=0.4)
    assert (found.result, found.detail) == (BROKEN, "no logprobs: ask for them in the request")


@pytest.mark.parametrize(
    "wanted",
    [{"type": "perplexity"}, {"type": "perplexity-score"}, {"type": "perplexity-score", "threshold": 0.6}],
)
def test_a_threshold_that_decides_nothing_stops_the_start(wanted: dict[str, Any]) -> None:
    """Without a threshold everything would pass; above a half nothing could."""
    with pytest.raises(BadCheck):
        check(**wanted)


def test_guardrails() -> None:
    """A flagged prompt or answer fails, with its place; nothing turns that into a pass."""
    found = judge("guardrails", arm("a", flagged=("output: violence",)))
    assert (found.result, found.paths) == (FAIL, ("output: violence",))
    assert judge("guardrails", arm("a")).result is PASS
    assert judge("not-guardrails", arm("a", flagged=("input",))).result is PASS
    with pytest.raises(BadCheck, match="takes no `config:`"):
        check("guardrails", config={"purpose": "redteam"})
