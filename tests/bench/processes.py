"""Processes and what they cost: pinned start and stop, run time and memory of a tree. Used by rig, systems, measure.

CPU time is the kernel's own per-thread run time, so it does not depend on what else the machine does.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

UNDER_TEST, REST = 0, 1
"""The core of the system under test, and the core of everything else."""

_STOP_SECONDS = 15.0


class NotStarted(Exception):
    """A system that did not come up; the text says which, and quotes the end of its log."""


@contextmanager
def started(
    command: Sequence[str], core: int, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process group pinned to one core, ended with the context."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
            with suppress(ProcessLookupError):  # also children that outlived their parent
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def listening(port: int, process: subprocess.Popen[bytes], log: Path, patience: float) -> None:
    """Wait until somebody listens; raises NotStarted."""
    end = time.monotonic() + patience
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    tail = " / ".join(log.read_text(errors="replace").strip().splitlines()[-3:])
    raise NotStarted(f"nothing listens on port {port}: {tail}")


def tree(root: int) -> list[int]:
    """`root` and all that descend from it."""
    pids = [root]
    for pid in pids:  # grows while walked: children of children
        for thread in _listed(f"/proc/{pid}/task"):
            pids += map(int, _text(f"/proc/{pid}/task/{thread}/children").split())
    return pids


def serving(pids: Sequence[int], port: int) -> list[int]:
    """Those of `pids` that hold a listening socket of `port`."""
    wanted = set()
    for line in _text("/proc/net/tcp").splitlines()[1:]:
        words = line.split()
        if words[3] == "0A" and int(words[1].split(":")[1], 16) == port:
            wanted.add(f"socket:[{words[9]}]")
    return [pid for pid in pids if wanted & set(_links(f"/proc/{pid}/fd"))]


def move(pids: Sequence[int], core: int) -> None:
    """Pin all threads of `pids` to `core`."""
    for pid in pids:
        for thread in _listed(f"/proc/{pid}/task"):
            with suppress(OSError):
                os.sched_setaffinity(int(thread), {core})


def cpu_seconds(pids: Sequence[int]) -> float:
    """Run time of all threads of `pids`."""
    total = 0
    for pid in pids:
        for thread in _listed(f"/proc/{pid}/task"):
            total += int((_text(f"/proc/{pid}/task/{thread}/schedstat") or "0").split()[0])
    return total / 1e9


def memory_bytes(pids: Sequence[int]) -> int:
    """Resident memory of `pids`; a page that several share counts once (Pss)."""
    found = (re.search(r"^Pss:\s+(\d+)", _text(f"/proc/{pid}/smaps_rollup"), re.MULTILINE) for pid in pids)
    return sum(int(size[1]) << 10 for size in found if size)


def busy_seconds() -> float:
    """CPU time that all cores together have spent, stolen time included."""
    words = [int(word) for word in _text("/proc/stat").split("\n", 1)[0].split()[1:]]
    idle = words[3] + words[4]
    return (sum(words[:8]) - idle) / os.sysconf("SC_CLK_TCK")


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _links(folder: str) -> Iterator[str]:
    for name in _listed(folder):
        with suppress(OSError):
            yield os.readlink(f"{folder}/{name}")
