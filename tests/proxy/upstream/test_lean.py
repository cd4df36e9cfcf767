"""The client as a whole: what is sent is exactly what was asked for, and every failure has our name."""

from __future__ import annotations

import asyncio
import random

import pytest
import uvloop

from config.pair import Failure
from config.routing import ShadowTimeout, Timeout
from proxy.tasks import Tasks
from proxy.upstream.door import Upstream
from proxy.upstream.lean import LeanUpstream
from tests.doubles.upstream import STREAM_HEAD, Script, ScriptedUpstream, Turn, answer, endless, hang, raw
from tests.proxy.upstream.told import HOST, OK, Told, come, get, lean, post


async def test_adds_nothing() -> None:
    """Method, target and fields go out byte by byte as they were given, and one connection carries them all."""
    fields = (HOST, (b"x-LOWER", b"Caf\xe9"), (b"X-Utf", b"\xc3\xa9"), (b"x-lower", b"\xff"), (b"X-Empty", b""))
    async with ScriptedUpstream(answer(b"ok", headers=b"Set-Cookie: a=b\r\n")) as server, lean(server.url) as up:
        for target in (b"/x?a=b&c=%2F%00", b"/x?", b"//x;y=+/../\xff\xfe", b"*"):
            told = await post(up, b"{}", target, fields).done()
            assert (told.status, told.whole, told.story) == (200, b"ok", ["head", "body", "end"])
            lines = b"POST %b HTTP/1.1\r\n" % target + b"\r\n".join(b"%b: %b" % field for field in fields)
            assert server.turns[-1].head == lines + b"\r\nContent-Length: 2"
            assert server.turns[-1].body == b"{}"
        assert server.connections == 1


@pytest.mark.parametrize(
    ("method", "target", "field"),
    [
        pytest.param("GET", b"/a b", (b"X", b"y"), id="space"),
        pytest.param("GET", b"/a\r\nX: y", (b"X", b"y"), id="line-end-in-target"),
        pytest.param("GET", b"/a\0", (b"X", b"y"), id="nul-in-target"),
        pytest.param("GET", b"", (b"X", b"y"), id="no-target"),
        pytest.param("GE\nT", b"/", (b"X", b"y"), id="line-end-in-method"),
        pytest.param("GÉT", b"/", (b"X", b"y"), id="method-not-ascii"),
        pytest.param("GET", b"/", (b"X", b"y\nZ: 1"), id="line-feed-in-value"),
        pytest.param("GET", b"/", (b"X", b"y\r"), id="return-in-value"),
        pytest.param("GET", b"/", (b"X\r\nY", b"z"), id="line-end-in-name"),
        pytest.param("GET", b"/", (b"X", b"\0"), id="nul-in-value"),
    ],
)
async def test_refuses_what_would_be_read_differently(method: str, target: bytes, field: tuple[bytes, bytes]) -> None:
    """Nothing leaves that would become another request; told in a later turn."""
    async with ScriptedUpstream(answer()) as server, lean(server.url) as up:
        told = Told()
        up.ask(method, target, (HOST, field), b"", told)
        assert told.story == []
        assert (await told.done()).failure == (Failure.MALFORMED, "the request cannot be sent")
        assert server.connections == 0


SHORT = Timeout(connect=0.2, first_byte=0.2, idle=0.2)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(hang, (Failure.TIMEOUT, "no answer within the first-byte limit"), id="silent"),
        pytest.param(
            raw(OK + b"Content-Length: 5\r\n\r\n", "hang"),
            (Failure.TIMEOUT, "silent for longer than the first-byte limit"),
            id="silent-after-the-head",
        ),
        pytest.param(
            raw(OK + b"Content-Length: 5\r\n\r\nab", "hang"),
            (Failure.TIMEOUT, "silent for longer than the idle limit"),
            id="silent-inside",
        ),
        pytest.param(
            raw(OK + b"Content-Length: 5\r\n\r\nab"),
            (Failure.TRUNCATED, "connection lost inside the body"),
            id="cut",
        ),
        pytest.param(
            raw(STREAM_HEAD + b"2\r\nab\r\n"), (Failure.TRUNCATED, "connection lost inside the body"), id="cut-chunks"
        ),
        pytest.param(
            raw(STREAM_HEAD + b"2\r\nab\r\nzz\r\n", "hang"),
            (Failure.TRUNCATED, "connection lost inside the body"),
            id="no-chunk",
        ),
        pytest.param(
            raw(OK + b"\r\nab", "reset"), (Failure.TRUNCATED, "connection lost inside the body"), id="reset-open-ended"
        ),
        pytest.param(raw(b"SSH-2.0-x\r\n"), (Failure.MALFORMED, "the answer is not HTTP"), id="not-http"),
        pytest.param(raw(b""), (Failure.RESET, "connection closed before an answer"), id="closed"),
        pytest.param(raw(OK + b"X: "), (Failure.RESET, "connection closed before an answer"), id="closed-inside-head"),
        pytest.param(raw(b"", "reset"), (Failure.RESET, "connection closed before an answer"), id="reset"),
    ],
)
async def test_failures_have_our_names(script: Script, expected: tuple[Failure, str]) -> None:
    """Each way to fail is one kind and one phrase of ours, and the connection is not used again."""
    async with ScriptedUpstream(script) as server, lean(server.url, SHORT) as up:
        told = await post(up, target=b"/x?key=sk-1").done()
        assert told.failure == expected
        assert (await post(up).done()).failure == expected
        assert server.connections == 2


