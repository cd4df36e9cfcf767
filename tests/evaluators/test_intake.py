"""The consumer's side of the stream, against a real server."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluators import intake as room
from evaluators.intake import GROUP, NOBODY, Intake, QueueAway, QueueUnfit, Reclaimed, Taken, connect, identity
from tests.doubles.valkey import ValkeyServer, valkey_server
from tests.evaluators.made import fields, pair


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with tempfile.TemporaryDirectory(prefix="ui") as name, valkey_server(Path(name)) as running:
        yield running


@pytest.fixture
async def intake(server: ValkeyServer) -> AsyncIterator[Intake]:
    opened = Intake(connect(server.url), "pairs", "one")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def other(server: ValkeyServer) -> AsyncIterator[Intake]:
    opened = Intake(connect(server.url), "pairs", "other")
    yield opened
    await opened.close()


def publish(server: ValkeyServer, count: int) -> None:
    with server.client() as client:
        for number in range(count):
            entry: Any = {"n": str(number)}
            client.xadd("pairs", entry)


async def test_each_entry_is_taken_once_and_leaves_when_acknowledged(
    server: ValkeyServer, intake: Intake, other: Intake
) -> None:
    """Two consumers share the entries; what is acknowledged, even twice, is out of the stream."""
    publish(server, 5)
    mine, theirs = await intake.take(3, 0), await other.take(9, 0)
    assert [one.fields[b"n"] for one in mine + theirs] == [b"0", b"1", b"2", b"3", b"4"]
    assert all(one.deliveries == 1 for one in mine)
    assert await intake.waiting() == 5
    for _ in range(2):
        await intake.acknowledge([one.id for one in mine])
    await intake.acknowledge([])
    assert await intake.waiting() == 2
    assert await intake.take(9, 0) == []


async def test_a_take_waits_for_the_first_entry(server: ValkeyServer, intake: Intake) -> None:
    """A blocking take comes back as soon as something is published, or empty when its time is over."""
    waiting = asyncio.gather(intake.take(5, 4.0))
    async with asyncio.timeout(5):
        with server.client() as client:
            while not client.info("clients")["blocked_clients"]:  # type: ignore[index]
                await asyncio.sleep(0.01)
        publish(server, 1)
        ((taken,),) = await waiting
    assert taken.fields == {b"n": b"0"}
    assert await intake.take(5, 0.01) == []


async def test_a_block_longer_than_the_socket_waits_is_refused(intake: Intake) -> None:
    """A block that outlasts the socket's limit would look like a dead server: it is our mistake, said at once."""
    with pytest.raises(ValueError, match="must end before"):
        await intake.take(1, room.SOCKET_SECONDS)


async def test_abandoned_entries_are_reclaimed_with_their_deliveries(
    server: ValkeyServer, intake: Intake, other: Intake
) -> None:
    """Entries idle for the lease come over one limit at a time, each knowing how often it was delivered."""
    publish(server, 3)
    await intake.take(9, 0)
    assert await other.reclaim(60, 9) == Reclaimed((), 0)
    one = await other.reclaim(0, 1)
    assert [(taken.fields[b"n"], taken.deliveries) for taken in one.entries] == [(b"0", 2)]
    again = await intake.reclaim(0, 9)
    assert [(taken.fields[b"n"], taken.deliveries) for taken in again.entries] == [(b"0", 3), (b"1", 2), (b"2", 2)]


async def test_a_renewed_entry_is_not_abandoned(server: ValkeyServer, intake: Intake, other: Intake) -> None:
    """Renewing starts the lease anew without counting a delivery; what is done already stays done."""
    publish(server, 2)
    done, held = await intake.take(9, 0)
    await intake.acknowledge([done.id])
    async with asyncio.timeout(5):
        while not (await other.reclaim(0.2, 9)).entries:
            await asyncio.sleep(0.01)
    await intake.renew([done.id, held.id])
    await intake.renew([])
    assert (await other.reclaim(0.2, 9)).entries == ()
    ((found),) = (await other.reclaim(0, 9)).entries
    assert (found.id, found.deliveries) == (held.id, 3)


async def test_entries_trimmed_by_somebody_else_are_counted_as_lost(server: ValkeyServer, intake: Intake) -> None:
    """An entry deleted while it is in hand is reported once and then forgotten."""
    publish(server, 2)
    taken = await intake.take(9, 0)
    with server.client() as client:
        client.xdel("pairs", taken[0].id)
    found = await intake.reclaim(0, 9)
    assert (len(found.entries), found.lost) == (1, 1)
    assert (await intake.reclaim(0, 9)).lost == 0


class OldServer:
    """Answers XAUTOCLAIM as Redis 6.2 does: two parts, deleted entries handed over empty."""

    def __init__(self) -> None:
        self.acknowledged: list[bytes] = []

    async def xautoclaim(self, *_: object, **__: object) -> list[object]:
        return [b"0-0", [(b"1-0", {b"n": b"0"}), (b"2-0", {})]]

    async def xack(self, _stream: str, _group: str, *entries: bytes) -> None:
        self.acknowledged += entries

    async def xpending_range(self, *_: object, **__: object) -> list[dict[str, object]]:
        return [{"message_id": b"1-0", "times_delivered": 2}]


