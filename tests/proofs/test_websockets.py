"""WebSockets pass frame by frame, end on both sides, and cost little; figures: `python -m tests.proofs.websockets`."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from tests.doubles.client import Client
from tests.doubles.upstream import ScriptedUpstream, Turn, answer
from tests.proofs import websocket_ends as ends
from tests.proofs import websockets
from tests.proofs.transparency.cases import Case, Reply
from tests.proofs.transparency.differential import compare
from tests.proofs.transparency.rig import proxy, run
from tests.proofs.websockets import Passed

WORKERS = pytest.mark.parametrize("workers", [None, 1], ids=["one process", "workers"])
CODES = (1000, 1003, 1011, 3000, 4999)
KEPT = 2.0
"""Megabytes that a session may cost while one side rests: buffers of both sockets, and the allocator's leavings."""

OFFER = (b"Upgrade", b"websocket")
ASKED = (b"Connection", b"Upgrade")
OFFERING = b"GET /one HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"


def _right(passed: Passed, name: str, n: int) -> None:
    print(passed.line(name))
    assert passed.n >= n
    assert passed.wrong == []


@pytest.mark.timeout(30)
@WORKERS
def test_frames_are_the_same(workers: int | None) -> None:
    """500 frames each way, text and bytes, whole and in fragments, compressed and not."""
    passed = run(websockets.frames(500, workers=workers))
    _right(passed, "frames each way", 500)
    assert passed.compressed == websockets.LANES // 2


@pytest.mark.timeout(30)
@pytest.mark.parametrize("compression", [None, "deflate"])
def test_every_size(compression: str | None) -> None:
    """Messages at each limit of the length field, and of 16 MiB."""
    _right(run(websockets.sizes(None, compression)), "messages", 2 * len(websockets.SIZES))


def test_what_is_agreed() -> None:
    """Sub-protocol, compression, pings of both sides and a refusal are what they are without the proxy."""
    passed = run(websockets.negotiated())
    _right(passed, "negotiations", 6)
    assert passed.compressed == 2


@WORKERS
def test_close_codes(workers: int | None) -> None:
    """Code and reason reach the other side, whoever says them."""
    _right(run(websockets.closings(CODES, workers)), "close codes", 2 * len(CODES))


def _left(sessions: int, workers: int | None) -> None:
    left = run(ends.leave(sessions, workers=workers), 200)
    print(left.line("sides that leave"))
    assert (left.sessions, left.late, len(left.seconds)) == (sessions, 0, sessions)
    assert (left.open_exchanges, left.files) == (0, 0)


@WORKERS
def test_the_other_side_is_told(workers: int | None) -> None:
    """50 sessions that one side ends by FIN, half-close or RST, whoever is sending: the other sees it in a second."""
    _left(50, workers)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("up", [False, True], ids=["clients rest", "upstreams rest"])
def test_resting_sides(up: bool) -> None:
    """4 sessions with 32 MiB for a side that does not read: the sender stands still, little is held, all arrives."""
    carried = run(ends.rest(4, 2, up))
    print(carried.line("sides that rest"))
    assert carried.right, carried.note
    assert carried.grown / carried.n < KEPT


def test_upgrades_that_are_none() -> None:
    """Offers without Connection, for HTTP/1.0, by POST, with a body, and of other protocols get a plain answer."""
    answer = Reply(426, b"Upgrade Required", ((b"Sec-WebSocket-Version", b"13"),), b"no")
    asked = (OFFER, ASKED)
    cases = [
        Case(b"alone", b"GET", b"/", (OFFER,), answer=answer),
        Case(b"other", b"GET", b"/", ((b"Upgrade", b"h2c"), ASKED), answer=answer),
        Case(b"several", b"GET", b"/", ((b"Upgrade", b"h2c, websocket"), ASKED), answer=answer),
        Case(b"post", b"POST", b"/", asked, b"{}", "length", answer=answer),
        Case(b"length", b"GET", b"/", asked, b"body", "length", answer=answer),
        Case(b"chunks", b"GET", b"/", asked, b"body", "chunked", answer=answer),
        Case(b"plain", b"GET", b"/", asked, answer=answer),
    ]
    found = run(compare(cases))
    assert (found.n, dict(found.kinds), found.left_over) == (len(cases), {}, 0), found.told


FRAMINGS = {
    "length": b"Content-Length: %d\r\n\r\n%b",
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n",
}


async def _script(turn: Turn) -> None:
    await answer(status="404 Not Found" if turn.target == b"/one" else "200 OK")(turn)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_body_beside_an_upgrade_goes_with_it(framing: str) -> None:
    """A length that is announced to live, and not sent, would make another client's request a body of this one."""

    async def play() -> list[tuple[bytes, bytes]]:
        async with ScriptedUpstream(_script) as live, proxy(live.url) as through:
            async with Client(through.url) as one, Client(through.url) as other:
                await one.send(OFFERING + FRAMINGS[framing] % (len(HIDDEN), HIDDEN))
                assert (await one.answer()).status == 404
                assert (await other.ask("GET", "/other")).status == 200
            return [(turn.target, turn.body) for turn in live.turns]

    assert run(play()) == [(b"/one", HIDDEN), (b"/other", b"")]


def test_a_request_behind_a_refused_upgrade() -> None:
    """What a client wrote behind an offer that live refuses is a request: answered, or left unread at a close."""

    async def play() -> list[int]:
        async with ScriptedUpstream(_script) as live, proxy(live.url) as through, Client(through.url) as client:
            await client.send(OFFERING + b"\r\n" + HIDDEN)
            statuses = [(await client.answer()).status]
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                statuses.append((await client.answer()).status)
            return statuses

    assert run(play()) in ([404, 200], [404])


@pytest.mark.proof
@pytest.mark.timeout(300)
@WORKERS
def test_10_000_frames_are_the_same(workers: int | None) -> None:
    """10,000 frames each way."""
    _right(run(websockets.frames(10_000, workers=workers), 250), "frames each way", 10_000)


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_every_close_code() -> None:
    """Every code that may be said, by either side."""
    _right(run(websockets.closings(websockets.CODES), 250), "close codes", 4_000)


@pytest.mark.proof
@pytest.mark.timeout(300)
@WORKERS
def test_the_other_side_is_always_told(workers: int | None) -> None:
    """1,000 sessions."""
    _left(1000, workers)
