"""A request's way in: bodies of every size, uploads answered early, mounts, and what live sees of the target."""

from __future__ import annotations

import asyncio
import gc

import pytest

from proxy.core.accounting import Bucket
from proxy.handler.passage import Passage
from tests.doubles.client import Client
from tests.doubles.upstream import ScriptedUpstream, Turn, answer
from tests.proxy.conftest import CHAT, JSON, RigMaker


@pytest.mark.parametrize("target", ["/v1/x", "/v1/x?", "/v1/x?a=b", "/v1/x??", "//v1//x", "/v1/%2F;a=b/x?c=%00+"])
async def test_targets_are_not_touched(rig: RigMaker, target: str) -> None:
    """Path and query reach live byte for byte, a question mark with nothing behind it as well."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.ask("GET", target)
        assert live.turns[0].target == target.encode()


async def test_a_post_without_a_body_stays_one(rig: RigMaker) -> None:
    """No Content-Length is added that the client did not send."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\n\r\n")
        await client.answer()
        assert live.turns[0].header(b"content-length") == b""


@pytest.mark.parametrize("size", [10, 100_000], ids=["small", "large"])
async def test_chunked_bodies_arrive_whole(rig: RigMaker, size: int) -> None:
    """A body in chunks reaches live, framed one way or the other."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(4):
            await client.send(b"%x\r\n%b\r\n" % (size, b"x" * size))
            await asyncio.sleep(0)
        await client.send(b"0\r\n\r\n")
        assert (await client.answer()).status == 200
        assert live.turns[0].body == b"x" * 4 * size


async def test_an_early_answer_ends_an_upload(rig: RigMaker) -> None:
    """A 413 before the end of the body reaches the client at once, while it is still sending."""

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(early, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, rig(url) as proxy, Client(proxy.url) as client:
        await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 100_000)
        reply = await client.answer()
        assert (reply.status, reply.body) == (413, b"big")


async def test_bodies_above_the_limit(rig: RigMaker) -> None:
    """Refused by what they say, or cut off where they pass it, and live never sees a whole one."""
    more = "limits: {body: 100kB}"
    async with ScriptedUpstream(answer()) as live, rig(live.url, more=more) as proxy:
        async with Client(proxy.url) as client:
            await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n")
            reply = await client.answer()
            assert (reply.status, reply.header(b"x-understudy-error")) == (413, b"body_too_large")
            assert await client.ended()
        async with Client(proxy.url) as client:
            await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(4):
                await client.send(b"%x\r\n%b\r\n" % (30_000, b"x" * 30_000))
            assert (await client.answer()).status == 413
        assert not live.turns


async def test_a_sender_that_stands_still(rig: RigMaker) -> None:
    """A body that stops coming is answered 408, and what live has got of it is not left open."""

    async def script(turn: Turn) -> None:
        raise AssertionError("live must not see a whole request")

    async with ScriptedUpstream(script) as live, rig(live.url, more="limits: {stall: 200ms}") as proxy:
        async with Client(proxy.url) as client:
            await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc")
            reply = await client.answer()
            assert (reply.status, reply.header(b"x-understudy-error")) == (408, b"body")
        assert not live.turns


async def test_mounts(rig: RigMaker) -> None:
    """A path prefix chooses the live and its shadows, and neither sees it; a base URL's own path stays in front."""
    async with ScriptedUpstream(answer(b'"top"')) as top, ScriptedUpstream(answer(b'"mounted"')) as mounted:
        more = (
            f"mounts:\n  /other:\n    live: {{base_url: '{mounted.url}/base'}}\n    control: {{sample: 100%}}\n"
            f"    candidates: [{{name: second, base_url: '{mounted.url}'}}]\n"
        )
        async with rig(top.url, {"mini": top.url}, more, law=False) as proxy, Client(proxy.url) as client:
            first = await client.ask("POST", "/v1/chat/completions", CHAT, JSON)
            second = await client.ask("POST", "/other/v1/chat/completions?a=b", CHAT, JSON)
            third = await client.ask("GET", "/otherwise")
            assert [first.body, second.body, third.body] == [b'"top"', b'"mounted"', b'"top"']
            async with asyncio.timeout(5):
                while sum(proxy.counted(name, Bucket.PAIRED) for name in ("mini", "second", "control/other")) < 3:
                    await asyncio.sleep(0.01)
            targets = sorted(turn.target for turn in mounted.turns)
            assert targets == [b"/base/v1/chat/completions?a=b"] * 2 + [b"/v1/chat/completions?a=b"]
            assert [pair.call.path for pair in proxy.pairs() if pair.shadow == "second"] == [
                "/other/v1/chat/completions"
            ]


async def test_only_mounts(rig: RigMaker) -> None:
    """Without a live at the top, a path that no mount fits is a 404 of ours."""
    async with ScriptedUpstream(answer()) as live:
        async with rig(live.url, more="", law=False, mounts={"/a": live.url}) as proxy, Client(proxy.url) as client:
            assert (await client.ask("GET", "/a/x")).status == 200
            reply = await client.ask("GET", "/b/x")
            assert (reply.status, reply.header(b"x-understudy-error")) == (404, b"no_mount")
            assert live.turns[0].target == b"/x"


@pytest.mark.parametrize("size", [10, 100_000], ids=["small", "streamed"])
async def test_ended_calls_are_freed_without_the_garbage_collector(rig: RigMaker, size: int) -> None:
    """Nothing of a call refers to itself in a circle: with the collector off, all its parts are gone when it ends."""
    async with (
        ScriptedUpstream(answer()) as live,
        ScriptedUpstream(answer()) as candidate,
        rig(live.url, {"mini": candidate.url}) as proxy,
    ):
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                await proxy.chat(body=b'{"messages": []}' + b" " * size)
                await proxy.settled()
            async with asyncio.timeout(5):
                while _passages():
                    await asyncio.sleep(0.005)
        finally:
            gc.enable()
    print("0 of 5 calls are left")


def _passages() -> list[Passage]:
    return [found for found in gc.get_objects() if isinstance(found, Passage)]
