"""Pairs checked in threads, which a check may hang. Between worker, which takes and records, and observing.

A check that does not end keeps its thread and nothing else: its pair is walked again without it, and it alone is
`broken` there. A thread cannot be killed, so a check that hangs again and again is not run any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from config import wire
from config.pair import Pair
from config.wire import WireError
from evaluators.core.observation import Observation
from evaluators.core.observing import Abandoned, Progress
from evaluators.intake import Taken
from evaluators.telemetry import Telemetry

LOG = logging.getLogger("understudy.worker")

MOST_HANGS = 3
"""Times a check may hang in one process: each time may leave a thread behind that takes its share of the processor."""

_LOOKS = 8
"""How often a thread is looked at within the limit. Looks are counted, not seconds: after a pause of the whole machine
no check has hung."""


class AssessPair(Protocol):
    """The pure walk from Pair to Observation, which tells where it is."""

    def __call__(self, pair: Pair, progress: Progress | None = None, /) -> Observation: ...


@dataclass(frozen=True, slots=True)
class Failed:
    """One delivery that ended without a result."""

    reason: str  # a word of ours: label and dead-letter reason
    detail: str
    final: bool  # another delivery cannot end otherwise


@dataclass(slots=True)
class _Job:
    place: int
    taken: Taken
    hung: dict[str, str] = field(default_factory=dict)  # checks that this pair has hung, and what is said of them


class Checking:
    """Checks batches, in `lanes` threads at a time. `assess_pair` runs in those threads."""

    def __init__(self, assess_pair: AssessPair, telemetry: Telemetry, *, limit: float, lanes: int = 1) -> None:
        self._assess, self._telemetry, self._limit, self._lanes = assess_pair, telemetry, limit, lanes
        self._hangs: Counter[str] = Counter()
        self._disabled: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<Checking in {self._lanes} threads, {len(self._disabled)} checks disabled>"

    async def check(self, batch: Sequence[Taken]) -> list[Observation | Failed]:
        """A result for every pair, in their order."""
        jobs = deque(_Job(place, taken) for place, taken in enumerate(batch))
        results: dict[int, Observation | Failed] = {}
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(self._lanes, len(batch))):
                tasks.create_task(self._lane(jobs, results))
        return [results[place] for place in range(len(batch))]

    async def _lane(self, jobs: deque[_Job], results: dict[int, Observation | Failed]) -> None:
        while jobs:
            thread = _Thread(self._assess, jobs, results, self._disabled)
            thread.start()
            if await self._ends(thread):
                continue
            job, label = thread.abandon()
            if job is None:  # it came to an end in the last moment
                continue
            self._telemetry.hung_checks.inc()
            if label:
                job.hung[label] = f"took longer than {self._limit:g} s"
                self._count(label)
                jobs.appendleft(job)
            else:
                results[job.place] = Failed("slow", f"not read within {self._limit:g} s", False)

    async def _ends(self, thread: _Thread) -> bool:
        """Wait until the thread is done; False when it stands still."""
        seen, idle = thread.steps, 0
        while idle < _LOOKS:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(thread.ended.wait(), self._limit / _LOOKS)
                return True
            seen, idle = (seen, idle + 1) if thread.steps == seen else (thread.steps, 0)
        return False

    def _count(self, label: str) -> None:
        self._hangs[label] += 1
        if self._hangs[label] < MOST_HANGS:
            LOG.warning("check %s took longer than %g s on a pair", label, self._limit)
        elif label not in self._disabled:
            self._disabled[label] = f"disabled after hanging {MOST_HANGS} times"  # seen by every thread's next pair
            self._telemetry.disabled_checks.inc()
            LOG.error("check %s has hung %d times; it is broken until the worker starts again", label, MOST_HANGS)


class _Thread:
    """One thread that takes jobs until none is left, or until it is abandoned. Made inside the loop."""

    def __init__(
        self,
        assess_pair: AssessPair,
        jobs: deque[_Job],
        results: dict[int, Observation | Failed],
        disabled: dict[str, str],
    ) -> None:
        self._assess, self._jobs, self._results, self._disabled = assess_pair, jobs, results, disabled
        self._loop, self.ended = asyncio.get_running_loop(), asyncio.Event()
        self._lock = threading.Lock()
        self._abandoned = False
        self._job: _Job | None = None
        self._progress, self._before = Progress(), 0
        self._thread = threading.Thread(target=self._run, name="check", daemon=True)

    @property
    def steps(self) -> int:
        """Grows while the thread gets anywhere."""
        return self._before + self._progress.steps

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def abandon(self) -> tuple[_Job | None, str]:
        """Take its job away, with the label of the check that it hangs in; "" when it is in none."""
        with self._lock:  # without it the thread cannot end, so its number is still its own
            job, self._abandoned, self._progress.abandoned = self._job, True, True
            if job is not None:
                _interrupt(self._thread)
        return job, self._progress.running

    def _run(self) -> None:
        with contextlib.suppress(Abandoned):
            while (job := self._next()) is not None:
                result = self._observed(job)
                with self._lock:
                    if self._abandoned:
                        return
                    self._results[job.place], self._job = result, None
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self.ended.set)

    def _next(self) -> _Job | None:
        with self._lock:
            if self._abandoned or not self._jobs:
                return None
            try:
                self._job = self._jobs.popleft()
            except IndexError:  # another thread took the last one
                return None
            self._before += self._progress.steps + 1
            self._progress = Progress({**self._disabled, **self._job.hung})
            return self._job

    def _observed(self, job: _Job) -> Observation | Failed:
        try:
            return self._assess(wire.decode(job.taken.fields), self._progress)
        except WireError as error:
            return Failed("wire", str(error), True)
        except Exception as error:  # a named edge: one pair's trouble stays its own, is counted and comes again
            return Failed("check", type(error).__name__, False)


def _interrupt(thread: threading.Thread) -> None:
    """End a loop of Python's, so that it does not eat the processor; a call that blocks in C sees it on return."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Abandoned))
