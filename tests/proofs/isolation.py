"""What a bad candidate does to live calls: 200 a second through a proxy with and without it, rounds interleaved.

`python -m tests.proofs.isolation [FAULT …]` prints the table of the README; test_isolation runs the same code. Latency
counts from the instant at which a call was due, so that a stalled generator cannot hide a stall of the proxy. Beside
that load one connection asks, and asks again at the very instant its answer is complete: a proxy that finishes the
copy first holds back exactly this request.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic as clock  # the loop's own goes in steps of a millisecond

import aiohttp
import uvloop
import yaml

from evaluators.children import Child, child
from evaluators.queue_server import QueueServer
from tests.doubles.client import Client
from tests.doubles.upstream import ScriptedUpstream, Turn
from tests.proofs.amplification import forget, resident
from tests.proofs.candidates import ELSEWHERE, FAULTS, NAME_HANGS, silent_resolver

RATE = 200
LIVE_SECONDS = 0.010
APART = ", `workers: 1`"
GREEDY = ("endless body", "gzip bomb")  # 200 MB a second: what they cost is the processor, so also in a process apart
PAUSE = 0.020  # seconds between two pairs of calls on the connection that asks again at once
BODY = b'{"model":"m","messages":[{"role":"user","content":"' + b"words " * 150 + b'"}]}'
ANSWER = b'{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"' + (
    b"word " * 240 + b'"},"finish_reason":"stop"}]}'
)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)
JSON = b"Content-Type: application/json\r\n"


async def _live(turn: Turn) -> None:
    await asyncio.sleep(LIVE_SECONDS)
    await turn.send(_HEAD + ANSWER)


def quantile(values: Sequence[float], share: float) -> float:
    """Of a sample that is not empty."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


@dataclass
class Round:
    """Latencies of one round in milliseconds, those of the requests that follow at once, and calls that failed."""

    latencies: list[float] = field(default_factory=list)
    following: list[float] = field(default_factory=list)
    failed: int = 0


@dataclass
class Compared:
    """The rounds without and with a candidate, and by how much the proxy beside it grew at most."""

    without: list[Round] = field(default_factory=list)
    with_it: list[Round] = field(default_factory=list)
    grown: int = 0  # bytes
    counted: str = ""  # where the calls went, by the proxy's own metrics

    @property
    def failed(self) -> int:
        """Live calls that failed, on either side."""
        return sum(one.failed for one in (*self.without, *self.with_it))

    def line(self, fault: str) -> str:
        """One row: calls, failures, medians over rounds of p50 and p99, without → with, and the request after."""
        calls = sum(len(one.latencies) + 2 * len(one.following) for one in self.with_it)
        cells = []
        for share in (0.50, 0.99):
            pairs = [
                (quantile(before.latencies, share), quantile(after.latencies, share))
                for before, after in zip(self.without, self.with_it, strict=True)
            ]
            before, after = (statistics.median(side) for side in zip(*pairs, strict=True))
            differences = [b - a for a, b in pairs]
            cells.append(f"{before:.1f} → {after:.1f} ({min(differences):+.1f} to {max(differences):+.1f})")
        nexts = [[ms for one in side for ms in one.following] for side in (self.without, self.with_it)]
        cells.append(" → ".join(f"{quantile(one, 0.5):.1f}" for one in nexts))
        cells.append(" → ".join(f"{max(one):.0f}" for one in nexts) + f" (of {len(nexts[1]):,})")
        return f"| {fault} | {calls:,} | {self.failed} | {' | '.join(cells)} | {self.grown / 2**20:+.0f} |"


HEADER = (
    "| candidate | live calls with it | failed | p50 ms without → with (by round) | p99 ms "
    "| next request p50 ms | its longest ms | proxy's memory MiB |\n|---|---|---|---|---|---|---|---|"
)


async def compare(
    faults: Sequence[str], rounds: int, seconds: float, rate: int = RATE, workers: int | None = None
) -> Compared:
    """`rounds` of calls without and with candidates that have these faults, in turns."""
    found = Compared()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="us-")))
        queue = QueueServer(folder, folder / "q.sock")
        await queue.start()
        stack.push_async_callback(queue.stop)
        live = await stack.enter_async_context(ScriptedUpstream(_live))
        addresses = await _candidates(faults, folder, stack)
        plain = await stack.enter_async_context(_proxy(folder, "plain", live.url, [], workers))
        shadowed = await stack.enter_async_context(
            _proxy(folder, "shadowed", live.url, addresses, workers, NAME_HANGS in faults)
        )
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        forget(shadowed.pid)
        before = resident(shadowed.pid, "VmRSS")
        for base in (plain, shadowed):
            await _calls(session, base.ready["listening"], 1.0, rate)  # warm connections and code
        for _ in range(rounds):
            found.without.append(await _calls(session, plain.ready["listening"], seconds, rate))
            found.with_it.append(await _calls(session, shadowed.ready["listening"], seconds, rate))
        found.grown = resident(shadowed.pid, "VmHWM") - before
        found.counted = await _counted(session, shadowed.ready["ops"])
        os.kill(shadowed.pid, signal.SIGKILL)  # it would wait for its shadows, which hang
    return found


