"""Processes that spool until they are killed, and what the next ones find: `python -m tests.proofs.spooling [kills]`.

One process with everything imported forks a fresh publisher for each life; nobody listens where its queue should be.
Each publisher writes down, in a file that both sides map, when it offered which pair: what a kill cost is known.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import orjson
import uvloop

from config.wire import decode
from proxy.core.accounting import Ledger
from proxy.publisher import Publisher, PublisherRules, Spool, connect
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry
from tests.doubles.valkey import ValkeyServer, valkey_server
from tests.proxy.publisher.made import pair

RATE = 1000
STREAM = "understudy:pairs"
SPOOL = 256 << 20
_MOST = 5000  # pairs that one life may offer
_TIME = struct.Struct("<d")
_LIFE = 1_000_000  # ids of one life begin at a multiple of it


@dataclass(frozen=True, slots=True)
class Killed:
    """One life: when each of its pairs was offered, and when it was killed (both on the system's monotonic clock)."""

    offered: tuple[float, ...]
    end: float


@dataclass(frozen=True, slots=True)
class Found:
    """What came of all lives."""

    kills: int
    offered: int
    stored: int
    told: int  # paired, as the evaluators read it
    strangers: int  # ids in the stream that nobody offered
    torn: int  # records discarded
    oldest_lost: float  # seconds before its kill at which the oldest lost pair was offered
    most_lost: int  # by one kill
    crashes: int
    left: int  # files still in the spool

    def line(self) -> str:
        """One line of figures."""
        return (
            f"{self.kills} kills, {self.offered} offered, {self.stored} stored, {self.offered - self.stored} lost: at "
            f"most {self.most_lost} by one kill, offered at most {self.oldest_lost * 1000:.0f} ms before it; "
            f"{self.torn} torn records discarded, {self.strangers} made up, {self.crashes} crashes"
        )


async def _live(root: Path, times: mmap.mmap, life: int) -> None:
    """Offer pairs until killed."""
    loop = asyncio.get_running_loop()
    rules = PublisherRules(STREAM, 100_000, 64 << 20, f"life-{life}")
    spool = Spool(root / "spool", rules.instance, SPOOL)
    publisher = Publisher(rules, connect(f"unix://{root}/nobody.sock"), Ledger(), Telemetry(), spool)
    await publisher.start(Tasks())
    due = loop.time()
    for number in range(_MOST):
        one = pair(life * _LIFE + number, os.urandom(300))
        _TIME.pack_into(times, number * _TIME.size, time.monotonic())
        publisher.offer(one)
        due += 1 / RATE
        await asyncio.sleep(due - loop.time())


def serve() -> None:
    """Fork a life for each line `folder number`; answer with its process id."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        folder, life = line.split()
        child = os.fork()
        if child == 0:
            with Path(folder, f"times-{life}").open("r+b") as file:
                uvloop.run(_live(Path(folder), mmap.mmap(file.fileno(), 0), int(life)))
            os._exit(1)
        print(child, flush=True)


def _one_life(nursery: subprocess.Popen[str], root: Path, life: int, dice: random.Random) -> Killed:
    times = root / f"times-{life}"
    times.write_bytes(bytes(_MOST * _TIME.size))
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(f"{root} {life}\n")
    nursery.stdin.flush()
    child = int(nursery.stdout.readline())
    limit = time.monotonic() + 10
    while not _offered(times) and time.monotonic() < limit:
        time.sleep(0.001)
    time.sleep(dice.uniform(0, 0.2))
    end = time.monotonic()
    os.kill(child, signal.SIGKILL)
    while Path(f"/proc/{child}").exists():
        time.sleep(0.0005)
    return Killed(_offered(times), end)


def _offered(times: Path) -> tuple[float, ...]:
    return tuple(at for (at,) in _TIME.iter_unpack(times.read_bytes()) if at)


async def _drained(server: ValkeyServer, root: Path) -> tuple[set[str], int, Spool]:
    """What a last process finds and brings to the queue."""
    rules = PublisherRules(STREAM, 10_000_000, 64 << 20, "last")
    spool = Spool(root / "spool", rules.instance, SPOOL)
    publisher = Publisher(rules, connect(server.url), Ledger(), Telemetry(), spool)
    await publisher.start(Tasks())
    async with asyncio.timeout(120):
        while not spool.facts.drained or spool.facts.bytes:
            await asyncio.sleep(0.02)
    await publisher.close(5.0)
    with server.client() as client:
        ids = {decode(fields).id for _, fields in client.xrange(STREAM)}
        rows = orjson.loads(client.hget(f"{STREAM}:accounting", "last") or b"[]")
    return ids, sum(row[4] for row in rows if row[2] == "paired"), spool


def measure(kills: int, seed: int = 1) -> Found:
    """Kill so many processes at random points while they spool, then drain what they left."""
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder)) as server:
        root = Path(folder)
        command = [sys.executable, "-m", "tests.proofs.spooling", "serve"]
        with (
            (root / "errors").open("wb") as errors,
            subprocess.Popen(command, stdin=-1, stdout=-1, stderr=errors, text=True) as nursery,
        ):
            lives = [_one_life(nursery, root, life, dice) for life in range(kills)]
            assert nursery.stdin is not None
            nursery.stdin.close()
        ids, told, spool = uvloop.run(_drained(server, root))
        crashes = (root / "errors").read_bytes().count(b"Traceback")
        left = sum(path.is_file() for path in (root / "spool").rglob("*"))
    lost = [
        [life.end - at for n, at in enumerate(life.offered) if pair(number * _LIFE + n).id not in ids]
        for number, life in enumerate(lives)
    ]
    offered = {pair(number * _LIFE + n).id for number, life in enumerate(lives) for n in range(len(life.offered))}
    return Found(
        kills,
        offered=len(offered),
        stored=len(ids),
        told=told,
        strangers=len(ids - offered),
        torn=spool.facts.damaged,
        oldest_lost=max((max(ages) for ages in lost if ages), default=0.0),
        most_lost=max(map(len, lost)),
        crashes=crashes,
        left=left,
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 200).line())
