"""One shadow call: what it sends, what it keeps, and where it ends."""

from __future__ import annotations

import pytest

from config.pair import NEVER, Failure, Role
from proxy.core.accounting import Bucket
from proxy.core.breaker import Breaker
from proxy.core.rate import Rate
from proxy.mirror import Memory
from tests.proxy.mirror.scene import CHAT, HEADERS, Scene, outcome, turns


async def test_asks_and_pairs() -> None:
    """The shadow gets its own head, and both outcomes are offered when both are there."""
    scene = Scene()
    live = await scene.begin(shown="/mount/v1/chat/completions")
    asked = scene.asked()
    assert (asked.method, asked.target, asked.body) == ("POST", b"/base/v1/chat/completions", CHAT)
    assert asked.headers == (
        (b"Host", b"a.example"),
        (b"Content-Type", b"application/json"),
        (b"Authorization", b"Bearer key"),
        (b"x-understudy-shadow", b"a"),
        (b"Content-Length", b"%d" % len(CHAT)),
    )
    asked.sink.interim(None)  # type: ignore[arg-type]  # whatever it is, it is not looked at
    asked.answer(b'{"a":1}', 201)
    live.set_result(outcome())
    await turns()
    (pair,) = scene.pairs
    assert (pair.shadow, pair.role, pair.call.path) == ("a", Role.CANDIDATE, "/mount/v1/chat/completions")
    assert pair.live is live.result()
    assert (pair.outcome.status, pair.outcome.body, pair.outcome.failure) == (201, b'{"a":1}', Failure.NONE)
    assert pair.outcome.headers == (("content-type", "application/json"),)
    assert 0 <= pair.outcome.sent <= pair.outcome.first_byte <= pair.outcome.last_byte < 5
    scene.conserved()


async def test_holds_memory_until_live_has_ended() -> None:
    """A complete answer that waits for live stays inside the bound; its slot is free at once."""
    scene = Scene()
    live = await scene.begin()
    scene.asked().answer(b"x" * 500)
    assert scene.memory.held > len(CHAT) + 500
    assert scene.budget.in_flight["a"] == 0
    assert not scene.pairs
    live.set_result(outcome())
    await turns()
    scene.conserved()
    assert scene.counted(Bucket.PAIRED) == 1


async def test_small_pieces_are_held_at_what_they_cost() -> None:
    """An answer of single bytes costs far more than its length, and the bound knows."""
    scene = Scene(memory=Memory(5000), cap=1000)
    live = await scene.begin()
    scene.asked().head()
    for _ in range(200):
        scene.asked().piece(b"x")
    live.set_result(outcome())
    await turns()
    assert scene.counted(Bucket.DROPPED, "memory") == 1
    assert scene.asked().cancelled
    scene.conserved()


@pytest.mark.parametrize(("pieces", "kept"), [([1000], 1000), ([999, 1], 1000), ([1001], 1000), ([999, 5000], 1000)])
async def test_stops_at_the_cap(pieces: list[int], kept: int) -> None:
    """What fits is whole; beyond it reading stops, the connection is let go, and nothing more is kept."""
    scene = Scene(cap=1000)
    live = await scene.begin()
    scene.asked().head()
    for size in pieces:
        scene.asked().piece(b"x" * size)
    assert scene.memory.held < 1000 + len(CHAT) + 48 * len(pieces) + len("application/json") + 1
    over = sum(pieces) > 1000
    assert scene.asked().cancelled is over
    scene.asked().end()
    live.set_result(outcome())
    await turns()
    (pair,) = scene.pairs
    assert len(pair.outcome.body) == kept
    assert pair.outcome.received == sum(pieces)
    expected = (Failure.TRUNCATED, "stopped at the capture cap") if over else (Failure.NONE, "")
    assert (pair.outcome.failure, pair.outcome.detail) == expected
    scene.conserved()


