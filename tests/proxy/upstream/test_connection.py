"""One connection: what is told of what arrives, and when it may carry another exchange."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import suppress

import pytest

from config.pair import Failure
from tests.doubles.upstream import STREAM_HEAD, ScriptedUpstream, Turn, answer, raw
from tests.proxy.upstream.told import HOST, OK, Told, come, get, lean


async def test_extra_bytes_reach_nobody() -> None:
    """Bytes after an answer are not taken for the answer to the next request."""
    extra = OK + b"Content-Length: 2\r\n\r\nhi" + OK + b"Content-Length: 5\r\n\r\nforge"
    async with ScriptedUpstream(raw(extra, "keep")) as server, lean(server.url) as up:
        for _ in range(3):
            assert (await get(up)).whole == b"hi"
        assert server.connections == 3


async def test_bytes_between_answers_close_the_connection() -> None:
    """Nobody asked: an idle connection that speaks is not used again."""
    speak = asyncio.Event()

    async def script(turn: Turn) -> None:
        await answer(b"ok")(turn)
        await speak.wait()
        await turn.send(OK + b"Content-Length: 5\r\n\r\nforge")

    async with ScriptedUpstream(script) as server, lean(server.url) as up:
        assert (await get(up)).whole == b"ok"
        speak.set()
        await come(lambda: "connections=0" in repr(up))
        assert (await get(up)).whole == b"ok"
        assert server.connections == 2


@pytest.mark.parametrize("then", [b"", OK + b"Content-Length: 5\r\n\r\nforge"], ids=["end", "bytes"])
async def test_what_waits_unread_is_seen(then: bytes) -> None:
    """An end or an answer that the loop had no time to read keeps the next request from that connection."""
    idle, acted = threading.Event(), threading.Event()

    def serve() -> None:
        for number in range(2):
            peer = listening.accept()[0]
            with peer:
                peer.recv(65536)
                peer.sendall(OK + b"Content-Length: 2\r\n\r\nok")
                if number == 0:
                    idle.wait(5)
                    peer.sendall(then)
                    peer.shutdown(socket.SHUT_WR)
                    acted.set()
                with suppress(ConnectionError):
                    peer.recv(65536)  # until the other side has closed

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        async with lean(f"http://127.0.0.1:{listening.getsockname()[1]}") as up:
            assert (await get(up)).whole == b"ok"
            idle.set()
            assert acted.wait(5)  # blocks the loop on purpose
            time.sleep(0.01)
            assert (await get(up)).whole == b"ok"
        thread.join(5)
        assert not thread.is_alive()


async def test_head_then_get() -> None:
    """A HEAD's answer has no body, and its connection carries the next request."""
    async with ScriptedUpstream(raw(OK + b"Content-Length: 5\r\n\r\n", "keep")) as server, lean(server.url) as up:
        for _ in range(3):
            told = await get(up, method="HEAD")
            assert (told.status, told.whole, told.story) == (200, b"", ["head", "end"])
        assert server.connections == 1


async def test_each_arrival_ends_with_a_flush() -> None:
    """Once per arrival, after all it brought; after a failure there is none."""

    async def script(turn: Turn) -> None:
        await turn.send(STREAM_HEAD)
        await told.until(lambda told: told.flushes == 1)
        await turn.send(b"1\r\na\r\n1\r\nb\r\n")
        await told.until(lambda told: told.flushes == 2)
        await turn.send(b"1\r\nc\r\n0\r\n\r\n")

    async with ScriptedUpstream(script) as server, lean(server.url) as up:
        told = Told()
        up.ask("GET", b"/x", (HOST,), b"", told)
        await told.done()
        await come(lambda: told.flushes == 3)
        assert (told.pieces, told.story) == ([b"ab", b"c"], ["head", "body", "body", "end"])


async def test_interim_answers() -> None:
    """100 is ours, other interim answers are told before the final one."""
    data = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n"
    async with ScriptedUpstream(raw(data, "keep")) as server, lean(server.url) as up:
        told = await get(up)
        assert told.story == ["interim", "head", "end"]
        assert (told.interims[0].status, list(told.interims[0].headers)) == (103, [(b"Link", b"x")])
        assert (told.heads[0].status, told.heads[0].reason) == (200, b"OK")


@pytest.mark.parametrize("data", [STREAM_HEAD + b"2\r\nab\r\nzz\r\n", OK + b"Content-Length: 3\r\n\r\nab"])
async def test_what_was_sound_is_told_before_the_cut(data: bytes) -> None:
    """Head and body that came with the fault reach the sink first."""
    async with ScriptedUpstream(raw(data)) as server, lean(server.url) as up:
        told = await get(up)
        assert (told.whole, told.story) == (b"ab", ["head", "body", "failed"])
        assert told.failure[0] is Failure.TRUNCATED
