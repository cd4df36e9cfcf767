"""One measurement: load on one system, what it cost, and whether every call and every pair arrived. Used by rounds.

The cost is taken after the shadows have ended and the pairs are stored: work put off is not work saved.
"""

from __future__ import annotations

import os
import re
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench.processes import busy_seconds, cpu_seconds, memory_bytes
from tests.bench.rig import Rig
from tests.bench.systems import System

_SHADOWS_END = 0.7  # seconds; the slowest shadow takes 0.5
_STILL = 1.5  # seconds without a new pair: no more will come
_PATIENCE = 60.0
_MEMORY_PERIOD = 0.15

Sample = dict[str, Any]
"""What the load generator printed, and: cpu_us and live_cpu_us per call (or per `per` event), core, memory_before and
memory_peak in bytes, pairs and whole as shares of the shadow calls that were due, settled_s, foreign in cores."""


@dataclass(frozen=True)
class Load:
    """One way to ask: the generator's mode and its words; `events` in an answer when the cost is per event."""

    mode: str
    words: Mapping[str, Any]
    events: int = 1
    memory: bool = False
    limit: float = 120.0


@dataclass(frozen=True)
class _Spent:
    at: float
    system: float
    live: float
    rest: float
    machine: float


def measure(rig: Rig, system: System, load: Load) -> Sample:
    """Load `system` and wait until all that it caused is over."""
    if system.stream:
        rig.queue.unlink(system.stream)
    paired = _paired(system)
    rig.upstreams()
    memory = memory_bytes(system.pids) if load.memory else 0
    before = _spent(rig, system)
    with _peak(system, load.memory) as peak:
        sample: Sample = rig.load(load.mode, {"port": system.port, **load.words}, system.headers, load.limit)
    loaded = _spent(rig, system)
    due = sample["good"] * system.kind.shadows
    settled = _settle(rig, system, due)
    after = _spent(rig, system)
    seen = rig.upstreams()
    units = max(1, sample["good"]) * load.events
    passed = loaded.at - before.at
    mine = after.system - before.system + after.rest - before.rest
    sample.update(
        cpu_us=(after.system - before.system) * 1e6 / units,
        live_cpu_us=(after.live - before.live) * 1e6 / units,
        core=(loaded.live - before.live) / passed,
        foreign=max(0.0, (after.machine - before.machine - mine) / (after.at - before.at)),
        settled_s=settled,
        memory_before=memory,
        memory_peak=max(peak, default=memory),
        model_late_us=seen["late_us_p99"],
        whole=_share(sum(seen["ports"][str(port)]["whole"] for port in _shadow_ports(system)), due),
        pairs=_share(min(_paired(system) - paired, _length(rig, system)), due) if system.stream else None,
    )
    return sample


def _spent(rig: Rig, system: System) -> _Spent:
    live, everyone = system.live_pids, system.pids
    times = os.times()
    mine = times.user + times.system + times.children_user + times.children_system
    return _Spent(
        time.monotonic(), cpu_seconds(everyone), cpu_seconds(live), mine + cpu_seconds(rig.pids), busy_seconds()
    )


@contextmanager
def _peak(system: System, wanted: bool) -> Iterator[list[int]]:
    """The memory that was seen meanwhile, looked at often."""
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(_MEMORY_PERIOD):
            seen.append(memory_bytes(system.pids))

    watcher = threading.Thread(target=look, daemon=True)
    if wanted and system.process:
        watcher.start()
    try:
        yield seen
    finally:
        over.set()
        if watcher.is_alive():
            watcher.join()


def _settle(rig: Rig, system: System, due: int) -> float:
    """Wait until shadows have ended and pairs are stored; gives the seconds until the last pair came."""
    begin = last = time.monotonic()
    if not system.kind.shadows:
        return 0.0
    if not system.stream:
        time.sleep(_SHADOWS_END)
        return 0.0
    length = -1
    while length < due and (now := time.monotonic()) < min(last + _STILL, begin + _PATIENCE):
        found = _length(rig, system)
        if found != length:
            length, last = found, now
        time.sleep(0.05)
    return last - begin


def _length(rig: Rig, system: System) -> int:
    return int(rig.queue.xlen(system.stream)) if system.stream else 0  # type: ignore[arg-type]


def _paired(system: System) -> int:
    """Pairs that the proxy itself counts as handed to the queue."""
    if not system.ops:
        return 0
    with urllib.request.urlopen(f"http://127.0.0.1:{system.ops}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    counts = re.findall(r'^understudy_shadow_calls_total\{[^}]*bucket="paired"[^}]*\} (\S+)', text, re.MULTILINE)
    return int(sum(map(float, counts)))


def _shadow_ports(system: System) -> tuple[int, ...]:
    return system.upstreams[1 : system.kind.shadows + 1]


def _share(found: int, due: int) -> float | None:
    return found / due if due else None
