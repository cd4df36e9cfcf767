"""Pace: conversations a second, and how long what is missing takes."""

from __future__ import annotations

import pytest

from config.pair import NEVER
from evaluators.core.gate.pace import expected_in, lasting, per_second
from evaluators.core.tally import Window


@pytest.mark.parametrize(
    ("conversations", "first", "last", "expected"),
    [
        pytest.param(120, 1000.0, 1060.0, 2.0, id="two-a-second"),
        pytest.param(0, 1000.0, 1060.0, NEVER, id="none-closed"),
        pytest.param(1, 1000.0, 1000.0, NEVER, id="one-instant"),
        pytest.param(5, NEVER, NEVER, NEVER, id="no-traffic"),
    ],
)
def test_per_second(conversations: int, first: float, last: float, expected: float) -> None:
    """Closed conversations over the time between the first and the last arrival."""
    assert per_second(conversations, Window(0.0, 2000.0, first, last)) == expected


@pytest.mark.parametrize(
    ("needs", "pace", "expected"), [(600, 0.5, 1200.0), (0, 0.5, 0.0), (-1, 0.5, NEVER), (600, NEVER, NEVER)]
)
def test_expected_in(needs: int, pace: float, expected: float) -> None:
    """What is unknown stays unknown."""
    assert expected_in(needs, pace) == expected


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1.0, ""),
        (5.0, "less than a minute"),
        (59.0, "1 minute"),
        (300.0, "5 minutes"),
        (3 * 3600.0, "3 hours"),
        (86000.0, "1 day"),
        (12 * 86400.0, "12 days"),
    ],
)
def test_lasting(seconds: float, words: str) -> None:
    """An estimate has one unit."""
    assert lasting(seconds) == words
