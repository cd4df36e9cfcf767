"""The worker against a real queue and a real store: kills, freezes, poison, and a store that is away."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from config import wire
from config.pair import Pair
from evaluators.core.finding import Check, Finding, passed
from evaluators.core.observation import Observation
from evaluators.core.observing import Progress, observe
from evaluators.core.reading import read_request
from evaluators.core.reply import Kind, Reply
from evaluators.intake import GROUP, MOST_UNEXPLAINED, Intake, connect
from evaluators.store import Store, StoreAway, open_store, read, schema
from evaluators.telemetry import Telemetry
from evaluators.worker import Pace, Worker
from evaluators.worker.checking import MOST_HANGS, AssessPair
from tests.doubles.valkey import ValkeyServer, valkey_server
from tests.evaluators.made import assess, pair
from tests.evaluators.store.recomputed import assert_tallies_are_the_raw_rows

ROOT = Path(__file__).parents[2]
PACE = Pace(batch=8, block=0.05, check_limit=0.3, lease=0.7, reclaim=0.05, fold=0.05, accounting=0.05, away=0.05)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory with a short path: unix sockets need one."""
    with tempfile.TemporaryDirectory(prefix="uw") as name:
        yield Path(name)


@pytest.fixture
def server(folder: Path) -> Iterator[ValkeyServer]:
    with valkey_server(folder) as running:
        yield running


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{folder}/store.db")
    yield opened
    opened.close()


def publish(server: ValkeyServer, count: int, first: int = 0) -> None:
    """Put pairs of `count` calls into the stream, one of the candidate and one of the control each."""
    client = server.client()
    with client.pipeline(transaction=False) as pipe:
        for number in range(first, first + count):
            for shadow in ("mini", "control"):
                fields: dict[Any, Any] = dict(wire.encode(pair(number, shadow)))
                pipe.xadd("pairs", fields)
        pipe.execute()
    client.close()


def recorded(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(schema.pairs)).scalar_one())


def waiting(server: ValkeyServer) -> tuple[int, int]:
    """Length of the stream, and how many of it are in somebody's hands."""
    with server.client() as client:
        client.xgroup_create("pairs", GROUP, id="0", mkstream=True) if not client.exists("pairs") else None
        groups: Any = client.xinfo_groups("pairs")
        length: Any = client.xlen("pairs")
        return length, sum(group["pending"] for group in groups)


def until(condition: Callable[[], bool], limit: float = 9.0) -> None:
    """Wait for something another process does."""
    end = time.monotonic() + limit
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        pause.wait(0.005)


def stopped_between_transactions(worker: subprocess.Popen[bytes], file: Path) -> bool:
    """Freeze a worker; one caught inside a transaction goes on, for it would keep SQLite's write lock."""
    worker.send_signal(signal.SIGSTOP)
    with contextlib.closing(sqlite3.connect(file, timeout=0.2, isolation_level=None)) as probe:
        try:
            probe.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            worker.send_signal(signal.SIGCONT)
            return False
        probe.execute("ROLLBACK")
    return True


async def happens(condition: Callable[[], bool], limit: float = 8.0) -> None:
    """Wait for something this process's worker does."""
    async with asyncio.timeout(limit):
        while not condition():
            await asyncio.sleep(0.01)


class Crew:
    """Worker processes on one queue and one store."""

    def __init__(self, server: ValkeyServer, folder: Path) -> None:
        self._arguments = [server.url, f"sqlite:///{folder}/store.db"]
        self.members: list[subprocess.Popen[bytes]] = []

    def hire(self, death: str = "no") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.evaluators.one_worker", *self._arguments, death]
        self.members.append(subprocess.Popen(command, cwd=ROOT))
        return self.members[-1]

    def lose(self, member: subprocess.Popen[bytes]) -> None:
        member.kill()
        member.wait()
        self.members.remove(member)

    def dismiss(self) -> None:
        for member in self.members:
            member.send_signal(signal.SIGCONT)
            member.terminate()
        for member in self.members:
            assert member.wait(10) == 0

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:
        for member in self.members:
            member.kill()
            member.wait()