async def _candidates(faults: Sequence[str], folder: Path, stack: AsyncExitStack) -> list[str]:
    if NAME_HANGS in faults:
        stack.enter_context(silent_resolver(folder))
    elsewhere = {**ELSEWHERE, NAME_HANGS: "http://candidate.example"}
    served = [fault for fault in faults if fault not in elsewhere]
    words = ["-m", "tests.proofs.candidates", *served]
    ready = (await stack.enter_async_context(child("candidates", words, log=folder / "candidates.log"))).ready
    return [str(ready.get(fault) or elsewhere[fault]) for fault in faults]


def can_hang_names() -> bool:
    """Whether a process here can be given a resolver of its own (Linux, root)."""
    return shutil.which("unshare") is not None and Path("/proc/self/uid_map").read_text().split()[0] == "0"


_NAMESPACE = (
    "import os, sys; "
    "os.execvp('unshare', ['unshare', '-m', 'sh', '-c', 'mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"', "
    "sys.argv[1], sys.executable, *sys.argv[2:]])"
)


def _proxy(
    folder: Path, name: str, live: str, candidates: Sequence[str], workers: int | None, own_resolver: bool = False
) -> AbstractAsyncContextManager[Child]:
    file = folder / f"{name}.yaml"
    config = {
        "listen": "127.0.0.1:0",
        "ops": "127.0.0.1:0",
        **({} if workers is None else {"workers": workers}),
        "data": str(folder / name),
        "live": {"base_url": live},
        "candidates": [{"name": f"bad-{n}", "base_url": url} for n, url in enumerate(candidates)],
        "control": {"sample": 0},
        "queue": {"url": f"unix://{folder / 'q.sock'}", "stream": f"pairs:{name}"},
    }
    file.write_text(yaml.safe_dump(config))
    wrapped = ["-c", _NAMESPACE, str(folder / "resolv.conf")] if own_resolver else []
    return child(f"proxy {name}", [*wrapped, "-m", "proxy", "--config", str(file)], log=folder / f"{name}.log")


async def _calls(session: aiohttp.ClientSession, base: str, seconds: float, rate: int) -> Round:
    done = Round()
    start = clock()

    async def one(due: float) -> None:
        try:
            headers = {"content-type": "application/json"}
            async with session.post(f"{base}/v1/chat/completions", data=BODY, headers=headers) as response:
                if response.status != 200 or await response.read() != ANSWER:
                    done.failed += 1
        except aiohttp.ClientError:
            done.failed += 1
        done.latencies.append((clock() - due) * 1000)

    async with asyncio.TaskGroup() as group:
        group.create_task(_asking_again(base, start + seconds, done))
        for number in range(int(seconds * rate)):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - clock()))
            group.create_task(one(due))
    return done


async def _asking_again(base: str, until: float, done: Round) -> None:
    """Pairs of calls on one connection, the second at the instant the first is answered."""
    async with Client(base, limit=60.0) as client:
        while clock() < until:
            first = await client.ask("POST", "/v1/chat/completions", BODY, JSON)
            asked = clock()
            second = await client.ask("POST", "/v1/chat/completions", BODY, JSON)
            done.following.append((clock() - asked) * 1000)
            done.failed += [first.body, second.body].count(ANSWER) != 2
            await asyncio.sleep(PAUSE)


async def _counted(session: aiohttp.ClientSession, ops: str) -> str:
    async with session.get(f"{ops}/metrics") as response:
        lines = (await response.text()).splitlines()
    named = [line.partition("{")[2] for line in lines if line.startswith("understudy_shadow_calls_total{")]
    return "; ".join(named)


async def main(faults: Sequence[str]) -> None:
    """Print the table."""
    print(HEADER)
    for fault in faults or (*FAULTS, *(f"{fault}{APART}" for fault in GREEDY)):
        workers = 1 if fault.endswith(APART) else None
        found = await compare([fault.removesuffix(APART)], rounds=5, seconds=4, workers=workers)
        print(found.line(fault), flush=True)
        print(found.counted, file=sys.stderr, flush=True)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
