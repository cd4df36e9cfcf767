"""Threads that checks may hang: what becomes of the pair, of the other pairs, and of the check."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from evaluators.core.finding import Arm, Check, Finding, passed
from evaluators.core.observation import Observation
from evaluators.core.observing import Progress, observe
from evaluators.core.reading import read_request
from evaluators.core.reply import Kind, Reply
from evaluators.intake import Taken
from evaluators.telemetry import Telemetry
from evaluators.worker.checking import MOST_HANGS, AssessPair, Checking, Failed
from tests.evaluators.made import fields, pair

LIMIT = 0.2


def taken(count: int) -> list[Taken]:
    """The entries of calls 0, 1, …"""
    return [Taken(b"%d-0" % number, fields(pair(number)), 1) for number in range(count)]


def walk(**runs: Callable[[Arm], Finding]) -> AssessPair:
    """The real walk with these checks; every answer is its call's number as text."""
    checks = [Check(name, "t", False, "correctness", "signal", "1", run) for name, run in runs.items()]

    def assess(made: Any, progress: Progress | None = None, /) -> Observation:
        return observe(
            made,
            checks,
            read_request=read_request,
            read=lambda outcome, asked: Reply(Kind.OK, str(int(made.call.id, 16))),
            slices_of=lambda call, request: (),
            price=lambda model, usage: -1.0,
            progress=progress,
        )

    return assess


def details(results: list[Observation | Failed], label: str) -> list[str]:
    """What one check said of every pair."""
    return [
        found.live.detail if isinstance(one, Observation) else one.reason
        for one in results
        for found in (one.found if isinstance(one, Observation) else ())
        if found.check.label == label
    ]


def loops_on(*numbers: str) -> Callable[[Arm], Finding]:
    """A check that never ends on these calls."""

    def run(arm: Arm) -> Finding:
        while arm.reply.text in numbers:
            pass
        return passed("fine")

    return run


def value(telemetry: Telemetry, name: str) -> float:
    return telemetry.registry.get_sample_value(f"understudy_worker_{name}_total") or 0.0


@pytest.mark.parametrize("lanes", [1, 4])
async def test_a_hanging_check_is_broken_on_its_pair_alone(lanes: int) -> None:
    """The pair's other findings stand, and so does this check on the other pairs; all come back in their order."""
    telemetry = Telemetry()
    checking = Checking(walk(a=loops_on("3"), b=loops_on()), telemetry, limit=LIMIT, lanes=lanes)
    results = await checking.check(taken(8))
    assert [one.call_id for one in results if isinstance(one, Observation)] == [pair(n).call.id for n in range(8)]
    assert details(results, "a") == ["fine"] * 3 + [f"took longer than {LIMIT:g} s"] + ["fine"] * 4
    assert details(results, "b") == ["fine"] * 8
    assert (value(telemetry, "hung_checks"), value(telemetry, "disabled_checks")) == (1, 0)


async def test_two_checks_may_hang_on_one_pair() -> None:
    """Each is left out in its turn."""
    results = await Checking(walk(a=loops_on("0"), b=loops_on("0"), c=loops_on()), Telemetry(), limit=LIMIT).check(
        taken(1)
    )
    hung = [f"took longer than {LIMIT:g} s"]
    assert (details(results, "a"), details(results, "b"), details(results, "c")) == (hung, hung, ["fine"])


async def test_a_check_that_hangs_again_and_again_is_disabled(caplog: pytest.LogCaptureFixture) -> None:
    """After MOST_HANGS it is not run any more, which is said once; the checks beside it go on."""
    telemetry = Telemetry()
    checking = Checking(walk(a=loops_on("0", "1", "2", "3"), b=loops_on()), telemetry, limit=LIMIT)
    with caplog.at_level(logging.ERROR, "understudy.worker"):
        first, second = await checking.check(taken(5)), await checking.check(taken(2))
    disabled = f"disabled after hanging {MOST_HANGS} times"
    assert details(first, "a") == [f"took longer than {LIMIT:g} s"] * MOST_HANGS + [disabled] * 2
    assert details(second, "a") == [disabled] * 2
    assert details(first + second, "b") == ["fine"] * 7
    assert value(telemetry, "hung_checks") == MOST_HANGS
    assert len(caplog.records) == 1
    assert repr(checking) == "<Checking in 1 threads, 1 checks disabled>"


async def test_a_loop_of_pythons_leaves_no_thread_behind() -> None:
    """It is interrupted; a call that blocks in C ends by itself and says nothing any more."""
    release = threading.Event()

    def blocks(arm: Arm) -> Finding:
        release.wait(9)
        return passed("too late")

    checking = Checking(walk(a=loops_on("0"), b=blocks), Telemetry(), limit=LIMIT)
    results = await checking.check(taken(1))
    assert details(results, "b") == [f"took longer than {LIMIT:g} s"]
    release.set()
    end = time.monotonic() + 5
    while any(thread.name == "check" for thread in threading.enumerate()):
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def test_a_slow_pair_does_not_hang() -> None:
    """Many checks that take long together are none that hangs: what counts is that they get on."""

    def slow(arm: Arm) -> Finding:
        threading.Event().wait(LIMIT / 3)
        return passed("fine")

    telemetry = Telemetry()
    results = await Checking(walk(**{f"c{n}": slow for n in range(4)}), telemetry, limit=LIMIT).check(taken(1))
    assert [details(results, f"c{n}") for n in range(4)] == [["fine"]] * 4
    assert value(telemetry, "hung_checks") == 0


async def test_lanes_work_at_the_same_time() -> None:
    """Eight pairs whose check waits 50 ms take much less than eight times that in eight lanes."""

    def waits(arm: Arm) -> Finding:
        threading.Event().wait(0.05)
        return passed("fine")

    began = time.monotonic()
    results = await Checking(walk(a=waits), Telemetry(), limit=5, lanes=8).check(taken(8))
    assert time.monotonic() - began < 0.5  # alone: 16 arms × 50 ms
    assert details(results, "a") == ["fine"] * 8


async def test_what_cannot_be_read_or_raises_is_a_failure_of_that_entry() -> None:
    """An unreadable record is final; an exception outside the checks may not be; reading for ever is slow."""

    def assess(made: Any, progress: Progress | None = None, /) -> Observation:
        if made.call.id == pair(1).call.id:
            raise ZeroDivisionError
        while made.call.id == pair(2).call.id:
            pass
        return walk(a=loops_on())(made, progress)

    batch = taken(4)
    batch[0] = Taken(b"x", {b"schema": b"99"}, 1)
    results = await Checking(assess, Telemetry(), limit=LIMIT).check(batch)
    failures = [one for one in results if isinstance(one, Failed)]
    assert [(one.reason, one.final) for one in failures] == [("wire", True), ("check", False), ("slow", False)]
    assert details(results, "a") == ["fine"]
