"""Envoy's reset matrix on the whole proxy, over sockets: who breaks off, when, and what everybody else notices.

A round is one call. Whoever does not break waits at the same place until the other has broken, then goes on to its end
or is let go. Played by test_resets.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from config.pair import Failure
from proxy.core.accounting import Bucket
from tests.doubles.client import Client
from tests.doubles.upstream import STREAM_HEAD, Script, Turn
from tests.proofs.candidates import reset
from tests.proxy.conftest import CHAT, JSON, Rig

LIMIT = 1.0
"""Seconds within which an upstream that nobody waits for must be let go of."""

WHO = ("client reset", "client FIN", "live reset", "live FIN", "live timeout", "candidate reset", "candidate FIN")
WHO = (*WHO, "candidate timeout")
WHEN = ("before the head", "in the body", "after the end")
PIECES = (STREAM_HEAD + b"4\r\nhalf\r\n", b"5\r\n-done\r\n0\r\n\r\n", b"")
SHORT = "timeout: {connect: 5s, first_byte: 150ms, idle: 150ms}"


@dataclass(frozen=True, slots=True)
class Row:
    """What one round came to."""

    client: str  # what the client saw: whole, cut, left, or a status of ours
    live: Failure  # as the pair has it
    candidate: Failure
    let_go: bool  # live's connection was closed by the proxy, within LIMIT
    bucket: str


@dataclass
class Round:
    """One call in the making."""

    who: str
    when: str
    there: dict[str, asyncio.Event] = field(
        default_factory=lambda: {"live": asyncio.Event(), "candidate": asyncio.Event()}
    )
    broken: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: bool = False

    def breaks(self, me: str) -> bool:
        """Whether this one does."""
        return self.who.startswith(me)


class Stage:
    """The two upstreams' scripts, and the round that is played."""

    def __init__(self, who: str, when: str) -> None:
        self.who, self.when = who, when
        self.round = Round(who, when)

    def actor(self, me: str) -> Script:
        """A script: answers in two pieces, and at the appointed place breaks, or waits for the one who does."""

        async def script(turn: Turn) -> None:
            play = self.round
            for place, piece in zip(WHEN, PIECES, strict=True):
                if place == play.when:
                    play.there[me].set()
                    if play.breaks(me):
                        await _break(play, me, turn)
                        return
                    if play.breaks("client") and me == "live" and place != WHEN[-1]:
                        await _be_let_go(play, turn)
                        return
                    if place != WHEN[-1]:
                        await play.broken.wait()
                await turn.send(piece)

        return script

    async def play(self, rig: Rig) -> Row:
        """One round, to the last bucket."""
        play = self.round = Round(self.who, self.when)
        paired = rig.counted("mini", Bucket.PAIRED)
        rig.calls += 1
        async with Client(rig.url) as client:
            saw = await _client(play, client)
            if play.breaks("live"):
                play.broken.set()
            await rig.settled()
            play.over.set()
        while (pair := _newest(rig)) is None:
            await asyncio.sleep(0.002)
        if play.when != WHEN[-1] and (play.breaks("client") or play.who == "live timeout"):
            async with asyncio.timeout(LIMIT):
                while not play.let_go:
                    await asyncio.sleep(0.002)
        bucket = "paired" if rig.counted("mini", Bucket.PAIRED) == paired + 1 else "another"
        return Row(saw, pair[0], pair[1], play.let_go, bucket)


async def _break(play: Round, me: str, turn: Turn) -> None:
    """The break itself; after the end only when everybody has all, for a reset would take back what is under way."""
    other = "candidate" if me == "live" else "live"
    if play.when == WHEN[-1]:
        await play.over.wait()
    else:
        await play.there[other].wait()
    if play.who.endswith("timeout"):
        if play.when != WHEN[-1]:
            await _be_let_go(play, turn)
    elif play.who.endswith("FIN"):
        turn.close()
    else:
        turn.reset()
    if me == "candidate":
        play.broken.set()


async def _be_let_go(play: Round, turn: Turn) -> None:
    """Wait until the proxy has closed the connection, however it does."""
    with suppress(ConnectionError):
        await turn.gone()
    play.let_go = True


async def _client(play: Round, client: Client) -> str:
    """Ask, break where it is this one's turn, and say what was seen."""
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n" % (JSON, len(CHAT))
    await client.send(head + CHAT)
    if not play.breaks("client") or play.when == WHEN[-1]:
        answer = await client.answer()
        if play.breaks("client"):
            _leave(play, client)
        whole = answer.complete and answer.body == b"half-done"
        return "whole" if whole else "cut" if answer.status == 200 and answer.body == b"half" else str(answer.status)
    for there in play.there.values():
        async with asyncio.timeout(5):
            await there.wait()
    if play.when == WHEN[1]:
        await client.head()
        await client.chunk()
    _leave(play, client)
    if play.who == "client FIN":
        await client.ended()
    return "left"


def _leave(play: Round, client: Client) -> None:
    if play.who == "client FIN":
        client.writer.write_eof()
    else:
        reset(client.writer.get_extra_info("socket"))
        client.writer.transport.abort()
    play.broken.set()


def _newest(rig: Rig) -> tuple[Failure, Failure] | None:
    """How both exchanges of the newest call ended, once its pair is in the queue."""
    with rig.queue.client() as client:
        if client.xlen("understudy:pairs") < rig.calls:
            return None
    pair = rig.pairs()[-1]
    return pair.live.failure, pair.outcome.failure
