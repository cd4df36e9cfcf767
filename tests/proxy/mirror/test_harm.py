"""What shadows may do and live must never feel, over sockets: the harm tests, and where every call ends."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from config.pair import Failure, Role
from proxy.core.accounting import Bucket
from tests.doubles.client import Client
from tests.doubles.upstream import STREAM_HEAD, ScriptedUpstream, Turn, answer, endless, hang, raw
from tests.proxy.conftest import CHAT, JSON, Rig, RigMaker

OK = b"HTTP/1.1 200 OK\r\n"


async def no_address() -> str:
    """The URL of a server that is not there."""
    async with ScriptedUpstream(answer()) as gone:
        return gone.url


async def test_makes_a_pair(rig: RigMaker) -> None:
    """Both answers, their instants and the call arrive in the stream, without any credential."""
    key = b"Authorization: Bearer sk-client\r\nx-api-key: sk-2\r\nCookie: c=1\r\n"
    async with (
        ScriptedUpstream(answer(b'{"live":1}')) as live,
        ScriptedUpstream(answer(b'{"mini":1}', "201 Made")) as candidate,
        rig(live.url, {"mini": candidate.url}, candidate_more="api_key: own, set: {model: n}") as proxy,
    ):
        assert (await proxy.chat(headers=JSON + key)).body == b'{"live":1}'
        await proxy.settled()
        (pair,) = proxy.pairs()
        assert (pair.shadow, pair.role, pair.call.path) == ("mini", Role.CANDIDATE, "/v1/chat/completions")
        assert (pair.live.status, pair.live.body) == (200, b'{"live":1}')
        assert (pair.outcome.status, pair.outcome.body) == (201, b'{"mini":1}')
        assert 0 <= pair.outcome.sent <= pair.outcome.first_byte <= pair.outcome.last_byte < 5
        assert len(pair.call.id) == 32
        assert pair.call.body == CHAT
        assert b'"n"' in candidate.turns[0].body
        assert candidate.turns[0].header(b"authorization") == b"Bearer own"
        assert b"sk-" not in candidate.turns[0].head
        assert "sk-" not in repr(pair)
        assert proxy.counted("mini", Bucket.PAIRED) == 1
        assert [row[1:] for row in proxy.published_accounting()] == [["mini", "paired", "", 1]]


async def test_call_ids_are_ordered_by_time(rig: RigMaker) -> None:
    """Later calls have greater ids."""
    async with ScriptedUpstream(answer()) as live, rig(live.url, {"mini": live.url}) as proxy:
        for _ in range(3):
            await proxy.chat()
            await asyncio.sleep(0.002)
        await proxy.settled()
        ids = [pair.call.id for pair in sorted(proxy.pairs(), key=lambda pair: pair.call.arrived)]
        assert ids == sorted(ids)
        assert len(set(ids)) == 3


HARMS = [
    pytest.param(hang, Failure.TIMEOUT, id="hangs"),
    pytest.param(raw(b"", "reset"), Failure.RESET, id="resets"),
    pytest.param(raw(b"\x00\xff garbage\r\n\r\n"), Failure.MALFORMED, id="garbage"),
    pytest.param(raw(OK + b"Content-Length: 9\r\n\r\nabc"), Failure.TRUNCATED, id="cut"),
    pytest.param(raw(OK + b"Content-Length: 9\r\n\r\nabc", "hang"), Failure.TIMEOUT, id="stalls"),
    pytest.param(raw(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "hang"), Failure.TRUNCATED, id="bad-chunk"),
    pytest.param(endless, Failure.TRUNCATED, id="floods"),
    pytest.param(answer(b"x" * 200_000), Failure.TRUNCATED, id="huge"),
    pytest.param(answer(b"no", "500 Oh"), Failure.NONE, id="5xx"),
    pytest.param(answer(b"no", "429 Slow Down", b"Retry-After: 9\r\n"), Failure.NONE, id="429"),
    pytest.param(answer(b"", "302 Found", b"Location: http://169.254.169.254/\r\n"), Failure.NONE, id="redirect"),
    pytest.param(
        answer(gzip.compress(b"0" * 1_000_000), headers=b"Content-Encoding: gzip\r\n"), Failure.NONE, id="bomb"
    ),
    pytest.param(answer(b"<html>", headers=b"Content-Type: text/html\r\n"), Failure.NONE, id="wrong-type"),
    pytest.param(raw(OK + b"X: " + b"y" * 200_000 + b"\r\n\r\n"), Failure.MALFORMED, id="huge-head"),
]


@pytest.mark.parametrize(("script", "failure"), HARMS)
async def test_harm_stays_with_the_shadow(rig: RigMaker, script: object, failure: Failure) -> None:
    """Whatever the candidate does, live's answers are complete and prompt, also the next on the same connection."""
    timeouts = "timeout: {first_byte: 300ms, idle: 300ms, total: 2s}"
    async with (
        ScriptedUpstream(answer(b'{"live":1}')) as live,
        ScriptedUpstream(script) as candidate,  # type: ignore[arg-type]
        rig(live.url, {"mini": candidate.url}, "capture: {max_body: 64KiB}", candidate_more=timeouts) as proxy,
        Client(proxy.url) as client,
    ):
        for _ in range(3):
            started = asyncio.get_running_loop().time()
            assert (await proxy.chat(client)).body == b'{"live":1}'
            assert asyncio.get_running_loop().time() - started < 0.25
        await proxy.settled()
        pairs = proxy.pairs()
        assert [pair.outcome.failure for pair in pairs] == [failure] * 3
        assert all(len(pair.outcome.body) <= 64 << 10 for pair in pairs)
        assert candidate.connections <= 3


