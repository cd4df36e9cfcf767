"""Processes of our own: the proxy and the worker beside `up` and `demo`. Started here, watched here, stopped here.

A child speaks once on standard output, one JSON line, when it is ready; its standard error is ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

READY_WITHIN = 30.0
"""Seconds until a child must have spoken: imports take one or two on a busy laptop."""

STOPPED_WITHIN = 35.0
"""Seconds after SIGTERM until a child is killed: longer than the proxy's own drain of 30 s."""


class ChildFailed(RuntimeError):
    """A child ended, or did not become ready; the text says which and how."""


class Child:
    """One running child process."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, ready: Mapping[str, Any]) -> None:
        self.name, self.ready, self._process = name, ready, process

    def __repr__(self) -> str:
        return f"<Child {self.name} pid={self._process.pid} returncode={self._process.returncode}>"

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def ended(self) -> int:
        """Wait for the process to end by itself; gives its exit code."""
        return await self._process.wait()

    async def stop(self) -> int:
        """SIGTERM, wait for the graceful end, SIGKILL when it does not come; gives the exit code."""
        with contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOPPED_WITHIN):
                return await self._process.wait()
        except TimeoutError:
            self._process.kill()
            return await self._process.wait()


@contextlib.asynccontextmanager
async def child(
    name: str, arguments: Sequence[str], *, orders: Mapping[str, Any] | None = None, log: Path | None = None
) -> AsyncIterator[Child]:
    """Run `python ARGUMENTS` until the block ends; `orders` go to its standard input as one JSON line.

    `log` takes its standard error (default: ours). Raises ChildFailed when it does not become ready.
    """
    with contextlib.ExitStack() as files:
        stderr = None if log is None else files.enter_context(_private(log))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE if orders is not None else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,  # a terminal's Ctrl-C reaches us alone; we stop the children in order
        )
        running = Child(name, process, {})
        try:
            if orders is not None and process.stdin is not None:
                process.stdin.write(json.dumps(orders).encode() + b"\n")
                await process.stdin.drain()
            running.ready = await _first_words(name, process, log)
            yield running
        finally:
            await running.stop()


async def _first_words(name: str, process: asyncio.subprocess.Process, log: Path | None) -> Mapping[str, Any]:
    hint = f"; see {log}" if log is not None else ""
    if process.stdout is None:
        raise ChildFailed(f"{name} has no standard output")
    try:
        async with asyncio.timeout(READY_WITHIN):
            line = await process.stdout.readline()
    except TimeoutError as error:
        raise ChildFailed(f"{name} was not ready within {READY_WITHIN:.0f} s{hint}") from error
    if not line:
        raise ChildFailed(f"{name} ended with exit code {await process.wait()} before it was ready{hint}")
    try:
        ready = json.loads(line)
    except ValueError:
        ready = None
    if not isinstance(ready, dict):
        raise ChildFailed(f"{name} said something else than what it should when ready{hint}")
    return ready


def _private(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
