"""Golden sets: failures are counted, and what nobody saw is not a pass."""

from __future__ import annotations

import pytest

from config.gating import Gate
from evaluators.core.gate.counted import failures
from tests.evaluators.core.gate.cases import case
from tests.evaluators.core.samples import assertion, shadow

GOLDEN = Gate(name="golden", check="golden", max_failures=1, min_calls=10)


@pytest.mark.parametrize(
    ("joint", "lost", "good", "bad", "needs"),
    [
        pytest.param({"pp": 10}, 0, True, False, 0, id="all-pass"),
        pytest.param({"pp": 9, "ff": 1}, 0, True, False, 0, id="as-many-as-allowed"),
        pytest.param({"pp": 1, "pf": 1, "px": 1}, 0, False, True, 7, id="failed-before-the-last"),
        pytest.param({"pp": 9}, 0, False, False, 1, id="not-all-seen"),
        pytest.param({"pp": 10, "pb": 1}, 0, True, False, 0, id="one-broken-may-have-failed"),
        pytest.param({"pp": 10, "ps": 1, "bb": 1}, 0, False, False, 0, id="two-not-judged"),
        pytest.param({"pp": 10, "ss": 90, "sx": 9, "xs": 9}, 0, True, False, 0, id="not-in-the-set"),
        pytest.param({"sp": 9, "xp": 1}, 0, True, False, 0, id="judged-without-live"),
        pytest.param({"pp": 10, "xx": 2}, 0, False, False, 0, id="no-answer-from-either"),
        pytest.param({"pp": 10, "xf": 2}, 0, False, True, 0, id="failed-without-live"),
        pytest.param({"pp": 10}, 2, False, False, 0, id="lost"),
        pytest.param({"pp": 10}, 1, True, False, 0, id="lost-within-the-limit"),
    ],
)
def test_failures(joint: dict[str, int], lost: int, good: bool, bad: bool, needs: int) -> None:
    """A failure too many fails at once; a pass needs every call, and every unseen one within the limit."""
    found = failures(case(GOLDEN, shadow(assertion("golden", joint)), lost))
    assert (found.good, found.bad, found.needs) == (good, bad, needs)
    assert bool(found.doubt) == (not good and not bad and not needs)


def test_before_the_first() -> None:
    """Nothing seen passes nothing; the default asks for 50 calls."""
    found = failures(case(Gate(name="g", check="golden", max_failures=0), shadow()))
    assert (found.good, found.bad, found.needs, found.value) == (False, False, 50, 0.0)
    assert found.says == "mini fails golden on 0 of 0 calls (limit 0)"
