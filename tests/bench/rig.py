"""What every measurement stands on: the load generator and the fake models, compiled here, and a real queue server.

All of it runs on the core that the system under test does not use.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from evaluators.queue_server import find_binary
from tests.bench.processes import REST, NotStarted, listening, started

CONTENT_BYTES = 1200  # of text in an answer; with the JSON around it 1.5 kB
LARGE_BYTES = 64 << 10
EVENTS, INTERVAL_MS = 50, 20
_STATS = 22099
_HERE = Path(__file__).parent

AT_ONCE = (22001, 22002, 22003, 22004)  # live, then the shadows
AFTER_20_MS = (22011, 22012, 22013, 22014)
SLOW_SHADOWS = (22021, 22022, 22023, 22024)  # live takes 10 ms, a shadow 500 ms
STREAMING = (22031, 22032, 22033, 22034)
LARGE_ANSWERS = (22041, 22042, 22043, 22044)
_PORTS = [
    *(f"{port}:json:0:{CONTENT_BYTES}" for port in AT_ONCE),
    *(f"{port}:json:20000:{CONTENT_BYTES}" for port in AFTER_20_MS),
    f"{SLOW_SHADOWS[0]}:json:10000:{CONTENT_BYTES}",
    *(f"{port}:json:500000:{CONTENT_BYTES}" for port in SLOW_SHADOWS[1:]),
    *(f"{port}:sse:10000:{EVENTS}:{INTERVAL_MS * 1000}" for port in STREAMING),
    *(f"{port}:json:0:{LARGE_BYTES}" for port in LARGE_ANSWERS),
    f"{_STATS}:stats",
]


class NoCompiler(Exception):
    """The load generator cannot be built; the text says what is missing."""


@dataclass(frozen=True)
class Rig:
    """The tools while they run."""

    folder: Path
    generator: Path
    queue_url: str
    queue: redis.Redis
    pids: tuple[int, ...]  # of the fake model and of the queue server

    def load(self, mode: str, words: Mapping[str, Any], headers: Mapping[str, str], limit: float) -> dict[str, Any]:
        """Run the load generator; gives its one line. `limit`: seconds until it must be done."""
        command = ["taskset", "-c", str(REST), str(self.generator), mode, *(f"{k}={v}" for k, v in words.items())]
        command += [f"header={name}: {value}" for name, value in headers.items()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        if done.returncode != 0:
            raise SystemExit(f"bench: the load generator failed: {done.stderr}")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def upstreams(self) -> dict[str, Any]:
        """What the fake models saw since the last look, by port, and how late their timers were."""
        with urllib.request.urlopen(f"http://127.0.0.1:{_STATS}/", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    """Compile and start everything; raises NoCompiler or NotStarted."""
    model, generator = (compiled(name, folder) for name in ("fakemodel", "load"))
    log = folder / "fakemodel.log"
    with started([str(model), *_PORTS], REST, log) as upstreams, _queue(folder) as (server, url):
        listening(_STATS, upstreams, log, 10)
        yield Rig(folder, generator, url, redis.Redis.from_url(url), (upstreams.pid, server))


def compiled(name: str, folder: Path) -> Path:
    """The program made of `name`.c; raises NoCompiler."""
    source = _HERE / f"{name}.c"
    compiler = shutil.which("cc")
    if compiler is None:
        raise NoCompiler("there is no C compiler `cc`; on Debian: apt install gcc libc6-dev")
    program = folder / name
    done = subprocess.run(
        [compiler, "-O2", "-o", str(program), str(source), "-lm"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise NoCompiler(f"cc does not compile {source.name} (glibc 2.35 and Linux 5.11 or later?): {done.stderr}")
    return program


@contextmanager
def _queue(folder: Path) -> Iterator[tuple[int, str]]:
    """Its pid and URL. Nobody takes the pairs: each measurement empties the stream."""
    path = folder / "queue.sock"
    options = f"--port 0 --unixsocket {path} --dir {folder} --appendonly no".split()
    with started([str(find_binary().path), *options, "--save", ""], REST, folder / "queue.log") as process:
        end = time.monotonic() + 10
        while not path.exists():
            if time.monotonic() > end:
                raise NotStarted("the queue server did not start")
            time.sleep(0.05)
        yield process.pid, f"unix://{path}"
