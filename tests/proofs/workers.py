"""What a divided proxy (`workers: N`) does when its processes are killed or stopped under 200 calls a second.

`python -m tests.proofs.workers` prints one row for each harm; test_workers runs the same code. Latency counts from the
instant at which a call was due. The accounting is read from the queue after the proxy has ended.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import orjson
import redis
import yaml

from evaluators.children import Child, child
from evaluators.queue_server import QueueServer
from tests.doubles.upstream import ScriptedUpstream, Turn

RATE = 200
BODY = b'{"model":"m","messages":[{"role":"user","content":"' + b"words " * 150 + b'"}]}'
ANSWER = b'{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"' + (
    b"word " * 240 + b'"},"finish_reason":"stop"}]}'
)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)


async def prompt(turn: Turn) -> None:
    """An upstream that answers after 10 ms."""
    await asyncio.sleep(0.010)
    await turn.send(_HEAD + ANSWER)


@dataclass
class Load:
    """Calls at a steady rate, each on a connection of its own, until told to stop."""

    url: str
    body: bytes = BODY
    calls: int = 0
    open: int = 0
    latencies: list[float] = field(default_factory=list)  # ms
    failures: Counter[str] = field(default_factory=Counter)
    stopped: bool = False

    async def run(self) -> None:
        """Call until `stopped`, then wait for the last answer."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as session,
            asyncio.TaskGroup() as group,
        ):
            while not self.stopped:
                due = start + self.calls / RATE
                await asyncio.sleep(max(0.0, due - loop.time()))
                self.calls += 1
                group.create_task(self._one(session, due))

    async def _one(self, session: aiohttp.ClientSession, due: float) -> None:
        self.open += 1
        try:
            headers = {"content-type": "application/json"}
            async with session.post(f"{self.url}/v1/chat/completions", data=self.body, headers=headers) as response:
                if response.status != 200 or await response.read() != ANSWER:
                    self.failures["wrong answer"] += 1
        except aiohttp.ClientConnectorError:
            self.failures["refused"] += 1
        except aiohttp.ClientError as error:
            self.failures[type(error).__name__] += 1
        finally:
            self.open -= 1
        self.latencies.append((asyncio.get_running_loop().time() - due) * 1000)

    def at(self, share: float, since: int = 0, until: int | None = None) -> float:
        """A quantile of the latencies of some calls."""
        some = sorted(self.latencies[since:until])
        return some[min(len(some) - 1, int(share * len(some)))]


@dataclass
class Stage:
    """A running proxy between a live, a candidate and a queue."""

    proxy: Child
    queue: redis.Redis
    load: Load
    code: int = -1
    books: dict[str, Counter[str]] = field(default_factory=dict)
    pairs: int = 0

    def pids(self, part: str) -> list[int]:
        """The processes of one part."""
        listed = subprocess.run(
            ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        )
        rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
        mark = f'"part": "{part}"'
        return [int(row[0]) for row in rows if row[1] == str(self.proxy.pid) and len(row) > 2 and mark in row[2]]

    async def ready(self, part: str, n: int, limit: float = 8.0) -> None:
        """Wait until as many of a part are ready."""
        async with asyncio.timeout(limit), aiohttp.ClientSession() as session:
            while True:
                async with session.get(f"{self.proxy.ready['ops']}/metrics") as response:
                    if f'understudy_workers{{part="{part}"}} {n:.1f}' in await response.text():
                        return
                await asyncio.sleep(0.02)

    async def finish(self) -> None:
        """Stop the load, then the proxy, and read what it counted."""
        self.load.stopped = True
        while self.load.open:
            await asyncio.sleep(0.01)
        self.code = await self.proxy.stop()
        for value in (await asyncio.to_thread(self.queue.hgetall, "understudy:pairs:accounting")).values():
            for _, shadow, bucket, reason, n in orjson.loads(value):
                self.books.setdefault(shadow, Counter())[f"{bucket} {reason}".strip()] += n
        self.pairs = self.queue.xlen("understudy:pairs")

    def row(self, name: str) -> str:
        """Calls, failures, the book of the candidate, exit code."""
        book = ", ".join(f"{bucket} {n:,}" for bucket, n in sorted(self.books["mini"].items()))
        counted = self.books["mini"].total()
        failed = self.load.failures.total()
        return f"| {name} | {self.load.calls:,} | {failed} | {counted:,} ({book}; {self.pairs:,} pairs) | {self.code} |"


