"""The live path on real sockets: verbatim, failing, left alone, refused."""

from __future__ import annotations

import asyncio

import pytest

from config.pair import Failure
from proxy.core import guard
from tests.doubles.client import Client
from tests.doubles.upstream import STREAM_HEAD, ScriptedUpstream, Turn, answer, endless, hang, raw
from tests.proxy.conftest import CHAT, RigMaker

REASONS = {reason.encode() for reason in guard.REASONS} | {b"malformed"}
OK = b"HTTP/1.1 200 OK\r\n"


async def test_relays_a_call_and_its_answer(rig: RigMaker) -> None:
    """A JSON call reaches live with its bytes and comes back with live's, and nothing is added on either way."""
    async with ScriptedUpstream(answer(b'{"ok":1}')) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        reply = await proxy.chat(client)
        assert (reply.status_line, reply.body) == (b"HTTP/1.1 200 OK", b'{"ok":1}')
        assert [name for name, _ in reply.headers] == [b"Content-Type", b"Content-Length"]
        turn = live.turns[0]
        assert turn.body == CHAT
        assert [name for name, _ in turn.headers] == [b"Host", b"Content-Type", b"Content-Length"]
        assert turn.header(b"host") == live.url.removeprefix("http://").encode()


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("/v1/a%2Fb/%2e%2E/c", id="encoded-separators"),
        pytest.param("//two//slashes/", id="empty-segments"),
        pytest.param("/a;v=1/b;w?x;y=z", id="semicolons"),
        pytest.param("/q?a=1&a=2&b=%20+&c", id="query"),
        pytest.param("/p/../q/./r", id="dot-segments"),
        pytest.param("/%00%ff%zz", id="undecodable"),
        pytest.param('/"<>|^`{}\\', id="characters-outside-the-grammar"),
        pytest.param("/v1/models?q=http://a@b:1/?x", id="address-in-the-query"),
    ],
)
async def test_target_passes_verbatim(rig: RigMaker, target: str) -> None:
    """Path and query reach live byte for byte."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        reply = await client.ask("GET", target)
        assert reply.status == 200
        assert live.turns[0].target == target.encode()


async def test_base_path_is_put_in_front(rig: RigMaker) -> None:
    """A base_url with a path keeps it, and the call's path follows."""
    async with ScriptedUpstream(answer()) as live, rig(live.url + "/gateway/") as proxy, Client(proxy.url) as client:
        await client.ask("GET", "/v1//x?y")
        assert live.turns[0].target == b"/gateway/v1//x?y"


async def test_request_headers_pass_in_order(rig: RigMaker) -> None:
    """Case, order and repetitions stay; what belongs to the connection goes."""
    sent = b"X-b: 1\r\nx-A: 2\r\nAuthorization: Bearer k\r\nX-b: 3\r\nCookie: c=d\r\nConnection: keep-alive, X-Hop\r\n"
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.ask("GET", "/x", headers=sent + b"X-Hop: 1\r\nTE: gzip\r\nx-u: \xc3\xa4\r\n")
        got = [pair for pair in live.turns[0].headers if pair[0].lower() != b"host"]
        assert got == [
            (b"X-b", b"1"),
            (b"x-A", b"2"),
            (b"Authorization", b"Bearer k"),
            (b"X-b", b"3"),
            (b"Cookie", b"c=d"),
            (b"x-u", b"\xc3\xa4"),
        ]


async def test_streams_chunk_by_chunk(rig: RigMaker) -> None:
    """Each event reaches the client before live sends the next one: nothing waits in a buffer."""
    seen = asyncio.Semaphore(0)

    async def script(turn: Turn) -> None:
        await turn.send(STREAM_HEAD)
        for number in range(20):
            await turn.chunk(b"data: %d\n\n" % number)
            await seen.acquire()
        await turn.send(b"0\r\n\r\n")

    async with (
        ScriptedUpstream(script) as live,
        ScriptedUpstream(answer()) as candidate,
        rig(live.url, {"mini": candidate.url}) as proxy,
        Client(proxy.url) as client,
    ):
        proxy.calls += 1
        length = b"Content-Length: %d\r\n" % len(CHAT)
        await client.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n" + length + b"\r\n" + CHAT)
        assert (await client.head()).header(b"content-type") == b"text/event-stream"
        for number in range(20):
            assert await client.chunk() == b"data: %d\n\n" % number
            seen.release()
        assert await client.chunk() == b""
        await proxy.settled()
        pair = proxy.pairs()[0]
        assert (pair.live.chunks, pair.live.failure) == (20, Failure.NONE)


