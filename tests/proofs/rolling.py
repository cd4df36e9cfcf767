"""Rolling restarts of two proxies behind HAProxy at 200 calls a second: how many calls fail.

`python -m tests.proofs.rolling [RESTARTS]` prints one row for one process each and one for `workers: 2`. HAProxy looks
at `/readyz` every 100 ms and repeats nothing (`retries 0`): what a proxy refuses or cuts while it ends, a client sees.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import yaml

from evaluators.children import Child, child
from tests.doubles.upstream import ScriptedUpstream
from tests.proofs.workers import Load, prompt

HAPROXY = shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy")
"""Debian: apt install haproxy."""


class Proxy:
    """One proxy at fixed ports, started again and again."""

    def __init__(self, folder: Path, name: str, live: str, workers: int | None) -> None:
        self.name, self.listen, self.ops = name, free_port(), free_port()
        self.codes: list[int] = []
        self._folder = folder
        self._child: Child | None = None
        self._stack = AsyncExitStack()
        config = {
            "listen": f"127.0.0.1:{self.listen}",
            "ops": f"127.0.0.1:{self.ops}",
            "workers": workers,
            "data": str(folder / name),
            "live": {"base_url": live},
            "candidates": [{"name": "mini", "base_url": live}],
            "queue": {"url": f"unix://{folder / 'nobody'}", "spool": {"max": 0}},
        }
        self._file = folder / f"{name}.yaml"
        self._file.write_text(yaml.safe_dump(config))

    async def start(self) -> None:
        """Start and wait until it says that it is ready."""
        arguments = ["-m", "proxy", "--config", str(self._file)]
        log = self._folder / f"{self.name}.log"
        self._child = await self._stack.enter_async_context(child(self.name, arguments, log=log))

    async def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        if self._child is not None:
            self.codes.append(await self._child.stop())
            self._child = None
            await self._stack.aclose()


async def roll(restarts: int, workers: int | None) -> tuple[Load, set[int]]:
    """Calls through HAProxy while the two proxies are restarted in turns; the load, and the exit codes."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="us-")))
        live = await stack.enter_async_context(ScriptedUpstream(prompt))
        proxies = [Proxy(folder, name, live.url, workers) for name in ("a", "b")]
        for one in proxies:
            stack.push_async_callback(one.stop)
            await one.start()
        port, stats = free_port(), folder / "stats"
        stack.enter_context(_haproxy(folder, port, proxies, stats))
        for one in proxies:
            await _up(stats, one.name)
        load = Load(f"http://127.0.0.1:{port}")
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run())
            await asyncio.sleep(1.0)
            for number in range(restarts):
                one = proxies[number % 2]
                await one.stop()
                await one.start()
                await _up(stats, one.name)
            load.stopped = True
        return load, {code for one in proxies for code in one.codes}


def row(workers: int | None, restarts: int, load: Load, codes: set[int]) -> str:
    """One line of the table."""
    failed = f"{load.failures.total()} {dict(load.failures) if load.failures else ''}"
    name = "one process" if workers is None else f"workers: {workers}"
    times = f"{load.at(0.5):.1f} / {load.at(0.99):.1f} / {load.at(1.0):.0f}"
    return f"| {name} | {restarts} | {load.calls:,} | {failed} | {times} | {sorted(codes)} |"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@contextmanager
def _haproxy(folder: Path, port: int, proxies: list[Proxy], stats: Path) -> Iterator[None]:
    servers = "\n".join(f"  server {one.name} 127.0.0.1:{one.listen} check port {one.ops}" for one in proxies)
    file = folder / "haproxy.cfg"
    file.write_text(
        f"global\n  stats socket {stats} mode 600\n"
        "defaults\n  mode http\n  retries 0\n  option http-no-delay\n"
        "  timeout connect 2s\n  timeout client 60s\n  timeout server 60s\n  timeout check 1s\n"
        f"frontend clients\n  bind 127.0.0.1:{port}\n  default_backend proxies\n"
        "backend proxies\n  option httpchk GET /readyz\n  http-check expect status 200\n"
        f"  default-server inter 100ms fall 1 rise 1\n{servers}\n"
    )
    assert HAPROXY is not None
    with (folder / "haproxy.log").open("wb") as log:
        running = subprocess.Popen([HAPROXY, "-db", "-f", str(file)], stdout=log, stderr=log)
        try:
            yield
        finally:
            running.kill()
            running.wait()


async def _up(stats: Path, name: str, limit: float = 10.0) -> None:
    """Wait until HAProxy sends calls to a proxy again."""
    async with asyncio.timeout(limit):
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(stats))
                writer.write(b"show stat\n")
                lines = (await reader.read()).decode().splitlines()
                writer.close()
            except OSError:  # it is just starting
                lines = []
            if any(line.startswith(f"proxies,{name},") and ",UP," in line for line in lines):
                return
            await asyncio.sleep(0.05)


async def main(restarts: str = "50") -> None:
    """Print the table."""
    print("| proxy | restarts | calls | failed | p50 / p99 / worst ms | exit codes |\n|---|---|---|---|---|---|")
    for workers in (None, 2):
        print(row(workers, int(restarts), *await roll(int(restarts), workers)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