def kill_some(server: ValkeyServer, folder: Path, store: Store, *, calls: int, workers: int, kills: int) -> None:
    """Kill random workers, mostly right after a commit; then everything must be there exactly once."""
    dice = random.Random(7)
    publish(server, calls)
    limit = 10 + 4.0 * kills
    with Crew(server, folder) as crew:
        for _ in range(workers):
            crew.hire()
        for kill in range(1, kills + 1):
            goal = 2 * calls * kill // (kills + 1)
            until(lambda goal=goal: recorded(store) >= goal, limit)  # type: ignore[misc]
            threading.Event().wait(dice.uniform(0, 0.01))  # not always the same place in the loop
            crew.lose(dice.choice(crew.members))
            crew.hire()
        until(lambda: waiting(server) == (0, 0), limit)
        until(lambda: open_sessions(store) == 0, limit)
        crew.dismiss()
    with server.client() as client:
        letters: Any = client.xrange("pairs:dead")
    assert [(fields[b"dead:reason"], fields[b"dead:deliveries"]) for _, fields in letters] == []
    assert recorded(store) == 2 * calls
    assert dead(store) == 0
    assert_tallies_are_the_raw_rows(store)


def open_sessions(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(schema.sessions)).scalar_one())


def dead(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(schema.dead)).scalar_one())


@pytest.mark.timeout(30)  # four interpreters begin and load numpy: 6 s here, more on a busy machine
def test_every_pair_has_one_result_whoever_is_killed(server: ValkeyServer, folder: Path, store: Store) -> None:
    """Two killed workers among 300 pairs lose nothing, double nothing, and leave exact tallies."""
    kill_some(server, folder, store, calls=150, workers=2, kills=2)


@pytest.mark.proof
@pytest.mark.timeout(400)
def test_fifty_kills_over_ten_thousand_pairs(server: ValkeyServer, folder: Path, store: Store) -> None:
    """Fifty killed workers, three at a time, among 10,000 pairs lose nothing and double nothing."""
    kill_some(server, folder, store, calls=5000, workers=3, kills=50)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("death", ["before-acknowledge", "after-acknowledge"])
def test_death_beside_the_acknowledgement_doubles_nothing(
    server: ValkeyServer, folder: Path, store: Store, death: str
) -> None:
    """A worker that dies between commit and acknowledgement leaves work that adds nothing when done again."""
    publish(server, 20)
    with Crew(server, folder) as crew:
        assert crew.hire(death).wait(9) == -signal.SIGKILL
        crew.members.clear()
        assert recorded(store) == 32  # one batch
        crew.hire()
        until(lambda: waiting(server) == (0, 0) and open_sessions(store) == 0)
        crew.dismiss()
    assert recorded(store) == 40
    assert_tallies_are_the_raw_rows(store)


@pytest.mark.timeout(30)
def test_a_worker_that_was_frozen_past_its_lease_doubles_nothing(
    server: ValkeyServer, folder: Path, store: Store
) -> None:
    """What a frozen worker held is done by another; when it thaws it records nothing a second time."""
    publish(server, 250)
    with Crew(server, folder) as crew:
        frozen = crew.hire()
        until(lambda: recorded(store) > 0)
        until(lambda: stopped_between_transactions(frozen, folder / "store.db"))
        crew.hire()
        try:
            until(lambda: waiting(server) == (0, 0))
        finally:
            frozen.send_signal(signal.SIGCONT)
        publish(server, 20, first=250)
        until(lambda: waiting(server) == (0, 0) and open_sessions(store) == 0)
        crew.dismiss()
    assert recorded(store) == 540
    assert_tallies_are_the_raw_rows(store)


@contextlib.asynccontextmanager
async def working(
    server: ValkeyServer, store: Store, check: AssessPair = assess, pace: Pace = PACE
) -> AsyncIterator[Telemetry]:
    """A worker in this process for as long as the block lasts."""
    telemetry, stop = Telemetry(), asyncio.Event()
    intake = Intake(connect(server.url), "pairs")
    worker = Worker(intake, store, check, telemetry, closes_after=0.1, pace=pace)
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(worker.run(stop))
        try:
            yield telemetry
        finally:
            stop.set()
            await asyncio.wait((run,))
            await intake.close()


def value(telemetry: Telemetry, name: str, **labels: str) -> float:
    return telemetry.registry.get_sample_value(f"understudy_worker_{name}", labels) or 0.0


async def test_pairs_are_recorded_and_leave_the_stream(server: ValkeyServer, store: Store) -> None:
    """Published pairs end in the store, the stream is empty, and the accounting of the proxies is kept."""
    publish(server, 20)
    with server.client() as client:
        client.hset("pairs:accounting", "proxy-1", b'[[3600,"mini","paired","",20],[3600,"mini","dropped","memory",2]]')
    async with working(server, store) as telemetry:
        await happens(lambda: recorded(store) == 40 and waiting(server) == (0, 0))
        await happens(lambda: any(tally.accounting.dropped for tally in read.tallies(store, 0, 1e11)))
    assert value(telemetry, "pairs_total", result="new") == 40
    mini = next(tally for tally in read.tallies(store, 0, 1e11) if tally.shadow == "mini")
    assert mini.accounting.dropped == {"memory": 2}
    assert mini.accounting.waiting == 0
    assert mini.accounting.balanced


