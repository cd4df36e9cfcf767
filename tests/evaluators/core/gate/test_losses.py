"""Losses: whose fault a lost answer may be, and that the worst of it is assumed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.core.gate.losses import EXCLUDED, Losses, losses, worst
from evaluators.core.stats.eprocess import log_wealth
from evaluators.core.tally import Accounting
from proxy.core.accounting import REASONS, Bucket
from tests.evaluators.core.gate.cases import dropped
from tests.evaluators.core.samples import assertion, shadow

NO_CONTROL = Accounting()


def test_what_a_candidate_can_bring_about_counts() -> None:
    """An open breaker, calls in flight and pairs nobody could judge count; the queue's and the rate's do not."""
    account = Accounting(
        calls=120,
        skipped={"switched_off": 9},
        dropped={"breaker_open": 2, "in_flight": 3, "queue_away": 4, "rate": 2},
        paired=100,
        evaluated=99,
        dead_lettered=1,
    )
    found = losses(shadow(accounting=account), NO_CONTROL)
    assert found.counted == {"breaker_open": 2, "dead_lettered": 1, "in_flight": 3}
    assert found.excluded == {"queue_away": 4, "rate": 2}
    assert found.n == 6
    assert found.says == "6 calls lost in ways that it can bring about (breaker_open 2, dead_lettered 1, in_flight 3)"
    assert found.left_out.startswith(
        "Lost, and not held against it: queue_away 4: the queue took nobody's pairs; rate 2:"
    )
    assert losses(shadow(), NO_CONTROL) == Losses()
    assert Losses().left_out == ""


def test_a_reason_that_nobody_knows_counts() -> None:
    """A newer proxy may drop for reasons of its own: they count until this table says otherwise."""
    assert losses(shadow(accounting=dropped(brand_new=5)), NO_CONTROL).counted == {"brand_new": 5}


def test_every_excuse_is_a_reason_of_the_proxy() -> None:
    """The table excuses nothing that the proxy does not know."""
    assert EXCLUDED.keys() <= REASONS[Bucket.DROPPED] | {"first_lost"}


@pytest.mark.parametrize(
    ("control", "counts"),
    [
        pytest.param(NO_CONTROL, False, id="no-control"),
        pytest.param(Accounting(paired=20), False, id="too-few-to-tell"),
        pytest.param(Accounting(paired=60), True, id="control-should-have-lost-three"),
        pytest.param(Accounting(paired=60, dropped={"queue_full": 1}), False, id="control-lost-too"),
    ],
)
def test_a_loss_that_only_the_candidate_has_is_its_own(control: Accounting, counts: bool) -> None:
    """Fifty pairs lost to the queue while the control lost none of its share were not everybody's."""
    found = losses(shadow(accounting=dropped(queue_full=50)), control)
    assert (found.n, sum(found.excluded.values())) == ((50, 0) if counts else (0, 50))


@pytest.mark.parametrize(
    ("outcomes", "joint", "capped"),
    [
        pytest.param({("ok", "ok"): 90}, {"pp": 90}, 0, id="none-cut"),
        pytest.param({("ok", "truncated"): 3}, {"px": 2, "fx": 1}, 0, id="broke-off"),
        pytest.param({("ok", "truncated"): 3}, {"px": 1, "ss": 2}, 2, id="cut-by-us"),
        pytest.param(
            {("ok", "truncated"): 3, ("ok", "timeout"): 4}, {"px": 4, "sx": 1, "ss": 2}, 2, id="beside-timeouts"
        ),
        pytest.param({("ok", "truncated"): 3, ("ok", "timeout"): 4}, {"px": 1}, 3, id="never-more-than-were-cut"),
        pytest.param({("truncated", "truncated"): 3, ("ok", "client_left"): 2}, {"xx": 3}, 0, id="live-too"),
    ],
)
def test_answers_that_we_cut_count(outcomes: dict[tuple[str, str], int], joint: dict[str, int], capped: int) -> None:
    """An answer beyond our cap is judged by nobody, and may be the candidate's worst."""
    found = losses(shadow(assertion(joint=joint), outcomes=outcomes), NO_CONTROL)
    assert found.counted == ({"capped": capped} if capped else {})


@pytest.mark.parametrize(
    ("values", "lost", "expected"),
    [
        pytest.param({(0, 1): 5}, 0, {(0, 1): 5}, id="none"),
        pytest.param({(0, 1): 5, (1, 1): 2}, 3, {(0, 1): 4, (-1, 1): 3}, id="the-best-first"),
        pytest.param({(-1, 2): 5}, 2, {(-1, 2): 5, (-1, 1): 2}, id="beside-what-is-bad"),
        pytest.param({(0, 1): 1, (-1, 1): 1}, 3, {(-1, 1): 4}, id="more-than-there-are"),
        pytest.param({}, 2, {(-1, 1): 2}, id="nothing-seen"),
    ],
)
def test_worst(values: dict[tuple[int, int], int], lost: int, expected: dict[tuple[int, int], int]) -> None:
    """Lost calls are taken from the best conversations, or added."""
    assert worst(values, lost, -1, -0.1) == expected


def test_worst_of_a_share() -> None:
    """For a failing share the worst is 1."""
    assert worst({(0, 1): 9, (1, 2): 1}, 2, 1, 0.05) == {(0, 1): 7, (1, 2): 1, (1, 1): 2}


CALLS = st.lists(st.lists(st.integers(-1, 1), min_size=1, max_size=3), min_size=1, max_size=12)


@given(CALLS, st.integers(0, 2**36), st.sampled_from([0.02, 0.2]), st.sampled_from([0.015, 0.2, 0.9]))
@settings(max_examples=300, deadline=None)
def test_no_bet_is_worth_more_for_losing_calls(calls: list[list[int]], lost: int, margin: float, share: float) -> None:
    """Whichever calls of whichever conversations are lost, every bet is at most what it is with all of them."""
    bits = iter(range(36))
    kept = [[d for d in conversation if not lost >> next(bits) & 1] for conversation in calls]
    gone = sum(map(len, calls)) - sum(map(len, kept))
    bet = share / (1 - margin)
    before = log_wealth(_means(calls), margin, bet)
    after = log_wealth(worst(_means(kept), gone, -1, -margin), margin, bet)
    assert after <= before + 1e-9
    assert not math.isnan(after)


def _means(calls: list[list[int]]) -> dict[tuple[int, int], int]:
    found: dict[tuple[int, int], int] = {}
    for conversation in calls:
        if conversation:
            value = (sum(conversation), len(conversation))
            found[value] = found.get(value, 0) + 1
    return found
