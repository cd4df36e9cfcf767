"""WebSockets through the proxy: every kind of frame, every way to close, every way to leave, and readers that rest.

`python -m tests.proofs.websockets` prints the table; test_websockets runs the same code in less time. The `websockets`
library stands on both sides where frames matter, raw sockets where only bytes and ends do.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.proofs import websocket_ends as ends
from tests.proofs.transparency.rig import Proxy, proxy, row, run

SIZES = (0, 1, 125, 126, 65_535, 65_536, 16 << 20)
CODES = (*range(1000, 1004), *range(1007, 1015), *range(3000, 5000))
"""What RFC 6455 §7.4 lets an endpoint send; the library sends no other."""

LANES = 8
LIMIT = 60.0
_KINDS = 4
_SILENT = logging.getLogger("tests.websockets")
_SILENT.setLevel(logging.CRITICAL)  # refusals are part of the proof, and the library tells each with a traceback
_PROTOCOLS: Any = ("realtime", "other.v2")
_REASON = "finé "

Message = list[str] | list[bytes]
"""One message as the pieces it was sent in: one frame each."""


@dataclass
class Passed:
    """What went through, and what of it did not arrive as it was sent."""

    n: int = 0
    wrong: list[str] = field(default_factory=list)
    compressed: int = 0  # connections that agreed on permessage-deflate

    def line(self, name: str) -> str:
        """The row of the table."""
        return row(
            name, self.n, len(self.wrong), "; ".join(self.wrong[:3]) or f"compressed connections {self.compressed}"
        )


class Peer:
    """The upstream: sends back each message in the pieces it came in, pings, and remembers how sessions ended."""

    def __init__(self) -> None:
        self.ends: dict[str, asyncio.Future[tuple[int | None, str | None]]] = {}
        self.url = ""

    def end(self, key: str) -> asyncio.Future[tuple[int | None, str | None]]:
        """How the session of this path ended, as seen here."""
        return self.ends.setdefault(key, asyncio.get_running_loop().create_future())

    async def serve(self, session: ServerConnection) -> None:
        """One session; its path says what happens."""
        assert session.request is not None
        path = session.request.path
        _, what, *rest = path.split("/")
        try:
            if what == "close":
                await session.close(int(rest[0]), _REASON + rest[0])
            elif what == "ping":
                async with asyncio.timeout(5):
                    await (await session.ping(b"upstream's"))
                await session.send("pong came")
            while True:
                await session.send(_again(await received(session)))
        except ConnectionClosed:
            self.end(path).set_result((session.close_code, session.close_reason))


@asynccontextmanager
async def peers(workers: int | None = None, compression: str | None = "deflate") -> AsyncIterator[tuple[Peer, Proxy]]:
    """An upstream that speaks WebSocket, and a proxy before it."""
    peer = Peer()
    settings: Any = {"subprotocols": _PROTOCOLS, "compression": compression, "max_size": None, "ping_interval": None}
    settings["logger"] = _SILENT
    more = {"workers": workers} if workers is not None else {}
    async with serve(peer.serve, "127.0.0.1", 0, **settings) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        peer.url = f"ws://127.0.0.1:{port}"
        async with proxy(f"http://127.0.0.1:{port}", **more) as through:
            yield peer, through


def session(through: Proxy, path: str, **settings: Any) -> connect:
    """A client's session by way of the proxy."""
    url = through.url.replace("http", "ws", 1) + path
    return connect(
        url, **{"subprotocols": _PROTOCOLS, "max_size": None, "ping_interval": None, "proxy": None} | settings
    )


async def received(session: ServerConnection | ClientConnection) -> Message:
    """The next message in its pieces; the library ends a message of several with an empty one."""
    pieces: Any = [piece async for piece in session.recv_streaming()]
    return [piece for piece in pieces if piece] or pieces[:1]


