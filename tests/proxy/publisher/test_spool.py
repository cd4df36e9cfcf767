"""The spool beside the loop: never in its way, whatever the disk does; damage is counted and said once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from proxy.core import frames
from proxy.core.frames import Entry
from proxy.publisher.segments import Disk
from proxy.publisher.spool import Spool
from tests.proxy.publisher.made import FULL, RefusingDisk, StallingDisk, entries


@asynccontextmanager
async def spooling(root: Path, most: int = 64 << 20, disk: Disk | None = None) -> AsyncIterator[Spool]:
    """A spool that is closed in the end."""
    spool = Spool(root, f"proxy-{os.getpid()}", most, disk)
    try:
        yield spool
    finally:
        await spool.close(5.0)


async def drained(spool: Spool, at_once: int = 7) -> list[Entry]:
    """All that the spool gives, acknowledged batch by batch."""
    found: list[Entry] = []
    while (draining := await spool.oldest()) is not None:
        while not draining.over:
            read = draining.next(at_once, 1 << 20)
            found += read.entries
            spool.sent(read)
        assert await spool.finish()
    return found


async def test_counts_what_lies_on_the_disk(tmp_path: Path) -> None:
    """Pairs and bytes rise with put, pairs fall with every batch that was sent, bytes with every segment."""
    async with spooling(tmp_path) as spool:
        assert await spool.put(entries(0, 20)) == 20
        assert (spool.facts.pairs, spool.facts.written, spool.drainable) == (20, 20, True)
        draining = await spool.oldest()
        assert draining is not None
        assert await spool.oldest() is draining
        spool.sent(draining.next(7, 1 << 20))
        assert (spool.facts.pairs, spool.facts.drained, draining.done) == (13, 7, 7)
        assert await drained(spool) == entries(7, 20)
        assert (spool.facts.pairs, spool.facts.bytes, spool.facts.drained, spool.drainable) == (0, 0, 20, False)


async def test_goes_on_where_another_process_ended(tmp_path: Path) -> None:
    """What the queue says it has of a segment is skipped, all of it at the most."""
    async with spooling(tmp_path) as spool:
        for had in (0, 5, 20, 25):
            await spool.put(entries(0, 20))
            draining = await spool.oldest()
            assert draining is not None
            spool.skip(had)
            assert draining.done == min(had, 20)
            assert await drained(spool) == entries(min(had, 20), 20)


async def test_full_is_said_and_ends(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A put beyond the bound takes what fits; after a drain it takes again; the log has one line."""
    async with spooling(tmp_path, most=4000) as spool:
        taken = await spool.put(entries(0, 50))
        assert 0 < taken < 50
        assert not spool.taking
        assert "full" in repr(spool)
        assert await spool.put(entries(0, 50)) == 0
        assert len(await drained(spool)) == taken
        assert spool.taking
        assert await spool.put(entries(0, 1)) == 1
    assert [record.message for record in caplog.records].count("spool full") == 1


async def test_a_disk_that_refuses_is_asked_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is taken while the disk refuses, everything when it works again; each change is said once."""
    caplog.set_level("INFO")
    disk = RefusingDisk()
    disk.error = FULL
    async with spooling(tmp_path, disk=disk) as spool:
        for _ in range(3):
            assert await spool.put(entries(0, 5)) == 0
        assert (spool.facts.failures, spool.taking, spool.drainable) == (3, False, False)
        assert "failing" in repr(spool)
        disk.error = 0
        assert await spool.put(entries(0, 5)) == 5
        assert spool.taking
        assert await drained(spool) == entries(0, 5)
    said = [record.message for record in caplog.records]
    assert (said.count("spool failing"), said.count("spool works again")) == (1, 1)


async def test_the_loop_does_not_wait_for_a_stalling_disk(tmp_path: Path) -> None:
    """Three syncs of 500 ms each: the loop comes round in between every few milliseconds."""
    disk = StallingDisk(0.5)
    loop = asyncio.get_running_loop()
    gaps: list[float] = []
    async with spooling(tmp_path, disk=disk) as spool:
        writing = asyncio.ensure_future(spool.put(entries(0, 100)))
        before = loop.time()
        while not writing.done():
            await asyncio.sleep(0.001)
            gaps.append(loop.time() - before)
            before = loop.time()
        assert writing.result() == 100
    assert disk.syncs >= 2
    assert len(gaps) > 100
    assert sorted(gaps)[int(len(gaps) * 0.99)] < 0.010


async def test_damage_is_counted_and_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A flipped byte and a torn end cost two records; the log names the number and no content."""
    async with spooling(tmp_path) as spool:
        await spool.put(entries(0, 20, b"canary"))
        (path,) = tmp_path.glob("*/*.seg")
        data = bytearray(path.read_bytes())
        data[frames.HEADER + 60] ^= 1
        path.write_bytes(data[:-3])
        assert await drained(spool, at_once=100) == entries(1, 19, b"canary")
        assert (spool.facts.damaged, spool.facts.pairs, spool.facts.bytes) == (2, 0, 0)
    assert [record.message for record in caplog.records] == ["spool damaged"]
    assert "canary" not in caplog.text


async def test_adopts_what_a_dead_process_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Pairs of another directory are found, and files of others are named by their number, once."""
    caplog.set_level("INFO")
    left = Spool(tmp_path, "gone", 1 << 20)
    await left.put(entries(0, 9))
    await left.close(5.0)
    (tmp_path / "gone" / "notes").write_text("not ours")
    async with spooling(tmp_path) as spool:
        for _ in range(2):
            await spool.adopt()
        assert (spool.facts.pairs, spool.facts.foreign) == (9, 1)
        assert await drained(spool) == entries(0, 9)
    said = [record.message for record in caplog.records]
    assert (said.count("spool found"), said.count("spool: files that are not ours")) == (1, 1)


async def test_does_not_wait_for_a_hanging_disk_at_the_end(tmp_path: Path) -> None:
    """Closing returns in time while a sync hangs."""
    spool = Spool(tmp_path, "proxy-1", 1 << 20, StallingDisk(0.4))
    writing = asyncio.ensure_future(spool.put(entries(0, 1)))
    await asyncio.sleep(0.05)
    before = asyncio.get_running_loop().time()
    await spool.close(0.1)
    assert asyncio.get_running_loop().time() - before < 0.3
    assert await writing == 1
