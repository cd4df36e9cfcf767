"""The proxy as a process of its own, and what can be seen of it from outside: metrics, memory, file descriptors."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import uvloop
import yaml

from evaluators.children import child
from tests.doubles.client import Client
from tests.doubles.valkey import valkey_server

T = TypeVar("T")


class Proxy:
    """A running proxy process."""

    def __init__(self, ready: Mapping[str, Any], pid: int) -> None:
        self.url, self.ops, self.pid = str(ready["listening"]), str(ready["ops"]), pid
        self.port = urlsplit(self.url).port or 0

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of a metric that bear these labels."""
        async with Client(self.ops) as client:
            text = (await client.ask("GET", "/metrics")).body.decode()
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        rows = re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", text, re.MULTILINE)
        return sum(float(value) for given, value in rows if all(one in given for one in wanted))

    def files(self) -> int:
        """Open file descriptors of all its processes."""
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self._pids())

    def memory(self, peak: bool = False) -> float:
        """Resident megabytes of all its processes now, or at most since `forget_peak`."""
        kinds = re.compile(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB")
        found = [kinds.search(Path(f"/proc/{pid}/status").read_text()) for pid in self._pids()]
        return sum(int(one[1]) for one in found if one is not None) / 1024

    def forget_peak(self) -> None:
        """Start a new peak of the memory, see proc(5), clear_refs."""
        for pid in self._pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def _pids(self) -> list[int]:
        """The process, and those that it started (`workers`)."""
        return [self.pid, *map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split())]


@asynccontextmanager
async def proxy(live: str, candidates: Mapping[str, str] | None = None, /, **more: Any) -> AsyncIterator[Proxy]:
    """A proxy before `live`; `candidates` are shadowed with every eligible call. `more` goes into the file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="us-")))
        queue = f"unix://{folder / 'none.sock'}"
        if candidates:
            queue = stack.enter_context(valkey_server(folder)).url
        config = {
            "listen": "127.0.0.1:0",
            "ops": "127.0.0.1:0",
            "data": str(folder / "data"),
            "live": {"base_url": live},
            "candidates": [{"name": name, "base_url": url} for name, url in (candidates or {}).items()],
            "control": {"sample": 0},
            "queue": {"url": queue},
        } | more
        file = folder / "proxy.yaml"
        file.write_text(yaml.safe_dump(config))
        async with child("proxy", ["-m", "proxy", "--config", str(file)], log=folder / "proxy.log") as running:
            yield Proxy(running.ready, running.pid)


def run(proof: Coroutine[Any, Any, T], limit: float = 25.0) -> T:
    """Run a proof on the loop that production uses; TimeoutError after `limit` seconds, which no signal could raise."""

    async def limited() -> T:
        async with asyncio.timeout(limit):
            return await proof

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(limited())


def row(name: str, n: int, wrong: int, note: str = "") -> str:
    """A line of the table: what, how often, how often it went wrong, and the figures beside."""
    return f"| {name} | {n:,} | {wrong} | {note} |"


def say(*words: object, sep: str = " ") -> None:
    """What a person wants to see while a long proof runs."""
    print(*words, sep=sep, file=sys.stderr, flush=True)