async def test_is_dropped_where_the_memory_ends() -> None:
    """A body that does not fit is not sent; an answer that does not fit is no longer read."""
    scene = Scene(memory=Memory(len(CHAT) + 50))
    first, second = await scene.begin(), await scene.begin()
    assert len(scene.upstreams["a"].asked) == 1
    assert scene.counted(Bucket.DROPPED, "memory") == 1
    scene.asked().head()
    scene.asked().piece(b"x" * 200)
    assert scene.asked().cancelled
    assert scene.counted(Bucket.DROPPED, "memory") == 2
    scene.asked().sink.body(b"x")  # a double that goes on talking is not heard
    scene.asked().sink.head(None)  # type: ignore[arg-type]
    scene.asked().sink.end(())
    first.set_result(outcome())
    second.set_result(outcome())
    await turns()
    scene.conserved()
    assert scene.caught == 0


async def test_what_is_kept_of_a_head_is_held_too() -> None:
    """A shadow cannot fill the memory with fields that nobody counted."""
    scene = Scene(memory=Memory(1000))
    live = await scene.begin()
    scene.asked().head(headers=((b"Content-Type", b"x" * 2000),))
    assert scene.asked().cancelled
    live.set_result(outcome())
    assert scene.counted(Bucket.DROPPED, "memory") == 1
    scene.conserved()


async def test_an_exchange_that_fails_is_an_outcome() -> None:
    """With the failure and the words of whoever saw it, and without instants that did not come."""
    scene = Scene()
    live = await scene.begin()
    scene.asked().fail(Failure.CONNECT, "refused")
    live.set_result(outcome())
    await turns()
    (pair,) = scene.pairs
    assert (pair.outcome.failure, pair.outcome.detail, pair.outcome.status) == (Failure.CONNECT, "refused", 0)
    assert pair.outcome.first_byte == NEVER
    scene.conserved()


async def test_a_capped_live_answer_makes_no_pair() -> None:
    """It cannot be compared; the shadow was asked all the same."""
    scene = Scene()
    live = await scene.begin()
    live.set_result(outcome(body=b"x" * 20, cap=10))
    scene.asked().answer()
    assert scene.counted(Bucket.SKIPPED, "live_answer_too_large") == 1
    scene.conserved()


async def test_slots_are_few() -> None:
    """Beyond them a call is dropped, and an ended exchange makes room."""
    scene = Scene(slots=1)
    lives = [await scene.begin() for _ in range(3)]
    assert scene.counted(Bucket.DROPPED, "in_flight") == 2
    scene.asked().answer()
    lives.append(await scene.begin())
    scene.asked().answer()
    for live in lives:
        live.set_result(outcome())
    await turns()
    assert scene.counted(Bucket.PAIRED) == 2
    scene.conserved()


async def test_a_rate_is_kept() -> None:
    """Of three calls at once a shadow of two a second gets two."""
    scene = Scene(rate=lambda: Rate(2.0))
    for _ in range(3):
        live = await scene.begin()
        live.set_result(outcome())
        if not scene.asked().over:
            scene.asked().answer()
    assert scene.counted(Bucket.DROPPED, "rate") == 1
    assert scene.counted(Bucket.PAIRED) == 2
    scene.conserved()


async def test_a_shadow_that_does_not_answer_is_left_alone() -> None:
    """After so many failures in a row no call goes out; a success of one that was out already changes that."""
    scene = Scene(breaker=lambda: Breaker(3, 60.0))
    early = await scene.begin()
    slow = scene.asked()
    for _ in range(4):
        (await scene.begin()).set_result(outcome())
        if not scene.asked().over:
            scene.asked().fail(Failure.CONNECT)
    assert scene.breakers["a"].open
    assert len(scene.upstreams["a"].asked) == 4
    assert scene.counted(Bucket.DROPPED, "breaker_open") == 1
    slow.answer()
    early.set_result(outcome())
    assert not scene.breakers["a"].open
    (await scene.begin()).set_result(outcome())
    scene.asked().answer()
    await turns()
    assert scene.counted(Bucket.PAIRED) == 5
    scene.conserved()


async def test_a_call_shows_its_state_and_no_content() -> None:
    """Its repr has the id and the sizes."""
    scene = Scene()
    live = await scene.begin(headers=(*HEADERS, (b"Authorization", b"sk-client")))
    sink = scene.asked().sink
    assert repr(sink) == f"<ShadowCall {1:032x} for a, open, holds {len(CHAT)} bytes>"
    scene.asked().answer()
    assert "waiting for live" in repr(sink)
    live.set_result(outcome())
    await turns()
    assert "decided, holds 0" in repr(sink)
    scene.conserved()
