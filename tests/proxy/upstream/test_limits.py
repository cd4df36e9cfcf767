"""Limits: never early, soon after, and nothing runs while nobody is open."""

from __future__ import annotations

import asyncio

import pytest

from config.pair import Failure
from config.routing import ShadowTimeout, Timeout
from proxy.upstream.exchange import BEGINNING, CONNECTING, RUNNING, WAITING, Exchange
from proxy.upstream.limits import TICK, Limits
from tests.proxy.upstream.told import Told

SHORT = Timeout(connect=0.1, first_byte=0.2, idle=0.3)


@pytest.mark.parametrize(
    ("stage", "limit", "detail"),
    [
        (CONNECTING, 0.1, "no connection within the connect limit"),
        (WAITING, 0.2, "no answer within the first-byte limit"),
        (BEGINNING, 0.2, "silent for longer than the first-byte limit"),
        (RUNNING, 0.3, "silent for longer than the idle limit"),
    ],
)
async def test_each_stage_has_its_limit(stage: int, limit: float, detail: str) -> None:
    """Counted from the last thing that was heard."""
    limits, told = Limits(SHORT), Told()
    exchange = Exchange(told, limits.open, bare=False, upgrade=False)
    exchange.stage = stage
    limits.watch()
    clock = asyncio.get_running_loop().time
    await asyncio.sleep(0.05)
    exchange.heard = True
    heard = clock()
    await told.done()
    assert told.failure == (Failure.TIMEOUT, detail)
    assert limit - 0.005 < clock() - heard < limit + 0.4  # the upper bound is a busy machine's
    limits.stop()


async def test_total_runs_on() -> None:
    """Neither news nor a pause stops it."""
    limits, told = Limits(ShadowTimeout(connect=0.1, total=0.2)), Told()
    exchange = Exchange(told, limits.open, bare=False, upgrade=False)
    exchange.pause()
    limits.watch()
    while not told.over.is_set():
        exchange.heard = True
        await asyncio.sleep(0.01)
    assert told.failure == (Failure.TIMEOUT, "no answer within the total limit")


async def test_pausing_stops_the_idle_limit() -> None:
    """Who stopped reading does not complain of silence; going on begins anew."""
    limits, told = Limits(SHORT), Told()
    exchange = Exchange(told, limits.open, bare=False, upgrade=False)
    limits.watch()
    exchange.pause()
    await asyncio.sleep(0.3)
    assert not told.over.is_set()
    exchange.resume()
    await told.done()


async def test_ticks_only_while_somebody_is_open() -> None:
    """One exchange or many: one ticker, which ends with the last of them."""
    limits = Limits(SHORT)
    many = [Exchange(Told(), limits.open, bare=False, upgrade=False) for _ in range(3)]
    for _ in many:
        limits.watch()
    assert limits._ticker is not None
    for exchange in many:
        exchange.cancel()
    await asyncio.sleep(TICK * 3)
    assert limits._ticker is None


async def test_an_end_inside_a_failure() -> None:
    """A sink that ends another exchange when told does not disturb the round."""
    limits, first, second = Limits(SHORT), Told(), Told()
    exchanges = [Exchange(told, limits.open, bare=False, upgrade=False) for told in (first, second)]
    first.on["failed"] = exchanges[1].cancel
    second.on["failed"] = exchanges[0].cancel
    limits.watch()
    await asyncio.sleep(0.3)
    assert sorted([first.story, second.story]) == [[], ["failed"]]