async def test_body_ends_with_the_connection_where_nothing_else_says() -> None:
    """Without a length a clean end of the connection is the end of the body."""
    async with ScriptedUpstream(raw(OK + b"\r\nto the end")) as server, lean(server.url) as up:
        assert (await get(up)).whole == b"to the end"


async def test_idle_limit_may_be_longer_than_the_first_byte_limit() -> None:
    """Once the body has begun only the idle limit counts."""

    async def script(turn: Turn) -> None:
        await turn.send(STREAM_HEAD)
        await turn.chunk(b"a")
        await asyncio.sleep(0.4)
        await turn.chunk(b"b")
        await turn.send(b"0\r\n\r\n")

    async with ScriptedUpstream(script) as server, lean(server.url, Timeout(first_byte=0.2, idle=2.0)) as up:
        assert (await get(up)).whole == b"ab"


async def test_total_limit() -> None:
    """A shadow's exchange ends at its total limit, however lively it is."""
    async with ScriptedUpstream(hang) as server, lean(server.url, ShadowTimeout(total=0.2)) as up:
        assert (await get(up)).failure == (Failure.TIMEOUT, "no answer within the total limit")
    async with ScriptedUpstream(endless) as server, lean(server.url, ShadowTimeout(total=0.2)) as up:
        assert (await get(up)).failure == (Failure.TIMEOUT, "not complete within the total limit")
        await come(lambda: server.turns[0].closed)


async def test_streams_a_request() -> None:
    """A body that follows goes out chunked when no length was given, plain when one was; the connection is kept."""
    async with ScriptedUpstream(answer(b"ok")) as server, lean(server.url) as up:
        for headers, framing in (
            ((HOST,), (b"Transfer-Encoding", b"chunked")),
            ((HOST, (b"Content-Length", b"5")), (b"Content-Length", b"5")),
        ):
            told = Told()
            exchange = up.ask("POST", b"/x", headers, None, told)
            for piece in (b"ab", b"", b"cde"):
                assert exchange.send(piece)
                await exchange.room()
            exchange.finish()
            assert (await told.done()).whole == b"ok"
            assert not exchange.send(b"late")
            assert server.turns[-1].body == b"abcde"
            assert server.turns[-1].headers == [HOST, framing]
        assert server.connections == 1


@pytest.mark.parametrize("pieces", [[b"abcdef"], [b"abc", b"def"], [b"abc"], []])
async def test_a_stream_keeps_its_word(pieces: list[bytes]) -> None:
    """A body longer or shorter than it was declared would shift the next request; it ends the exchange instead."""
    async with ScriptedUpstream(answer()) as server, lean(server.url) as up:
        told = Told()
        exchange = up.ask("POST", b"/x", (HOST, (b"Content-Length", b"5")), None, told)
        for piece in pieces:
            exchange.send(piece)
        exchange.finish()
        assert (await told.done()).failure == (Failure.MALFORMED, "the request cannot be sent")