@asynccontextmanager
async def stage(workers: int = 2, memory: str = "64MiB", body: bytes = BODY) -> AsyncIterator[Stage]:
    """A divided proxy under load, after a second of warming up."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="us-")))
        server = QueueServer(folder, folder / "q.sock")
        await server.start()
        stack.push_async_callback(server.stop)
        live = await stack.enter_async_context(ScriptedUpstream(prompt))
        candidate = await stack.enter_async_context(ScriptedUpstream(prompt))
        config = {
            "listen": "127.0.0.1:0",
            "ops": "127.0.0.1:0",
            "workers": workers,
            "data": str(folder / "data"),
            "live": {"base_url": live.url},
            "candidates": [{"name": "mini", "base_url": candidate.url}],
            "queue": {"url": f"unix://{folder / 'q.sock'}", "memory": memory},
        }
        file = folder / "understudy.yaml"
        file.write_text(yaml.safe_dump(config))
        log = folder / "proxy.log"
        proxy = await stack.enter_async_context(child("proxy", ["-m", "proxy", "--config", str(file)], log=log))
        queue = stack.enter_context(redis.Redis(unix_socket_path=str(folder / "q.sock")))
        one = Stage(proxy, queue, Load(proxy.ready["listening"], body))
        async with asyncio.TaskGroup() as group:
            group.create_task(one.load.run())
            await asyncio.sleep(1.0)
            try:
                yield one
            finally:
                one.load.stopped = True


async def lane_killed(kills: int, number: int = signal.SIGKILL) -> Stage:
    """Kill the lane again and again, some time after it is back."""
    async with stage() as one:
        for turn in range(kills):
            await one.ready("lane", 1)
            await asyncio.sleep(0.2 + 0.03 * (turn % 10))
            for pid in one.pids("lane"):
                os.kill(pid, number)
            await one.ready("lane", 0)
        await one.ready("lane", 1)
        await asyncio.sleep(1.0)
        await one.finish()
    return one


async def relays_killed(kills: int) -> tuple[Stage, int]:
    """SIGKILL one relay after the other; returns the calls that were open at those instants as well."""
    exposed = 0
    async with stage() as one:
        for _ in range(kills):
            await one.ready("relay", 2)
            victim = min(one.pids("relay"))
            exposed += one.load.open
            os.kill(victim, signal.SIGKILL)
            await one.ready("relay", 1)
        await one.ready("relay", 2)
        await asyncio.sleep(0.5)
        await one.finish()
    return one, exposed


async def lane_stopped(seconds: float, memory: str) -> tuple[Stage, float, float, int]:
    """SIGSTOP the lane for a while; returns live's p99 before and meanwhile, and the most that a relay grew (kB)."""
    async with stage(memory=memory, body=BODY + b" " * 8192) as one:
        await asyncio.sleep(seconds)
        before = len(one.load.latencies)
        (lane,) = one.pids("lane")
        sizes = {pid: _resident(pid) for pid in one.pids("relay")}
        os.kill(lane, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        stopped = len(one.load.latencies)
        grown = max(_resident(pid) - size for pid, size in sizes.items())
        os.kill(lane, signal.SIGCONT)
        await asyncio.sleep(1.0)
        await one.finish()
    warm = RATE // 2
    return one, one.load.at(0.99, warm, before), one.load.at(0.99, before, stopped), grown


def _resident(pid: int) -> int:
    listed = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(listed.stdout)


async def main() -> None:
    """Print the table."""
    print("| harm | live calls | failed | counted for the candidate | exit code |\n|---|---|---|---|---|")
    print((await lane_killed(20)).row("lane: SIGKILL × 20"), flush=True)
    one, exposed = await relays_killed(20)
    print(one.row(f"relays: SIGKILL × 20 ({exposed} calls were open)"), dict(one.load.failures), flush=True)
    one, before, meanwhile, grown = await lane_stopped(5.0, "4MiB")
    print(one.row(f"lane: SIGSTOP 5 s (p99 {before:.1f} → {meanwhile:.1f} ms, a relay grew {grown:,} kB)"), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
