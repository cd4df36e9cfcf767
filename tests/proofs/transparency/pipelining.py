"""Several requests in one packet, an upstream that lies about its bodies, and 100 Continue."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from tests.doubles.upstream import ScriptedUpstream, Turn
from tests.proofs.transparency.rig import proxy, row
from tests.proofs.transparency.wire import Connection

_LIE = b"HTTP/1.1 200 OK\r\nX-Answer: smuggled\r\nContent-Length: 8\r\n\r\nsmuggled"
"""What an upstream sends where no body may be: to who reads on, an answer of its own."""

KINDS = {
    "get": b"GET",
    "post": b"POST",
    "chunks": b"POST",
    "head": b"HEAD",
    "head-lied": b"HEAD",
    "204": b"GET",
    "204-lied": b"DELETE",
    "304": b"GET",
    "304-lied": b"GET",
}


@dataclass
class Answered:
    """Requests, and the answers that were not theirs."""

    requests: int = 0
    ends: Counter[str] = field(default_factory=Counter)

    foreign: int = 0  # answers that belong to another request, or to none
    repeated: int = 0  # requests that the upstream got more than once

    @property
    def wrong(self) -> int:
        """Requests that did not get their own answer, whole."""
        return self.requests - self.ends["own"]

    def line(self, name: str) -> str:
        """The row of the table."""
        note = f"answers of others {self.foreign}, executed twice {self.repeated}; {dict(self.ends)}"
        return row(name, self.requests, self.wrong, note)


async def mixes(count: int, seed: int = 1, lanes: int = 4) -> Answered:
    """`count` clients with up to ten requests each, written at once or in pieces.

    What a client wrote behind a chunked request is written again, as RFC 9112 §9.3.2 asks: the proxy closes there.
    """
    answered, dice, waiting = Answered(), Random(seed), iter(range(count))
    async with ScriptedUpstream(_lying) as origin, proxy(origin.url) as through:

        async def lane() -> None:
            for mix in waiting:
                kinds = dice.choices(tuple(KINDS), k=dice.randrange(2, 11))
                asked = [(kind, b"%d-%d" % (mix, at)) for at, kind in enumerate(kinds)]
                answered.requests += len(asked)
                while asked:
                    data = b"".join(_request(*one) for one in asked)
                    cut = dice.randrange(len(data)) if dice.random() < 0.5 else 0
                    asked = await _ask(through.port, [data[:cut], data[cut:]], asked, answered)

        async with asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(lane())
        executed = Counter(turn.target for turn in origin.turns)
    answered.repeated = sum(count > 1 for count in executed.values())
    return answered


async def _ask(
    port: int, pieces: list[bytes], asked: list[tuple[str, bytes]], answered: Answered
) -> list[tuple[str, bytes]]:
    """The requests on one connection; returns those behind a chunked one that the proxy left unread."""
    connection = await Connection.to(port)
    try:
        await connection.send(*pieces)
        for at, (kind, number) in enumerate(asked):
            answer = await connection.answer(KINDS[kind])
            body = b"" if kind.partition("-")[0] in ("head", "204", "304") else number
            if answer.values(b"x-understudy-error"):
                answered.ends[f"{kind} refused with {answer.status}"] += 1
            elif answer.values(b"x-answer") == [number] and answer.complete and answer.body == body:
                answered.ends["own"] += 1
            else:
                answered.foreign += 1
            if answer.values(b"connection") == [b"close"]:
                return asked[at + 1 :] if kind == "chunks" else []
    except (ValueError, IndexError):  # bytes that are no answer
        answered.foreign += 1
    except (OSError, EOFError) as error:
        answered.ends[type(error).__name__] += 1
    finally:
        connection.reset()
    return []


def _request(kind: str, number: bytes) -> bytes:
    head = b"%b /%b/%b HTTP/1.1\r\nHost: app.example\r\n" % (KINDS[kind], kind.encode(), number)
    if KINDS[kind] != b"POST":
        return head + b"\r\n"
    if kind == "chunks":
        return head + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    return head + b"Content-Length: 2\r\n\r\nab"


async def _lying(turn: Turn) -> None:
    _, kind, number = turn.target.split(b"/")
    base, _, lied = kind.partition(b"-")
    status = {b"204": b"204 No Content", b"304": b"304 Not Modified"}.get(base, b"200 OK")
    head = b"HTTP/1.1 %b\r\nX-Answer: %b\r\n" % (status, number)
    if base == b"chunks":
        await turn.send(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(number), number))
    elif base in (b"get", b"post"):
        await turn.send(head + b"Content-Length: %d\r\n\r\n%b" % (len(number), number))
    else:
        length = b"Content-Length: %d\r\n" % len(_LIE) if base != b"204" else b""
        await turn.send(head + length + b"\r\n" + (_LIE if lied else b""))


async def expectations(times: int) -> Answered:
    """`Expect: 100-continue` from HTTP/1.1: one 100 and then the answer; from HTTP/1.0: none, RFC 9110 §10.1.1."""
    answered = Answered()

    async def script(turn: Turn) -> None:
        told = b"no body" if turn.body != b"body" else b"expected" if turn.header(b"expect") else b"ok"
        await turn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(told), told))

    async with ScriptedUpstream(script) as origin, proxy(origin.url) as through:
        for number in range(times):
            answered.requests += 1
            answered.ends[await _expect(through.port, modern=number % 2 == 0, chunks=number % 4 == 0)] += 1
    return answered


async def _expect(port: int, modern: bool, chunks: bool) -> str:
    connection = await Connection.to(port)
    version, framing = (b"1.1" if modern else b"1.0"), b"Transfer-Encoding: chunked" if chunks else b"Content-Length: 4"
    try:
        await connection.send(
            b"POST / HTTP/%b\r\nHost: app.example\r\n%b\r\nExpect: 100-continue\r\n\r\n" % (version, framing)
        )
        async with asyncio.timeout(5):
            early = await connection.head() if modern else None
            if early is not None and early.start != b"HTTP/1.1 100 Continue":
                return f"{early.start!r} before the body"
        await connection.send(b"4\r\nbody\r\n0\r\n\r\n" if chunks else b"body")
        answer = await connection.answer(b"POST")
        if answer.interim:
            return f"{answer.interim[0].start!r} after the body"
        return "own" if answer.body == b"ok" else f"{answer.start!r} {answer.body!r}"
    finally:
        connection.reset()


TRAILERS = {
    b"Authorization: Bearer leak": (200,),
    b"X-Leak: leak": (200,),
    b"Host: leak.example": (200, 400),  # the parser refuses what comes in one packet with a second request
    b"Content-Length: 3": (400,),  # framing may not come last (RFC 9110 §6.5.1), and the parser says so
}
"""Fields that must never come before the next request, and how the request that they end may be answered."""


@dataclass
class Trailed:
    """Chunked requests with a trailer, and what became of the request behind each."""

    pairs: int = 0
    served: int = 0  # second requests that reached the origin
    leaked: int = 0  # requests that reached it with the trailer, as a field or in their body
    wrong: int = 0  # first requests that were not answered as they should be

    def line(self, name: str) -> str:
        """The row of the table."""
        return row(name, self.pairs, self.leaked + self.wrong, f"served on the same connection {self.served}")


async def trailers(times: int) -> Trailed:
    """Each trailer, then a second request on the same connection: in one packet, in pieces, after the answer."""
    trailed = Trailed()

    async def script(turn: Turn) -> None:
        trailed.served += turn.target == b"/second"
        sent = b"second" if turn.target == b"/second" else b"ab"
        leak = any(b"leak" in value or name.lower() == b"x-leak" for name, value in turn.headers)
        trailed.leaked += leak or turn.body != sent
        await turn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with ScriptedUpstream(script) as origin, proxy(origin.url) as through:
        for number in range(times):
            for trailer, statuses in TRAILERS.items():
                trailed.pairs += 1
                trailed.wrong += await _trail(through.port, trailer, number) not in statuses
    return trailed


async def _trail(port: int, trailer: bytes, number: int) -> int:
    first = b"POST /first HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n"
    second = b"POST /second HTTP/1.1\r\nHost: app.example\r\nContent-Length: 6\r\n\r\nsecond"
    first += trailer + b"\r\n\r\n"
    connection = await Connection.to(port)
    try:
        if number % 3 == 0:
            await connection.send(first + second)
        elif number % 3 == 1:
            cut = len(first) - 1 - number % len(trailer)
            await connection.send(first[:cut], first[cut:] + second[:9], second[9:])
        else:
            await connection.send(first)
        answer = await connection.answer(b"POST")
        with suppress(OSError, EOFError):
            if number % 3 == 2:
                await connection.send(second)
            await connection.answer(b"POST")
        return answer.status
    finally:
        connection.reset()
