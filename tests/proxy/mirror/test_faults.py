"""A fault at every step of the shadow path, one by one: live and its caller never hear of it, and every call counts.

The doubles around the mirror announce each step before they take it. A run without faults lists the steps; then each
of them fails once, with each kind of error, in a run of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from config.pair import Failure, Outcome, Pair
from proxy.core.accounting import Bucket, Ledger
from proxy.core.breaker import Breaker
from proxy.core.budget import Budget
from proxy.core.plan import Draft
from proxy.core.rate import Rate
from proxy.mirror import Memory
from proxy.telemetry import Telemetry
from proxy.upstream.door import Head
from tests.doubles.asked import JSON_HEAD, Asked
from tests.proxy.mirror.scene import CHAT, HEADERS, Scene, Taking, outcome, turns
from tests.proxy.mirror.steps import FailingUpstream, Fields, Piece, Steps

ERRORS = [RuntimeError, MemoryError, asyncio.CancelledError, KeyError]


def stage(steps: Steps, **more: Any) -> Scene:
    """A scene in which every door announces."""
    return Scene(
        2,
        cap=100,
        ledger=steps.announcing(Ledger, "count")(),
        telemetry=steps.announcing(Telemetry, "exchange_ended")(),
        memory=steps.announcing(Memory, "take", "give")(100_000),
        budget=steps.announcing(Budget, "take", "give"),
        breaker=lambda: steps.announcing(Breaker, "lets", "ended")(5, 1.0),
        rate=lambda: steps.announcing(Rate, "take")(1000.0),
        taking=lambda ledger: _taking(steps, ledger),
        upstream=lambda: FailingUpstream(steps),
        **more,
    )


def _taking(steps: Steps, ledger: Ledger) -> Taking:
    class Announced(Taking):
        def offer(self, pair: Pair) -> None:
            steps.step("offer")
            self.pairs.append(pair)
            Ledger.count(ledger, pair.call.arrived, pair.shadow, Bucket.PAIRED)  # the publisher's own book-keeping

    return Announced(ledger)


def play(steps: Steps, asked: Asked, pieces: int) -> None:
    """A whole answer, up to whatever stops it."""
    piece = Piece(b"x" * 40)
    piece.steps = steps
    if not asked.over:
        asked.sink.head(Head(200, b"OK", Fields(steps, "head", JSON_HEAD)))
    for _ in range(pieces):
        asked.piece(piece)
    asked.end()


async def answered(scene: Scene, steps: Steps) -> None:
    """Two shadows answer, one before live and one after it."""
    live = await scene.begin(headers=Fields(steps, "plan", HEADERS))
    await _end(scene, live, lambda asked: play(steps, asked, 2), lambda asked: play(steps, asked, 1))


async def capped(scene: Scene, steps: Steps) -> None:
    """One shadow says too much, one fails."""
    live = await scene.begin(headers=Fields(steps, "plan", HEADERS))
    await _end(scene, live, lambda asked: play(steps, asked, 4), lambda asked: asked.fail(Failure.RESET))


async def crowded(scene: Scene, steps: Steps) -> None:
    """The memory ends in the middle of an answer."""
    scene.memory.limit = 200
    live = await scene.begin(headers=Fields(steps, "plan", HEADERS))
    await _end(scene, live, lambda asked: play(steps, asked, 2), lambda asked: play(steps, asked, 2))


async def refused(scene: Scene, steps: Steps) -> None:
    """The plan says no."""
    live = await scene.begin(body=b"no json", headers=Fields(steps, "plan", HEADERS))
    live.set_result(outcome())


async def too_large(scene: Scene, steps: Steps) -> None:
    """Live's answer cannot be kept."""
    live = await scene.begin(headers=Fields(steps, "plan", HEADERS))
    answers = [lambda asked: play(steps, asked, 1)] * 2
    await _end(scene, live, *answers, live_says=outcome(body=b"x" * 20, cap=10))


async def stopped(scene: Scene, steps: Steps) -> None:
    """The process ends: one shadow is open, the other waits for live."""
    live = await scene.begin(headers=Fields(steps, "plan", HEADERS))
    if scene.upstreams["a"].asked:
        play(steps, scene.asked("a"), 1)
    await scene.mirror.settle(0.0)
    live.set_result(outcome())


async def _end(
    scene: Scene,
    live: asyncio.Future[Outcome],
    first: Callable[[Asked], None],
    second: Callable[[Asked], None],
    live_says: Outcome | None = None,
) -> None:
    said = live_says or outcome()
    if scene.upstreams["a"].asked:
        first(scene.asked("a"))
    await turns()
    live.set_result(said)
    await turns()
    if scene.upstreams["b"].asked:
        second(scene.asked("b"))
    await turns()
    assert live.result() is said


