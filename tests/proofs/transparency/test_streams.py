"""Streams pass without a byte held back, and those that break off look broken."""

from __future__ import annotations

import pytest

from tests.proofs.transparency.rig import run
from tests.proofs.transparency.streams import DEATHS, STREAM, Deaths, death_line, die, in_pieces, split_at


def _split(every: int, limit: float) -> None:
    positions = range(1, len(STREAM), every)
    passed = run(split_at(positions), limit)
    assert (passed.streams, passed.pieces, passed.wrong) == (len(positions), 2 * len(positions), [])


@pytest.mark.timeout(30)
def test_split_at_every_16th_byte() -> None:
    """A stream of 4 KiB in two pieces, the second sent only when the client has the first: 256 ways to split."""
    _split(every=16, limit=25)


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_split_at_every_byte() -> None:
    """The same at each of 4,095 places."""
    _split(every=1, limit=250)


def test_each_piece_arrives_by_itself() -> None:
    """256 pieces of 16 bytes, each sent only when the one before it has arrived; ten streams."""
    passed = run(in_pieces(16, 10))
    assert (passed.streams, passed.pieces, passed.wrong) == (10, 2560, [])


def _broken(name: str, deaths: Deaths, times: int) -> None:
    print(death_line(name, deaths))
    refused = deaths.ends["502"]  # the head was not passed on yet when the body proved to be no body
    assert (deaths.streams, deaths.well_formed, deaths.failures) == (times, 0, times), deaths.ends
    assert deaths.truncated == times - refused
    assert refused <= times // 2  # of those sent at once; a client that has the head must see the stream break


@pytest.fixture(scope="module")
def deaths() -> dict[str, Deaths]:
    """20 streams for each way to break off."""
    return run(die(20))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", DEATHS)
def test_what_breaks_off_looks_broken(deaths: dict[str, Deaths], name: str) -> None:
    """20 streams that break off in one way: none ends well for the client, and the metrics say truncated."""
    _broken(name, deaths[name], 20)


@pytest.mark.proof
@pytest.mark.timeout(120)
def test_what_breaks_off_always_looks_broken() -> None:
    """200 streams for each way."""
    for name, deaths in run(die(200), 100).items():
        _broken(name, deaths, 200)
