"""The relay's end of the line, against a scripted lane on a real unix socket: slow, deaf, dying, absent."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from config.pair import Failure, Outcome
from proxy.core.handing import HELLO, KEPT, Begun, Ended, Frame, Frames, Told
from proxy.core.plan import Draft
from proxy.handover import Door, Handover
from proxy.tasks import Tasks

DRAFT = Draft("0" * 32, 3600.5, "POST", "/v1/chat/completions", "", ((b"a", b"b"),), b"{}")
OUTCOME = Outcome(Failure.NONE, "", 200, (), b"answer", 6, 0.0, 0.1, 0.2, 1, 0.0)


class ScriptedLane:
    """A lane that keeps the frames it reads; with `deaf` it says hello and reads nothing."""

    def __init__(self, path: Path, deaf: bool = False) -> None:
        self.path = path
        self.frames: list[Frame] = []
        self.ended = asyncio.Event()
        self._deaf = asyncio.Event()
        if not deaf:
            self._deaf.set()
        self._news = asyncio.Condition()
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Take connections."""
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self.path), limit=4096)

    async def die(self) -> None:
        """End every connection and take no more."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    def listen(self) -> None:
        """Deaf no more."""
        self._deaf.set()

    async def has(self, n: int, kind: type[Frame]) -> list[Frame]:
        """Wait for so many frames of a kind."""

        def some() -> list[Frame]:
            return [frame for frame in self.frames if isinstance(frame, kind)]

        async with asyncio.timeout(5), self._news:
            await self._news.wait_for(lambda: len(some()) >= n)
        return some()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        writer.write(HELLO)
        await self._deaf.wait()
        frames = Frames()
        while data := await reader.read(65536):
            self.frames += frames.feed(data)
            async with self._news:
                self._news.notify_all()
        self.ended.set()
        writer.close()


@pytest.fixture
def path() -> Iterator[Path]:
    """A short one."""
    with tempfile.TemporaryDirectory(prefix="us-") as folder:
        yield Path(folder, "lane")


Lanes = Callable[..., Awaitable[ScriptedLane]]


@pytest.fixture
async def lanes(path: Path) -> AsyncIterator[Lanes]:
    """Starts lanes at the one address, and ends them."""
    started: list[ScriptedLane] = []

    async def start(deaf: bool = False) -> ScriptedLane:
        started.append(ScriptedLane(path, deaf))
        await started[-1].start()
        return started[-1]

    yield start
    for lane in started:
        await lane.die()
        lane.listen()


@asynccontextmanager
async def _handover(path: Path, most: int = 1 << 20) -> AsyncIterator[tuple[Handover, Door]]:
    handover, tasks = Handover(path, "relay-0.0", most), Tasks()
    handover.start(tasks)
    try:
        yield handover, handover.door("/m")
    finally:
        await handover.close(2.0)
        assert len(tasks) == 0


def _begin(door: Door, draft: Draft = DRAFT) -> asyncio.Future[Outcome]:
    live: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    door.begin(draft, live, 7.25)
    return live


async def test_calls_and_their_ends_go_over(path: Path, lanes: Lanes) -> None:
    """The lane gets the totals, each call as it begins, and its live Outcome when that is there."""
    lane = await lanes()
    async with _handover(path) as (handover, door):
        await lane.has(1, Told)
        first, second = _begin(door), _begin(door)
        second.set_result(OUTCOME)
        assert await lane.has(2, Begun) == [Begun(0, "/m", 7.25, DRAFT), Begun(1, "/m", 7.25, DRAFT)]
        assert await lane.has(1, Ended) == [Ended(1, OUTCOME)]
        first.cancel()
        assert "here" in repr(handover)
    await asyncio.wait_for(lane.ended.wait(), 5)
    assert lane.frames[-1] == Told("relay-0.0", {(3600, "/m", ""): 2})


async def test_a_route_without_shadows_hands_nothing_over(path: Path, lanes: Lanes) -> None:
    """There is nobody to count such a call for."""
    lane = await lanes()
    async with _handover(path) as (handover, _):
        await lane.has(1, Told)
        _begin(handover.door("", shadowed=False))
        assert handover.totals == {}


async def test_calls_without_a_lane_are_counted_and_told(path: Path, lanes: Lanes) -> None:
    """While there is none, calls are lane_away; the lane that comes hears of it before anything else."""
    async with _handover(path) as (handover, door):
        for _ in range(3):
            _begin(door).set_result(OUTCOME)
        assert "away" in repr(handover)
        assert handover.held == 0
        lane = await lanes()
        assert await lane.has(1, Told) == [Told("relay-0.0", {(3600, "/m", "lane_away"): 3})]


async def test_a_lane_that_dies_takes_only_its_calls(path: Path, lanes: Lanes) -> None:
    """A call's end goes to the lane that got its beginning or to nobody; the next one gets totals and new calls."""
    lane = await lanes()
    async with _handover(path) as (_, door):
        await lane.has(1, Told)
        old = _begin(door)
        await lane.has(1, Begun)
        await lane.die()
        following = await lanes()
        assert await following.has(1, Told) == [Told("relay-0.0", {(3600, "/m", ""): 1})]
        old.set_result(OUTCOME)
        _begin(door).set_result(OUTCOME)
        assert await following.has(1, Ended) == [Ended(0, OUTCOME)]


