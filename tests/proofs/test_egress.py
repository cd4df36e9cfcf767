"""Where the proxy goes is the operator's word alone: not the request's, not the environment's, not a stranger's."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import yaml

from config.load import parse
from config.pair import Failure
from evaluators.children import child
from proxy.core.accounting import Bucket
from proxy.wiring import running
from tests.doubles.client import Client
from tests.doubles.faults import free_port
from tests.doubles.upstream import STREAM_HEAD, ScriptedUpstream, Turn, answer
from tests.doubles.valkey import ValkeyServer
from tests.proofs.egress import carriers, egress_proxy, serving, status
from tests.proxy.conftest import CHAT, JSON, RigMaker
from tests.proxy.upstream.authority import Authority, authority


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Certificates."""
    return authority(tmp_path_factory.mktemp("ca"))


@asynccontextmanager
async def upstream(context: ssl.SSLContext) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A model behind TLS: its address, and the heads of the requests that it got."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            heads.append(head)
            await reader.readexactly(len(CHAT))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    async with serving(serve, context) as port:
        yield f"https://localhost:{port}", heads


async def test_requests_do_not_choose_the_destination(rig: RigMaker) -> None:
    """236 requests that name a stranger in their target, Host, fields, query or body: 0 connections to it."""
    async with ScriptedUpstream(answer()) as trap, ScriptedUpstream(answer()) as live:
        at = trap.url.removeprefix("http://")
        requests = list(carriers(at))
        mounts = f"mounts: {{/openai: {{live: {{base_url: '{live.url}/deep'}}}}}}"
        async with rig(live.url, {"mini": live.url, "deep": f"{live.url}/base"}, mounts, law=False) as proxy:
            host, _, port = proxy.url.removeprefix("http://").rpartition(":")
            statuses = Counter([await status(host, int(port), one) for one in requests])
        print(f"{len(requests)} requests, answered {dict(statuses)}; {trap.connections} connections to the stranger")
        assert len(requests) >= 200
        assert statuses[200] > 150  # most are calls like any other: the stranger's name was not why they failed
        assert not any(turn.header(b"host") == at.encode() for turn in live.turns)
        assert (trap.connections, trap.turns) == (0, [])


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(rig: RigMaker, code: int) -> None:
    """Live's redirect is the client's business, a candidate's is an answer: nobody goes there."""
    async with ScriptedUpstream(answer()) as trap:
        away = answer(b"", f"{code} Elsewhere", f"Location: {trap.url}/v1/chat/completions\r\n".encode())
        async with ScriptedUpstream(away) as moved, rig(moved.url, {"mini": moved.url}) as proxy:
            assert (await proxy.chat()).status == code
            await proxy.settled()
            assert [pair.outcome.status for pair in proxy.pairs()] == [code]
        assert trap.connections == 0


@pytest.mark.timeout(20)  # a process starts
async def test_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch, ca: Authority, tmp_path: Path) -> None:
    """Proxies, authorities and credentials that only the environment names: not used, for live or for a candidate."""
    (tmp_path / ".netrc").write_text("default login somebody password canary\n")
    async with (
        ScriptedUpstream(answer()) as trap,
        ScriptedUpstream(answer()) as live,
        upstream(ca.serving("known-to-the-environment")) as (secured, heads),
    ):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, trap.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "")
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.setenv(name, ca.ca)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        config = {
            "listen": "127.0.0.1:0",
            "ops": "127.0.0.1:0",
            "data": str(tmp_path / "data"),
            "live": {"base_url": live.url},
            "mounts": {"/tls": {"live": {"base_url": secured}}},
            "candidates": [{"name": "plain", "base_url": f"{live.url}/x"}, {"name": "tls", "base_url": secured}],
            "queue": {"url": f"unix://{tmp_path}/nobody"},
        }
        file = tmp_path / "understudy.yaml"
        file.write_text(yaml.safe_dump(config))
        async with child("proxy", ["-m", "proxy", "--config", str(file)], log=tmp_path / "log") as proxy:
            async with Client(proxy.ready["listening"]) as client:
                statuses = [(await client.ask("POST", "/v1/chat/completions", CHAT, JSON)).status for _ in range(5)]
                statuses.append((await client.ask("POST", "/tls/v1/chat/completions", CHAT, JSON)).status)
            async with asyncio.timeout(5):
                while sum(turn.target.startswith(b"/x/") for turn in live.turns) < 5:
                    await asyncio.sleep(0.01)
        assert statuses == [200] * 5 + [502]
        assert not any(turn.header(b"authorization") for turn in live.turns)
        assert (trap.connections, heads) == (0, [])


@pytest.mark.parametrize("wrong", ["expired", "wrong host", "unknown authority"])
async def test_bad_certificates_are_refused(rig: RigMaker, ca: Authority, tmp_path: Path, wrong: str) -> None:
    """10 of 10 calls, for live and for a candidate; no request is sent over such a connection."""
    signed = {"days": -1} if wrong == "expired" else {"alternative": "DNS:other.example"} if "host" in wrong else {}
    signer = authority(tmp_path) if wrong == "unknown authority" else ca
    trusted = f"tls: {{ca: {ca.ca}}}"
    async with upstream(signer.serving("bad", **signed)) as (url, heads), ScriptedUpstream(answer()) as live:
        async with rig(live.url, {"mini": url}, candidate_more=trusted) as proxy:
            assert [(await proxy.chat()).status for _ in range(10)] == [200] * 10
            await proxy.settled()
            ends = Counter((pair.outcome.failure, pair.outcome.detail) for pair in proxy.pairs())
            assert ends == {(Failure.CONNECT, "certificate not trusted"): 10}
        async with rig(url, live_more=trusted) as proxy:
            answers = [await proxy.chat() for _ in range(10)]
            assert {(one.status, one.header(b"x-understudy-error")) for one in answers} == {(502, b"connect")}
        assert heads == []


