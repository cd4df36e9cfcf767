"""spawn keeps what it starts, and settle ends it."""

from __future__ import annotations

import asyncio

from proxy.tasks import Tasks


async def test_spawned_work_is_named_and_forgotten_when_done() -> None:
    """A task is held while it runs and let go afterwards."""
    tasks = Tasks()
    go = asyncio.Event()
    task = tasks.spawn(go.wait(), "waiting")
    assert (task.get_name(), len(tasks), repr(tasks)) == ("waiting", 1, "<Tasks running=1>")
    go.set()
    await task
    assert await tasks.settle(1) == 0
    assert len(tasks) == 0


async def test_settle_waits_for_what_tasks_start() -> None:
    """Work that begins during the wait is waited for as well."""
    tasks = Tasks()
    done: list[str] = []

    async def second() -> None:
        await asyncio.sleep(0)
        done.append("second")

    async def first() -> None:
        await asyncio.sleep(0)
        tasks.spawn(second(), "second")

    tasks.spawn(first(), "first")
    assert await tasks.settle(2) == 0
    assert done == ["second"]


async def test_settle_cancels_the_late_and_spares_the_named() -> None:
    """After the limit the rest is cancelled, except for the names that go on."""
    tasks = Tasks()
    late = tasks.spawn(asyncio.Event().wait(), "late")
    kept = tasks.spawn(asyncio.Event().wait(), "kept")
    assert await tasks.settle(0.01, {"kept"}) == 1
    assert late.cancelled()
    assert not kept.done()
    assert await tasks.settle(0) == 1
