"""spawn(): the only place of this house that creates a task. Used by handler, mirror, publisher and wiring."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any


class Tasks:
    """The background tasks of one proxy: named, referenced until they end, and waited for at shutdown."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start `work` beside the caller; it must handle its own errors (asyncio reports what escapes)."""
        task = asyncio.create_task(work, name=name)  # noqa: TID251 - this is spawn: the set keeps the reference
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def settle(self, limit: float, except_for: Collection[str] = ()) -> int:
        """Wait up to `limit` seconds for all tasks but the named, then cancel the rest; returns how many those were.

        Tasks that these tasks start meanwhile are waited for as well.
        """
        until = asyncio.get_running_loop().time() + limit
        while running := {task for task in self._running if task.get_name() not in except_for}:
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                break
            await asyncio.wait(running, timeout=left)
        late = {task for task in self._running if task.get_name() not in except_for}
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        return len(late)

    def __len__(self) -> int:
        return len(self._running)

    def __repr__(self) -> str:
        return f"<Tasks running={len(self._running)}>"
