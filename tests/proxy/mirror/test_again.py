"""A candidate asked twice: its second answer is paired with its first, and both calls end in one bucket each."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import Any

import pytest

from config.pair import Failure, Role
from proxy.core.accounting import Bucket
from tests.proxy.mirror.scene import Scene, outcome, turns

SECOND = "a/again"


async def test_the_second_answer_is_paired_with_the_first() -> None:
    """The pair's `live` is what the candidate said first, whoever was faster; live is asked for nothing."""
    for faster in ("a", SECOND):
        scene = Scene(again=True)
        live = await scene.begin()
        slower = SECOND if faster == "a" else "a"
        scene.asked(faster).answer()
        await turns()
        scene.asked(slower).answer()
        await turns()
        assert [(pair.shadow, pair.role) for pair in scene.pairs] == [(SECOND, Role.AGAIN)]
        live.set_result(outcome())
        await turns()
        (second, first) = scene.pairs
        assert (first.shadow, first.role, first.live.body) == ("a", Role.CANDIDATE, b'{"live":1}')
        assert second.live == first.outcome
        assert second.call == first.call
        scene.conserved()


@pytest.mark.parametrize(
    ("cap", "slots", "bucket", "reason"),
    [
        pytest.param(1, 8, Bucket.SKIPPED, "first_answer_too_large", id="first too large"),
        pytest.param(1000, 0, Bucket.DROPPED, "in_flight", id="no slot for either"),
    ],
)
async def test_a_second_without_a_whole_first_is_counted(cap: int, slots: int, bucket: Bucket, reason: str) -> None:
    """Nothing waits for a first answer that will not come."""
    scene = Scene(again=True, cap=cap, slots=slots)
    live = await scene.begin()
    if slots:
        scene.asked("a").answer()
        scene.asked(SECOND).answer()
    live.set_result(outcome(cap=1000))
    await turns()
    assert scene.counted(bucket, reason, SECOND) == 1
    scene.conserved()


async def test_the_first_is_dropped_while_the_second_waits() -> None:
    """The second is counted as one whose first was lost."""
    scene = Scene(again=True)
    live = await scene.begin()
    scene.asked(SECOND).answer()
    scene.breakers["a"].ended(True, 0.0)
    next(iter(scene.mirror._means.open)).stop()
    await turns()
    assert scene.counted(Bucket.DROPPED, "first_lost", SECOND) == 1
    live.set_result(outcome())
    await turns()
    assert scene.pairs == []
    scene.conserved()


async def test_a_failed_first_answer_is_an_answer() -> None:
    """How the candidate failed is an Outcome like any other."""
    scene = Scene(again=True)
    live = await scene.begin()
    scene.asked("a").fail(Failure.TIMEOUT)
    scene.asked(SECOND).answer()
    live.set_result(outcome())
    await turns()
    assert {pair.shadow: pair.live.failure for pair in scene.pairs} == {"a": Failure.NONE, SECOND: Failure.TIMEOUT}
    scene.conserved()


async def test_settling_stops_both() -> None:
    """The end of the process ends each once."""
    scene = Scene(again=True)
    await scene.begin()
    assert await scene.mirror.settle(0.0) == 2
    await turns()
    assert scene.counted(Bucket.DROPPED) == 2
    scene.conserved()


async def test_any_order_conserves() -> None:
    """2,000 calls whose three answers end in any order and in any way: each is in one bucket per shadow."""
    dice, scene = random.Random(5), Scene(again=True, slots=1000)
    for _ in range(2000):
        live = await scene.begin()
        ends: list[Any] = [partial(live.set_result, outcome()) if dice.random() < 0.9 else live.cancel]
        for name in ("a", SECOND):
            asked = scene.asked(name)
            ends.append(asked.answer if dice.random() < 0.7 else partial(asked.fail, Failure.RESET))
        dice.shuffle(ends)
        for end in ends:
            end()
            if dice.random() < 0.5:
                await asyncio.sleep(0)
        await turns()
    assert scene.counted(Bucket.PAIRED, name=SECOND) == 2000
    assert 1600 < scene.counted(Bucket.PAIRED, name="a") < 2000
    assert scene.caught == 0
    scene.conserved()
