"""Whom nobody asks for a while: code or an endpoint that let several questions in a row run out of time.

Each such question holds a thread of the worker to its limit, and a hook that is down would hold up every pair: it is
broken on them either way. Used by posting and python_door.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from evaluators.core.finding import DoorFailed

MOST_LATE = 3  # in a row: as often as a check may hang before it is not run any more
REST = 30.0
"""Seconds. At the 5 s of one question, a seventh of a thread's time is the most that a silent one still costs."""


@dataclass(slots=True)
class _Late:
    times: int = 0
    until: float = 0.0


class Resting:
    """Counts who is late. Safe to use from several threads; grows with the checks, not with the traffic."""

    def __init__(self, *, rest: float = REST, clock: Callable[[], float] = time.monotonic) -> None:
        self._rest, self._clock = rest, clock
        self._lock = threading.Lock()
        self._known: dict[str, _Late] = {}

    def __repr__(self) -> str:
        return f"<Resting of {len(self._known)} that were late>"

    def admit(self, whom: str, what: str) -> None:
        """Raise DoorFailed while `whom` rests, `what` being its name; after a rest one question goes through."""
        with self._lock:
            late = self._known.get(whom)
            if late is None or late.times < MOST_LATE:
                return
            if self._clock() < late.until:
                raise DoorFailed(f"the {what} rests: it was late {MOST_LATE} times in a row")
            late.until = self._clock() + self._rest

    def late(self, whom: str) -> None:
        """A question ran out of time."""
        with self._lock:
            late = self._known.setdefault(whom, _Late())
            late.times += 1
            late.until = self._clock() + self._rest

    def ended(self, whom: str) -> None:
        """A question was over in time, however."""
        with self._lock:
            self._known.pop(whom, None)
