"""Each answer belongs to its request, even when the upstream lies about its bodies."""

from __future__ import annotations

import pytest

from tests.proofs.transparency.pipelining import Answered, expectations, mixes, trailers
from tests.proofs.transparency.rig import run


@pytest.fixture(scope="module")
def answered() -> Answered:
    """500 mixes."""
    return run(mixes(500), 50)


@pytest.mark.timeout(60)
def test_no_answer_is_anothers(answered: Answered) -> None:
    """About 3,000 pipelined requests to an upstream that sends bodies where none may be: no answer is misplaced."""
    assert answered.requests > 2500
    assert answered.foreign == 0


@pytest.mark.timeout(60)
def test_every_request_is_answered(answered: Answered) -> None:
    """And each has its own answer, whole, and was executed once."""
    print(answered.line("pipelined requests to a lying upstream"))
    assert (answered.wrong, answered.repeated) == (0, 0), answered.ends


def test_trailers_are_nobody_elses_fields() -> None:
    """A trailer is a field neither of its own request nor of the next one on its connection, however they arrive."""
    trailed = run(trailers(30))
    print(trailed.line("trailers before another request"))
    assert (trailed.pairs, trailed.leaked, trailed.wrong) == (120, 0, 0)


def test_100_continue() -> None:
    """One 100 before the body for HTTP/1.1, none for HTTP/1.0, and the expectation ends at the proxy."""
    told = run(expectations(100))
    assert (told.requests, told.wrong) == (100, 0), told.ends
