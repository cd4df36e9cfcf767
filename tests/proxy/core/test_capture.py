"""The bounded copy of one exchange."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.pair import NEVER, Failure, Outcome
from proxy.core.capture import Capture


def test_a_streamed_answer_becomes_an_outcome() -> None:
    """Status, headers, body and every instant come out as they went in."""
    capture = Capture(100)
    capture.sent(0.01)
    capture.head(200, (("content-type", "text/event-stream"),), 0.2)
    capture.chunk(b"data: a\n\n", 0.25)
    capture.chunk(b"", 0.3)
    capture.chunk(b"data: b\n\n", 0.75)
    capture.chunk(b"data: c\n\n", 1.0)
    assert capture.end(Failure.NONE, "", 1.1) == Outcome(
        failure=Failure.NONE,
        detail="",
        status=200,
        headers=(("content-type", "text/event-stream"),),
        body=b"data: a\n\ndata: b\n\ndata: c\n\n",
        received=27,
        sent=0.01,
        first_byte=0.25,
        last_byte=1.1,
        chunks=3,
        longest_gap=0.5,
    )


def test_a_connection_that_never_was_is_an_outcome_too() -> None:
    """What did not happen is NEVER and zero, not missing."""
    outcome = Capture(10).end(Failure.CONNECT, "connection refused", 0.5)
    assert (outcome.failure, outcome.detail, outcome.status) == (Failure.CONNECT, "connection refused", 0)
    assert (outcome.sent, outcome.first_byte, outcome.last_byte) == (NEVER, NEVER, 0.5)
    assert (outcome.body, outcome.received, outcome.chunks, outcome.longest_gap) == (b"", 0, 0, 0.0)
    assert not outcome.capped


def test_the_first_end_stands() -> None:
    """A second end and a late chunk change nothing."""
    capture = Capture(10)
    capture.chunk(b"abc", 0.1)
    first = capture.end(Failure.CLIENT_LEFT, "the client left", 0.2)
    capture.chunk(b"def", 0.3)
    assert capture.end(Failure.NONE, "", 0.4) is first
    assert first.body == b"abc"


@pytest.mark.parametrize(
    ("cap", "body", "capped"),
    [
        pytest.param(0, b"", True, id="nothing-kept"),
        pytest.param(4, b"abcd", True, id="inside-a-chunk"),
        pytest.param(3, b"abc", True, id="between-chunks"),
        pytest.param(6, b"abcdef", False, id="exactly-full"),
        pytest.param(9, b"abcdef", False, id="room-left"),
    ],
)
def test_keeps_the_beginning_and_counts_the_rest(cap: int, body: bytes, capped: bool) -> None:
    """At most cap bytes are held; received counts all of them."""
    capture = Capture(cap)
    capture.chunk(b"abc", 0.1)
    capture.chunk(b"def", 0.2)
    assert capture.held == len(body)
    outcome = capture.end(Failure.NONE, "", 0.3)
    assert (outcome.body, outcome.received, outcome.capped) == (body, 6, capped)


@given(st.lists(st.binary(max_size=20)), st.integers(0, 100))
def test_the_body_does_not_depend_on_how_it_was_cut(chunks: list[bytes], cap: int) -> None:
    """Any cutting of the same bytes gives the same body and count."""
    capture = Capture(cap)
    for at, data in enumerate(chunks):
        capture.chunk(data, float(at))
    whole = b"".join(chunks)
    outcome = capture.end(Failure.NONE, "", float(len(chunks)))
    assert (outcome.body, outcome.received) == (whole[:cap], len(whole))
    assert outcome.chunks == sum(1 for data in chunks if data)


def test_shows_its_state() -> None:
    """The repr says how far it is and how it ended, and shows no content."""
    capture = Capture(2)
    capture.head(200, (), 0.0)
    capture.chunk(b"abc", 0.1)
    assert repr(capture) == "<Capture open, status 200, held 2 of 3 bytes, cap 2>"
    capture.end(Failure.TIMEOUT, "idle", 0.2)
    assert repr(capture) == "<Capture ended timeout, status 200, held 2 of 3 bytes, cap 2>"
