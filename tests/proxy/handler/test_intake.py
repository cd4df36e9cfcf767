"""What the client sends: small bodies whole, large ones as a stream, broken ones not at all."""

from __future__ import annotations

import asyncio

from proxy.core.accounting import Bucket
from tests.doubles.client import Client
from tests.doubles.upstream import ScriptedUpstream, answer
from tests.proxy.conftest import RigMaker

OK = b"HTTP/1.1 200 OK\r\n"


async def test_large_upload_keeps_its_length(rig: RigMaker) -> None:
    """A body above the capture cap is streamed on with its Content-Length, and its shadows are skipped and counted."""
    body = b"x" * 300_000
    async with (
        ScriptedUpstream(answer()) as live,
        ScriptedUpstream(answer()) as candidate,
        rig(live.url, {"mini": candidate.url}, "capture: {max_body: 64KiB}") as proxy,
    ):
        reply = await proxy.chat(body=body)
        assert reply.status == 200
        assert live.turns[0].body == body
        assert live.turns[0].header(b"content-length") == b"300000"
        assert live.turns[0].header(b"transfer-encoding") == b""
        await proxy.settled()
        assert proxy.counted("mini", Bucket.SKIPPED, "body_too_large") == 1
        assert not candidate.turns


async def test_chunked_upload_stays_chunked(rig: RigMaker) -> None:
    """A body of unknown length reaches live piece by piece: live has the first before the client sends the second."""
    reached = asyncio.Event()

    async def first_piece(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"one")
        reached.set()
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(OK + b"Content-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(first_piece, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with rig(url) as proxy, Client(proxy.url) as client:
        await client.send(b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        async with asyncio.timeout(5):
            await reached.wait()
        await client.send(b"3\r\ntwo\r\n0\r\n\r\n")
        assert (await client.answer()).status == 200
    server.close()


async def test_continues_before_the_body(rig: RigMaker) -> None:
    """`Expect: 100-continue` is answered, and the body then relayed without it."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert (await client.head()).status == 100
        await client.send(b"{}")
        assert (await client.answer()).status == 200
        assert (live.turns[0].body, live.turns[0].header(b"expect")) == (b"{}", b"")


async def test_client_leaves_inside_its_request(rig: RigMaker) -> None:
    """A request that never arrives whole reaches neither live nor shadow, and is counted as skipped."""
    async with (
        ScriptedUpstream(answer()) as live,
        ScriptedUpstream(answer()) as candidate,
        rig(live.url, {"mini": candidate.url}) as proxy,
    ):
        proxy.calls += 1
        async with Client(proxy.url) as client:
            await client.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{")
        await proxy.settled()
        assert proxy.counted("mini", Bucket.SKIPPED, "client_left") == 1
        assert not live.turns


async def test_broken_chunks_are_refused(rig: RigMaker) -> None:
    """A chunked body that is not one gets a 400, and live never a complete request."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await client.send(b"zz\r\n")
        assert (await client.answer()).status == 400
        assert await client.ended()
        assert not live.turns


async def test_answer_may_come_before_the_body_ends(rig: RigMaker) -> None:
    """A live that refuses an upload while it is still coming is heard at once."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with rig(url) as proxy, Client(proxy.url) as client:
        await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n" + b"x" * 100_000)
        reply = await client.answer()
        assert (reply.status, reply.body) == (413, b"no")
    server.close()