async def frames(count: int, seed: int = 1, workers: int | None = None) -> Passed:
    """`count` frames or more each way, of every kind and of sizes up to 64 KiB, with and without compression."""
    passed, dice = Passed(), Random(seed)
    async with peers(workers) as (_, through):
        for compression in ("deflate", None) * (LANES // 2):
            messages, sent = [], 0
            while sent < count / LANES:
                messages.append(_message(dice))
                sent += len(messages[-1])
            passed.n += sent
            async with asyncio.timeout(LIMIT), session(through, "/echo", compression=compression) as one:
                passed.compressed += bool(one.protocol.extensions)
                await _echoed(one, messages, passed)
    return passed


async def sizes(workers: int | None = None, compression: str | None = None) -> Passed:
    """Each of SIZES as text and as bytes."""
    passed = Passed()
    messages: list[Message] = [part for size in SIZES for part in (["x" * size], [Random(size).randbytes(size)])]
    async with peers(workers) as (_, through), asyncio.timeout(LIMIT):
        async with session(through, "/echo", compression=compression) as one:
            passed.n += len(messages)
            passed.compressed += bool(one.protocol.extensions)
            await _echoed(one, messages, passed)
    return passed


async def negotiated(workers: int | None = None) -> Passed:
    """Sub-protocol, compression and pings of both sides, as they are without the proxy."""
    passed = Passed()
    async with peers(workers) as (peer, through):
        offers = itertools.product((["realtime"], ["other.v2", "realtime"], ["unknown"]), ("deflate", None))
        for protocols, compression in offers:
            passed.n += 1
            settings: Any = {"subprotocols": protocols, "compression": compression}
            seen = []
            for way in (session(through, "/ping", **settings), connect(f"{peer.url}/ping", proxy=None, **settings)):
                seen.append(await _agreed(way))
            passed.compressed += seen[0][1] != []
            if seen[0] != seen[1]:
                passed.wrong.append(f"{seen[1]} became {seen[0]}")
    return passed


async def _agreed(way: connect) -> tuple[object, ...]:
    """What a handshake led to: the agreement and the upstream's word after its ping, or the refusal."""
    try:
        async with way as one, asyncio.timeout(5):
            assert one.response is not None
            extensions = one.response.headers.get_all("Sec-WebSocket-Extensions")
            await (await one.ping(b"client's"))
            return one.subprotocol, extensions, await one.recv()
    except InvalidStatus as error:
        return error.response.status_code, [], error.response.body


async def closings(codes: Sequence[int], workers: int | None = None) -> Passed:
    """Each code with a reason, said by the client and by the upstream; the other side and the speaker see it."""
    passed, waiting = Passed(), iter(codes)
    async with peers(workers) as (peer, through), asyncio.timeout(LIMIT):

        async def lane() -> None:
            for code in waiting:
                passed.n += 2
                wanted = (code, f"{_REASON}{code}")
                async with session(through, f"/wait/{code}") as one:
                    await one.close(*wanted)
                if (found := await peer.end(f"/wait/{code}")) != wanted:
                    passed.wrong.append(f"the client said {wanted}, the upstream saw {found}")
                async with session(through, f"/close/{code}") as one:
                    with suppress(ConnectionClosed):
                        await one.recv()
                if (one.close_code, one.close_reason) != wanted:
                    passed.wrong.append(f"the upstream said {wanted}, the client saw {one.close_code}")

        await _lanes(lane)
    return passed


async def _echoed(one: ClientConnection, messages: Sequence[Message], passed: Passed) -> None:
    async def send() -> None:
        for message in messages:
            await one.send(_again(message))

    sending = asyncio.ensure_future(send())
    for number, message in enumerate(messages):
        if (back := await received(one)) != message:
            passed.wrong.append(f"message {number}: {str(back)[:80]} for {str(message)[:80]}")
    await sending


def _again(message: Message) -> Any:
    return message[0] if len(message) == 1 else message


def _message(dice: Random) -> Message:
    kind = dice.randrange(_KINDS)
    pieces = 1 if kind < 2 else dice.randrange(2, 6)
    least = 0 if pieces == 1 else 1  # an empty piece would be taken for the library's own
    lengths = [
        max(least, dice.choice((0, 1, 20, 125, 126, 127, 1000, dice.choice((300, 65_536))))) for _ in range(pieces)
    ]
    if kind % 2:
        return [dice.randbytes(length) for length in lengths]
    return [("é" if dice.random() < 0.5 else "x") * length for length in lengths]


async def _lanes(lane: Callable[[], Awaitable[None]], number: int = LANES) -> None:
    await asyncio.gather(*(lane() for _ in range(number)))


def _table() -> Iterable[str]:
    for workers in (None, 1):
        how = "one process" if workers is None else f"workers: {workers}"
        yield run(frames(10_000, workers=workers), 300).line(f"frames each way, {how}")
        yield run(sizes(workers), 300).line(f"messages of 0 to 16 MiB, {how}")
        yield run(sizes(workers, "deflate"), 300).line(f"the same compressed, {how}")
        yield run(negotiated(workers), 300).line(f"negotiations, {how}")
        yield run(closings(CODES, workers), 300).line(f"close codes, said by either side, {how}")
        yield run(ends.leave(1000, workers=workers), 300).line(f"sides that leave, {how}")
        for up in (False, True):
            what = "upstreams" if up else "clients"
            yield run(ends.rest(8, 2, up, workers), 300).line(f"{what} that rest during 16 MiB messages, {how}")


if __name__ == "__main__":
    print("| proof | N | wrong | |\n|---|---|---|---|", flush=True)
    for line in _table():
        print(line, flush=True)
