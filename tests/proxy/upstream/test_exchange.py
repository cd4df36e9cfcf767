"""The caller's end of an exchange, without a connection."""

from __future__ import annotations

import asyncio

import pytest

from config.pair import Failure
from proxy.upstream.door import ExchangeError
from proxy.upstream.exchange import Exchange
from tests.proxy.upstream.told import Told


def opened() -> tuple[Exchange, Told, set[Exchange]]:
    """One that is being dialed for."""
    told, watched = Told(), set[Exchange]()
    return Exchange(told, watched, bare=False, upgrade=False), told, watched


async def test_is_watched_until_it_is_over() -> None:
    """The ticker has no more to do with it, and whoever waits for room is let go."""
    exchange, told, watched = opened()
    assert watched == {exchange}
    exchange.stream(None)
    waiting = asyncio.gather(exchange.room(), exchange.room())
    await asyncio.sleep(0)
    exchange.fail(Failure.TIMEOUT, "late")
    exchange.fail(Failure.RESET, "later")
    await asyncio.wait_for(waiting, 1)
    assert (told.failure, watched, repr(exchange)) == ((Failure.TIMEOUT, "late"), set(), "<Exchange over>")


async def test_whoever_waits_for_room_may_leave() -> None:
    """Another one can wait all the same."""
    exchange, _, _ = opened()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(exchange.room(), 0.01)
    waiting = asyncio.gather(exchange.room())
    await asyncio.sleep(0)
    exchange.cancel()
    await asyncio.wait_for(waiting, 1)


async def test_a_whole_body_takes_no_more() -> None:
    """Bytes after a body that was given whole would be another request."""
    exchange, told, _ = opened()
    assert not exchange.send(b"POST /evil")
    assert told.failure == (Failure.MALFORMED, "the request cannot be sent")


async def test_refused() -> None:
    """No connection: told once, unless it was cancelled before."""
    for cancelled in (False, True):
        exchange, told, _ = opened()
        exchange.pause()
        exchange.resume()
        if cancelled:
            exchange.cancel()
        exchange.refuse(ExchangeError(Failure.CONNECT, "name not found"))
        assert told.story == ([] if cancelled else ["failed"])
