"""What a bad candidate does to live calls: 200 a second through a proxy with and without it, rounds interleaved.

`python -m tests.proofs.isolation [FAULT …]` prints the table of the README; test_isolation runs the same code. Latency
counts from the instant at which a call was due, so that a stalled generator cannot hide a stall of the proxy.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import yaml

from evaluators.children import child
from evaluators.queue_server import QueueServer
from tests.doubles.upstream import ScriptedUpstream, Turn, hang

RATE = 200
LIVE_SECONDS = 0.010
BODY = b'{"model":"m","messages":[{"role":"user","content":"' + b"words " * 150 + b'"}]}'
ANSWER = b'{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"' + (
    b"word " * 240 + b'"},"finish_reason":"stop"}]}'
)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)


async def _live(turn: Turn) -> None:
    await asyncio.sleep(LIVE_SECONDS)
    await turn.send(_HEAD + ANSWER)


async def _error(turn: Turn) -> None:
    await turn.send(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")


FAULTS = {"healthy": _live, "hang": hang, "error": _error, "refuse": None}


@dataclass
class Round:
    """Latencies of one round in milliseconds, and calls that failed."""

    latencies: list[float] = field(default_factory=list)
    failed: int = 0

    def at(self, share: float) -> float:
        """A quantile."""
        return sorted(self.latencies)[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


async def compare(fault: str, rounds: int, seconds: float) -> tuple[list[Round], list[Round]]:
    """`rounds` of calls without and with the candidate, in turns."""
    without: list[Round] = []
    with_it: list[Round] = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="us-")))
        queue = QueueServer(folder, folder / "q.sock")
        await queue.start()
        stack.push_async_callback(queue.stop)
        live = await stack.enter_async_context(ScriptedUpstream(_live))
        script = FAULTS[fault]
        address = "http://127.0.0.1:9"  # the discard port: nobody listens
        if script is not None:
            address = (await stack.enter_async_context(ScriptedUpstream(script))).url
        plain = await stack.enter_async_context(_proxy(folder, "plain", live.url, queue, []))
        shadowed = await stack.enter_async_context(_proxy(folder, "shadowed", live.url, queue, [address]))
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        for base in (plain, shadowed):
            await _calls(session, base.ready["listening"], 1.0)  # warm connections and code
        for _ in range(rounds):
            without.append(await _calls(session, plain.ready["listening"], seconds))
            with_it.append(await _calls(session, shadowed.ready["listening"], seconds))
    return without, with_it


def _proxy(folder: Path, name: str, live: str, queue: QueueServer, candidates: Sequence[str]):
    file = folder / f"{name}.yaml"
    config = {
        "listen": "127.0.0.1:0",
        "ops": "127.0.0.1:0",
        "data": str(folder / name),
        "live": {"base_url": live},
        "candidates": [{"name": "bad", "base_url": url} for url in candidates],
        "control": {"sample": 0},
        "queue": {"url": f"unix://{folder / 'q.sock'}", "stream": f"pairs:{name}"},
    }
    file.write_text(yaml.safe_dump(config))
    return child(f"proxy {name}", ["-m", "proxy", "--config", str(file)], log=folder / f"{name}.log")


async def _calls(session: aiohttp.ClientSession, base: str, seconds: float) -> Round:
    loop, done = asyncio.get_running_loop(), Round()
    start = loop.time()

    async def one(due: float) -> None:
        try:
            headers = {"content-type": "application/json"}
            async with session.post(f"{base}/v1/chat/completions", data=BODY, headers=headers) as response:
                if response.status != 200 or await response.read() != ANSWER:
                    done.failed += 1
        except aiohttp.ClientError:
            done.failed += 1
        done.latencies.append((loop.time() - due) * 1000)

    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * RATE)):
            due = start + number / RATE
            await asyncio.sleep(max(0.0, due - loop.time()))
            group.create_task(one(due))
    return done


def line(fault: str, without: Sequence[Round], with_it: Sequence[Round]) -> str:
    """One row: calls, failures, and medians over rounds of p50 and p99 in ms, without → with."""
    calls = sum(len(one.latencies) for one in with_it)
    failed = sum(one.failed for one in [*without, *with_it])
    cells = []
    for share in (0.50, 0.99):
        before, after = (statistics.median(one.at(share) for one in rounds) for rounds in (without, with_it))
        paired = [a.at(share) - b.at(share) for b, a in zip(without, with_it, strict=True)]
        cells.append(f"{before:.1f} → {after:.1f} ({min(paired):+.1f} to {max(paired):+.1f})")
    return f"| {fault} | {calls:,} | {failed} | {cells[0]} | {cells[1]} |"


async def main(faults: Sequence[str]) -> None:
    """Print the table."""
    print(
        "| candidate | live calls with it | failed | p50 ms without → with (by round) | p99 ms |\n|---|---|---|---|---|"
    )
    for fault in faults or FAULTS:
        print(line(fault, *await compare(fault, rounds=5, seconds=8)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
