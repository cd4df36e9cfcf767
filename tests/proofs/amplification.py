"""How much memory hostile clients can make the proxy hold for each byte that they send, and what others notice.

`python -m tests.proofs.amplification` prints the table; test_amplification runs the same code. The line that must not
be crossed is Envoy's: a hundred times.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tests.doubles.client import Client
from tests.proofs.smuggling import Server, ours

CONNECTIONS = 100
_HELD = 1.0  # seconds that the connections stay open after all is sent
_SLACK = 1 << 20
"""Bytes by which memory rises and falls by itself: a hundred empty connections, the second time, rose it by 12 KiB."""

_HEAD = b"POST /r HTTP/1.1\r\nHost: a\r\n"
_GET = b"GET /r HTTP/1.1\r\nHost: a\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_JSON = _HEAD + b"Content-Type: application/json\r\n"

SHAPES: dict[str, bytes] = {
    "nothing": b"",
    "blank lines": b"\r\n" * 5_000,
    "half a line": b"GET /" + b"a" * 10_000,
    "long line": b"GET /" + b"a" * 100_000,
    "line at its limit": b"GET /" + b"a" * 16_000 + b" HTTP/1.1\r\nHost: a\r\n",
    "half a head": _GET + b"A: " + b"a" * 10_000,
    "many fields": _GET + b"".join(b"A%d: b\r\n" % at for at in range(90)),
    "short fields": _GET + b"A:\r\n" * 97,
    "too many fields": _GET + b"A:\r\n" * 5_000,
    "long field": _GET + b"A: " + b"a" * 60_000,
    "long field name": _GET + b"a" * 60_000,
    "fields at their limit": _GET + (b"A: " + b"a" * 10_000 + b"\r\n") * 6,
    "head in capitals": _GET + b"X-A: \xff\r\n" * 90,
    "promised body": _HEAD + b"Content-Length: 8000000000\r\n\r\n",
    "promised small body": _HEAD + b"Content-Length: 60000\r\n\r\n",
    "promised too much": _HEAD + b"Content-Length: 9000000000000000000\r\n\r\n",
    "body that stops": _HEAD + b"Content-Length: 60000\r\n\r\n" + b"a" * 50_000,
    "large body that stops": _HEAD + b"Content-Length: 9000000\r\n\r\n" + b"a" * 500_000,
    "tiny chunks": _CHUNKED + b"1\r\na\r\n" * 5_000,
    "tiny chunks, whole": _CHUNKED + b"1\r\na\r\n" * 5_000 + b"0\r\n\r\n",
    "chunk extensions": _CHUNKED + (b"1;" + b"a" * 1_000 + b"\r\na\r\n") * 50,
    "endless chunk size": _CHUNKED + b"0" * 50_000,
    "promised chunk": _CHUNKED + b"ffffffff\r\na",
    "trailers": _CHUNKED + b"0\r\n" + b"".join(b"A%d: b\r\n" % at for at in range(90)),
    "long trailers": _CHUNKED + b"0\r\n" + (b"A: " + b"a" * 10_000 + b"\r\n") * 90,
    "pipelined": (_GET + b"\r\n") * 10_000,
    "pipelined bodies": (_HEAD + b"Content-Length: 10\r\n\r\n0123456789") * 3_000,
    "pipelined behind a body": _HEAD + b"Content-Length: 10\r\n\r\n" + (_GET + b"\r\n") * 5_000,
    "expects": _HEAD + b"Content-Length: 60000\r\nExpect: 100-continue\r\n\r\n",
    "deep json": _JSON + b"Content-Length: 60000\r\n\r\n" + b"[" * 60_000,
    "bomb": _JSON + b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + b"\x1f\x8b\x08\x00" + b"\x00" * 16,
    "nominations": _GET + b"Connection: " + b"a," * 20_000 + b"\r\n\r\n",
    "upgrade": _GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + b"a" * 50_000,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 500,
}


def family(pid: int) -> list[int]:
    """The process and everyone it started: the proxy may be several."""
    started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for each in started for one in family(int(each)))]


def resident(pid: int, name: str) -> int:
    """Bytes of memory that the family holds now (`VmRSS`), or each held at most since `forget` (`VmHWM`)."""
    status = [line for one in family(pid) for line in Path(f"/proc/{one}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) << 10 for line in status if line.startswith(f"{name}:"))


def forget(pid: int) -> None:
    """The most from now on."""
    for one in family(pid):
        Path(f"/proc/{one}/clear_refs").write_text("5")


async def attack(server: Server, sent: bytes) -> tuple[int, int]:
    """Bytes sent by many connections that do not read, and by how much the proxy's memory rose at most."""
    assert server.child is not None
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    forget(server.child.pid)
    before = resident(server.child.pid, "VmRSS")
    total = 0

    async def one() -> asyncio.StreamWriter:
        nonlocal total
        _, writer = await asyncio.open_connection(host, int(port), limit=1)
        writer.write(sent)
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(_HELD):  # who is not read from has sent what fits into the buffers
                await writer.drain()
        total += len(sent) - writer.transport.get_write_buffer_size()
        return writer

    writers = await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    await asyncio.sleep(_HELD)
    rose = resident(server.child.pid, "VmHWM") - before
    for writer in writers:
        writer.transport.abort()
    return total, max(0, rose)


def held(total: int, rose: int) -> float:
    """Bytes held per byte sent, beyond what a hundred empty connections take anyway."""
    return max(0, rose - _SLACK) / max(1, total)


async def drip(url: str, shape: Callable[[], Sequence[bytes]], until: asyncio.Event) -> None:
    """One slow client: a piece now and then until it is told to stop."""
    async with Client(url) as client:
        with suppress(ConnectionError):
            for piece in shape():
                await client.send(piece)
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await until.wait()
                        return


async def normal(url: str, calls: int) -> list[float]:
    """Milliseconds of calls one after the other, sorted."""
    took = []
    async with Client(url) as client:
        for _ in range(calls):
            start = time.perf_counter()
            assert (await client.ask("GET", "/r")).status == 200
            took.append((time.perf_counter() - start) * 1000)
    return sorted(took)


async def beside_slow_clients(server: Server, each: int, calls: int) -> tuple[list[float], list[float]]:
    """A normal client's latencies alone, and beside `each` clients that drip heads, and as many that drip bodies."""
    alone = await normal(server.url, calls)
    until = asyncio.Event()
    slow = _HEAD + b"Content-Length: 100000\r\n\r\n"
    shapes = (lambda: [_GET, *[b"a"] * 1000], lambda: [slow, *[b"a"] * 1000], lambda: [(_GET + b"\r\n") * 20] * 2)
    async with asyncio.TaskGroup() as group:
        for shape in shapes:
            for _ in range(each):
                group.create_task(drip(server.url, shape, until))
        await asyncio.sleep(1)
        beside = await normal(server.url, calls)
        until.set()
    return alone, beside


async def main() -> None:
    """Print the table."""
    print("| shape | sent by 100 connections | memory rose | held per byte |\n|---|---|---|---|")
    async with ours() as server:
        await attack(server, b"")  # warm
        for name, sent in SHAPES.items():
            total, rose = await attack(server, sent)
            print(f"| {name} | {total:,} | {rose:,} | {held(total, rose):.1f} |", flush=True)
        alone, beside = await beside_slow_clients(server, 100, 500)
        at = int(len(alone) * 0.99)
        print(f"p99 of 500 calls: {alone[at]:.1f} ms alone, {beside[at]:.1f} ms beside 300 slow clients")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
