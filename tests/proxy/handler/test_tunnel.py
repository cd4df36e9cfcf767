"""WebSockets pass: every byte both ways, every end, and the call is counted for every shadow."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress

import pytest

from proxy.core.accounting import Bucket
from tests.doubles.client import Client
from tests.doubles.upstream import ScriptedUpstream, Turn, answer
from tests.proxy.conftest import RigMaker

UPGRADE = (
    b"Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: realtime, openai-insecure-api-key.sk-canary\r\n"
)
AGREED = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: realtime\r\n\r\n"
)


async def echo(turn: Turn) -> None:
    """Agree, say hello in the same packet, and send everything back until the client is done."""
    await turn.send(AGREED + b"hello")
    with suppress(ConnectionError):
        while data := await turn.reader.read(65536):
            await turn.send(data)
    turn.close()


async def opened(client: Client, path: str = "/v1/realtime?model=m") -> None:
    """The handshake, up to live's first words."""
    await client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n".encode() + UPGRADE + b"\r\n")
    agreed = await client.head()
    assert agreed.status == 101
    assert agreed.header(b"upgrade").lower() == b"websocket"
    assert agreed.header(b"connection").lower() == b"upgrade"
    assert agreed.header(b"sec-websocket-protocol") == b"realtime"
    assert await client.reader.readexactly(5) == b"hello"


async def test_bytes_pass_both_ways(rig: RigMaker) -> None:
    """Frames of every size come back as they went, the handshake reaches live whole, and the shadow counts it."""
    async with ScriptedUpstream(echo) as live:
        more = 'shadow_paths: ["GET /v1/realtime"]'
        async with rig(live.url, {"mini": live.url}, more) as proxy, Client(proxy.url) as client:
            proxy.calls += 1
            await opened(client)
            for size in (1, 125, 126, 65_535, 65_536):
                await client.send(bytes(size))
                assert await client.reader.readexactly(size) == bytes(size)
            client.writer.close()
            await proxy.settled()
            assert proxy.counted("mini", Bucket.SKIPPED, "upgrade") == 1
        turn = live.turns[0]
        assert (turn.target, turn.header(b"upgrade"), len(live.turns)) == (b"/v1/realtime?model=m", b"websocket", 1)
        assert turn.header(b"sec-websocket-protocol") == b"realtime, openai-insecure-api-key.sk-canary"


async def test_large_messages_in_flat_memory(rig: RigMaker) -> None:
    """16 MiB go out and come back while neither side is read faster than the other takes."""
    data = hashlib.sha256(b"seed").digest() * (1 << 19)
    async with ScriptedUpstream(echo) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await opened(client)
        sending = asyncio.create_task(client.send(data))
        async with asyncio.timeout(9):
            assert hashlib.sha256(await client.reader.readexactly(len(data))).digest() == hashlib.sha256(data).digest()
        await sending


async def test_early_frames_are_not_lost(rig: RigMaker) -> None:
    """What a hasty client sends behind its handshake reaches live once live has agreed."""
    async with ScriptedUpstream(echo) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(b"GET /v1/realtime HTTP/1.1\r\nHost: a\r\n" + UPGRADE + b"\r\nhasty")
        assert (await client.head()).status == 101
        assert await client.reader.readexactly(10) == b"hellohasty"


async def test_a_refused_upgrade_is_an_answer(rig: RigMaker) -> None:
    """Live's own error passes as it is, and the connection serves the next request."""
    script = answer(b'{"error":"no"}', "401 Unauthorized")
    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        for _ in range(2):
            reply = await client.ask("GET", "/v1/realtime", headers=UPGRADE)
            assert (reply.status, reply.body) == (401, b'{"error":"no"}')


@pytest.mark.parametrize("how", ["fin", "reset"])
async def test_the_client_leaves(rig: RigMaker, how: str) -> None:
    """However the client goes, live's connection closes within a second."""
    gone = asyncio.Event()

    async def script(turn: Turn) -> None:
        await turn.send(AGREED + b"hello")
        await turn.gone()
        gone.set()

    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await opened(client)
        if how == "reset":
            client.writer.transport.abort()
        else:
            client.writer.close()
        async with asyncio.timeout(1):
            await gone.wait()


@pytest.mark.parametrize("how", ["fin", "reset"])
async def test_live_leaves(rig: RigMaker, how: str) -> None:
    """However live goes, the client's connection ends, and what live said before that arrives."""

    async def script(turn: Turn) -> None:
        await turn.send(AGREED + b"hello")
        if how == "reset":
            turn.reset()
        else:
            await turn.send(b"bye")
            turn.close()

    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await opened(client)
        async with asyncio.timeout(1):
            if how == "fin":
                assert await client.reader.readexactly(3) == b"bye"
            assert await client.ended()


async def test_quiet_sessions_stay(rig: RigMaker) -> None:
    """A session that says nothing for longer than the idle limit of answers is not cut."""
    async with ScriptedUpstream(echo) as live:
        short = "timeout: {connect: 1s, first_byte: 300ms, idle: 300ms}"
        async with rig(live.url, live_more=short) as proxy, Client(proxy.url) as client:
            await opened(client)
            await asyncio.sleep(0.8)
            await client.send(b"still here")
            assert await client.reader.readexactly(10) == b"still here"
