"""Event streams: split at every byte, handed on without waiting, and broken off in every way there is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.doubles.client import Client
from tests.doubles.upstream import ScriptedUpstream, Turn
from tests.proofs.transparency.rig import Proxy, proxy, row
from tests.proofs.transparency.wire import Connection

STREAM = b"".join(
    b': heartbeat %d\r\nevent: delta\nid: %d\ndata: {"text":"caf\xc3\xa9 \xf0\x9f\x99\x82 %d"}\r\n\r\n' % (n, n, n)
    for n in range(100)
)[:4096]
"""4 KiB of events with both line ends and characters of two and four bytes."""

_HEADS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n",
)
PATIENCE = 5.0


@dataclass
class Passed:
    """Streams that went through, pieces that were waited for, and what went wrong."""

    streams: int = 0
    pieces: int = 0
    wrong: list[str] = field(default_factory=list)


async def split_at(positions: Iterable[int], lanes: int = 8) -> Passed:
    """The stream in two pieces, for each position."""
    return await _pass(([STREAM[:at], STREAM[at:]] for at in positions), lanes)


async def in_pieces(size: int, streams: int) -> Passed:
    """The stream in pieces of `size` bytes."""
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    return await _pass((pieces for _ in range(streams)), lanes=8)


async def _pass(streams: Iterable[list[bytes]], lanes: int) -> Passed:
    """The origin sends a piece only when the client has the one before it: whoever holds back a byte stops all."""
    passed, waiting = Passed(), enumerate(streams)
    pieces: dict[bytes, list[bytes]] = {}
    arrived: dict[bytes, asyncio.Event] = {}

    async def script(turn: Turn) -> None:
        number = turn.target[1:]
        head, ready = _HEADS[int(number) % 3], arrived[number]
        await turn.send(head % len(STREAM) if b"%d" in head else head)
        for piece in pieces[number]:
            await (turn.chunk(piece) if b"chunked" in head else turn.send(piece))
            async with asyncio.timeout(2 * PATIENCE):
                await ready.wait()
            ready.clear()
        if b"chunked" in head:
            await turn.chunk(b"")
        elif b"close" in head:
            turn.close()

    async with ScriptedUpstream(script) as origin, proxy(origin.url) as through:

        async def lane() -> None:
            for number, parts in waiting:
                key = b"%d" % number
                pieces[key], arrived[key] = parts, asyncio.Event()
                passed.streams += 1
                await _receive(through, key, parts, arrived[key], passed)
                del pieces[key], arrived[key]

        async with asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(lane())
    return passed


async def _receive(through: Proxy, key: bytes, parts: list[bytes], arrived: asyncio.Event, passed: Passed) -> None:
    async with Client(through.url, PATIENCE) as client:
        await client.send(b"GET /%b HTTP/1.1\r\nHost: app.example\r\n\r\n" % key)
        try:
            head = await client.head()
            chunks = head.header(b"transfer-encoding") == b"chunked"
            for part in parts:
                got = b""
                while len(got) < len(part):
                    async with asyncio.timeout(PATIENCE):
                        more = await client.chunk() if chunks else await client.reader.read(1 << 16)
                    if not more:
                        raise EOFError
                    got += more
                passed.pieces += 1
                if got != part:
                    passed.wrong.append(f"{key!r}: {got!r} for {part!r}")
                arrived.set()
            if chunks and await client.chunk():
                passed.wrong.append(f"{key!r}: more than was sent")
        except (OSError, EOFError, ValueError) as error:  # TimeoutError is an OSError
            passed.wrong.append(f"{key!r}: {type(error).__name__} after {len(parts[0])} bytes")
            arrived.set()


_CHUNKED = _HEADS[0] + b"5\r\ndata:\r\n"
_SIZED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100\r\n\r\ndata:"
_OPEN = _HEADS[2] + b"data:"

DEATHS: dict[str, tuple[bytes, bytes, Callable[[Turn], None]]] = {
    "FIN between chunks": (_CHUNKED, b"", Turn.close),
    "RST between chunks": (_CHUNKED, b"", Turn.reset),
    "FIN before the length is reached": (_SIZED, b" x", Turn.close),
    "RST before the length is reached": (_SIZED, b" x", Turn.reset),
    "RST of a body without a length": (_OPEN, b" x", Turn.reset),
    "FIN inside a chunk's size": (_CHUNKED, b"1", Turn.close),
    "FIN after a chunk's size": (_CHUNKED, b"1f\r\n", Turn.close),
    "FIN inside a chunk's data": (_CHUNKED, b"1f\r\nabc", Turn.close),
    "RST inside a chunk's data": (_CHUNKED, b"1f\r\nabc", Turn.reset),
    "FIN before a chunk's CRLF": (_CHUNKED, b"3\r\nabc", Turn.close),
    "FIN inside a chunk's CRLF": (_CHUNKED, b"3\r\nabc\r", Turn.close),
    "FIN inside the last chunk": (_CHUNKED, b"0\r\n", Turn.close),
    "FIN inside the last CRLF": (_CHUNKED, b"0\r\n\r", Turn.close),
    "no chunk where one must be": (_CHUNKED, b"zz\r\nabc\r\n0\r\n\r\n", Turn.close),
    "a chunk longer than its size": (_CHUNKED, b"2\r\nabc\r\n0\r\n\r\n", Turn.close),
}
"""What is sent at first, what after it, and how the connection ends."""


@dataclass
class Deaths:
    """How clients saw streams end that did not end well, and what the metrics say of them."""

    streams: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    well_formed: int = 0
    truncated: int = 0  # live failures of that kind
    failures: int = 0  # live failures of all kinds


async def die(times: int) -> dict[str, Deaths]:
    """Each way to break off: to HTTP/1.1 and 1.0 clients in turns, at once or when the client has the first bytes."""
    seen = asyncio.Event()

    async def script(turn: Turn) -> None:
        _, when, number = turn.target.split(b"/")
        first, rest, end = DEATHS[names[int(number)]]
        await turn.send(first + rest if when == b"at-once" else first)
        if when == b"waits":
            async with asyncio.timeout(PATIENCE):
                await seen.wait()
            await turn.send(rest)
        end(turn)

    names, found = list(DEATHS), {}
    async with ScriptedUpstream(script) as origin, proxy(origin.url) as through:
        for at, name in enumerate(names):
            deaths = found[name] = Deaths()
            failures, truncated = await _failures(through)
            for number in range(times):
                seen.clear()
                target = b"/%b/%d" % ((b"at-once", b"waits")[number % 2], at)
                await _watch(through.port, target, (b"1.1", b"1.0")[number // 2 % 2], seen, deaths)
            after = await _failures(through)
            deaths.failures, deaths.truncated = after[0] - failures, after[1] - truncated
    return found


async def _failures(through: Proxy) -> tuple[int, int]:
    name = "understudy_live_failures_total"
    return int(await through.metric(name)), int(await through.metric(name, kind="truncated"))


async def _watch(port: int, target: bytes, version: bytes, seen: asyncio.Event, deaths: Deaths) -> None:
    deaths.streams += 1
    connection = await Connection.to(port)
    try:
        await connection.send(b"GET %b HTTP/%b\r\nHost: app.example\r\n\r\n" % (target, version))
        async with asyncio.timeout(PATIENCE):
            message = await connection.head()
            if message is None:
                raise EOFError
            seen.set()
            await connection.body(message, bodiless=False, until_close=True)
        if message.values(b"x-understudy-error"):
            deaths.ends["502"] += 1
        elif message.complete:
            deaths.well_formed += 1
            deaths.ends["well-formed"] += 1
        else:
            deaths.ends[f"broken {message.framing}"] += 1
    except (OSError, EOFError) as error:
        hung = isinstance(error, TimeoutError)
        deaths.well_formed += hung  # neither broken nor whole: worse than broken
        deaths.ends[type(error).__name__] += 1
    finally:
        seen.set()
        connection.reset()


def death_line(name: str, deaths: Deaths) -> str:
    """The row of the table."""
    note = f"{dict(deaths.ends)}; metrics: truncated {deaths.truncated} of {deaths.failures} failures"
    return row(name, deaths.streams, deaths.well_formed, note)
