"""One transaction at a time against a real server: all or nothing, and a connection that never answers for another."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config.wire import decode
from proxy.publisher.stream import Progress, QueueAway, QueueUnfit, Stream, connect
from tests.doubles.faults import refuser, relay
from tests.doubles.valkey import ValkeyServer, valkey_server
from tests.proxy.publisher.made import entries, pair

STREAM = "understudy:pairs"


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """A server of its own."""
    with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder)) as made:
        yield made


@asynccontextmanager
async def stream(url: str) -> AsyncIterator[Stream]:
    """A stream that is closed in the end."""
    made = Stream(connect(url), STREAM, "proxy-1")
    try:
        yield made
    finally:
        await made.close()


def stored(server: ValkeyServer) -> list[str]:
    """Ids of the pairs in the stream."""
    with server.client() as client:
        return [decode(fields).id for _, fields in client.xrange(STREAM)]


async def test_a_transaction_has_four_parts(server: ValkeyServer) -> None:
    """Pairs, accounting, progress and finished segments go together; the answer is the stream's length."""
    async with stream(server.url) as queue:
        assert await queue.progress("aa") == 0
        assert await queue.append(entries(0, 3), b"[1]", Progress("aa", 3), ()) == 3
        assert await queue.progress("aa") == 3
        assert await queue.append(entries(3, 5), b"[2]", None, ("aa", "bb")) == 5
        assert await queue.progress("aa") == 0
        assert await queue.append((), b"[3]", None, ()) == 5
    assert stored(server) == [pair(number).id for number in range(5)]
    with server.client() as client:
        assert client.hgetall(f"{STREAM}:accounting") == {b"proxy-1": b"[3]"}


async def test_refused_is_nothing_at_all(server: ValkeyServer) -> None:
    """A server without memory takes neither pairs nor accounting; the same connection's next answers are its own."""
    async with stream(server.url) as queue:
        with server.client() as client:
            client.config_set("maxmemory", "1")
            for _ in range(3):
                with pytest.raises(QueueAway, match="OutOfMemoryError"):
                    await queue.append(entries(0, 2), b"[]", None, ())
            assert not client.exists(STREAM, f"{STREAM}:accounting")
            client.config_set("maxmemory", "0")
        assert await queue.append(entries(0, 2), b"[]", None, ()) == 2


async def test_an_error_inside_the_transaction_is_one(server: ValkeyServer) -> None:
    """A command that fails while it is carried out is not acknowledged: its key holds something else."""
    with server.client() as client:
        client.set(f"{STREAM}:spooled", "text")
    async with stream(server.url) as queue:
        with pytest.raises(QueueAway, match="ResponseError"):
            await queue.append((), b"[]", Progress("aa", 1), ())
        with pytest.raises(QueueAway):
            await queue.progress("aa")


async def test_a_cancelled_transaction_leaves_no_answers_behind(server: ValkeyServer) -> None:
    """After a cancel in the middle, the next transaction reads its own length."""
    async with stream(server.url) as queue:
        await queue.append(entries(0, 1), b"[]", None, ())
        server.freeze()
        hanging = asyncio.ensure_future(queue.append(entries(1, 4), b"[]", None, ()))
        await asyncio.sleep(0.05)
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
        server.thaw()
        assert await queue.append(entries(4, 5), b"[]", None, ()) in (2, 5)
        assert await queue.progress("x") == 0


@pytest.mark.parametrize("reply", [b"-MOVED 1 h:1\r\n", b"-READONLY no\r\n", b"-LOADING no\r\n", b"-NOAUTH no\r\n"])
async def test_every_refusal_is_away(tmp_path: Path, reply: bytes) -> None:
    """Whatever a server says instead of OK, nothing of its text goes on."""
    with tempfile.TemporaryDirectory(prefix="us-") as folder:
        path = Path(folder) / "s"
        async with refuser(path, STREAM.encode(), reply), stream(f"unix://{path}") as queue:
            await queue.check()
            with pytest.raises(QueueAway) as caught:
                await queue.append(entries(0, 1), b"[]", None, ())
            assert str(caught.value).isidentifier()


async def test_nobody_there_is_away(tmp_path: Path) -> None:
    """No server: away, at every door."""
    async with stream(f"unix://{tmp_path}/nobody") as queue:
        for ask in (queue.check(), queue.progress("x"), queue.append((), b"[]", None, ())):
            with pytest.raises(QueueAway, match="ConnectionError"):
                await ask


async def test_a_cut_reply_is_away(server: ValkeyServer) -> None:
    """A connection that ends inside the answers is not acknowledged; the next one works."""
    async with relay(server.socket) as between, stream(f"redis://127.0.0.1:{between.port}") as queue:
        await queue.append(entries(0, 1), b"[]", None, ())
        between.cut_every = 1
        with pytest.raises(QueueAway):
            await queue.append(entries(1, 2), b"[]", None, ())
        between.cut_every = 0
        assert await queue.append((), b"[]", None, ()) == 2


async def test_an_evicting_server_is_unfit(tmp_path: Path) -> None:
    """The remedy is in the words; a server that forbids CONFIG is asked another way."""
    with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder), "allkeys-lru") as server:
        async with stream(server.url) as queue:
            with pytest.raises(QueueUnfit, match="noeviction"):
                await queue.check()
            with server.client() as client:
                client.execute_command("ACL", "SETUSER", "default", "-config")
            with pytest.raises(QueueUnfit, match="noeviction"):
                await queue.check()
