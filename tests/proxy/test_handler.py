"""The live path on real sockets: verbatim both ways, broken answers stay broken, clients that leave are noticed."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from config.pair import Failure
from proxy.core.accounting import Bucket
from tests.doubles.client import Client
from tests.doubles.upstream import STREAM_HEAD, ScriptedUpstream, Turn, answer, endless, hang, raw
from tests.proxy.conftest import CHAT, RigMaker

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


async def test_answer_head_passes_verbatim(rig: RigMaker) -> None:
    """Status, reason, header case, order, repetitions and odd bytes are live's; hop-by-hop fields go."""
    head = b"HTTP/1.1 299 So \xc3\xa4 So\r\nset-cookie: a\r\nX-RateLimit: 5\r\nSet-Cookie: b\r\nx-odd: \xff\r\n"
    script = raw(head + b"Keep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nhi", "keep")
    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        reply = await client.ask("GET", "/x")
        assert reply.status_line == b"HTTP/1.1 299 So \xc3\xa4 So"
        assert reply.headers == [
            (b"set-cookie", b"a"),
            (b"X-RateLimit", b"5"),
            (b"Set-Cookie", b"b"),
            (b"x-odd", b"\xff"),
            (b"Content-Length", b"2"),
        ]
        assert reply.body == b"hi"


@pytest.mark.parametrize(
    ("method", "script", "status", "body"),
    [
        pytest.param("HEAD", raw(OK + b"Content-Length: 5\r\n\r\n", "keep"), 200, b"", id="head"),
        pytest.param("GET", raw(b"HTTP/1.1 204 No Content\r\n\r\n", "keep"), 204, b"", id="204"),
        pytest.param("GET", raw(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "keep"), 304, b"", id="304"),
        pytest.param("GET", answer(b"moved", "307 Temporary Redirect", b"Location: /y\r\n"), 307, b"moved", id="307"),
        pytest.param("GET", answer(b"{}", "429 Too Many Requests", b"Retry-After: 1\r\n"), 429, b"{}", id="429"),
        pytest.param("GET", answer(b"", "200 OK"), 200, b"", id="empty"),
        pytest.param("DELETE", answer(b"gone", "599 Own"), 599, b"gone", id="599"),
        pytest.param(
            "GET", raw(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"), 200, b"ab", id="chunks"
        ),
        pytest.param("GET", raw(OK + b"\r\nuntil the end"), 200, b"until the end", id="close-delimited"),
        pytest.param("GET", raw(b"HTTP/1.0 200 OK\r\n\r\nold"), 200, b"old", id="http-1.0-upstream"),
        pytest.param(
            "GET", raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\nx"), 200, b"x", id="103"
        ),
    ],
)
async def test_framing(rig: RigMaker, method: str, script: object, status: int, body: bytes) -> None:
    """Every way to frame an answer arrives whole, and the connection serves the next request."""
    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:  # type: ignore[arg-type]
        for _ in range(2):
            reply = await client.ask(method, "/x")
            assert (reply.status, reply.body, reply.complete) == (status, body, True)


async def test_old_client_gets_no_chunks(rig: RigMaker) -> None:
    """An HTTP/1.0 client gets a chunked answer delimited by the connection's end."""
    script = raw(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(b"GET /x HTTP/1.0\r\n\r\n")
        reply = await client.answer()
        assert (reply.body, reply.header(b"transfer-encoding"), reply.header(b"connection")) == (b"ab", b"", b"close")


async def test_compressed_answer_passes_raw(rig: RigMaker) -> None:
    """A content coding is neither undone nor forgotten."""
    packed = gzip.compress(b"{}" * 100)
    async with (
        ScriptedUpstream(answer(packed, headers=b"Content-Encoding: gzip\r\n")) as live,
        rig(live.url) as proxy,
        Client(proxy.url) as client,
    ):
        reply = await client.ask("GET", "/x")
        assert (reply.body, reply.header(b"content-encoding")) == (packed, b"gzip")


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


CUTS = [
    pytest.param(OK + b"Content-Length: 10\r\n\r\nabc", "close", id="length-fin"),
    pytest.param(OK + b"Content-Length: 10\r\n\r\nabc", "reset", id="length-rst"),
    pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "close", id="chunks-fin"),
    pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "reset", id="chunks-rst"),
    pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nde", "close", id="inside-a-chunk"),
    pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "garbage", id="broken-chunk-size"),
    pytest.param(OK + b"\r\nabc", "reset", id="close-delimited-rst"),
    pytest.param(OK + b"Content-Length: 10\r\n\r\nabc", "hang", id="silent-inside"),
]