FAULTS = [
    pytest.param(raw(b"garbage\r\n\r\n"), 502, "malformed", id="garbage"),
    pytest.param(raw(b""), 502, "reset", id="closed-at-once"),
    pytest.param(raw(b"", "reset"), 502, "reset", id="reset-at-once"),
    pytest.param(raw(b"HTTP/1.1 20"), 502, "reset", id="cut-status-line"),
    pytest.param(raw(b"HTTP/1.1 200 OK\r\nX: y\r\n", "reset"), 502, "reset", id="cut-head"),
    pytest.param(
        raw(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"), 502, "malformed", id="101"
    ),
    pytest.param(
        raw(OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        502,
        "malformed",
        id="two-framings",
    ),
    pytest.param(hang, 504, "timeout", id="silent"),
]


@pytest.mark.parametrize(("script", "status", "kind"), FAULTS)
async def test_live_fails_before_its_head(rig: RigMaker, script: object, status: int, kind: str) -> None:
    """The client gets an answer marked as ours, the pair is made, and the candidate's answer is in it."""
    async with (
        ScriptedUpstream(script) as live,  # type: ignore[arg-type]
        ScriptedUpstream(answer(b'{"a":1}')) as candidate,
        rig(live.url, {"mini": candidate.url}, live_more="timeout: {first_byte: 200ms}") as proxy,
    ):
        reply = await proxy.chat()
        assert (reply.status, reply.header(b"x-understudy-error")) == (status, kind.encode())
        error = reply.json()["error"]
        assert isinstance(error, dict)
        assert (error["type"], error["code"]) == ("understudy_upstream_error", kind)
        assert error["message"].startswith("Understudy, the proxy")
        await proxy.settled()
        (pair,) = proxy.pairs()
        assert (pair.live.failure, pair.live.status) == (Failure(kind), 0)
        assert (pair.outcome.failure, pair.outcome.body) == (Failure.NONE, b'{"a":1}')
        assert len(live.turns) == 1


async def test_live_refuses_connections(rig: RigMaker) -> None:
    """A live that is not there is a 502 that says so."""
    async with ScriptedUpstream(answer()) as gone:
        url = gone.url
    async with rig(url) as proxy:
        reply = await proxy.chat()
        assert (reply.status, reply.header(b"x-understudy-error")) == (502, b"connect")


async def test_client_leaves_a_silent_live(rig: RigMaker) -> None:
    """A client that hangs up before the first byte stops live within a second; its shadow goes on into a pair."""
    left = asyncio.Event()

    async def script(turn: Turn) -> None:
        await turn.gone()
        left.set()

    async with (
        ScriptedUpstream(script) as live,
        ScriptedUpstream(answer(b'{"a":1}')) as candidate,
        rig(live.url, {"mini": candidate.url}) as proxy,
    ):
        proxy.calls += 1
        async with Client(proxy.url) as client:
            head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(CHAT)
            await client.send(head + CHAT)
            async with asyncio.timeout(5):
                await live.arrived.wait()
        async with asyncio.timeout(1):
            await left.wait()
        await proxy.settled()
        (pair,) = proxy.pairs()
        assert (pair.live.failure, pair.outcome.body) == (Failure.CLIENT_LEFT, b'{"a":1}')


async def test_client_leaves_a_stream(rig: RigMaker) -> None:
    """A client that hangs up inside a stream stops live within a second."""
    left = asyncio.Event()

    async def script(turn: Turn) -> None:
        await turn.send(STREAM_HEAD)
        await turn.chunk(b"data: 1\n\n")
        await turn.gone()
        left.set()

    async with (
        ScriptedUpstream(script) as live,
        ScriptedUpstream(answer()) as candidate,
        rig(live.url, {"mini": candidate.url}) as proxy,
    ):
        proxy.calls += 1
        async with Client(proxy.url) as client:
            head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(CHAT)
            await client.send(head + CHAT)
            await client.head()
            await client.chunk()
        async with asyncio.timeout(1):
            await left.wait()
        await proxy.settled()
        (pair,) = proxy.pairs()
        assert (pair.live.failure, pair.live.body) == (Failure.CLIENT_LEFT, b"data: 1\n\n")


async def test_lost_idle_connection_is_not_a_second_post(rig: RigMaker) -> None:
    """A POST on a kept connection that live has closed is not sent twice: live counts each body once."""
    calls = 0

    async def script(turn: Turn) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            turn.reset()
        else:
            await answer()(turn)

    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        assert (await proxy.chat(client)).status == 200
        assert (await proxy.chat(client)).status == 502
        assert len(live.turns) == 2


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, id="two-hosts"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, id="userinfo"),
        pytest.param(b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, id="version"),
        pytest.param(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, id="chunks-on-1.0"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: authorization\r\n\r\n", 400, id="nominated"),
        pytest.param(b"nonsense\r\n\r\n", 400, id="no-http"),
        pytest.param(b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, id="long-line"),
    ],
)
async def test_invalid_requests_are_refused(rig: RigMaker, request_bytes: bytes, status: int) -> None:
    """What is not clean HTTP gets a 4xx or 505 and a closed connection; live hears nothing."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(request_bytes)
        reply = await client.answer()
        assert (reply.status, reply.header(b"server")) == (status, b"")
        assert reply.header(b"x-understudy-error") in REASONS
        assert await client.ended()
        assert not live.turns


async def test_other_upgrades_are_ignored(rig: RigMaker) -> None:
    """A client that offers HTTP/2 in clear text is served in HTTP/1.1, as RFC 9110 §7.8 allows."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n"
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        assert (await client.ask("GET", "/x", headers=offer)).status == 200
        assert live.turns[0].header(b"upgrade") == b""


async def test_endless_answer_ends_with_the_client(rig: RigMaker) -> None:
    """A client that takes some of an endless answer and leaves frees everything."""
    async with ScriptedUpstream(endless) as live, rig(live.url) as proxy:
        async with Client(proxy.url) as client:
            await client.send(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
            await client.head()
            for _ in range(50):
                await client.chunk()
        async with asyncio.timeout(2):
            while not live.turns[0].closed:
                await asyncio.sleep(0.005)
