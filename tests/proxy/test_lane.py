"""The lane's end of the lines, with real relays' ends on real sockets and a scripted mirror behind."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from config.pair import Failure, Outcome
from proxy.core.accounting import Bucket, Ledger
from proxy.core.handing import begun
from proxy.core.plan import Draft
from proxy.handover import Handover
from proxy.lane import Lane
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry
from tests.proxy.test_handover import DRAFT, OUTCOME, _begin


@dataclass
class ScriptedMirror:
    """Keeps what begins here; counts a call as paired when live has ended."""

    ledger: Ledger
    names: tuple[str, ...] = ("mini",)
    begun: list[tuple[Draft, asyncio.Future[Outcome], float]] = field(default_factory=list)

    def begin(self, draft: Draft, live: asyncio.Future[Outcome], started: float) -> None:
        """One call."""
        self.begun.append((draft, live, started))
        live.add_done_callback(lambda _: [self.ledger.count(draft.arrived, name, Bucket.PAIRED) for name in self.names])


class Part:
    """One lane process's worth of objects, at an address that outlives it."""

    def __init__(self, folder: Path, listening: socket.socket) -> None:
        self.ledger, self.telemetry, self.tasks = Ledger(), Telemetry(), Tasks()
        self.telemetry.watch(self.ledger)
        self.mirror, self.book = ScriptedMirror(self.ledger), folder / "book"
        self.lane = Lane(lambda: {"/m": self.mirror}, self.ledger, self.telemetry, self.book)
        self._listening = listening

    async def start(self) -> Part:
        """Go on where another stopped."""
        self.lane.inherit()
        await self.lane.start(self._listening.dup(), self.tasks)
        return self

    async def die(self, written: bytes) -> None:
        """As after SIGKILL: what was written last is all that there is."""
        await self.lane.close()
        self.book.write_bytes(written)

    def lost(self) -> int:
        """Calls that are counted as gone with a lane."""
        return self.ledger.total(reason="lane_away")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short one."""
    with tempfile.TemporaryDirectory(prefix="us-") as name:
        yield Path(name)


@pytest.fixture
def listening(folder: Path) -> Iterator[socket.socket]:
    """The socket that a supervisor holds."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "lane"))
        made.listen(16)
        yield made


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.005)


async def test_calls_begin_at_mirror_as_they_were(folder: Path, listening: socket.socket) -> None:
    """Mirror gets the draft, the instant, and a future that ends with live's Outcome."""
    part, tasks = await Part(folder, listening).start(), Tasks()
    relay = Handover(folder / "lane", "relay-0.0", 1 << 20)
    relay.start(tasks)
    await _until(lambda: "here" in repr(relay))
    _begin(relay.door("/m")).set_result(OUTCOME)
    _begin(relay.door("/nobody")).set_result(OUTCOME)  # a route of a newer configuration
    await _until(lambda: part.ledger.calls("mini") == 1)
    ((draft, live, started),) = part.mirror.begun
    assert (draft, live.result(), started) == (DRAFT, OUTCOME, 7.25)
    assert "1 relays, 0 calls open" in repr(part.lane)
    await relay.close(2.0)
    await part.lane.close()


async def test_a_dead_relays_calls_end(folder: Path, listening: socket.socket) -> None:
    """The live Outcome of a call whose relay died is CANCELLED, which nobody scores."""
    part = await Part(folder, listening).start()
    relay = Handover(folder / "lane", "relay-0.0", 1 << 20)
    relay.start(Tasks())
    await _until(lambda: "here" in repr(relay))
    _begin(relay.door("/m"))
    await _until(lambda: len(part.mirror.begun) == 1)
    await relay.close(0.0)
    live = part.mirror.begun[0][1]
    await _until(live.done)
    assert (live.result().failure, live.result().body) == (Failure.CANCELLED, b"")
    await part.lane.close()


async def test_the_next_lane_counts_what_died(folder: Path, listening: socket.socket) -> None:
    """Decided calls stay, open ones are lane_away, at the same address and for the same relay; each counts once."""
    part, tasks = await Part(folder, listening).start(), Tasks()
    relay = Handover(folder / "lane", "relay-0.0", 1 << 20)
    relay.start(tasks)
    await _until(lambda: "here" in repr(relay))
    _begin(relay.door("/m")).set_result(OUTCOME)
    _begin(relay.door("/m"))
    await _until(lambda: len(part.mirror.begun) == 2 and part.ledger.calls("mini") == 1)
    part.lane.write()
    written = part.book.read_bytes()
    _begin(relay.door("/m")).set_result(OUTCOME)  # after the last writing: nobody will know
    await _until(lambda: part.ledger.calls("mini") == 2)
    await part.die(written)
    await _until(lambda: "away" in repr(relay))
    _begin(relay.door("/m"))
    following = await Part(folder, listening).start()
    await _until(lambda: "here" in repr(relay) and following.ledger.calls("mini") == 4)
    assert (following.lost(), following.ledger.total(bucket=Bucket.PAIRED)) == (3, 1)
    _begin(relay.door("/m")).set_result(OUTCOME)
    await _until(lambda: following.ledger.calls("mini") == 5)
    await relay.close(2.0)
    await following.lane.close()


async def test_counters_outlive_the_accounting(folder: Path, listening: socket.socket) -> None:
    """Hours that the ledger of a dead lane had forgotten are still in the metrics of the next."""
    part = Part(folder, listening)
    part.ledger.count(0.0, "mini", Bucket.PAIRED)
    part.lane.write()
    part.ledger.count(7200.0, "mini", Bucket.PAIRED)
    part.ledger.prune(3600)
    part.lane.write()
    following = Part(folder, listening)
    following.lane.inherit()
    assert b'understudy_shadow_calls_total{bucket="paired",reason="",shadow="mini"} 2.0' in following.telemetry.text()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff\xff\xff\xff", id="no-frame"),
        pytest.param(begun(0, "/m", 1.0, replace(DRAFT)), id="call-without-a-name"),
    ],
)
async def test_what_is_no_relay_is_hung_up_on(folder: Path, listening: socket.socket, data: bytes) -> None:
    """Other bytes end their connection, are counted, and harm nobody."""
    part = await Part(folder, listening).start()
    reader, writer = await asyncio.open_unix_connection(str(folder / "lane"))
    writer.write(data)
    await reader.readline()
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    assert b'understudy_broad_except_total{where="lane"} 1.0' in part.telemetry.text()
    assert part.mirror.begun == []
    await part.lane.close()


async def test_the_book_is_kept(folder: Path, listening: socket.socket) -> None:
    """A change is on the disk within a moment; a disk that refuses is no reason to stop."""
    part = await Part(folder, listening).start()
    before = (folder / "book").read_bytes()
    part.ledger.count(0.0, "mini", Bucket.PAIRED)
    await _until(lambda: (folder / "book").read_bytes() != before)
    (folder / "book.new").mkdir()
    part.ledger.count(0.0, "mini", Bucket.PAIRED)
    await asyncio.sleep(0.25)
    (folder / "book.new").rmdir()
    written = (folder / "book").read_bytes()
    await _until(lambda: (folder / "book").read_bytes() != written)
    assert oct((folder / "book").stat().st_mode & 0o777) == "0o600"
    await part.lane.close()