async def test_candidate_that_is_not_there(rig: RigMaker) -> None:
    """A refused connection is an Outcome like any other."""
    async with ScriptedUpstream(answer()) as live, rig(live.url, {"mini": await no_address()}) as proxy:
        assert (await proxy.chat()).status == 200
        await proxy.settled()
        assert proxy.pairs()[0].outcome.failure is Failure.CONNECT


async def test_total_limit_ends_a_dripping_shadow(rig: RigMaker) -> None:
    """A shadow that never stalls and never ends is stopped by its total limit."""

    async def drip(turn: Turn) -> None:
        await turn.send(STREAM_HEAD)
        while not turn.writer.transport.is_closing():
            await turn.chunk(b"x")
            await asyncio.sleep(0.02)
        turn.closed = True

    async with (
        ScriptedUpstream(answer()) as live,
        ScriptedUpstream(drip) as candidate,
        rig(live.url, {"mini": candidate.url}, candidate_more="timeout: {total: 400ms}") as proxy,
    ):
        await proxy.chat()
        await proxy.settled()
        assert proxy.pairs()[0].outcome.failure is Failure.TIMEOUT


async def test_large_live_answer_makes_no_pair(rig: RigMaker) -> None:
    """A live answer above the cap passes whole to the client; its pair is skipped and counted."""
    async with (
        ScriptedUpstream(answer(b"x" * 100_000)) as live,
        ScriptedUpstream(answer()) as candidate,
        rig(live.url, {"mini": candidate.url}, "capture: {max_body: 64KiB}") as proxy,
    ):
        assert len((await proxy.chat()).body) == 100_000
        await proxy.settled()
        assert proxy.counted("mini", Bucket.SKIPPED, "live_answer_too_large") == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "bucket", "reason"),
    [
        pytest.param("GET", "/v1/models", b"", Bucket.INELIGIBLE, "path", id="path"),
        pytest.param("GET", "/v1/chat/completions", b"", Bucket.INELIGIBLE, "method", id="method"),
        pytest.param("POST", "/v1/chat/completions", b"no json", Bucket.INELIGIBLE, "not_json", id="not-json"),
        pytest.param("POST", "/v1/chat/completions", b"", Bucket.INELIGIBLE, "not_json", id="no-body"),
        pytest.param("POST", "/v1/files", b"x" * 200_000, Bucket.INELIGIBLE, "path", id="upload"),
    ],
)
async def test_calls_that_are_not_shadowed_are_counted(
    rig: RigMaker, method: str, path: str, body: bytes, bucket: Bucket, reason: str
) -> None:
    """Every call ends in one bucket per shadow, also where no shadow is asked."""
    async with (
        ScriptedUpstream(answer()) as live,
        ScriptedUpstream(answer()) as candidate,
        rig(live.url, {"one": candidate.url, "two": candidate.url}) as proxy,
        Client(proxy.url) as client,
    ):
        proxy.calls += 1
        assert (await client.ask(method, path, body)).status == 200
        await proxy.settled()
        assert [proxy.counted(name, bucket, reason) for name in ("one", "two")] == [1, 1]
        assert not candidate.turns


