"""How much a shadow may get: slots, memory, calls a second, and nothing while it does not answer. Over sockets."""

from __future__ import annotations

import asyncio

from config.pair import Failure
from proxy.core.accounting import Bucket
from tests.doubles.client import Client
from tests.doubles.upstream import ScriptedUpstream, Turn, answer, hang
from tests.proxy.conftest import RigMaker


async def no_address() -> str:
    """The URL of a server that is not there."""
    async with ScriptedUpstream(answer()) as gone:
        return gone.url


async def test_shadows_have_slots(rig: RigMaker) -> None:
    """Beyond max_in_flight a shadow is dropped and counted, and live does not wait."""
    async with (
        ScriptedUpstream(answer()) as live,
        ScriptedUpstream(hang) as candidate,
        rig(
            live.url, {"mini": candidate.url}, candidate_more="max_in_flight: 2, timeout: {first_byte: 500ms}"
        ) as proxy,
    ):
        replies = await asyncio.gather(*(proxy.chat() for _ in range(20)))
        assert {reply.status for reply in replies} == {200}
        await proxy.settled()
        assert proxy.counted("mini", Bucket.DROPPED, "in_flight") == 18
        assert proxy.counted("mini", Bucket.PAIRED) == 2
        assert len(candidate.turns) == 2


async def test_shadows_share_a_memory_bound(rig: RigMaker) -> None:
    """What open shadow calls hold together has a bound; beyond it they are dropped and counted."""
    big = b'{"model":"m","messages":[{"role":"user","content":"' + b"x" * 60_000 + b'"}]}'
    async with (
        ScriptedUpstream(answer()) as live,
        ScriptedUpstream(hang) as candidate,
        rig(
            live.url, {"mini": candidate.url}, candidate_more="timeout: {first_byte: 500ms}", queue="memory: 200KiB"
        ) as proxy,
    ):
        await asyncio.gather(*(proxy.chat(body=big) for _ in range(10)))
        await proxy.settled()
        assert proxy.counted("mini", Bucket.DROPPED, "memory") == 7


async def test_a_dead_shadow_is_left_alone(rig: RigMaker) -> None:
    """After three refused connections no further call tries, and live's answers are as quick as ever."""
    async with (
        ScriptedUpstream(answer()) as live,
        rig(live.url, {"mini": await no_address()}, candidate_more="breaker: {failures: 3, probe: 60s}") as proxy,
        Client(proxy.url) as client,
    ):
        for _ in range(10):
            assert (await proxy.chat(client)).status == 200
            await proxy.settled()
        assert [pair.outcome.failure for pair in proxy.pairs()] == [Failure.CONNECT] * 3
        assert proxy.counted("mini", Bucket.DROPPED, "breaker_open") == 7


async def test_a_shadow_that_recovers_is_asked_again(rig: RigMaker) -> None:
    """A probe finds it well, and from then on every call goes out."""
    well = asyncio.Event()

    async def script(turn: Turn) -> None:
        await (answer() if well.is_set() else answer(b"", "503 Later"))(turn)

    async with (
        ScriptedUpstream(answer()) as live,
        ScriptedUpstream(script) as candidate,
        rig(live.url, {"mini": candidate.url}, candidate_more="breaker: {failures: 2, probe: 100ms}") as proxy,
        Client(proxy.url) as client,
    ):
        for _ in range(4):
            await proxy.chat(client)
            await proxy.settled()
        assert proxy.counted("mini", Bucket.DROPPED, "breaker_open") >= 1
        well.set()
        async with asyncio.timeout(5):
            while not [pair for pair in proxy.pairs() if pair.outcome.status == 200]:
                await proxy.chat(client)
                await proxy.settled()
        before = proxy.counted("mini", Bucket.DROPPED)
        for _ in range(5):
            await proxy.chat(client)
        await proxy.settled()
        assert proxy.counted("mini", Bucket.DROPPED) == before


async def test_a_shadow_gets_no_more_a_second_than_it_may(rig: RigMaker) -> None:
    """Of twenty calls at once one of each second's allowance goes out; the others are dropped and counted."""
    async with (
        ScriptedUpstream(answer()) as live,
        ScriptedUpstream(answer()) as candidate,
        rig(live.url, {"mini": candidate.url}, candidate_more="max_per_second: 0.1") as proxy,
    ):
        await asyncio.gather(*(proxy.chat() for _ in range(20)))
        await proxy.settled()
        assert proxy.counted("mini", Bucket.DROPPED, "rate") == 19
        assert len(candidate.turns) == 1
