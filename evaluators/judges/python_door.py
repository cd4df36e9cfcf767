"""The door for `python` checks: a process of its own runs the operator's code, one question at a time, in python_child.

The process begins with the first question, has none of our environment, and is killed when an answer takes too long;
the next question gets a new one. Threads that ask wait for each other.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from evaluators.core.finding import DoorFailed
from evaluators.judges.resting import Resting

WITHIN = 5.0
"""Seconds of one answer, and of reading one check's code."""
_TURN = 1.5
"""Times WITHIN that a thread waits for its turn: one check that hangs shall not break those of the other threads."""
MOST_LINE = 256 * 1024  # bytes of an answer; the process itself stops at a quarter
MOST_STARTS, PER = 12, 60.0
"""Processes within so many seconds. What crashes at once on each pair is held back by it; what hangs rests before."""

_FILE = "file://"
_CHILD = Path(__file__).with_name("python_child.py")
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # numpy begins threads, which are not allowed


class PythonDoor:
    """Runs checks. Safe to use from several threads; close it."""

    def __init__(self, *, within: float = WITHIN, restarted: Callable[[], None] = lambda: None) -> None:
        self._within, self._restarted = within, restarted
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._starts: deque[float] = deque(maxlen=MOST_STARTS)
        self._resting = Resting()
        self._sources: dict[str, dict[str, str]] = {}

    def __repr__(self) -> str:
        return f"<PythonDoor {'idle' if self._child is None else self._child}>"

    def ask(self, code: str, arguments: Mapping[str, Any]) -> Any:
        """What the code gives for `output` and `context`; raises DoorFailed."""
        self._resting.admit(code, "python check")
        if not self._lock.acquire(timeout=_TURN * self._within):
            raise DoorFailed(f"other python checks took longer than {_TURN * self._within:g} s")
        try:
            child = self._running()
            if code not in child.told:
                child.ask({"code": code, **self._source(code)}, self._within)
                child.told.add(code)
            result = child.ask({"code": code, **arguments}, self._within)
            self._resting.ended(code)
            return result
        except _Gone as error:
            (self._resting.late if error.late else self._resting.ended)(code)
            raise DoorFailed(str(error)) from None
        finally:
            if self._child is not None and self._child.spoiled:
                self._child.end()
                self._child = None
            self._lock.release()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            if self._child is not None:
                self._child.end()
                self._child = None

    def _running(self) -> _Child:
        if self._child is not None:
            return self._child
        now = time.monotonic()
        if len(self._starts) == MOST_STARTS and now - self._starts[0] < PER:
            raise DoorFailed(f"python checks have ended {MOST_STARTS} processes within {PER:g} s; they rest")
        if self._starts:
            self._restarted()
        self._starts.append(now)
        try:
            self._child = _Child(self._within)
        except OSError as error:
            raise DoorFailed(f"no process for python checks: {os.strerror(error.errno or 0)}") from None
        return self._child

    def _source(self, code: str) -> dict[str, str]:
        """What the process is told of a check, once: its file is read once, so that all pairs are judged alike."""
        if code not in self._sources:
            if not code.startswith(_FILE):
                self._sources[code] = {"source": code, "path": "", "function": "main"}
            else:
                name, _, function = code.removeprefix(_FILE).partition(":")
                path = Path(name).absolute()
                try:
                    text = path.read_text(encoding="utf-8")
                except (OSError, ValueError):
                    raise DoorFailed("the file of this python check cannot be read") from None
                self._sources[code] = {"source": text, "path": str(path), "function": function or "get_assert"}
        return self._sources[code]


class _Gone(Exception):
    """The process did not answer; it cannot be asked again."""

    def __init__(self, said: str, *, late: bool = False) -> None:
        super().__init__(said)
        self.late = late


class _Child:
    """One process. `spoiled` until an answer has come: whatever interrupts a question leaves half a line."""

    def __init__(self, within: float) -> None:
        self.told: set[str] = set()
        self.spoiled = False
        self._line, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-X", "utf8", str(_CHILD), f"{within:g}"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                start_new_session=True,
            )

    def __repr__(self) -> str:
        return f"pid={self._process.pid}"

    def ask(self, question: Mapping[str, Any], within: float) -> Any:
        """The result of one question; raises _Gone, or DoorFailed for what the code itself did wrong."""
        self.spoiled = True
        number = secrets.token_hex(8)  # what is not the answer to this question is nobody's
        until = time.monotonic() + within
        try:
            self._line.settimeout(within)
            self._line.sendall(json.dumps({"id": number, **question}).encode() + b"\n")
            answer = json.loads(self._received(until))
        except TimeoutError:
            raise _Gone(f"python check took longer than {within:g} s", late=True) from None
        except (OSError, ValueError, RecursionError):
            raise _Gone("the python check ended its process") from None
        if not isinstance(answer, dict) or answer.get("id") != number:
            raise _Gone("the python check's process answered something else")
        self.spoiled = False
        if "error" in answer:
            raise DoorFailed(f"the python check {answer['error']}")
        return answer.get("result")

    def _received(self, until: float) -> bytes:
        found = bytearray()
        while not found.endswith(b"\n"):
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._line.settimeout(left)
            part = self._line.recv(65536)
            found += part
            if not part or len(found) > MOST_LINE:
                raise ConnectionError
        return bytes(found)

    def end(self) -> None:
        """Kill it and all that it began."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._line.close()
