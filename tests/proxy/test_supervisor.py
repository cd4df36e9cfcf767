"""Seats and their processes, with scripted children: readiness, death, restart, drain, kill."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from proxy.parts import Orders
from proxy.supervisor import PartRefused, Seat, Supervisor, open_sockets
from proxy.tasks import Tasks

CHILD = """
import json, os, sys, time
orders = json.loads(sys.argv[sys.argv.index("--part") + 1])
mode = sys.argv[1]
if mode == "refuse-" + orders["part"]: sys.exit(2)
if mode == "slow" and orders["name"] == "lane.1": time.sleep(1)
print("gibberish" if mode == "gibberish" else json.dumps(orders), flush=True)
told = os.read(orders["stopping"], 64)
if mode == "deaf": time.sleep(60)
"""


@asynccontextmanager
async def _supervisor(mode: str = "well", relays: int = 2) -> AsyncIterator[tuple[Supervisor, list[Orders], Tasks]]:
    ended: list[Orders] = []
    tasks = Tasks()
    with socket.create_server(("127.0.0.1", 0)) as clients:
        supervisor = Supervisor([sys.executable, "-c", CHILD, mode], relays, [clients], "me", ended.append)
        try:
            yield supervisor, ended, tasks
        finally:
            supervisor.close()
            await tasks.settle(5.0)


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(8):
        while not true():
            await asyncio.sleep(0.01)


def _pid(seat: Seat) -> int:
    assert seat.pid is not None
    return seat.pid


async def test_starts_everybody_and_drains_in_order() -> None:
    """The lane is ready before the relays start; the drain ends the relays first, and then nobody is left."""
    async with _supervisor() as (supervisor, ended, tasks):
        assert not supervisor.ready
        await supervisor.start(tasks)
        assert supervisor.ready
        assert [seat.ready is not None for seat in supervisor.seats] == [True] * 3
        lane, *relays = (seat.orders for seat in supervisor.seats)
        assert lane is not None
        assert [relay.name for relay in relays if relay is not None] == ["relay-0.0", "relay-1.0"]
        assert {orders.instance for orders in (lane, *relays) if orders is not None} == {"me"}
        assert oct(Path(lane.folder).stat().st_mode & 0o777) == "0o700"
        assert "lane.0" in repr(supervisor)
        await supervisor.drain(5.0)
        assert not supervisor.ready
        assert [orders.name for orders in ended][-1] == "lane.0"
        assert [seat.restarts for seat in supervisor.seats] == [0] * 3
    assert not Path(lane.folder).exists()


async def test_who_ends_unasked_is_started_again() -> None:
    """A killed process is replaced under a new name, at the same address, with the switch as it now stands."""
    async with _supervisor() as (supervisor, ended, tasks):
        await supervisor.start(tasks)
        supervisor.shadowing = False
        first = supervisor.lane.orders
        os.kill(_pid(supervisor.lane), signal.SIGKILL)
        await _until(lambda: supervisor.lane.restarts == 1 and supervisor.lane.ready is not None)
        second = supervisor.lane.orders
        assert first is not None
        assert second is not None
        assert (second.name, second.lane, second.shadowing) == ("lane.1", first.lane, False)
        assert ended == [first]
        assert supervisor.ready


async def test_waits_longer_each_time() -> None:
    """A process that dies again and again is started after 0.1, 0.2, 0.4 s, and so on."""
    async with _supervisor(relays=1) as (supervisor, _, tasks):
        await supervisor.start(tasks)
        clock, gaps = asyncio.get_running_loop().time, []
        for number in range(1, 4):
            os.kill(_pid(supervisor.lane), signal.SIGKILL)
            await _until(lambda number=number: supervisor.lane.restarts == number)  # type: ignore[misc]
            died = clock()
            await _until(lambda: supervisor.lane.pid is not None)
            gaps.append(clock() - died)
            await _until(lambda: supervisor.lane.ready is not None)
        assert gaps[0] >= 0.05
        assert gaps[1] >= 0.15
        assert gaps[2] >= 0.35


@pytest.mark.parametrize(
    ("mode", "name", "code"),
    [
        pytest.param("refuse-lane", "lane.0", 2, id="lane"),
        pytest.param("refuse-relay", "relay-0.0", 2, id="relay"),
        pytest.param("gibberish", "lane.0", -9, id="gibberish"),
    ],
)
async def test_a_start_that_fails_is_the_end(mode: str, name: str, code: int) -> None:
    """A process that ends before it was ready stops the start, with its exit code; nothing is tried again."""
    async with _supervisor(mode, relays=1) as (supervisor, _, tasks):
        with pytest.raises(PartRefused, match=name) as refused:
            await supervisor.start(tasks)
        assert refused.value.code == code


async def test_who_is_late_is_killed() -> None:
    """A process that does not end in its time does not hold up the end."""
    async with _supervisor("deaf", relays=1) as (supervisor, ended, tasks):
        await supervisor.start(tasks)
        async with asyncio.timeout(5):
            await supervisor.drain(0.2, flush=0.2)
        await _until(lambda: len(ended) == 2)


async def test_a_program_that_cannot_be_started_is_the_end() -> None:
    """A start that the system refuses is told at once, instead of being waited for without end."""
    tasks = Tasks()
    with socket.create_server(("127.0.0.1", 0)) as clients:
        supervisor = Supervisor(["/nowhere/python"], 1, [clients], "me", lambda _: None)
        try:
            async with asyncio.timeout(5):
                with pytest.raises(PartRefused, match=r"lane\.0"):
                    await supervisor.start(tasks)
        finally:
            supervisor.close()
            await tasks.settle(5.0)


async def test_a_start_that_the_system_refuses_is_tried_again(tmp_path: Path) -> None:
    """A process that cannot be started for a moment is started when it can be: its seat does not stay empty."""
    program = tmp_path / "python"
    program.symlink_to(sys.executable)
    tasks = Tasks()
    with socket.create_server(("127.0.0.1", 0)) as clients:
        supervisor = Supervisor([str(program), "-c", CHILD, "well"], 1, [clients], "me", lambda _: None)
        try:
            await supervisor.start(tasks)
            program.unlink()
            relay = supervisor.relays[0]
            os.kill(_pid(relay), signal.SIGKILL)
            await _until(lambda: relay.restarts >= 2)
            program.symlink_to(sys.executable)
            await _until(lambda: relay.ready is not None)
        finally:
            supervisor.close()
            await tasks.settle(5.0)


async def test_signals_wait_for_nobody_who_is_not_ready() -> None:
    """A process that has just been started does not listen to SIGHUP yet, and is not killed by it."""
    async with _supervisor("slow", relays=1) as (supervisor, _, tasks):
        await supervisor.start(tasks)
        os.kill(_pid(supervisor.lane), signal.SIGKILL)
        await _until(lambda: supervisor.lane.restarts == 1 and supervisor.lane.pid is not None)
        supervisor.signal(signal.SIGHUP)
        await _until(lambda: supervisor.lane.ready is not None)
        assert supervisor.lane.restarts == 1


async def test_a_deep_directory_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a socket's path would be too long for the system, everything lies in /tmp instead."""
    deep = tmp_path / ("d" * 60)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    async with _supervisor(relays=1) as (supervisor, _, tasks):
        await supervisor.start(tasks)
        assert supervisor.lane.orders is not None
        assert Path(supervisor.lane.orders.folder).parent == Path("/tmp")


async def test_signals_are_passed_on() -> None:
    """SIGHUP reaches every process; these die of it."""
    async with _supervisor(relays=1) as (supervisor, ended, tasks):
        await supervisor.start(tasks)
        supervisor.signal(signal.SIGHUP)
        await _until(lambda: len(ended) == 2)


async def test_sockets_take_connections_before_anybody_serves() -> None:
    """Who connects while no relay is there waits instead of being refused."""
    (one,) = await open_sockets("127.0.0.1", 0)
    with one:
        _, writer = await asyncio.open_connection(*one.getsockname())
        writer.close()
