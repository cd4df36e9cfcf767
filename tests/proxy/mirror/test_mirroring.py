"""From one live call to its shadows: when they are planned, what stops them, and how they are waited for."""

from __future__ import annotations

import asyncio

import pytest

from config.pair import Failure, Outcome
from proxy.core.accounting import Bucket
from proxy.core.plan import Draft
from tests.proxy.mirror.scene import CHAT, HEADERS, Scene, outcome, turns


async def test_nothing_happens_in_the_turn_of_the_call() -> None:
    """The handler writes live's request first; the plan comes after it."""
    scene = Scene()
    scene.calls = 1
    live: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    draft = Draft("1" * 32, 1000.0, "POST", "/v1/chat/completions", "", HEADERS, CHAT)
    scene.mirror.begin(draft, live, asyncio.get_running_loop().time())
    assert not scene.upstreams["a"].asked
    await asyncio.sleep(0)
    assert len(scene.upstreams["a"].asked) == 1
    scene.asked().answer()
    live.set_result(outcome())
    await turns()
    scene.conserved()


async def test_without_shadows_nothing_is_planned() -> None:
    """A proxy that only relays has no accounting."""
    scene = Scene(0)
    await scene.begin()
    assert scene.ledger.snapshot() == []
    assert await scene.mirror.settle(0.0) == 0


async def test_shadows_are_independent() -> None:
    """One that hangs and one that was sampled out leave the others' pairs alone."""
    scene = Scene(3)
    live = await scene.begin()
    scene.asked("b").answer()
    live.set_result(outcome())
    await turns()
    assert [pair.shadow for pair in scene.pairs] == ["b"]
    scene.asked("a").fail(Failure.TIMEOUT)
    scene.asked("c").answer()
    await turns()
    assert [pair.shadow for pair in scene.pairs] == ["b", "a", "c"]
    scene.conserved()


async def test_verdicts_are_counted() -> None:
    """What the plan refuses, it refuses for each shadow."""
    scene = Scene(2, sample=0.0)
    (await scene.begin()).set_result(outcome())
    (await scene.begin(body=None, why_no_body="client_left")).set_result(outcome())
    assert scene.counted(Bucket.SAMPLED_OUT) == 2
    assert scene.counted(Bucket.SKIPPED, "client_left") == 2
    scene.conserved()


async def test_the_switch_stops_new_calls_and_not_open_ones() -> None:
    """And lets them begin again."""
    scene = Scene()
    open_one = await scene.begin()
    scene.mirror.switch(False)
    assert not scene.mirror.enabled
    await scene.begin()
    assert scene.counted(Bucket.SKIPPED, "switched_off") == 1
    scene.mirror.switch(True)
    scene.asked().answer()
    open_one.set_result(outcome())
    (await scene.begin()).set_result(outcome())
    scene.asked().answer()
    await turns()
    assert scene.counted(Bucket.PAIRED) == 2
    scene.conserved()


async def test_shows_at_a_scrape_what_is_in_flight() -> None:
    """The gauge reads the slots: it costs a call nothing."""
    scene = Scene(slots=3)
    lives = [await scene.begin() for _ in range(2)]
    assert 'understudy_in_flight_exchanges{target="a"} 2.0' in scene.telemetry.text().decode()
    assert repr(scene.mirror) == "<Mirror of 1 shadows, 2 calls open, 0 to plan>"
    for asked, live in zip(scene.upstreams["a"].asked, lives, strict=True):
        asked.answer()
        live.set_result(outcome())
    assert 'understudy_in_flight_exchanges{target="a"} 0.0' in scene.telemetry.text().decode()
    await turns()
    scene.conserved()


async def test_settling_waits_for_the_last() -> None:
    """It returns as soon as nothing is open, and says that nothing was stopped."""
    scene = Scene(2)
    await _whole(scene)
    live = await scene.begin()
    scene.mirror.drain()
    settling = asyncio.ensure_future(scene.mirror.settle(5.0))
    scene.asked("a").answer()
    live.set_result(outcome())
    await turns()
    assert not settling.done()
    scene.asked("b").answer()
    async with asyncio.timeout(1):
        assert await settling == 0
    assert scene.counted(Bucket.PAIRED) == 4
    scene.conserved()


async def _whole(scene: Scene) -> None:
    """A call before the one that is looked at: after it nothing was open."""
    (await scene.begin()).set_result(outcome())
    for name in scene.names:
        scene.asked(name).answer()


@pytest.mark.parametrize("answered", [False, True])
async def test_settling_stops_what_is_late(answered: bool) -> None:
    """Whether the shadow is late or live: dropped as shutdown, its connection let go, live untouched."""
    scene = Scene()
    live = await scene.begin()
    if answered:
        scene.asked().answer()
    assert await scene.mirror.settle(0.01) == 1
    assert scene.counted(Bucket.DROPPED, "shutdown") == 1
    assert scene.asked().cancelled is not answered
    assert not live.done()
    live.set_result(outcome())
    await turns()
    scene.conserved()
    assert not scene.pairs


async def test_settling_plans_what_has_just_begun() -> None:
    """A call that is begun in the last turn is decided as well, by its plan."""
    scene = Scene()
    scene.calls = 1
    scene.mirror.drain()
    draft = Draft("1" * 32, 1000.0, "POST", "/v1/chat/completions", "", HEADERS, CHAT)
    scene.mirror.begin(draft, asyncio.get_running_loop().create_future(), 0.0)
    assert await scene.mirror.settle(0.0) == 0
    assert scene.counted(Bucket.SKIPPED, "draining") == 1
    await turns()
    scene.conserved()


async def test_a_cancelled_live_ends_its_shadows() -> None:
    """Nobody will say what live answered."""
    scene = Scene()
    live = await scene.begin()
    scene.asked().answer()
    live.cancel()
    await turns()
    assert scene.counted(Bucket.DROPPED, "shutdown") == 1
    scene.conserved()


async def test_hundreds_of_hanging_shadows_hold_their_slots_and_no_more() -> None:
    """Of 500 calls with a cap of 64 slots, 436 are dropped at once and live's future is never touched."""
    scene = Scene(slots=64)
    lives = [await scene.begin() for _ in range(500)]
    assert len(scene.upstreams["a"].asked) == 64
    assert scene.counted(Bucket.DROPPED, "in_flight") == 436
    assert scene.memory.held == 64 * len(CHAT)
    assert not any(live.done() for live in lives)
    assert await scene.mirror.settle(0.0) == 64
    scene.conserved()
