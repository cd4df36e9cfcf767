"""A client that leaves stops its upstream within a second, wherever it was, and leaves nothing behind."""

from __future__ import annotations

import pytest

from tests.proofs.transparency.leaving import leave
from tests.proofs.transparency.rig import run


def _leave(streams: int) -> None:
    left = run(leave(streams), 250)
    print(left.line("clients that leave"))
    assert (left.streams, left.late, len(left.seconds)) == (streams, 0, streams)
    assert (left.open_exchanges, left.files) == (0, 0)


@pytest.mark.timeout(30)
def test_the_origin_is_told() -> None:
    """150 streams left before the head, before the first byte, in the middle and in a silence, by FIN and by RST."""
    _leave(150)


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_the_origin_is_always_told() -> None:
    """5,000 streams."""
    _leave(5000)