async def test_an_unreadable_record_is_buried_at_once(server: ValkeyServer, store: Store) -> None:
    """A record that this version cannot read goes to the dead letters on its first delivery, and is counted once."""
    with server.client() as client:
        client.xadd("pairs", {"schema": "99", "id": "abc:mini", "shadow": "mini", "head": "?"})
        async with working(server, store) as telemetry:
            await happens(lambda: client.xlen("pairs:dead") == 1)  # type: ignore[arg-type, return-value]
        entries: Any = client.xrange("pairs:dead")
    assert entries[0][1][b"dead:reason"].startswith(b"wire: schema '99'")
    assert entries[0][1][b"id"] == b"abc:mini"
    assert value(telemetry, "dead_letters_total", reason="wire") == 1
    (mini,) = read.tallies(store, 0, 1e11)
    assert (mini.shadow, mini.accounting.dead_lettered, mini.accounting.balanced) == ("mini", 1, True)
    assert waiting(server) == (0, 0)


async def test_a_pair_whose_check_raises_is_buried_after_three_deliveries(server: ValkeyServer, store: Store) -> None:
    """One pair's trouble costs its neighbours nothing; it comes three times and is then a dead letter."""

    def raises(made: Pair, progress: Progress | None = None, /) -> Observation:
        if made.call.id == pair(3).call.id and made.shadow == "mini":
            raise ZeroDivisionError
        return assess(made)

    publish(server, 8)
    async with working(server, store, raises) as telemetry:
        await happens(lambda: dead(store) == 1 and waiting(server) == (0, 0))
    assert recorded(store) == 15
    assert value(telemetry, "failures_total", reason="check") == 3


async def test_a_pair_that_is_read_for_ever_is_given_up_alone(server: ValkeyServer, store: Store) -> None:
    """Reading that hangs keeps its thread; the pairs behind it are recorded, and its own is buried in the end."""
    release = threading.Event()

    def hangs(made: Pair, progress: Progress | None = None, /) -> Observation:
        if made.call.id == pair(1).call.id and made.shadow == "mini":
            release.wait(20)
        return assess(made)

    publish(server, 8)
    try:
        async with working(server, store, hangs) as telemetry:
            await happens(lambda: recorded(store) == 15)
            await happens(lambda: dead(store) == 1 and waiting(server) == (0, 0))
    finally:
        release.set()
    assert value(telemetry, "failures_total", reason="slow") == 3


def loops(arm: Any) -> Finding:
    """Never ends."""
    while True:
        pass


def raises(arm: Any) -> Finding:
    raise ZeroDivisionError


def leaves(arm: Any) -> Finding:
    sys.exit(1)


WRONG: dict[str, Callable[[Any], Any]] = {
    "loops": loops,
    "raises": raises,
    "leaves": leaves,
    "says nothing": lambda arm: None,
    "says true": lambda arm: True,
    "no number": lambda arm: passed(score=float("nan")),
    "two": lambda arm: passed(score=2),
    "no text": lambda arm: Finding("pass", 1.0, 7),  # type: ignore[arg-type]
}


def with_wrong_checks(made: Pair, progress: Progress | None = None, /) -> Observation:
    """Every wrong check, and a right one before and behind."""
    checks = [
        Check(name, "t", False, "correctness", "signal", "1", run)
        for name, run in {"first": lambda arm: passed(), **WRONG, "last": lambda arm: passed()}.items()
    ]
    return observe(
        made,
        checks,
        read_request=read_request,
        read=lambda outcome, asked: Reply(Kind.OK, "yes"),
        slices_of=lambda call, request: (),
        price=lambda model, usage: -1.0,
        progress=progress,
    )


@pytest.mark.parametrize("lanes", [1, 3])
async def test_no_check_can_stick_the_worker_or_spoil_the_others(
    server: ValkeyServer, store: Store, lanes: int
) -> None:
    """Checks that loop for ever, raise, exit or say nonsense are broken; the others stand and no pair is lost."""
    publish(server, 20)
    async with working(server, store, with_wrong_checks, replace(PACE, check_limit=0.2, lanes=lanes)) as telemetry:
        await happens(lambda: recorded(store) == 40 and waiting(server) == (0, 0))
    assert (dead(store), recorded(store)) == (0, 40)  # 0 of 40 pairs lost
    found = joints(store)
    assert {name: found[name] for name in ("first", "last")} == {"first": {"pp": 40}, "last": {"pp": 40}}
    assert {name: found[name] for name in WRONG} == {name: {"bb": 40} for name in WRONG}
    assert MOST_HANGS <= value(telemetry, "hung_checks_total") < MOST_HANGS + lanes
    assert value(telemetry, "disabled_checks_total") == 1


