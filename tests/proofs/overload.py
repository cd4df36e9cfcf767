"""More than the proxy can do: ten times its capacity, too few file descriptors, and uploads without measure.

`python -m tests.proofs.overload` prints the figures; test_overload runs the same code. What must give way first are the
shadows, and what must never give way is the process.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
import yaml

from evaluators.children import Child, child
from evaluators.queue_server import QueueServer
from tests.bench.rig import compiled
from tests.doubles.client import Client
from tests.doubles.faults import free_port
from tests.proofs.amplification import forget, resident
from tests.proofs.egress import serving
from tests.proxy.conftest import CHAT, JSON

_LIMITED = (
    "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2]))); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[3:]])"
)


@dataclass
class Stage:
    """A proxy in a process of its own."""

    proxy: Child
    session: aiohttp.ClientSession
    most_held: int = 0  # bytes that open shadow calls held at any look
    looks: int = 0
    most_resident: int = 0  # bytes beyond what it began with

    @property
    def url(self) -> str:
        """For applications."""
        return str(self.proxy.ready["listening"])

    async def metrics(self) -> str:
        """As Prometheus would see them."""
        async with self.session.get(f"{self.proxy.ready['ops']}/metrics") as response:
            return await response.text()

    async def shadows(self) -> Counter[str]:
        """Shadow calls by bucket and reason."""
        rows = re.findall(r'shadow_calls_total{bucket="(\w+)",reason="(\w*)",\S+} (\S+)', await self.metrics())
        found: Counter[str] = Counter()
        for bucket, reason, n in rows:
            found[f"{bucket} {reason}".strip()] += int(float(n))
        return found

    async def watch(self) -> None:
        """Look at the memory of shadow calls again and again, until cancelled."""
        while True:
            held = re.search(r"(?m)^understudy_shadow_held_bytes (\S+)", await self.metrics())
            assert held is not None
            self.most_held = max(self.most_held, int(float(held[1])))
            self.looks += 1
            await asyncio.sleep(0.02)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Watch while the block runs, the process's memory as well."""
        forget(self.proxy.pid)
        before = resident(self.proxy.pid, "VmRSS")
        watching = asyncio.ensure_future(self.watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            self.most_resident = resident(self.proxy.pid, "VmHWM") - before


@asynccontextmanager
async def stage(
    live: str, candidate: str, descriptors: tuple[int, int] | None = None, memory: str = "64MiB"
) -> AsyncIterator[Stage]:
    """A proxy with a queue and one candidate."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="us-")))
        queue = QueueServer(folder, folder / "q.sock")
        await queue.start()
        stack.push_async_callback(queue.stop)
        config = {
            "listen": "127.0.0.1:0",
            "ops": "127.0.0.1:0",
            "data": str(folder / "data"),
            "live": {"base_url": live},
            "candidates": [{"name": "mini", "base_url": candidate, "timeout": {"total": "3s"}}],
            "control": {"sample": 0},
            "queue": {"url": f"unix://{folder / 'q.sock'}", "memory": memory},
        }
        file = folder / "understudy.yaml"
        file.write_text(yaml.safe_dump(config))
        words = ["-m", "proxy", "--config", str(file)]
        words = ["-c", _LIMITED, *map(str, descriptors), *words] if descriptors else words
        proxy = await stack.enter_async_context(child("proxy", words, log=folder / "proxy.log"))
        yield Stage(proxy, await stack.enter_async_context(aiohttp.ClientSession()))


@dataclass
class Overloaded:
    """What became of ten times the capacity."""

    capacity: float = 0.0  # calls a second, closed loop
    offered: float = 0.0
    goodput: float = 0.0
    bad: int = 0  # calls that went out and got no good answer
    late: int = 0  # calls that found no free connection of the 640 before the generator gave up
    good: int = 0
    shed: int = 0  # shadow calls dropped meanwhile
    after: float = 0.0  # calls a second, closed loop, at once after it
    later: float = 0.0  # and once more
    after_bad: int = 0
    grown: int = 0

    def row(self) -> str:
        """One line."""
        return (
            f"capacity {self.capacity:,.0f}/s; offered {self.offered:,.0f}/s: goodput {self.goodput:,.0f}/s "
            f"({self.goodput / self.capacity:.0%}), {self.good:,} good, {self.bad} live calls failed, "
            f"{self.late:,} never sent, {self.shed:,} shadows shed, memory {self.grown / 2**20:+.0f} MiB; "
            f"at once after it {self.after:,.0f}/s, then {self.later:,.0f}/s, {self.after_bad} failed"
        )


async def overloaded(times: float, seconds: int) -> Overloaded:
    """Measure the capacity, offer a multiple of it, and measure again. Raises NoCompiler where there is no `cc`."""
    found = Overloaded()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="us-")))
        model, generator = compiled("fakemodel", folder), compiled("load", folder)
        live, candidate, stats = free_port(), free_port(), free_port()
        words = [f"{live}:json:10000:1200", f"{candidate}:json:10000:1200", f"{stats}:stats"]
        upstreams = subprocess.Popen([str(model), *words])
        stack.callback(upstreams.wait)
        stack.callback(upstreams.kill)
        here = await stack.enter_async_context(stage(f"http://127.0.0.1:{live}", f"http://127.0.0.1:{candidate}"))
        port = here.url.rpartition(":")[2]

        async def load(mode: str, *more: str) -> dict[str, Any]:
            command = [str(generator), mode, f"port={port}", "body=1000", "answer=1000", *more]
            return dict(json.loads(await asyncio.to_thread(subprocess.check_output, command)))

        await load("closed", "conns=64", "seconds=1")
        found.capacity = (await load("closed", "conns=64", f"seconds={seconds}"))["rate"]
        before = await here.shadows()
        found.offered = times * found.capacity
        async with here.watched():
            crowd = await load("open", "conns=640", f"seconds={seconds}", f"rate={found.offered:.0f}", "even=1")
        found.goodput, found.good, found.late = crowd["rate"], crowd["good"], crowd["why"]["unfinished"]
        found.bad = crowd["bad"] - found.late
        found.grown = here.most_resident
        after = await load("closed", "conns=64", f"seconds={seconds}")
        later = await load("closed", "conns=64", f"seconds={seconds}")
        found.after, found.later, found.after_bad = after["rate"], later["rate"], after["bad"] + later["bad"]
        gone = await here.shadows() - before
        found.shed = sum(n for reason, n in gone.items() if reason.startswith("dropped"))
    return found


async def few_descriptors(soft: int, hard: int, clients: int) -> tuple[Counter[str], int, int]:
    """More clients than file descriptors: what they saw, the answer to a call meanwhile, and to one after it."""
    async with (
        serving(swallow) as live,
        stage(f"http://127.0.0.1:{live}", f"http://127.0.0.1:{live}", descriptors=(soft, hard)) as here,
    ):
        seen: Counter[str] = Counter()
        async with AsyncExitStack() as crowd:
            first = await crowd.enter_async_context(Client(here.url))
            assert (await first.ask("POST", "/v1/chat/completions", CHAT, JSON)).status == 200
            some = [await crowd.enter_async_context(Client(here.url)) for _ in range(clients)]
            answers = await asyncio.gather(*(_ask(one) for one in some))
            seen.update(answers)
            meanwhile = await _ask(first)
        async with asyncio.timeout(10):
            while (after := await _once(here.url)) != "200":
                await asyncio.sleep(0.05)
    return seen, int(meanwhile) if meanwhile.isdigit() else 0, int(after)


async def _once(url: str) -> str:
    async with Client(url) as client:
        return await _ask(client)


async def _ask(client: Client) -> str:
    """The status; or that the connection was closed."""
    try:
        return str((await client.ask("POST", "/v1/chat/completions", CHAT, JSON)).status)
    except (ConnectionError, asyncio.IncompleteReadError):
        return "closed"
    except TimeoutError:
        return "no answer"


async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A live that takes a body of any size and keeps none of it."""
    while head := await reader.readuntil(b"\r\n\r\n"):
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        left = int(length[1]) if length else 0
        while left and (data := await reader.read(min(left, 1 << 20))):
            left -= len(data)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """A candidate that takes everything and never answers."""
    while await reader.read(1 << 20):
        pass


@dataclass
class Uploads:
    """What parallel uploads cost."""

    answered: Counter[str] = field(default_factory=Counter)
    most_held: int = 0
    looks: int = 0
    grown: int = 0
    shadows: Counter[str] = field(default_factory=Counter)

    def row(self, name: str) -> str:
        """One line."""
        return (
            f"{name}: answered {dict(self.answered)}; open shadow calls held at most {self.most_held / 2**20:.1f} MiB "
            f"in {self.looks} looks; process {self.grown / 2**20:+.0f} MiB; shadows {dict(self.shadows)}"
        )


async def uploads(parallel: int, size: int, cap: str = "64MiB") -> Uploads:
    """So many calls of this size at once, beside a candidate that never answers."""
    found = Uploads()
    body = CHAT[:-1] + b',"x":"' + b"y" * (size - len(CHAT) - 8) + b'"}'
    async with (
        serving(swallow) as live,
        serving(silence) as candidate,
        stage(f"http://127.0.0.1:{live}", f"http://127.0.0.1:{candidate}", memory=cap) as here,
    ):
        async with here.watched():  # until the last copy is given up: most is held between the answers and that
            found.answered.update(await asyncio.gather(*(_upload(here.url, body) for _ in range(parallel))))
            async with asyncio.timeout(15):
                while found.shadows.total() < parallel:
                    found.shadows = await here.shadows()
                    await asyncio.sleep(0.02)
        found.most_held, found.looks, found.grown = here.most_held, here.looks, here.most_resident
    return found


async def _upload(url: str, body: bytes) -> str:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n" % (JSON, len(body))
    async with Client(url, limit=120.0) as client:
        try:
            await client.send(head)
            for start in range(0, len(body), 1 << 18):
                await client.send(body[start : start + (1 << 18)])
            return str((await client.answer()).status)
        except ConnectionError:
            return "reset"


async def main(_: Sequence[str]) -> None:
    """Print the figures."""
    print((await overloaded(10, 5)).row(), flush=True)
    seen, meanwhile, after = await few_descriptors(256, 256, 400)
    print(f"256 descriptors, 400 clients: {dict(seen)}, a call meanwhile {meanwhile}, after it {after}", flush=True)
    print((await uploads(200, 20 << 20)).row("200 × 20 MiB"), flush=True)
    print((await uploads(200, 1_000_000)).row("200 × 1 MB"), flush=True)
    print((await uploads(200, 1_000_000, "8MiB")).row("200 × 1 MB, queue.memory 8 MiB"), flush=True)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
