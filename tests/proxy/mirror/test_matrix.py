"""The reset matrix, after Envoy's: who breaks off, and when, and what becomes of the pair. Each a hundred times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from config.pair import Failure
from proxy.core.accounting import Bucket
from tests.doubles.asked import Asked
from tests.proxy.mirror.scene import Scene, outcome, turns

Step = Callable[[Asked], None]

N = 100
BEFORE: list[Step] = []
MIDWAY: list[Step] = [lambda asked: asked.head(), lambda asked: asked.piece(b'{"a"')]
REST: list[Step] = [lambda asked: asked.piece(b":1}"), lambda asked: asked.end()]
AFTER: list[Step] = [*MIDWAY, *REST]


def rest(done: list[Step]) -> list[Step]:
    """What is left of a whole answer."""
    return AFTER[len(done) :]


WHEN = {"before-head": BEFORE, "mid-body": MIDWAY, "after": AFTER}
LIVE_ENDS = {
    "client-reset": Failure.CLIENT_LEFT,
    "live-reset": Failure.RESET,
    "live-cut": Failure.TRUNCATED,
    "live-timeout": Failure.TIMEOUT,
    "live-well": Failure.NONE,
}


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("how", LIVE_ENDS)
async def test_live_or_its_client_breaks_off(how: str, when: str) -> None:
    """The shadow goes on to its end, whenever it happens; the pair says how live ended."""
    scene = Scene()
    for _ in range(N):
        live = await scene.begin()
        for step in WHEN[when]:
            step(scene.asked())
        live.set_result(outcome(LIVE_ENDS[how]))
        await turns()
        for step in rest(WHEN[when]):
            step(scene.asked())
        await turns()
    assert not any(asked.cancelled for asked in scene.upstreams["a"].asked)
    ends = {(pair.live.failure, pair.outcome.failure, pair.outcome.body) for pair in scene.pairs}
    assert ends == {(LIVE_ENDS[how], Failure.NONE, b'{"a":1}')}
    assert scene.counted(Bucket.PAIRED) == N
    assert scene.caught == 0
    scene.conserved()


# Who breaks off, after which steps, as which failure; the pair's status and body.
CANDIDATE: list[Any] = [
    pytest.param(BEFORE, Failure.CONNECT, 0, b"", id="refused"),
    pytest.param(BEFORE, Failure.RESET, 0, b"", id="reset-before-head"),
    pytest.param(MIDWAY, Failure.TRUNCATED, 200, b'{"a"', id="reset-mid-body"),
    pytest.param(BEFORE, Failure.TIMEOUT, 0, b"", id="timeout-before-head"),
    pytest.param(MIDWAY[:1], Failure.TIMEOUT, 200, b"", id="timeout-after-head"),
    pytest.param(MIDWAY, Failure.TIMEOUT, 200, b'{"a"', id="timeout-mid-body"),
    pytest.param(BEFORE, Failure.MALFORMED, 0, b"", id="garbage"),
    pytest.param(MIDWAY, Failure.MALFORMED, 200, b'{"a"', id="garbage-mid-body"),
    pytest.param(AFTER, Failure.RESET, 200, b'{"a":1}', id="reset-after"),
]


@pytest.mark.parametrize("live_first", [True, False], ids=["late", "early"])
@pytest.mark.parametrize(("steps", "failure", "status", "body"), CANDIDATE)
async def test_the_candidate_breaks_off(
    steps: list[Step], failure: Failure, status: int, body: bytes, live_first: bool
) -> None:
    """Earlier or later than live: the pair has what came and how it ended; after the end nothing changes it."""
    scene = Scene()
    for _ in range(N):
        live = await scene.begin()
        if live_first:
            live.set_result(outcome())
        for step in steps:
            step(scene.asked())
        scene.asked().fail(failure)
        if not live_first:
            live.set_result(outcome())
        await turns()
    expected = Failure.NONE if steps is AFTER else failure
    ends = {(pair.live.failure, pair.outcome.failure, pair.outcome.status, pair.outcome.body) for pair in scene.pairs}
    assert ends == {(Failure.NONE, expected, status, body)}
    assert scene.counted(Bucket.PAIRED) == N
    scene.conserved()


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("live_first", [True, False], ids=["live-done", "live-open"])
async def test_the_process_ends(when: str, live_first: bool) -> None:
    """Shadows that are open are let go and dropped; a pair that was complete is there."""
    scene = Scene(slots=N)
    lives = [await scene.begin() for _ in range(N)]
    for at, live in enumerate(lives):
        for step in WHEN[when]:
            step(scene.upstreams["a"].asked[at])
        if live_first:
            live.set_result(outcome())
    await turns()
    paired = N if live_first and when == "after" else 0
    assert await scene.mirror.settle(0.0) == N - paired
    assert scene.counted(Bucket.DROPPED, "shutdown") == N - paired
    assert scene.counted(Bucket.PAIRED) == paired
    assert all(asked.cancelled is (when != "after") for asked in scene.upstreams["a"].asked)
    scene.conserved()
