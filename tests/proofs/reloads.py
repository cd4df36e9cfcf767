"""A configuration that changes again and again under 200 calls a second, and the kill switch between two changes.

`python -m tests.proofs.reloads` prints a row for one process and one for `workers: 2`; test_reloads runs the same code.
Every version of the file gives the candidate another model, so that the first copy with it says when it is in force.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import redis
import yaml

from config.wire import decode
from evaluators.children import Child, child
from evaluators.queue_server import QueueServer
from tests.doubles.client import Client
from tests.doubles.upstream import ScriptedUpstream, Turn
from tests.proofs.transparency.rig import Proxy
from tests.proofs.workers import BODY, RATE, Load, prompt

IN_FORCE = 3.0
"""Seconds within which a changed file is in force: it is looked at every 2 s."""

OFF = 1.0  # seconds from the kill switch to the last copy
EVERY = 2.0
_LEFT = 5.0  # seconds for the connections of what was replaced to be gone
_KEEP = "1s"
_NAMES = ("first", "second", "mini", "maxi", "inner")


class Upstream(ScriptedUpstream):
    """Answers like a provider and remembers when it was asked, and for which model."""

    def __init__(self) -> None:
        super().__init__(self._prompt)
        self.asked: list[tuple[float, str]] = []

    @property
    def connections_open(self) -> int:
        """Connections that the proxy holds."""
        return len(self._open)

    def last(self) -> float:
        """When it was asked last."""
        return self.asked[-1][0] if self.asked else 0.0

    async def _prompt(self, turn: Turn) -> None:
        self.asked.append((time.monotonic(), str(orjson.loads(turn.body).get("model"))))
        await prompt(turn)


@dataclass
class Reloaded:
    """What a run of reloads came to."""

    load: Load
    steps: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0  # seconds until a version was in force
    stale: int = 0  # calls to a live that was replaced longer ago than IN_FORCE
    off_after: float = 0.0  # seconds from the kill switch to the last copy
    off_copies: int = 0  # copies after OFF, through a reload
    left: dict[str, int] = field(default_factory=dict)  # connections to what was replaced
    files: int = 0  # descriptors more than at the start
    books: dict[str, Counter[str]] = field(default_factory=dict)
    pairs: Counter[str] = field(default_factory=Counter)
    code: int = -1

    def row(self, name: str) -> str:
        """The row of the table."""
        mini = self.books["mini"]
        columns = (
            name,
            f"{self.steps.total()} ({dict(self.steps)})",
            f"{self.load.calls:,}",
            self.load.failures.total(),
            f"{self.slowest:.2f} s, {self.stale}",
            f"{mini.total():,} ({dict(mini)}; {self.pairs['mini']:,} pairs)",
            f"{sum(self.left.values())}, {self.files}",
            f"{self.off_after * 1000:.0f} ms, {self.off_copies}",
            self.code,
        )
        return f"| {' | '.join(map(str, columns))} |"


class Run:
    """A proxy between upstreams, under load, and the file that is being changed."""

    def __init__(self, folder: Path, workers: int | None, upstreams: dict[str, Upstream], told: bool) -> None:
        self._told = told  # by SIGHUP, so that no change waits for the next look
        self._pause, self._in_force = (0.2, 1.0) if told else (EVERY, IN_FORCE)
        self._file = folder / "understudy.yaml"
        self._version = 0
        self.parts = 1 if workers is None else workers + 1
        self.upstreams = upstreams
        self.live, self.maxi, self.mount = "first", False, False
        self._fixed = {
            "listen": "127.0.0.1:0",
            "ops": "127.0.0.1:0",
            "data": str(folder / "data"),
            "control": {"sample": "5%"},
            "queue": {"url": f"unix://{folder / 'q.sock'}"},
        } | ({} if workers is None else {"workers": workers})
        self.write()

    def started(self, process: Child) -> None:
        """The proxy is there."""
        self._process = process
        self.proxy = Proxy(process.ready, process.pid)
        self.result = Reloaded(Load(self.proxy.url))

    @property
    def model(self) -> str:
        """What the candidate is asked for since the last version."""
        return f"v{self._version}"

    def write(self) -> None:
        """A new version of the file, in one step."""
        self._version += 1
        urls = {name: upstream.url for name, upstream in self.upstreams.items()}
        config: dict[str, Any] = self._fixed | {"live": {"base_url": urls[self.live], "keep_alive": _KEEP}}
        names = ["mini", *(["maxi"] if self.maxi else [])]
        config["candidates"] = [self._candidate(name) for name in names]
        if self.mount:
            inner = {
                "live": {"base_url": urls["second"], "keep_alive": _KEEP},
                "candidates": [self._candidate("inner")],
            }
            config["mounts"] = {"/m": inner}
        self._put(yaml.safe_dump(config))

    def _candidate(self, name: str) -> dict[str, Any]:
        asked = {"model": self.model}
        return {"name": name, "base_url": self.upstreams[name].url, "set": asked, "keep_alive": _KEEP}

    def _put(self, text: str) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, self._file)

    async def step(self, kind: str) -> None:
        """One change, until it is in force everywhere."""
        self.result.steps[kind] += 1
        applied = await self.proxy.metric("understudy_config_reloads_total", result="applied")
        began, old = time.monotonic(), self.live
        if kind == "broken file":
            await self._broken()
            return
        if kind != "SIGHUP":
            self._change(kind)
            self.write()
        if kind == "SIGHUP" or self._told:
            os.kill(self._process.pid, signal.SIGHUP)
        async with asyncio.timeout(2 * IN_FORCE):
            while await self.proxy.metric("understudy_config_reloads_total", result="applied") < applied + self.parts:
                await asyncio.sleep(0.02)
            while kind != "while off" and self.upstreams["mini"].asked[-1][1] != self.model:
                await asyncio.sleep(0.01)
        self.result.slowest = max(self.result.slowest, time.monotonic() - began)
        if old != self.live:
            await asyncio.sleep(max(0.0, began + self._in_force + 0.2 - time.monotonic()))
            self.result.stale += sum(at > began + self._in_force for at, _ in self.upstreams[old].asked)
        if self.mount:
            async with Client(self.proxy.url) as client:
                answer = await client.ask("POST", "/m/v1/chat/completions", BODY, b"Content-Type: application/json\r\n")
                assert answer.status == 200
        await asyncio.sleep(max(0.0, began + self._pause - time.monotonic()))

    def _change(self, kind: str) -> None:
        if kind == "live moves":
            self.live = "second" if self.live == "first" else "first"
        elif kind == "candidate comes or goes":
            self.maxi = not self.maxi
        elif kind == "mount comes or goes":
            self.mount = not self.mount

    async def _broken(self) -> None:
        """Refused by every process; what was in force goes on."""
        name = "understudy_config_reloads_total"
        refused = await self.proxy.metric(name, result="invalid")
        self._put("live: {base_url: [\n")
        if self._told:
            os.kill(self._process.pid, signal.SIGHUP)
        async with asyncio.timeout(2 * IN_FORCE):
            while await self.proxy.metric(name, result="invalid") < refused + self.parts:
                await asyncio.sleep(0.02)

    async def kill_switch(self) -> None:
        """Turned off, changed while it is off, and on again."""
        mini = self.upstreams["mini"]
        await self._switch(False)
        off = time.monotonic()
        await self.step("while off")
        await asyncio.sleep(max(0.0, off + OFF + 0.5 - time.monotonic()))
        self.result.off_after = max(0.0, mini.last() - off)
        self.result.off_copies = sum(at > off + OFF for at, _ in mini.asked)
        async with Client(self.proxy.ops) as ops:
            assert (await ops.ask("GET", "/shadowing")).json() == {"enabled": False}
        await self._switch(True)
        async with asyncio.timeout(5):
            while mini.asked[-1][1] != self.model:
                await asyncio.sleep(0.01)

    async def _switch(self, enabled: bool) -> None:
        async with Client(self.proxy.ops) as ops:
            body = orjson.dumps({"enabled": enabled})
            assert (await ops.ask("POST", "/shadowing", body)).json() == {"enabled": enabled}

    async def finish(self, files: int, queue: redis.Redis) -> Reloaded:
        """End the load, look for what stayed behind, stop the proxy, read the books."""
        result = self.result
        result.load.stopped = True
        while result.load.open:
            await asyncio.sleep(0.01)
        gone = {"first", "second"} - {self.live} | {"maxi", "inner"}
        until = time.monotonic() + _LEFT
        while True:
            result.left = {name: self.upstreams[name].connections_open for name in gone}
            result.files = max(0, self.proxy.files() - files)
            if not (result.files or any(result.left.values())) or time.monotonic() > until:
                break
            await asyncio.sleep(0.05)
        result.code = await self._process.stop()
        for value in (await asyncio.to_thread(queue.hgetall, "understudy:pairs:accounting")).values():
            for _, shadow, bucket, reason, n in orjson.loads(value):
                result.books.setdefault(shadow, Counter())[f"{bucket} {reason}".strip()] += n
        result.pairs.update(decode(fields).shadow for _, fields in queue.xrange("understudy:pairs"))
        return result


@asynccontextmanager
async def _run(workers: int | None, told: bool) -> AsyncIterator[tuple[Run, redis.Redis]]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="us-")))
        server = QueueServer(folder, folder / "q.sock")
        await server.start()
        stack.push_async_callback(server.stop)
        upstreams = {name: await stack.enter_async_context(Upstream()) for name in _NAMES}
        run = Run(folder, workers, {name: one for name, one in upstreams.items() if isinstance(one, Upstream)}, told)
        arguments = ["-m", "proxy", "--config", str(folder / "understudy.yaml")]
        run.started(await stack.enter_async_context(child("proxy", arguments, log=folder / "proxy.log")))
        queue = stack.enter_context(redis.Redis(unix_socket_path=str(folder / "q.sock")))
        yield run, queue


CHANGES = (
    "model changes",
    "candidate comes or goes",
    "live moves",
    "broken file",
    "mount comes or goes",
    "candidate comes or goes",
    "SIGHUP",
    "mount comes or goes",
)


async def reload(seconds: float, workers: int | None = None, *, told: bool = False) -> Reloaded:
    """Change after change until the time is over, then the kill switch; `told`: each with a SIGHUP, and quickly."""
    async with _run(workers, told) as (run, queue):
        await run.proxy.metric("understudy_requests_total")
        files = run.proxy.files()
        async with asyncio.TaskGroup() as group:
            group.create_task(run.result.load.run())
            try:
                await asyncio.sleep(0.5)
                start = time.monotonic()
                while time.monotonic() <= start + seconds or not run.result.steps:
                    for kind in CHANGES:
                        await run.step(kind)
                await run.kill_switch()
                result = await run.finish(files, queue)
            finally:
                run.result.load.stopped = True
        return result


async def main() -> None:
    """Print the table."""
    print(f"{RATE} calls a second; a version of the file at least every {EVERY:.0f} s")
    print("| proxy | reloads | live calls | failed | in force after, stale | counted for the candidate | ", end="")
    print("connections to what was replaced, descriptors | last copy after the kill switch, later | exit code |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for workers in (None, 2):
        result = await reload(60.0, workers)
        print(result.row("one process" if workers is None else f"workers: {workers}"), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
