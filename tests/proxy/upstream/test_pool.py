"""Which connections are used again, and for how long they are kept."""

from __future__ import annotations

import asyncio
import random

import pytest

from proxy.upstream.lean import LeanUpstream
from tests.doubles.upstream import ScriptedUpstream, Turn, answer
from tests.proxy.upstream.told import come, get, lean, post


def idling(limit: float) -> ScriptedUpstream:
    """An upstream that hangs up on a connection that was idle for `limit` seconds."""

    async def script(turn: Turn) -> None:
        loop = asyncio.get_running_loop()
        await answer(b"ok")(turn)
        timer = loop.call_later(limit, turn.close)
        buffered = turn.reader._buffer  # type: ignore[attr-defined]
        while not buffered and not turn.reader.at_eof() and not turn.closed:
            await asyncio.sleep(0.001)
        timer.cancel()

    return ScriptedUpstream(script)


async def test_last_in_first_out() -> None:
    """The connection that was idle for the shortest time is the likeliest to live, and the others can age."""
    async with ScriptedUpstream(answer(b"ok")) as server, lean(server.url) as up:
        for told in [post(up) for _ in range(5)]:
            await told.done()
        last = server.turns[-1].writer
        for _ in range(10):
            await get(up)
            assert server.turns[-1].writer is last or len({turn.writer for turn in server.turns[5:]}) == 1
        assert server.connections == 5


async def test_kept_no_longer_than_set() -> None:
    """An idle connection is let go after `keep_alive`, by itself."""
    async with ScriptedUpstream(answer(b"ok")) as server, lean(server.url, keep_alive=0.1) as up:
        await get(up)
        assert "connections=1" in repr(up)
        await come(lambda: "connections=0" in repr(up))
        await get(up)
        await asyncio.sleep(0.15)  # too old, whether or not it was swept
        await get(up)
        assert server.connections == 3


@pytest.mark.parametrize(("said", "connections"), [(b"timeout=1", 2), (b"timeout=60", 1), (b"max=5", 1)])
async def test_as_long_as_the_upstream_says(said: bytes, connections: int) -> None:
    """Let go one second before the upstream would."""
    script = answer(b"ok", headers=b"Keep-Alive: " + said + b"\r\n")
    async with ScriptedUpstream(script) as server, lean(server.url) as up:
        await get(up)
        await get(up)
        assert server.connections == connections


async def test_learns_when_its_upstream_hangs_up() -> None:
    """Half the age at which one was closed is the age up to which they are used."""
    async with idling(0.2) as server, lean(server.url) as up:
        await get(up)
        await come(lambda: "connections=0" in repr(up))  # the upstream has closed it
        await get(up)
        await asyncio.sleep(0.15)
        await get(up)
        assert server.connections == 3
        await asyncio.sleep(0.02)
        await get(up)
        assert server.connections == 3


async def test_forgets_what_was_no_habit() -> None:
    """After a restart, which closes connections of any age, one that nobody uses shows that they live on."""
    close_next = True

    async def script(turn: Turn) -> None:
        nonlocal close_next
        await answer(b"ok")(turn)
        if close_next:
            close_next = False
            turn.close()

    async with ScriptedUpstream(script) as server, lean(server.url, keep_alive=0.6) as up:
        await get(up)
        await come(lambda: "connections=0" in repr(up))
        await get(up)
        await asyncio.sleep(0.05)
        await get(up)
        assert server.connections == 3  # cautious now
        await come(lambda: "connections=0" in repr(up))  # the one left to be watched reached its age
        await get(up)
        await asyncio.sleep(0.05)
        await get(up)
        assert server.connections == 4


async def race(up: LeanUpstream, limit: float, rounds: int, streams: int) -> list[str]:
    """POSTs spaced around the upstream's idle limit, which was seen once; what failed."""
    dice = random.Random(5)
    failed: list[str] = []

    async def stream() -> None:
        for _ in range(rounds):
            told = await post(up).done()
            if told.error is not None:
                failed.append(told.error.detail)
            await asyncio.sleep(limit * dice.uniform(0.9, 1.1))

    await get(up)
    await come(lambda: "connections=0" in repr(up))
    async with asyncio.TaskGroup() as group:
        for _ in range(streams):
            group.create_task(stream())
    return failed


async def test_no_request_meets_a_closing_connection() -> None:
    """POSTs spaced around the upstream's idle limit: none fails."""
    async with idling(0.2) as server, lean(server.url) as up:
        failed = await race(up, 0.2, rounds=10, streams=30)
        print(f"{len(failed)} of {len(server.turns)} POSTs failed, over {server.connections} connections")
        assert (failed, len(server.turns)) == ([], 301)


@pytest.mark.proof
@pytest.mark.timeout(90)
async def test_no_request_of_thousands_meets_a_closing_connection() -> None:
    """The same with 4,000 POSTs around half a second, of which a naive client lost 56."""
    async with idling(0.5) as server, lean(server.url) as up:
        failed = await race(up, 0.5, rounds=40, streams=100)
        print(f"{len(failed)} of {len(server.turns)} POSTs failed, over {server.connections} connections")
        assert (failed, len(server.turns)) == ([], 4001)
