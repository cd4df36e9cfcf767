"""Accounting: every call in exactly one bucket."""

from __future__ import annotations

import pytest

from evaluators.core.tally import Accounting


@pytest.mark.parametrize(
    ("accounting", "waiting", "balanced"),
    [
        pytest.param(Accounting(), 0, True, id="nothing"),
        pytest.param(Accounting(calls=3, paired=3, evaluated=1, dead_lettered=1), 1, True, id="one waits"),
        pytest.param(
            Accounting(10, {"upload": 1, "state": 2}, 3, {"full": 1}, {"spool": 1}, 2, 2, 0), 0, True, id="all"
        ),
        pytest.param(Accounting(calls=3, paired=2), 2, False, id="a call is nowhere"),
        pytest.param(Accounting(calls=2, sampled_out=1, paired=2), 2, False, id="a call is twice"),
        pytest.param(Accounting(calls=1, paired=1, evaluated=2), -1, False, id="judged and not published"),
    ],
)
def test_conservation(accounting: Accounting, waiting: int, balanced: bool) -> None:
    """What was published and not judged waits; the identity holds or is seen not to."""
    assert (accounting.waiting, accounting.balanced) == (waiting, balanced)