async def test_the_two_part_reply_of_old_servers_is_understood() -> None:
    """Redis 6.2 keeps deleted entries pending and hands them over empty: they are counted and put away."""
    old: Any = OldServer()
    found = await Intake(old, "pairs", "one").reclaim(1, 9)
    assert found == Reclaimed((Taken(b"1-0", {b"n": b"0"}, 2),), 1)
    assert old.acknowledged == [b"2-0"]


async def test_a_buried_entry_is_only_among_the_dead(server: ValkeyServer, intake: Intake) -> None:
    """Burying moves the entry with its fields and the reason, in one step."""
    publish(server, 1)
    (taken,) = await intake.take(9, 0)
    assert await intake.bury(taken, "wire: damaged") == 0
    assert (await intake.waiting(), await intake.dead_letters()) == (0, 1)
    with server.client() as client:
        ((_, letter),) = client.xrange("pairs:dead")  # type: ignore[misc]
        groups: Any = client.xinfo_groups("pairs")
    assert letter == {b"n": b"0", b"dead:reason": b"wire: damaged", b"dead:deliveries": b"1"}
    assert groups[0]["pending"] == 0


async def test_the_oldest_dead_make_room_and_are_counted(server: ValkeyServer, intake: Intake) -> None:
    """The dead-letter stream is bounded; burying says how many had to go."""
    publish(server, 1)
    with server.client() as client, client.pipeline(transaction=False) as pipe:
        for _ in range(room.DEAD_LETTERS + 1):
            pipe.xadd("pairs:dead", {"n": "old"})
        pipe.execute()
    (taken,) = await intake.take(1, 0)
    assert await intake.bury(taken, "why") == 2
    assert await intake.dead_letters() == room.DEAD_LETTERS


async def test_accounting_of_all_proxies_is_read(server: ValkeyServer, intake: Intake) -> None:
    """Every proxy's rows come with its name; what cannot be read is left out."""
    with server.client() as client:
        client.hset("pairs:accounting", "a", b'[[3600,"mini","paired","",4],[3600,"mini","dropped","memory",1]]')
        client.hset("pairs:accounting", "b", b'[[7200,"mini","paired","",2]]')
        client.hset("pairs:accounting", "c", b"junk")
        client.hset("pairs:accounting", "d", b"[[1]]")
    assert sorted(await intake.accounting()) == [
        ("a", 3600, "mini", "dropped", "memory", 1),
        ("a", 3600, "mini", "paired", "", 4),
        ("b", 7200, "mini", "paired", "", 2),
    ]


async def test_consumers_that_are_gone_are_forgotten(server: ValkeyServer, intake: Intake, other: Intake) -> None:
    """A consumer that holds something stays; one that holds nothing and is silent goes; we ourselves stay."""
    publish(server, 2)
    await intake.take(1, 0)
    await other.take(1, 0)
    assert await intake.forget_the_gone() == 0
    assert await intake.forget_the_gone(silent=0) == 0
    await other.acknowledge([(await other.reclaim(0, 9)).entries[1].id])
    held = (await intake.reclaim(0, 9)).entries
    async with asyncio.timeout(5):
        while not await intake.forget_the_gone(silent=0):
            await asyncio.sleep(0.01)
    assert len(held) == 1
    with server.client() as client:
        consumers: Any = client.xinfo_consumers("pairs", GROUP)
    assert [one["name"] for one in consumers] == [b"one"]


async def test_a_server_that_evicts_is_refused(tmp_path: Path) -> None:
    """A policy that may delete the stream stops the start, with the remedy."""
    with tempfile.TemporaryDirectory(prefix="ui") as name, valkey_server(Path(name), "allkeys-lru") as running:
        intake = Intake(connect(running.url), "pairs")
        with pytest.raises(QueueUnfit, match="set it to noeviction"):
            await intake.open()
        await intake.close()


@pytest.mark.parametrize("version", ["5.0.14", "6.0.16"])
def test_a_server_without_xautoclaim_is_refused(version: str) -> None:
    """The oldest version that works is named."""
    with pytest.raises(QueueUnfit, match=r"6\.2 is the oldest"):
        room._fit({"redis_version": version})
    room._fit({"redis_version": "6.2.14"})


async def test_open_twice_is_harmless(intake: Intake) -> None:
    """The group is made once; who comes later uses it."""
    await intake.open()
    assert "one" in repr(intake)


async def test_a_server_that_hangs_or_is_gone_is_away(server: ValkeyServer, intake: Intake) -> None:
    """No retry hides an absent server, and the error does not repeat its URL."""
    server.kill()
    with pytest.raises(QueueAway, match="ConnectionError"):
        await intake.waiting()
    server.start()
    assert await intake.waiting() == 0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(fields(pair(3)), (pair(3).call.id, "mini", pair(3).call.arrived), id="readable"),
        pytest.param({b"id": b"abc:mini", b"shadow": b"mini"}, ("abc", "mini", 1.7e9), id="in clear only"),
        pytest.param({b"head": b'{"call": {"arrived": 1e300}}'}, ("1700000000000-5", NOBODY, 1.7e9), id="nonsense"),
        pytest.param({b"head": b'{"call": 1}', b"id": b"\xff"}, ("\ufffd", NOBODY, 1.7e9), id="not text"),
    ],
)
def test_identity_is_what_an_entry_says_of_itself(given: dict[bytes, bytes], expected: tuple[str, str, float]) -> None:
    """Unreadable entries are still accounted to a call, a shadow and an hour."""
    assert identity(Taken(b"1700000000000-5", given, 1)) == expected
