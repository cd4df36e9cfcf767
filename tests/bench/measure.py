"""One measurement: a closed loop of 64 connections against one system, and the CPU time its processes used meanwhile.

CPU time is the kernel's own per-thread run time, so it does not depend on what else the machine does.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.systems import REST, System

CONNECTIONS = 64
_SCRIPT = """wrk.method = "POST"
wrk.path = "/v1/chat/completions"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer sk-bench-0000000000000000"
wrk.body = '{"model":"fake","messages":[{"role":"user","content":"' .. string.rep("words ", 170) .. '"}]}'
"""


@dataclass(frozen=True)
class Sample:
    """One run of one system."""

    calls_per_second: float
    cpu_us: float  # CPU time of the system per call, microseconds
    core: float  # share of its core that the system used
    bad: int  # answers other than 2xx, and socket errors


def run(system: System, seconds: int, folder: Path) -> Sample:
    """Load `system` for `seconds`; raises SystemExit when the load generator did not work."""
    script = folder / "post.lua"
    script.write_text(_SCRIPT)
    before, start = cpu_seconds(system.process.pid), time.monotonic()
    command = ["taskset", "-c", REST, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{system.port}"], capture_output=True, text=True, timeout=seconds + 60, check=False
    )
    spent, passed = cpu_seconds(system.process.pid) - before, time.monotonic() - start
    calls = re.search(r"(\d+) requests in", done.stdout)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if calls is None or rate is None:
        raise SystemExit(f"bench: wrk failed on {system.label}: {done.stdout}{done.stderr}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", done.stdout)
    bad = (int(refused[1]) if refused else 0) + (sum(map(int, broken.groups())) if broken else 0)
    return Sample(float(rate[1]), spent * 1e6 / max(1, int(calls[1])), spent / passed, bad)


def cpu_seconds(root: int) -> float:
    """Run time of all threads of the process tree under `root`."""
    total = 0
    for pid in _tree(root):
        for thread in _listed(f"/proc/{pid}/task"):
            try:
                total += int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])
            except OSError:
                continue
    return total / 1e9


def _tree(root: int) -> list[int]:
    pids = [root]
    for pid in pids:  # grows while walked: children of children
        for thread in _listed(f"/proc/{pid}/task"):
            try:
                pids += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
            except OSError:
                continue
    return pids


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