async def test_control_asks_live_again(rig: RigMaker) -> None:
    """The control goes to live with the client's own key, and to no other."""
    async with (
        ScriptedUpstream(answer()) as live,
        ScriptedUpstream(answer()) as candidate,
        rig(live.url, {"mini": candidate.url}, control="{sample: 100%}") as proxy,
    ):
        await proxy.chat(headers=JSON + b"Authorization: Bearer sk-client\r\n")
        await proxy.settled()
        assert sorted((pair.shadow, pair.role) for pair in proxy.pairs()) == [
            ("control", Role.CONTROL),
            ("mini", Role.CANDIDATE),
        ]
        assert [turn.header(b"authorization") for turn in live.turns] == [b"Bearer sk-client"] * 2
        assert candidate.turns[0].header(b"authorization") == b""


async def test_without_candidates_nothing_is_asked_twice(rig: RigMaker) -> None:
    """A proxy that only relays does not spend the operator's money on a control."""
    async with ScriptedUpstream(answer()) as live, rig(live.url, control="{sample: 100%}") as proxy:
        await proxy.chat()
        assert len(live.turns) == 1


async def test_live_is_asked_first(rig: RigMaker) -> None:
    """On warm connections live has the request before the shadow."""
    order: list[str] = []

    def noting(name: str) -> ScriptedUpstream:
        async def script(turn: Turn) -> None:
            order.append(name)
            await answer()(turn)

        return ScriptedUpstream(script)

    async with noting("live") as live, noting("mini") as candidate:
        async with rig(live.url, {"mini": candidate.url}) as proxy, Client(proxy.url) as client:
            for at in range(11):
                await proxy.chat(client)
                await proxy.settled()
                if at == 0:
                    order.clear()  # the first call had two connections to open, and these race
    assert order == ["live", "mini"] * 10


async def test_slow_shadow_delays_only_its_own_pair(rig: RigMaker) -> None:
    """With one candidate hanging, the other's pair is there at once."""
    async with (
        ScriptedUpstream(answer()) as live,
        ScriptedUpstream(answer()) as quick,
        ScriptedUpstream(hang) as slow,
        rig(live.url, {"quick": quick.url, "slow": slow.url}, candidate_more="timeout: {first_byte: 1s}") as proxy,
    ):
        await proxy.chat()
        await _until(proxy, "quick")
        assert proxy.counted("slow") == 0
        await proxy.settled()


async def _until(proxy: Rig, name: str) -> None:
    async with asyncio.timeout(0.8):
        while not proxy.counted(name, Bucket.PAIRED):
            await asyncio.sleep(0.005)


async def test_stop_cancels_what_is_open(rig: RigMaker) -> None:
    """Shadows still open when the proxy ends are dropped and counted."""
    async with (
        ScriptedUpstream(answer()) as live,
        ScriptedUpstream(hang) as candidate,
        rig(live.url, {"mini": candidate.url}, law=False) as proxy,
    ):
        await proxy.chat()
        async with asyncio.timeout(5):
            await candidate.arrived.wait()
    assert proxy.counted("mini", Bucket.DROPPED, "shutdown") == 1
    proxy.conserved()
    assert proxy.published_accounting() == [[*row] for row in proxy.proxy.ledger.snapshot()]