async def test_a_deaf_lane_costs_bounded_memory(path: Path, lanes: Lanes) -> None:
    """Over the bound calls are lane_full and answers go without bodies; when it reads again it hears the totals."""
    most = 1 << 20
    large = replace(DRAFT, body=b"x" * 65536)
    lane = await lanes(deaf=True)
    async with _handover(path, most) as (handover, door):
        async with asyncio.timeout(5):
            while "here" not in repr(handover):
                await asyncio.sleep(0.005)
        lives: list[asyncio.Future[Outcome]] = []
        for _ in range(10):  # until the kernel's buffers are full as well
            lives += [_begin(door, large) for _ in range(20)]
            await asyncio.sleep(0)
        assert most < handover.held < most + 70_000
        for live in lives:
            live.set_result(OUTCOME)
        await asyncio.sleep(0)
        assert handover.held < most + 70_000 + 200 * 200
        handed, full = handover.totals[3600, "/m", ""], handover.totals[3600, "/m", "lane_full"]
        assert (handed + full, full > 100) == (200, True)
        lane.listen()
        assert (await lane.has(2, Told))[-1] == Told("relay-0.0", dict(handover.totals))
        assert len(await lane.has(handed, Begun)) == handed
        ends = await lane.has(handed, Ended)
        assert all(isinstance(end, Ended) and end.outcome.capped and end.outcome.body == b"" for end in ends)


async def test_a_call_that_cannot_be_written_is_counted(path: Path, lanes: Lanes) -> None:
    """A bug of ours costs the one call."""
    lane = await lanes()
    async with _handover(path) as (handover, door):
        await lane.has(1, Told)
        _begin(door, replace(DRAFT, path=Failure.NONE))
        assert handover.totals == {(3600, "/m", "crash"): 1}
    await asyncio.wait_for(lane.ended.wait(), 5)
    assert lane.frames[-1] == Told("relay-0.0", {(3600, "/m", "crash"): 1})


async def test_old_hours_are_forgotten(path: Path) -> None:
    """Totals stay small however long the relay lives."""
    async with _handover(path) as (handover, door):
        _begin(door)
        _begin(door, replace(DRAFT, arrived=DRAFT.arrived + KEPT + 3600))
        assert list(handover.totals.values()) == [1]


async def test_close_has_an_end(path: Path, lanes: Lanes) -> None:
    """A lane that does not read is not waited for longer than told."""
    await lanes(deaf=True)
    handover, tasks = Handover(path, "relay-0.0", 1 << 20), Tasks()
    handover.start(tasks)
    async with asyncio.timeout(5):
        while "here" not in repr(handover):
            await asyncio.sleep(0.005)
    for _ in range(20):
        _begin(handover.door(""), replace(DRAFT, body=b"x" * 65536))
    async with asyncio.timeout(1):
        await handover.close(0.05)