async def test_early_answer_is_told_at_once() -> None:
    """An answer before the request is complete is delivered, and the connection closed: its other half is undefined."""

    rest: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        read = await reader.read()
        writer.close()
        await writer.wait_closed()
        rest.append(read)

    server = await asyncio.start_server(script, "127.0.0.1", 0)
    async with server, lean(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as up:
        told = Told()
        exchange = up.ask("POST", b"/x", (HOST,), None, told)
        assert exchange.send(b"first")
        await told.done()
        assert (told.status, told.whole) == (413, b"no")
        assert not exchange.send(b"more")
        await exchange.room()
        exchange.finish()
        await come(lambda: rest == [b"5\r\nfirst\r\n"])


async def test_room_follows_the_socket() -> None:
    """Who sends waits while the peer does not read, and goes on when it does."""
    may_read, closed = asyncio.Event(), asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await may_read.wait()
        while not (await reader.read(1 << 20)).endswith(b"0\r\n\r\n"):
            pass
        writer.write(OK + b"Content-Length: 0\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        closed.set()

    server = await asyncio.start_server(script, "127.0.0.1", 0)
    async with server, lean(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as up:
        told = Told()
        exchange = up.ask("POST", b"/x", (HOST,), None, told)
        await exchange.room()  # the connection is there
        for _ in range(256):
            exchange.send(b"x" * 65536)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(exchange.room(), 0.1)
        may_read.set()
        await asyncio.wait_for(exchange.room(), 5)
        exchange.finish()
        assert (await told.done()).status == 200
        await closed.wait()


async def test_pause_stops_the_upstream() -> None:
    """Nothing is read meanwhile, the idle limit does not run, and afterwards it goes on."""
    async with ScriptedUpstream(endless) as server, lean(server.url, SHORT) as up:
        told = Told()
        exchange = up.ask("GET", b"/x", (HOST,), b"", told)
        await told.until(lambda told: told.pieces)
        exchange.pause()
        await asyncio.sleep(0.05)
        stopped = len(told.whole)
        await asyncio.sleep(0.5)
        assert (len(told.whole), told.over.is_set()) == (stopped, False)
        exchange.resume()
        await told.until(lambda told: len(told.whole) > stopped)
        exchange.cancel()
        await come(lambda: server.turns[0].closed)


async def test_a_paused_connection_comes_back_reading() -> None:
    """Pausing does not outlive the exchange."""
    async with ScriptedUpstream(answer(b"ok")) as server, lean(server.url) as up:
        told = Told()
        exchange = up.ask("GET", b"/x", (HOST,), b"", told)
        told.on["head"] = exchange.pause
        await told.done()
        assert (await get(up)).whole == b"ok"
        assert server.connections == 1


@pytest.mark.parametrize("at", ["interim", "head", "body"])
async def test_cancel_silences(at: str) -> None:
    """Whoever lets go while being told hears nothing more, and the upstream sees its connection close."""
    early = b"HTTP/1.1 103 Early\r\n\r\n"

    async def script(turn: Turn) -> None:
        await turn.send(early + STREAM_HEAD + b"5\r\nfirst\r\n")
        await turn.gone()

    async with ScriptedUpstream(script) as server, lean(server.url) as up:
        told = Told()
        exchange = up.ask("GET", b"/x", (HOST,), b"", told)
        told.on[at] = exchange.cancel
        await come(lambda: server.turns and server.turns[0].closed)
        assert told.story == ["interim", "head", "body"][: 1 + ["interim", "head", "body"].index(at)]
        exchange.cancel()
        exchange.pause()
        exchange.resume()
        assert not exchange.send(b"x")
        assert repr(exchange) == "<Exchange over>"


async def test_cancel_before_a_connection() -> None:
    """A dial that nobody waits for ends, and so does a refusal that was not told yet."""
    async with ScriptedUpstream(answer()) as server, lean(server.url) as up:
        told = Told()
        up.ask("GET", b"/x", (HOST,), b"", told).cancel()
        up.ask("GET", b"/a b", (HOST,), b"", told).cancel()
        await asyncio.sleep(0.05)
        assert told.story == []
        assert repr(up) == "<LeanUpstream open=0 connections=0>"


async def test_close_fails_what_is_open() -> None:
    """Waiting, streaming and connecting exchanges fail; so does whoever asks afterwards."""
    async with ScriptedUpstream(hang) as server:
        tasks = Tasks()
        up = LeanUpstream(server.url, Timeout(), tasks)
        waiting = post(up)
        await asyncio.wait_for(server.arrived.wait(), 5)
        dialing = post(up)
        await up.close()
        late = post(up)
        await late.done()
        for told in (waiting, dialing, late):
            assert told.failure == (Failure.CANCELLED, "the upstream is closed")
        assert (len(tasks), repr(up)) == (
            0,
            "<LeanUpstream closed connections=0>",
        )


async def test_asks_again_from_inside_the_end() -> None:
    """The connection is free by the time its exchange has ended."""
    async with ScriptedUpstream(answer(b"ok")) as server, lean(server.url) as up:
        first, second = Told(), Told()
        first.on["end"] = lambda: up.ask("GET", b"/2", (HOST,), b"", second)
        up.ask("GET", b"/1", (HOST,), b"", first)
        assert (await second.done()).whole == b"ok"
        assert server.connections == 1


async def test_upgrade() -> None:
    """After a 101 that was asked for bytes go both ways as they are, until the peer has finished."""

    async def script(turn: Turn) -> None:
        await turn.send(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello")
        while data := await turn.reader.read(100):
            await turn.send(b"<" + data + b">")
        await turn.send(b"bye")
        turn.close()

    async with ScriptedUpstream(script) as server, lean(server.url) as up:
        told = Told()
        exchange = up.ask("GET", b"/ws", (HOST, (b"Upgrade", b"websocket")), b"", told, upgrade=True)
        await told.until(lambda told: told.whole == b"hello")
        assert exchange.send(b"\x81\x00")
        await exchange.room()
        await told.until(lambda told: told.whole.endswith(b">"))
        exchange.finish()
        await told.done()
        assert (told.status, told.whole, told.story[-1]) == (101, b"hello<\x81\x00>bye", "end")
        assert not exchange.send(b"x")


@pytest.mark.parametrize("asked", [True, False])
async def test_an_answer_that_is_no_upgrade(asked: bool) -> None:
    """A 101 that nobody asked for, or that names no protocol, is no answer; a refusal to upgrade is one."""
    named = b"" if asked else b"Connection: upgrade\r\nUpgrade: websocket\r\n"
    async with ScriptedUpstream(raw(b"HTTP/1.1 101 Switching\r\n" + named + b"\r\n")) as server, lean(server.url) as up:
        told = Told()
        up.ask("GET", b"/ws", (HOST,), b"", told, upgrade=asked)
        assert (await told.done()).failure == (Failure.MALFORMED, "the answer is not HTTP")
    async with ScriptedUpstream(answer(b"no", "426 Upgrade Required")) as server, lean(server.url) as up:
        told = Told()
        up.ask("GET", b"/ws", (HOST,), b"", told, upgrade=True)
        assert ((await told.done()).status, told.whole) == (426, b"no")


def a_door(up: LeanUpstream) -> Upstream:
    """Type-checked: the door is implemented."""
    return up


async def test_many_at_once() -> None:
    """Answers reach those who asked, whatever the order in which they come."""

    async def script(turn: Turn) -> None:
        await asyncio.sleep(random.random() / 50)
        await answer(turn.target + turn.body)(turn)

    async with ScriptedUpstream(script) as server, lean(server.url) as up:
        for _ in range(5):
            asked = [(b"/%d" % n, post(up, b"%d" % n, b"/%d" % n)) for n in range(40)]
            for target, told in asked:
                assert (await told.done()).whole == target + target[1:]
        assert server.connections == 40


async def test_pieces_of_one_arrival_are_one() -> None:
    """Several chunks that arrive together are told once."""
    data = STREAM_HEAD + b"".join(b"1\r\n%b\r\n" % bytes([n]) for n in b"abcdef") + b"0\r\nX-T: 1\r\n\r\n"
    async with ScriptedUpstream(raw(data, "keep")) as server, lean(server.url) as up:
        told = await get(up)
        assert (told.pieces, told.trailers) == ([b"abcdef"], ((b"X-T", b"1"),))
        assert (await get(up)).whole == b"abcdef"
        assert server.connections == 1


def test_a_call_that_is_cancelled_while_it_is_dialed_leaves_nothing() -> None:
    """In whatever turn of uvloop it happens, the connection is not counted as open, and closing waits for nobody."""

    async def leave_after(turns: int) -> int:
        async with ScriptedUpstream(answer()) as server:
            up = LeanUpstream(server.url, Timeout(), Tasks())
            exchange = up.ask("GET", b"/", (HOST,), b"", Told())
            for _ in range(turns):
                await asyncio.sleep(0)
            exchange.cancel()
            async with asyncio.timeout(5):
                await up.close()
            return len(up._pool)

    async def all_turns() -> list[int]:
        return [await leave_after(turns) for turns in range(40) for _ in range(3)]

    assert uvloop.run(all_turns()) == [0] * 120