PLAYS = [answered, capped, crowded, refused, too_large, stopped]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
@pytest.mark.parametrize("act", PLAYS, ids=lambda act: act.__name__)
async def test_a_fault_at_every_step(act: Any, error: type[BaseException]) -> None:
    """Nothing raises, every call is decided once, nothing stays held, and the next call is paired as ever."""
    dry = Steps()
    scene = stage(dry)
    await act(scene, dry)
    await turns()
    scene.conserved()
    assert scene.caught == 0
    assert len(dry.taken) >= 3, dry.taken
    for at, name in enumerate(dry.taken):
        steps = Steps(at, error)
        scene = stage(steps)
        await act(scene, steps)
        await turns()
        assert steps.taken[at] == name
        assert scene.caught == 1, name
        scene.conserved()
        crashed = scene.counted(Bucket.DROPPED, "crash")
        assert crashed <= (2 if name in ("plan", "Ledger.count") else 1), (name, scene.ledger.snapshot())
        scene.memory.limit = 100_000
        await answered(scene, Steps())
        scene.conserved()
        assert scene.counted(Bucket.PAIRED) >= 2, name


async def test_the_steps_are_all_there() -> None:
    """The acts together reach every door of the shadow path."""
    reached: set[str] = set()
    for act in PLAYS:
        steps = Steps()
        scene = stage(steps)
        await act(scene, steps)
        await turns()
        reached |= set(steps.taken)
    assert reached == {
        "plan",
        "ask",
        "asked",
        "cancel",
        "head",
        "body",
        "offer",
        "Ledger.count",
        "Telemetry.exchange_ended",
        "Memory.take",
        "Memory.give",
        "Budget.take",
        "Budget.give",
        "Breaker.lets",
        "Breaker.ended",
        "Rate.take",
    }


async def test_an_error_that_stays_is_counted_each_time() -> None:
    """A door that never works costs its own call only."""
    scene = Scene(1, taking=lambda ledger: _broken(ledger))
    for _ in range(3):
        live = await scene.begin()
        scene.asked().answer()
        live.set_result(outcome())
        await turns()
    assert scene.counted(Bucket.DROPPED, "crash") == 3
    assert scene.caught == 3
    scene.conserved()


async def test_the_undoing_does_not_stop_where_it_fails_itself() -> None:
    """A body that cannot be read, on a connection that cannot be let go: the call is dropped all the same."""
    steps = Steps(0, MemoryError)
    scene = Scene()
    live = await scene.begin()
    scene.asked().on_cancel = lambda: 1 / 0
    piece = Piece(b"x")
    piece.steps = steps
    scene.asked().piece(piece)
    assert scene.counted(Bucket.DROPPED, "crash") == 1
    assert scene.caught == 2
    live.set_result(outcome())
    await turns()
    scene.conserved()


class Closed(Ledger):
    """A book that takes no entry."""

    def count(self, at: float, shadow: str, bucket: Bucket, reason: str = "", n: int = 1) -> None:
        """Refuse it."""
        raise OSError


async def test_nothing_stays_held_when_nothing_can_be_counted() -> None:
    """The one fault that breaks the law: even then slots and memory come back."""
    scene = Scene(ledger=Closed())
    live = await scene.begin()
    live.set_result(outcome(body=b"x" * 20, cap=10))
    scene.asked().answer()
    assert scene.caught == 2
    assert (scene.budget.in_flight["a"], scene.memory.held) == (0, 0)
    assert await scene.mirror.settle(0.0) == 0


def _broken(ledger: Ledger) -> Taking:
    class Broken(Taking):
        def offer(self, pair: Pair) -> None:
            raise OSError

    return Broken(ledger)


class FullLoop(asyncio.SelectorEventLoop):
    """A loop that takes no callback of the mirror's while it is full."""

    full = False

    def call_soon(self, callback: Any, *args: Any, **named: Any) -> Any:
        """Refuse as Python does when there is no memory for one more."""
        if self.full:
            self.full = False
            raise MemoryError
        return super().call_soon(callback, *args, **named)


def test_a_plan_that_cannot_be_put_off_is_dropped() -> None:
    """The handler that begins a call does not hear of it either, and the next call is planned."""

    async def run() -> None:
        scene = Scene(2)
        loop.full = True
        live: asyncio.Future[Outcome] = loop.create_future()
        scene.calls += 1
        scene.mirror.begin(Draft("1" * 32, 0.0, "POST", "/v1/chat/completions", "", HEADERS, CHAT), live, loop.time())
        assert not loop.full
        assert scene.counted(Bucket.DROPPED, "crash") == 2
        assert scene.caught == 1
        await answered(scene, Steps())
        assert scene.counted(Bucket.PAIRED) == 2
        scene.conserved()

    loop = FullLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(run())


async def test_a_live_future_with_an_error_is_a_crash_of_ours() -> None:
    """The handler never sets one; should it, the shadow is dropped."""
    scene = Scene()
    live = await scene.begin()
    scene.asked().answer()
    live.set_exception(RuntimeError())
    await turns()
    assert scene.counted(Bucket.DROPPED, "crash") == 1
    scene.conserved()
