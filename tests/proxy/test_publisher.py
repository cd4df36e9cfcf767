"""Pairs into a real server: batches, accounting in the same transaction, a server that is away, hangs, or is full."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
import redis

from config.pair import Call, Failure, Outcome, Pair, Role
from config.wire import decode
from proxy.core.accounting import Bucket, Ledger
from proxy.publisher import Publisher, PublisherRules, QueueUnfit, connect
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry
from tests.doubles.valkey import ValkeyServer, valkey_server

STREAM = "understudy:pairs"
HOUR = 1_700_000_000 // 3600 * 3600
OUTCOME = Outcome(Failure.NONE, "", 200, (), b"{}", 2, 0.0, 0.1, 0.2, 1, 0.0)
CALL = Call("0" * 32, HOUR + 5.0, "POST", "/v1/x", "", (), b"{}", "c", ())


def pair(number: int, body: bytes = b"{}") -> Pair:
    """A pair of its own id."""
    return Pair(replace(CALL, id=f"{number:032x}", body=body), "mini", Role.CANDIDATE, OUTCOME, OUTCOME)


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """A server of its own: these tests stop it, freeze it and fill it."""
    with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder)) as made:
        yield made


@asynccontextmanager
async def publishing(
    server: ValkeyServer, max_pairs: int = 1000, memory: int = 1 << 20, flush: float = 5.0
) -> AsyncIterator[tuple[Publisher, Ledger]]:
    """A running publisher and its ledger."""
    ledger, tasks = Ledger(), Tasks()
    rules = PublisherRules(STREAM, max_pairs, memory, "proxy-1")
    publisher = Publisher(rules, connect(server.url), ledger, Telemetry())
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


async def test_later_found_unfit_drops_and_counts(server: ValkeyServer) -> None:
    """A server that was away at the start and then proves unfit gets nothing; when mended, it gets what comes next."""
    server.kill()
    server._policy = "allkeys-lru"
    async with publishing(server) as (publisher, ledger):
        server.start()
        publisher.offer(pair(0))
        await counted(ledger, 1)
        assert ledger.total(bucket=Bucket.DROPPED, reason="queue_away") == 1
        with server.client() as client:
            assert not client.exists(STREAM)
            client.config_set("maxmemory-policy", "noeviction")
        publisher.offer(pair(1))
        await counted(ledger, 2)
        assert stored(server) == [pair(1).id]


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


def test_says_what_it_holds() -> None:
    """The repr names what is waiting, and no content."""
    client = redis.asyncio.Redis()
    publisher = Publisher(PublisherRules(STREAM, 1, 10_000, "p"), client, Ledger(), Telemetry())
    publisher.offer(pair(0))
    assert repr(publisher) == "<Publisher holding 1 pairs, 2054 bytes>"