def joints(store: Store) -> dict[str, dict[str, int]]:
    """The letters of every check over everything, and how often."""
    table, names = schema.joints.c, schema.checks.c
    wanted = select(names.label, table.letters, func.sum(table.n)).group_by(names.label, table.letters)
    wanted = wanted.where(table.check_id == names.id, table.slice_id == 0)
    found: dict[str, dict[str, int]] = {}
    with store.reading() as connection:
        for label, letters, n in connection.execute(
            wanted.where(table.slice_id == 0).group_by(names.label, table.letters)
        ):
            found.setdefault(label, {})[letters] = n
    return found


async def test_a_row_the_database_cannot_hold_is_found_and_buried(server: ValkeyServer, store: Store) -> None:
    """One impossible arrival fails its batch's transaction; the others are recorded one by one."""

    def impossible(made: Pair, progress: Progress | None = None, /) -> Observation:
        seen = assess(made)
        return replace(seen, arrived=1e300) if made.call.id == pair(2).call.id else seen

    publish(server, 4)
    async with working(server, store, impossible) as telemetry:
        await happens(lambda: recorded(store) == 6 and dead(store) == 2 and waiting(server) == (0, 0))
    assert value(telemetry, "dead_letters_total", reason="record") == 2


class Absent(Store):
    """A store that is away until somebody brings it back."""

    def __init__(self, real: Store) -> None:
        super().__init__(real.engine, "absent")
        self.away = True
        self.asked = 0

    def writing(self) -> Any:
        self.asked += 1
        if self.away:
            raise StoreAway("store: disk is full")
        return super().writing()


async def test_nothing_is_acknowledged_or_buried_while_the_store_is_away(server: ValkeyServer, store: Store) -> None:
    """Pairs wait for the store however often it is asked, longer than three leases, and are all recorded then."""
    absent = Absent(store)
    publish(server, 20)
    async with working(server, absent, pace=PACE) as telemetry:
        await happens(lambda: absent.asked > 45)
        assert waiting(server)[0] == 40
        absent.away = False
        await happens(lambda: recorded(store) == 40 and waiting(server) == (0, 0))
    assert dead(store) == 0
    assert value(telemetry, "away_total", what="store") > 3


async def test_the_worker_goes_on_when_the_queue_returns(folder: Path, store: Store) -> None:
    """A queue that vanishes with its data and returns empty costs nothing but the pause."""
    server = ValkeyServer(folder)
    server.start()
    try:
        async with working(server, store) as telemetry:
            publish(server, 5)
            await happens(lambda: recorded(store) == 10)
            server.kill()
            await happens(lambda: value(telemetry, "away_total", what="queue") > 0)
            server.start()
            publish(server, 5, first=5)
            await happens(lambda: recorded(store) == 20 and waiting(server) == (0, 0))
    finally:
        server.kill()


async def test_what_is_in_hand_is_finished_on_stop(server: ValkeyServer, store: Store) -> None:
    """A stop during a batch records and acknowledges that batch before the worker ends."""
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slowly(made: Pair, progress: Progress | None = None, /) -> Observation:
        loop.call_soon_threadsafe(begun.set)
        return assess(made)

    publish(server, 4)
    async with working(server, store, slowly):
        await asyncio.wait_for(begun.wait(), 5)
    assert recorded(store) == 8
    assert waiting(server) == (0, 0)


async def test_an_entry_that_ended_every_worker_is_buried_unread(server: ValkeyServer, store: Store) -> None:
    """An entry that was delivered four times without an answer is not tried again; its neighbours are."""
    publish(server, 2)
    deserter = Intake(connect(server.url), "pairs", "deserter")
    await deserter.open()
    taken = await deserter.take(9, 0)
    for _ in range(MOST_UNEXPLAINED - 1):
        (found,) = (await deserter.reclaim(0, 1)).entries
        assert found.id == taken[0].id
    async with working(server, store) as telemetry:
        await happens(lambda: waiting(server) == (0, 0))
    await deserter.close()
    assert value(telemetry, "dead_letters_total", reason="deliveries") == 1
    assert (dead(store), recorded(store)) == (1, 3)
