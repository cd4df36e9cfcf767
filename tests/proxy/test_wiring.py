"""A proxy as a whole: stopping in order, and a queue that is away, hangs or is full without anybody noticing."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.routing import Candidate, Live, SystemPrompt
from config.settings import Queue, Settings
from proxy.core.accounting import Bucket
from proxy.publisher import QueueUnfit
from proxy.wiring import running
from tests.doubles.client import Client
from tests.doubles.upstream import STREAM_HEAD, ScriptedUpstream, Turn, answer, hang
from tests.doubles.valkey import ValkeyServer, valkey_server
from tests.proxy.conftest import CHAT, Rig, RigMaker


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    """A server of its own for each of these tests: they stop it."""
    with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder)) as made:
        yield made


async def _prompt_calls(proxy: Rig, client: Client, n: int) -> None:
    for _ in range(n):
        started = asyncio.get_running_loop().time()
        assert (await proxy.chat(client)).body == b"{}"
        assert asyncio.get_running_loop().time() - started < 0.25


@pytest.mark.parametrize("harm", ["kill", "freeze"])
async def test_queue_harm_is_not_felt(rig: RigMaker, valkey: ValkeyServer, harm: str) -> None:
    """With the queue gone or hanging, calls on one connection stay prompt; on its return every pair is there."""
    async with (
        ScriptedUpstream(answer()) as live,
        rig(live.url, {"mini": live.url}) as proxy,
        Client(proxy.url) as client,
        Client(proxy.proxy.ops) as ops,
    ):
        (valkey.kill if harm == "kill" else valkey.freeze)()
        await _prompt_calls(proxy, client, 20)
        await asyncio.sleep(0.5)
        await _prompt_calls(proxy, client, 20)
        assert (await ops.ask("GET", "/readyz")).status == 200
        assert proxy.counted("mini", Bucket.PAIRED) == 0
        (valkey.start if harm == "kill" else valkey.thaw)()
        await proxy.settled()
        assert len({pair.id for pair in proxy.pairs()}) == 40


async def test_full_publisher_is_not_felt(rig: RigMaker, valkey: ValkeyServer) -> None:
    """With the memory full of pairs, calls stay prompt and each further pair is counted as dropped."""
    async with (
        ScriptedUpstream(answer()) as live,
        rig(live.url, {"mini": live.url}, queue="memory: 20KiB, spool: {max: 0}") as proxy,
        Client(proxy.url) as client,
    ):
        valkey.kill()
        await _prompt_calls(proxy, client, 30)
        async with asyncio.timeout(5):
            while proxy.counted("mini", Bucket.DROPPED, "queue_full") < 21:
                await asyncio.sleep(0.005)
        valkey.start()


async def test_starts_without_a_queue(rig: RigMaker, valkey: ValkeyServer) -> None:
    """A queue that is away at the start delays nothing and gets its pairs when it comes."""
    valkey.kill()
    async with ScriptedUpstream(answer()) as live, rig(live.url, {"mini": live.url}) as proxy:
        assert (await proxy.chat()).status == 200
        valkey.start()


async def test_refuses_an_evicting_queue() -> None:
    """A server that may delete the stream stops the start, and nothing is left open."""
    with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder), "volatile-lru") as server:
        settings = Settings(
            listen="127.0.0.1:0", ops="127.0.0.1:0", live=Live(base_url="http://x"), queue=Queue(url=server.url)
        )
        with pytest.raises(QueueUnfit):
            async with running(settings):
                pass


async def test_drain_lets_open_requests_and_shadows_end(rig: RigMaker, valkey: ValkeyServer) -> None:
    """A stream that is open when the drain begins arrives whole, its pair too; its connection is then closed."""
    go_on = asyncio.Event()

    async def script(turn: Turn) -> None:
        if len(live.turns) > 1:
            await answer()(turn)
            return
        await turn.send(STREAM_HEAD)
        await turn.chunk(b"data: 1\n\n")
        await go_on.wait()
        await turn.chunk(b"data: 2\n\n")
        await turn.send(b"0\r\n\r\n")

    async with (
        ScriptedUpstream(script) as live,
        ScriptedUpstream(script) as candidate,
        rig(live.url, {"mini": candidate.url}) as proxy,
        Client(proxy.url) as client,
        Client(proxy.url) as idle,
    ):
        proxy.calls += 1
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(CHAT)
        await client.send(head + CHAT)
        await client.head()
        async with asyncio.timeout(5):
            await candidate.arrived.wait()
        drain = asyncio.create_task(proxy.proxy.draining.drain(5.0, last_calls=0.0))
        await asyncio.sleep(0.02)
        other = await proxy.chat(idle)  # a request that was on its way is answered, not shadowed, and told to go
        assert (other.status, other.header(b"connection")) == (200, b"close")
        go_on.set()
        assert [await client.chunk() for _ in range(3)] == [b"data: 1\n\n", b"data: 2\n\n", b""]
        async with asyncio.timeout(3):
            await drain
        await proxy.settled()
        assert (proxy.counted("mini", Bucket.PAIRED), proxy.counted("mini", Bucket.SKIPPED, "draining")) == (1, 1)


async def test_drain_has_an_end(rig: RigMaker, valkey: ValkeyServer) -> None:
    """What is still open after the grace is cut: the client sees a broken connection, the shadow is counted."""
    async with (
        ScriptedUpstream(hang) as live,
        ScriptedUpstream(hang) as candidate,
        rig(live.url, {"mini": candidate.url}, law=False) as proxy,
        Client(proxy.url) as client,
    ):
        proxy.calls += 1
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(CHAT)
        await client.send(head + CHAT)
        async with asyncio.timeout(5):
            await candidate.arrived.wait()
            await proxy.proxy.draining.drain(0.1, last_calls=0.0)
    assert proxy.counted("mini", Bucket.DROPPED, "shutdown") == 1
    proxy.conserved()


async def test_unread_prompt_file_is_a_mistake_of_ours() -> None:
    """Settings that did not come from config.load, where `file` becomes `replace`, are refused loudly."""
    settings = Settings(
        listen="127.0.0.1:0",
        ops="127.0.0.1:0",
        live=Live(base_url="http://x"),
        candidates=[Candidate(name="mini", system_prompt=SystemPrompt(file="x"))],
        queue=Queue(url="unix:///nowhere"),
    )
    with pytest.raises(ValueError, match=r"config\.load"):
        async with running(settings):
            pass