async def test_through_an_egress_proxy(rig: RigMaker, ca: Authority) -> None:
    """Live and a candidate behind CONNECT: the proxy sees where to and its own credentials, and no request."""
    async with upstream(ca.serving("behind")) as (url, heads), egress_proxy() as egress:
        way = f"tls: {{ca: {ca.ca}}}, proxy: 'http://us:canary@127.0.0.1:{egress.port}'"
        async with rig(url, {"mini": url}, live_more=way, candidate_more=way) as proxy:
            replies = [await proxy.chat(headers=JSON + b"Authorization: Bearer k\r\n") for _ in range(3)]
            assert [(one.status, one.body) for one in replies] == [(200, b"{}")] * 3
            await proxy.settled()
            assert proxy.counted("mini", Bucket.PAIRED) == 3
            assert {pair.outcome.status for pair in proxy.pairs()} == {200}
        assert len(heads) == 6
        assert not any(b"proxy-authorization" in head.lower() for head in heads)
        place = url.removeprefix("https://").encode()
        assert all(head.startswith(b"CONNECT %b HTTP/1.1\r\n" % place) for head in egress.heads)
        assert not any(b"Bearer" in head for head in egress.heads)


async def test_listens_with_tls(rig: RigMaker, ca: Authority) -> None:
    """A call and a stream over TLS 1.2 or newer; plain HTTP on that port gets nothing."""
    cert, key = ca.sign("entrance")

    async def script(turn: Turn) -> None:
        if b"stream" not in turn.body:
            return await answer(b'{"ok":1}')(turn)
        await turn.send(STREAM_HEAD)
        for number in range(3):
            await turn.chunk(b"data: %d\n\n" % number)
        await turn.send(b"0\r\n\r\n")

    more = f"tls: {{cert: '{cert}', key: '{key}'}}"
    async with ScriptedUpstream(script) as live, rig(live.url, {"mini": live.url}, more) as proxy:
        assert proxy.url.startswith("https://")
        url = proxy.url.replace("127.0.0.1", "localhost") + "/v1/chat/completions"
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ca.ca))
        async with aiohttp.ClientSession(connector=connector) as session:
            for body, said in (
                (CHAT, b'{"ok":1}'),
                (CHAT[:-1] + b',"stream":true}', b"data: 0\n\ndata: 1\n\ndata: 2\n\n"),
            ):
                proxy.calls += 1
                async with session.post(url, data=body, headers={"content-type": "application/json"}) as response:
                    assert (response.status, await response.read()) == (200, said)
        async with Client(proxy.url) as plain:
            await plain.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert await plain.ended()


@pytest.mark.parametrize("listen", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_pointed_at_itself(tmp_path: Path, listen: str, host: str) -> None:
    """508 after no hop at all: the connection is seen to lead back and is closed before a byte is sent."""
    port = free_port()
    lines = [
        f"listen: '{listen}:{port}'",
        "ops: 127.0.0.1:0",
        f"data: {tmp_path}",
        f"live: {{base_url: 'http://{host}:{port}'}}",
        f"queue: {{url: 'unix://{tmp_path}/nobody'}}",
    ]
    async with running(parse("\n".join(lines), "test.yaml", {}, tmp_path)) as proxy:
        async with Client(f"http://127.0.0.1:{port}") as client:
            reply = await client.ask("POST", "/v1/chat/completions", CHAT, JSON)
        async with aiohttp.ClientSession() as session, session.get(f"{proxy.ops}/metrics") as metrics:
            answered = [line for line in (await metrics.text()).splitlines() if line.startswith("understudy_requests")]
    assert (reply.status, b"own" in reply.body) == (508, True)
    assert answered == ['understudy_requests_total{code="5xx"} 1.0']


async def test_a_candidate_that_is_this_proxy(valkey: ValkeyServer, tmp_path: Path) -> None:
    """A copy that comes back is answered by live and has no shadow of its own: one hop more, not one for ever."""
    port = free_port()
    async with ScriptedUpstream(answer()) as live:
        lines = [
            f"listen: 127.0.0.1:{port}",
            "ops: 127.0.0.1:0",
            f"data: {tmp_path}",
            f"live: {{base_url: '{live.url}'}}",
            f"candidates: [{{name: mirror, base_url: 'http://127.0.0.1:{port}'}}]",
            "control: {sample: 0%}",
            f"queue: {{url: '{valkey.url}'}}",
        ]
        async with running(parse("\n".join(lines), "test.yaml", {}, tmp_path)) as proxy:
            async with Client(f"http://127.0.0.1:{port}") as client:
                assert (await client.ask("POST", "/v1/chat/completions", CHAT, JSON)).status == 200
            async with asyncio.timeout(5):
                while proxy.ledger.calls("mirror") < 2:
                    await asyncio.sleep(0.005)
        assert proxy.ledger.total(bucket=Bucket.INELIGIBLE, reason="shadow_of_shadow") == 1
        assert (proxy.ledger.calls("mirror"), len(live.turns)) == (2, 2)
