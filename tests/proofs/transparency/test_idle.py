"""Connections that the upstream closes never become errors of the proxy's own, and no POST is sent twice."""

from __future__ import annotations

import pytest

from tests.proofs.transparency.idle import DELAY, around_idle_close, cut_exchanges
from tests.proofs.transparency.rig import run

NOISE = 0.02  # share of the calls by which two runs of the same race may differ


def _once_seen(limit: float, calls: int, lanes: int) -> None:
    tally = run(around_idle_close(limit, calls, lanes, seen=True), 240)
    print(tally.line(f"one close seen, idle close after {limit} s", tally.failed))
    assert (tally.calls, tally.failed, sum(tally.executions.values())) == (calls + 1, 0, calls + 1), tally.ends


@pytest.mark.timeout(30)
def test_calls_around_an_idle_close() -> None:
    """300 POSTs, each sent when the upstream closes idle connections, once one such close was seen: none fails.

    Two seconds, because the proxy leaves half of it to whatever may hold it up: a busy machine can take a quarter.
    """
    _once_seen(2.0, 300, 150)


@pytest.mark.timeout(30)
def test_calls_around_the_idle_close_of_common_servers() -> None:
    """300 POSTs, each sent when a kept connection is reset unseen, 5 s after the last: none meets it."""
    tally = run(around_idle_close(5.0, 300, 150, DELAY))
    assert (tally.calls, tally.failed, sum(tally.executions.values())) == (300, 0, 300), tally.ends


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize("limit", [0.5, 1.0])
def test_calls_around_each_short_idle_close(limit: float) -> None:
    """4,000 POSTs around idle limits that no proxy can know beforehand: none fails once one close was seen."""
    _once_seen(limit, 4000, 200)


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize("limit", [0.5, 1.0])
def test_calls_around_the_first_idle_close(limit: float) -> None:
    """4,000 POSTs to an upstream of which nothing is known: no more fail than without the proxy."""
    direct = run(around_idle_close(limit, 4000, 200, direct=True), 240)
    tally = run(around_idle_close(limit, 4000, 200), 240)
    print(direct.line(f"direct, idle close after {limit} s", direct.failed))
    print(tally.line(f"idle close after {limit} s", tally.failed))
    assert (tally.calls, tally.repeated) == (4000, 0)
    assert tally.failed <= direct.failed + NOISE * 4000, tally.ends


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_4_000_calls_around_the_idle_close_of_common_servers() -> None:
    """4,000 POSTs around a close after 5 s: none fails, none is executed twice."""
    tally = run(around_idle_close(5.0, 4000, 400, DELAY), 240)
    print(tally.line("idle close after 5 s", tally.failed))
    assert (tally.calls, tally.failed, sum(tally.executions.values())) == (4000, 0, 4000), tally.ends


def _cut(calls: int) -> None:
    tally = run(cut_exchanges(calls), 50)
    print(tally.line("POSTs cut by the upstream", tally.repeated))
    assert (tally.calls, tally.repeated) == (calls, 0)
    assert sum(tally.executions.values()) <= calls
    assert tally.ends["200"] >= calls // 5  # the whole answers between the cuts came through
    assert tally.ends["502"] + tally.ends["broken"] == calls - tally.ends["200"]


def test_no_post_is_repeated() -> None:
    """200 POSTs, most of them cut by FIN or RST before or inside the answer: none is executed twice."""
    _cut(200)


@pytest.mark.proof
@pytest.mark.timeout(60)
def test_no_post_of_1_000_is_repeated() -> None:
    """1,000 POSTs, cut likewise."""
    _cut(1000)
