"""Pairs into a real server: batches, accounting in the same transaction, a server that is away, hangs, or is full."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
import redis

from config.wire import decode
from proxy.core.accounting import Bucket, Ledger
from proxy.publisher import Publisher, PublisherRules, QueueUnfit, Spool, connect
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry
from tests.doubles.valkey import ValkeyServer, valkey_server
from tests.proxy.publisher.made import CALL, FULL, HOUR, RefusingDisk, StallingDisk, pair

STREAM = "understudy:pairs"


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """A server of its own: these tests stop it, freeze it and fill it."""
    with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder)) as made:
        yield made


@asynccontextmanager
async def publishing(
    server: ValkeyServer, max_pairs: int = 1000, memory: int = 1 << 20, flush: float = 5.0, spool: Spool | None = None
) -> AsyncIterator[tuple[Publisher, Ledger]]:
    """A running publisher and its ledger."""
    ledger, tasks = Ledger(), Tasks()
    rules = PublisherRules(STREAM, max_pairs, memory, "proxy-1")
    publisher = Publisher(rules, connect(server.url), ledger, Telemetry(), spool)
    try:
        await publisher.start(tasks)
        yield publisher, ledger
    finally:
        await publisher.close(flush)


async def counted(ledger: Ledger, n: int, limit: float = 8.0) -> None:
    """Wait until the ledger has that many calls, and find that it never has more."""
    async with asyncio.timeout(limit):
        while ledger.calls("mini") != n:
            await asyncio.sleep(0.005)
    assert ledger.calls("mini") == n


def stored(server: ValkeyServer) -> list[str]:
    """Ids of the pairs in the stream, in its order."""
    with server.client() as client:
        return [decode(fields).id for _, fields in client.xrange(STREAM)]


def accounting(server: ValkeyServer) -> list[list[object]]:
    """What the publisher says about its calls."""
    with server.client() as client:
        found = client.hget(f"{STREAM}:accounting", "proxy-1")
    assert found is not None
    rows = orjson.loads(found)
    assert isinstance(rows, list)
    return rows


async def test_appends_in_order_with_the_accounting(server: ValkeyServer) -> None:
    """What is offered arrives in order, and the rows beside it say how many."""
    async with publishing(server) as (publisher, ledger):
        for number in range(300):
            publisher.offer(pair(number))
        await counted(ledger, 300)
    assert stored(server) == [pair(number).id for number in range(300)]
    assert accounting(server) == [[HOUR, "mini", "paired", "", 300]]


async def test_accounting_goes_out_without_pairs(server: ValkeyServer) -> None:
    """Calls that made no pair are told within a second or two."""
    async with publishing(server) as (_, ledger):
        ledger.count(CALL.arrived, "mini", Bucket.SAMPLED_OUT)
        async with asyncio.timeout(4):
            with server.client() as client:
                while not client.exists(f"{STREAM}:accounting"):
                    await asyncio.sleep(0.01)
        assert accounting(server) == [[HOUR, "mini", "sampled_out", "", 1]]
        assert not ledger.changed


async def test_large_pairs_are_encoded_beside_the_loop(server: ValkeyServer) -> None:
    """Bodies beyond a few kilobytes are compressed in a thread and arrive all the same."""
    body = b"0123456789abcdef" * 20_000
    async with publishing(server, memory=8 << 20) as (publisher, ledger):
        for number in range(5):
            publisher.offer(pair(number, body))
        await counted(ledger, 5)
    with server.client() as client:
        assert {decode(fields).call.body for _, fields in client.xrange(STREAM)} == {body}


async def test_unwritable_pair_does_not_hold_up_the_others(server: ValkeyServer) -> None:
    """A text that is no Unicode is dropped as `encode`, its neighbours are appended."""
    async with publishing(server) as (publisher, ledger):
        publisher.offer(pair(1))
        publisher.offer(replace(pair(2), call=replace(CALL, path="/\udcff")))
        publisher.offer(pair(3))
        await counted(ledger, 3)
        assert ledger.total(bucket=Bucket.DROPPED, reason="encode") == 1
    assert stored(server) == [pair(1).id, pair(3).id]


async def test_a_bug_costs_a_batch(server: ValkeyServer) -> None:
    """A pair that breaks our own code is dropped as `crash` and counted; what comes after it is appended."""
    async with publishing(server) as (publisher, ledger):
        publisher.offer(replace(pair(1), live=replace(pair(1).live, failure="none")))  # type: ignore[arg-type]
        await counted(ledger, 1)
        assert ledger.total(bucket=Bucket.DROPPED, reason="crash") == 1
        publisher.offer(pair(2))
        await counted(ledger, 2)
    assert stored(server) == [pair(2).id]


async def test_memory_is_bounded(server: ValkeyServer) -> None:
    """With the server away, offers fill the memory and are then dropped at once; nothing is lost twice."""
    server.kill()
    async with publishing(server, memory=100_000, flush=0.1) as (publisher, ledger):
        for number in range(100):
            publisher.offer(pair(number, b"x" * 8000))
        full = ledger.total(bucket=Bucket.DROPPED, reason="queue_full")
        assert full == 91
    assert ledger.total(bucket=Bucket.DROPPED, reason="queue_away") == 9
    assert ledger.calls("mini") == 100


async def test_server_that_comes_back_gets_everything(server: ValkeyServer) -> None:
    """Pairs offered while the server is gone are appended after its return, each once."""
    async with publishing(server) as (publisher, ledger):
        publisher.offer(pair(0))
        await counted(ledger, 1)
        server.kill()
        for number in range(1, 50):
            publisher.offer(pair(number))
        await asyncio.sleep(0.3)  # at least one attempt finds nobody
        assert ledger.calls("mini") == 1
        server.start()  # with an empty memory
        await counted(ledger, 50)
    assert stored(server) == [pair(number).id for number in range(1, 50)]
    assert accounting(server) == [[HOUR, "mini", "paired", "", 50]]


async def test_server_that_hangs_gets_each_pair_at_least_once(server: ValkeyServer) -> None:
    """An append that timed out is sent again; what was carried out after all is there twice under the same id."""
    async with publishing(server) as (publisher, ledger):
        publisher.offer(pair(0))
        await counted(ledger, 1)
        server.freeze()
        for number in range(1, 20):
            publisher.offer(pair(number))
        await asyncio.sleep(2.0)  # longer than the socket's limit
        assert ledger.calls("mini") == 1
        server.thaw()
        await counted(ledger, 20)
    assert set(stored(server)) == {pair(number).id for number in range(20)}
    assert accounting(server) == [[HOUR, "mini", "paired", "", 20]]


async def test_full_stream_pauses_the_appending(server: ValkeyServer) -> None:
    """At max_pairs nothing more is appended until somebody has taken some; nothing is trimmed."""
    async with publishing(server, max_pairs=100) as (publisher, ledger):
        for number in range(300):
            publisher.offer(pair(number))
        async with asyncio.timeout(5):
            while ledger.calls("mini") < 100:
                await asyncio.sleep(0.005)
        await asyncio.sleep(1.2)  # one more look at the length
        assert len(stored(server)) == ledger.calls("mini") <= 100 + 128
        with server.client() as client:
            first = len(stored(server))
            client.delete(STREAM)
        async with asyncio.timeout(5):
            while ledger.calls("mini") == first:
                await asyncio.sleep(0.01)
        with server.client() as client:
            while ledger.calls("mini") < 300:
                client.delete(STREAM)
                await asyncio.sleep(0.01)
    assert accounting(server) == [[HOUR, "mini", "paired", "", 300]]


async def test_refuses_a_server_that_evicts(tmp_path: Path) -> None:
    """A server that may delete the stream is refused at the start, with the remedy in the words."""
    with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder), "allkeys-lru") as server:
        with pytest.raises(QueueUnfit, match="noeviction"):
            async with publishing(server):
                pass


async def test_later_found_unfit_gets_nothing(server: ValkeyServer, caplog: pytest.LogCaptureFixture) -> None:
    """A server that was away at the start and then proves unfit gets nothing until it is mended; then it gets all."""
    server.kill()
    server._policy = "allkeys-lru"
    async with publishing(server) as (publisher, ledger):
        server.start()
        publisher.offer(pair(0))
        await asyncio.sleep(0.6)
        assert ledger.calls("mini") == 0
        with server.client() as client:
            assert not client.exists(STREAM)
            client.config_set("maxmemory-policy", "noeviction")
        await counted(ledger, 1)
        assert stored(server) == [pair(0).id]


async def test_server_out_of_memory_is_away(server: ValkeyServer) -> None:
    """An OOM answer loses nothing: the batch is sent again when there is room."""
    async with publishing(server) as (publisher, ledger):
        with server.client() as client:
            client.config_set("maxmemory", "1")
        publisher.offer(pair(0))
        await asyncio.sleep(0.3)
        assert ledger.calls("mini") == 0
        with server.client() as client:
            client.config_set("maxmemory", "0")
        await counted(ledger, 1)
    assert stored(server) == [pair(0).id]


async def test_old_hours_are_forgotten(server: ValkeyServer) -> None:
    """Hours that the evaluators stored long ago leave ledger and record once told; the metric does not go down."""
    ledger, tasks, telemetry = Ledger(), Tasks(), Telemetry()
    telemetry.watch(ledger)
    publisher = Publisher(PublisherRules(STREAM, 100, 1 << 20, "proxy-1"), connect(server.url), ledger, telemetry)
    await publisher.start(tasks)
    ledger.count(CALL.arrived - 100 * 3600, "mini", Bucket.SAMPLED_OUT)
    publisher.offer(pair(0))
    await counted(ledger, 1)
    publisher.offer(pair(1))
    await counted(ledger, 2)
    await publisher.close(5.0)
    assert accounting(server) == [[HOUR, "mini", "paired", "", 2]]
    assert b'{bucket="sampled_out",reason="",shadow="mini"} 1.0' in telemetry.text()


def server_keys(server: ValkeyServer) -> list[bytes]:
    """What the server holds."""
    with server.client() as client:
        return list(client.keys())


async def on_disk(spool: Spool, n: int) -> None:
    """Wait until so many pairs lie on the disk."""
    async with asyncio.timeout(8):
        while spool.facts.pairs != n:
            await asyncio.sleep(0.005)


async def test_spools_while_the_server_is_away(server: ValkeyServer, tmp_path: Path) -> None:
    """Far more than the memory holds goes over the disk: all arrives, in its hour, and the disk is empty again."""
    spool = Spool(tmp_path, "proxy-1", 16 << 20)
    async with publishing(server, memory=400_000, max_pairs=10_000, spool=spool) as (publisher, ledger):
        publisher.offer(pair(0))
        await counted(ledger, 1)
        server.kill()
        for number in range(1, 501):
            publisher.offer(pair(number, b"x" * 5000))
            await asyncio.sleep(0.002 if number > 20 else 0.05)
        await on_disk(spool, 500)
        assert ledger.calls("mini") == 1
        server.start()
        await counted(ledger, 501)
        await on_disk(spool, 0)
    assert sorted(stored(server)) == [pair(number).id for number in range(1, 501)]
    assert accounting(server) == [[HOUR, "mini", "paired", "", 501]]
    assert not list(tmp_path.iterdir())


async def test_leaves_the_spool_to_the_next_process(server: ValkeyServer, tmp_path: Path) -> None:
    """Pairs on the disk at the end are in no bucket; who drains them counts them, and only what the queue lacked."""
    server.kill()
    first = Spool(tmp_path, "gone", 1 << 20)
    async with publishing(server, spool=first) as (publisher, ledger):
        for number in range(300):
            publisher.offer(pair(number))
    assert (ledger.calls("mini"), first.facts.pairs) == (0, 300)
    server.start()
    (segment,) = tmp_path.glob("gone/*.seg")
    with server.client() as client:  # as if the first process had drained some, and had been killed
        client.hset(f"{STREAM}:spooled", segment.read_bytes()[19:35].hex(), "100")
    async with publishing(server, spool=Spool(tmp_path, "next", 1 << 20)) as (publisher, ledger):
        await counted(ledger, 200)
        publisher.offer(pair(300))
        await counted(ledger, 201)
    with server.client() as client:
        assert not client.exists(f"{STREAM}:spooled")
    assert not list(tmp_path.iterdir())
    assert stored(server) == [pair(number).id for number in range(100, 301)]
    assert accounting(server) == [[HOUR, "mini", "paired", "", 201]]


async def test_shutdown_saves_what_waits(server: ValkeyServer, tmp_path: Path) -> None:
    """A server that hangs at the shutdown costs nothing: what it did not acknowledge is on the disk."""
    spool = Spool(tmp_path, "proxy-1", 1 << 20)
    async with publishing(server, flush=0.2, spool=spool) as (publisher, ledger):
        publisher.offer(pair(0))
        await counted(ledger, 1)
        server.freeze()
        for number in range(1, 30):
            publisher.offer(pair(number))
        await asyncio.sleep(0.05)
    server.thaw()
    assert (ledger.calls("mini"), spool.facts.pairs) == (1, 29)


async def test_a_slow_append_sends_the_waiting_to_the_disk(server: ValkeyServer, tmp_path: Path) -> None:
    """While the server hangs, what comes after the batch in hand is soon on the disk, long before the time-out."""
    spool = Spool(tmp_path, "proxy-1", 1 << 20)
    async with publishing(server, spool=spool) as (publisher, ledger):
        publisher.offer(pair(0))
        await counted(ledger, 1)
        server.freeze()
        publisher.offer(pair(1))
        await asyncio.sleep(0.3)
        for number in range(2, 40):
            publisher.offer(pair(number))
        async with asyncio.timeout(0.8):
            await on_disk(spool, 38)
        server.thaw()
        await counted(ledger, 40)
    assert set(stored(server)) == {pair(number).id for number in range(40)}


async def test_full_stream_spools(server: ValkeyServer, tmp_path: Path) -> None:
    """At max_pairs the rest goes to the disk, and comes back when somebody has taken some."""
    spool = Spool(tmp_path, "proxy-1", 4 << 20)
    async with publishing(server, max_pairs=100, spool=spool) as (publisher, ledger):
        for number in range(400):
            publisher.offer(pair(number))
        async with asyncio.timeout(8):
            while ledger.calls("mini") + spool.facts.pairs < 400 or spool.facts.pairs == 0:
                await asyncio.sleep(0.005)
        assert len(stored(server)) == ledger.calls("mini") <= 100 + 128
        with server.client() as client:
            async with asyncio.timeout(8):
                while ledger.calls("mini") < 400:
                    client.delete(STREAM)
                    await asyncio.sleep(0.01)
    assert accounting(server) == [[HOUR, "mini", "paired", "", 400]]


async def test_full_spool_and_full_memory_drop_the_newest(server: ValkeyServer, tmp_path: Path) -> None:
    """Disk first, then memory, then the newest pair is dropped and counted; the others arrive."""
    server.kill()
    spool = Spool(tmp_path, "proxy-1", 5000)
    async with publishing(server, memory=60_000, spool=spool) as (publisher, ledger):
        number = 0
        async with asyncio.timeout(8):
            while ledger.total(bucket=Bucket.DROPPED) < 5:
                publisher.offer(pair(number))
                number += 1
                await asyncio.sleep(0.005)
        assert spool.full
        assert ledger.total(bucket=Bucket.DROPPED) == ledger.total(reason="spool_full")
        assert spool.facts.bytes <= 5000
        assert spool.facts.pairs > 0
        kept = number - ledger.total(bucket=Bucket.DROPPED)
        server.start()
        await counted(ledger, number)
    assert set(stored(server)) == {pair(one).id for one in range(kept)}


async def test_disk_trouble_is_the_memory_s_matter(server: ValkeyServer, tmp_path: Path) -> None:
    """With queue and disk away, memory fills and then drops; a disk that works again takes what waits."""
    server.kill()
    disk = RefusingDisk()
    disk.error = FULL
    spool = Spool(tmp_path, "proxy-1", 1 << 20, disk)
    async with publishing(server, memory=60_000, spool=spool) as (publisher, ledger):
        for number in range(40):
            publisher.offer(pair(number))
        dropped = ledger.total(bucket=Bucket.DROPPED, reason="queue_full")
        async with asyncio.timeout(4):
            while disk.refused < 2:
                await asyncio.sleep(0.005)
        assert spool.facts.pairs == 0
        disk.error = 0
        await on_disk(spool, 40 - dropped)
        server.start()
        await counted(ledger, 40)
    assert dropped > 0
    assert len(stored(server)) == 40 - dropped


async def test_a_hanging_disk_does_not_stop_the_publishing(server: ValkeyServer, tmp_path: Path) -> None:
    """While the disk hangs, what it holds stays there; what is in memory goes to the queue as ever."""
    server.kill()
    disk = StallingDisk(0.0)
    spool = Spool(tmp_path, "proxy-1", 1 << 20, disk)
    async with publishing(server, spool=spool) as (publisher, ledger):
        publisher.offer(pair(0))
        await on_disk(spool, 1)
        disk.seconds = 3.0
        publisher.offer(pair(1))
        await asyncio.sleep(0.2)  # the disk has it, and hangs
        server.start()
        async with asyncio.timeout(2.5):
            while STREAM.encode() not in server_keys(server):
                publisher.offer(pair(2 + ledger.calls("mini")))
                await asyncio.sleep(0.05)
        assert disk.hanging
        disk.seconds = 0.0
        async with asyncio.timeout(6):
            while spool.facts.bytes:
                await asyncio.sleep(0.01)
    assert {pair(0).id, pair(1).id} < set(stored(server))


async def test_a_stalling_disk_does_not_hold_up_the_loop(server: ValkeyServer, tmp_path: Path) -> None:
    """200 pairs a second with the queue away and 500 ms per sync: no turn of the loop waits for one, and 98 of 100
    calculate for less than 10 ms (all of them on a machine that does nothing else)."""
    server.kill()
    spool = Spool(tmp_path, "proxy-1", 16 << 20, StallingDisk(0.5))
    turns: list[tuple[float, float]] = []  # seconds passed and calculated
    async with publishing(server, memory=8 << 20, spool=spool) as (publisher, ledger):
        for number in range(300):
            publisher.offer(pair(number, b"x" * 4000))
            turns.append(await _turn())
        assert spool.facts.written > 0
        server.start()
        async with asyncio.timeout(6):
            while not spool.facts.drained:
                turns.append(await _turn())
    assert ledger.total(bucket=Bucket.DROPPED) == 0
    assert max(passed for passed, _ in turns) < 0.4
    assert sorted(calculated for _, calculated in turns)[len(turns) * 98 // 100] < 0.010


async def _turn() -> tuple[float, float]:
    """5 ms of the loop: how long they took, and how long it calculated meanwhile."""
    passed, calculated = time.monotonic(), time.thread_time()
    await asyncio.sleep(0.005)
    return time.monotonic() - passed, time.thread_time() - calculated


async def test_old_hours_are_kept_while_the_spool_drains(server: ValkeyServer, tmp_path: Path) -> None:
    """Pairs of an hour long ago are told as one sum, though they come in several batches."""
    server.kill()
    old = replace(CALL, arrived=CALL.arrived - 100 * 3600)
    async with publishing(server, spool=Spool(tmp_path, "gone", 1 << 20)) as (publisher, _):
        for number in range(300):
            publisher.offer(replace(pair(number), call=replace(old, id=f"{number:032x}")))
    server.start()
    told = 0
    async with publishing(server, spool=Spool(tmp_path, "next", 1 << 20)) as (publisher, ledger):
        ledger.count(CALL.arrived, "mini", Bucket.SAMPLED_OUT)
        async with asyncio.timeout(8):
            while told < 300:
                with server.client() as client:
                    rows = orjson.loads(client.hget(f"{STREAM}:accounting", "proxy-1") or b"[]")
                told = max([told, *(row[4] for row in rows if row[2] == "paired")])
                await asyncio.sleep(0.001)


def test_says_what_it_holds() -> None:
    """The repr names what is waiting, and no content."""
    client = redis.asyncio.Redis()
    publisher = Publisher(PublisherRules(STREAM, 1, 10_000, "p"), client, Ledger(), Telemetry())
    publisher.offer(pair(0))
    assert repr(publisher) == "<Publisher holding 1 pairs, 2054 bytes>"