@pytest.mark.parametrize("old", [False, True], ids=["http-1.1", "http-1.0"])
@pytest.mark.parametrize(("data", "then"), CUTS)
async def test_cut_answer_looks_cut(rig: RigMaker, data: bytes, then: str, old: bool) -> None:
    """An answer that breaks off never ends cleanly at the client, and the pair says truncated."""
    sent = asyncio.Event()

    async def script(turn: Turn) -> None:
        await turn.send(data)
        async with asyncio.timeout(5):
            await sent.wait()  # until the client has it: a reset overtakes what is on its way
        if then == "garbage":
            await turn.send(b"zz\r\n")
        if then in ("hang", "garbage"):
            await turn.gone()
        else:
            (turn.close if then == "close" else turn.reset)()

    async with (
        ScriptedUpstream(script) as live,
        ScriptedUpstream(answer()) as candidate,
        rig(live.url, {"mini": candidate.url}, live_more="timeout: {idle: 300ms}") as proxy,
        Client(proxy.url) as client,
    ):
        proxy.calls += 1
        version = b"1.0" if old else b"1.1"
        head = b"POST /v1/chat/completions HTTP/%b\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (version, len(CHAT))
        await client.send(head + CHAT)
        got = await client.head()
        sent.set()
        rest = b""
        broke = False
        try:
            async with asyncio.timeout(5):
                while part := await client.reader.read(1000):
                    rest += part
        except ConnectionError:
            broke = True
        assert b"abc" in rest or broke
        if got.header(b"transfer-encoding"):
            assert not rest.endswith(b"0\r\n\r\n")
        elif not got.header(b"content-length"):
            assert broke, "a close-delimited answer must end with a reset"
        await proxy.settled()
        (pair,) = proxy.pairs()
        assert pair.live.failure is (Failure.TIMEOUT if then == "hang" else Failure.TRUNCATED)
        assert pair.live.body.startswith(b"abc")


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


async def test_slow_reader_pauses_live(rig: RigMaker) -> None:
    """A client that does not read stops the reading from live: an endless answer is not kept in memory."""
    sent = 0
    stalled = asyncio.Event()

    async def script(turn: Turn) -> None:
        nonlocal sent
        await turn.send(STREAM_HEAD)
        try:
            while True:
                async with asyncio.timeout(0.5):
                    await turn.chunk(b"x" * 65536)
                sent += 65536
        except TimeoutError:
            stalled.set()
        await turn.gone()

    async with ScriptedUpstream(script) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(8):
            await stalled.wait()
        assert sent < 32 << 20  # the kernel's buffers on both sides of two connections, not more


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
        pytest.param(b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400, id="long-line"),
    ],
)
async def test_invalid_requests_are_refused(rig: RigMaker, request_bytes: bytes, status: int) -> None:
    """What is not clean HTTP gets a 4xx or 505 and a closed connection; live hears nothing."""
    async with ScriptedUpstream(answer()) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        await client.send(request_bytes)
        assert (await client.answer()).status == status
        assert await client.ended()
        assert not live.turns


async def test_websockets_are_not_available_yet(rig: RigMaker) -> None:
    """An upgrade to a WebSocket is a clean 501, counted for every shadow."""
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n"
    async with (
        ScriptedUpstream(answer()) as live,
        rig(live.url, {"mini": live.url}, 'shadow_paths: ["GET /v1/realtime"]') as proxy,
        Client(proxy.url) as client,
    ):
        proxy.calls += 1
        reply = await client.ask("GET", "/v1/realtime", headers=upgrade)
        assert (reply.status, reply.header(b"x-understudy-error")) == (501, b"upgrade")
        await proxy.settled()
        assert proxy.counted("mini", Bucket.SKIPPED, "upgrade") == 1
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
