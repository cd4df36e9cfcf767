"""Bad candidates in a process of their own: `python -m tests.proofs.candidates FAULT …` serves them until killed.

A process of their own, for what they do must not slow down whoever measures. Prints one JSON line, the URL of each.
Used by isolation; other proofs borrow a script.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import socket
import ssl
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import uvloop

from tests.doubles.upstream import STREAM_HEAD, Script, ScriptedUpstream, Turn, answer, hang, raw
from tests.proxy.upstream.authority import authority

GIB = 1 << 30
REDIRECT = b"Location: http://127.0.0.1:9/stolen\r\n"


async def drip(turn: Turn) -> None:
    """A script: a stream of one byte a second."""
    await turn.send(STREAM_HEAD)
    while not turn.writer.transport.is_closing():
        await turn.chunk(b"x")
        await asyncio.sleep(1.0)
    turn.closed = True


async def endless(turn: Turn) -> None:
    """A script: a body without an end, as fast as it is taken."""
    await turn.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece = b"10000\r\n%b\r\n" % (b"x" * 65536)
    while not turn.writer.transport.is_closing():
        await turn.send(piece)
        await asyncio.sleep(0)
    turn.closed = True


@cache
def bomb() -> bytes:
    """A gigabyte of nothing, as gzip has it: 1 MB."""
    packed = gzip.compress(bytes(GIB >> 6), 9, mtime=0)
    return packed * 64  # members one after the other are one body (RFC 1952 §2.2)


async def _bomb(turn: Turn) -> None:
    await answer(bomb(), headers=b"Content-Type: application/json\r\nContent-Encoding: gzip\r\n")(turn)


async def healthy(turn: Turn) -> None:
    """A script: 10 ms, then a small answer."""
    await asyncio.sleep(0.010)
    await answer(b'{"choices":[{"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}')(turn)


SCRIPTS: dict[str, Script] = {
    "healthy": healthy,
    "hang": hang,
    "one byte a second": drip,
    "reset after the head": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", then="reset"),
    "reset in mid-body": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + b"x" * 50, then="reset"),
    "endless body": endless,
    "rubbish": raw(b"\x00\xff\x16\x03 this is not HTTP \r\r\n\n" * 50),
    "redirect": answer(b"", "307 Temporary Redirect", REDIRECT),
    "gzip bomb": _bomb,
    "503": answer(b"", "503 Service Unavailable"),
    "429": answer(b"", "429 Too Many Requests", b"Retry-After: 1\r\n"),
}
ELSEWHERE = {"refuse": "http://127.0.0.1:9", "name not found": "http://name.invalid"}
"""Where nobody answers: the discard port, and a name that never exists (RFC 6761 §6.4)."""

NAME_HANGS = "name look-up hangs"
FAULTS = (*SCRIPTS, *ELSEWHERE, "reset after accept", "self-signed", NAME_HANGS)


def reset(peer: socket.socket) -> None:
    """Closing this socket will send RST."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _resetting(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reset(writer.get_extra_info("socket"))
    writer.transport.abort()


async def _serving(started: Callable[..., Any], context: ssl.SSLContext | None = None) -> str:
    server = await asyncio.start_server(started, "127.0.0.1", 0, ssl=context, backlog=1024)
    scheme = "http" if context is None else "https"
    return f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _started(fault: str, stack: AsyncExitStack) -> str:
    if fault == "gzip bomb":
        bomb()
    if script := SCRIPTS.get(fault):
        return (await stack.enter_async_context(ScriptedUpstream(script))).url
    if fault == "self-signed":
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="us-")))
        return await _serving(lambda _, writer: writer.close(), authority(folder).serving("stranger"))
    return await _serving(_resetting)


@contextmanager
def silent_resolver(folder: Path) -> Iterator[None]:
    """A name server that hears and never answers, and the resolver's file that names it; needs the port of DNS."""
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        for number in range(1, 250):
            with suppress(OSError):
                server.bind((f"127.77.7.{number}", 53))
                break
        else:
            raise OSError("port 53 may not be used here")
        (folder / "resolv.conf").write_text(f"nameserver 127.77.7.{number}\noptions timeout:30 attempts:5\n")
        yield


async def main(faults: Sequence[str]) -> None:
    """Serve."""
    async with AsyncExitStack() as stack:
        print(json.dumps({fault: await _started(fault, stack) for fault in faults}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    os.nice(5)  # they may be mad, but they shall not take the processor from those they are mad at
    uvloop.run(main(sys.argv[1:]))
