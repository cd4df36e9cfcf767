"""What a reload hands on, what it replaces, and that whoever began before it ends as it began."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from config.load import parse
from config.pair import Role
from config.settings import Settings
from proxy.core.accounting import Bucket, Ledger
from proxy.generations import Common, Lives, Shadows, TlsUnfit, retire
from proxy.mirror import Memory
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry
from proxy.upstream.lean import LeanUpstream
from proxy.wiring import Running, running
from tests.doubles.client import Client
from tests.doubles.upstream import STREAM_HEAD, ScriptedUpstream, Turn, answer, hang
from tests.proxy.conftest import CHAT
from tests.proxy.mirror.scene import Taking
from tests.proxy.upstream.authority import authority
from tests.proxy.upstream.told import come, get

LIVE = "live: {base_url: 'http://live.example/v1', api_key: live-key}\n"
MINI = "candidates: [{name: mini, set: {model: a}, max_per_second: 1}]\n"
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def read(*text: str) -> Settings:
    """Settings of a file with this content."""
    return parse("".join(text), "test.yaml", {}, Path())


class Before:
    """What outlives a configuration, and the configurations that were read, newest last."""

    def __init__(self) -> None:
        self.ledger, self.telemetry, self.tasks = Ledger(), Telemetry(), Tasks()
        taking = cast(Any, Taking(self.ledger))
        self.common = Common(taking, Memory(1 << 20), self.ledger, self.telemetry, self.tasks)
        self.shadows: list[Shadows] = []
        self.lives: list[Lives] = []

    def read(self, *text: str) -> tuple[Lives, Shadows]:
        """The next generation."""
        settings = read(*text)
        shadows = Shadows(settings, self.common, self.shadows[-1] if self.shadows else None)
        lives = Lives(settings, shadows.mirrors, self.tasks, self.lives[-1] if self.lives else None)
        self.shadows.append(shadows)
        self.lives.append(lives)
        return lives, shadows

    def known(self, name: str) -> float | None:
        """What the metrics say of a shadow's breaker."""
        return self.telemetry.registry.get_sample_value("understudy_breaker_open", {"target": name})


@pytest.fixture
async def before() -> AsyncIterator[Before]:
    made = Before()
    yield made
    for generation in (*made.lives, *made.shadows):
        for upstream in generation.upstreams:
            await upstream.close()


async def test_nothing_changed(before: Before) -> None:
    """The same file again hands on every upstream with its connections, every breaker and every rate."""
    lives, shadows = before.read(LIVE, MINI)
    again, shadows_again = before.read(LIVE, MINI)
    assert again.upstreams == lives.upstreams
    assert [one.target.name for one in _all(shadows)] == ["mini", "control"]
    assert [id(one) for one in _all(shadows_again)] == [id(one) for one in _all(shadows)]
    assert _all(shadows)[0].rate is not None
    assert again.rules.routes[""].shadows is shadows_again.mirrors[""]


@pytest.mark.parametrize(
    ("live", "candidates", "replaced"),
    [
        pytest.param(LIVE.replace("live-key", "new"), MINI, {"live", "mini", "control"}, id="live's key"),
        pytest.param(LIVE.replace("live.", "new."), MINI, {"live", "mini", "control"}, id="live's address"),
        pytest.param(LIVE, MINI.replace("model: a", "model: b"), {"mini"}, id="a candidate's model"),
        pytest.param(LIVE, MINI.replace("max_per_second: 1", "max_per_second: 2"), {"mini"}, id="its rate"),
        pytest.param(LIVE, MINI + "control: {sample: 7%}\n", {"control"}, id="the control's share"),
        pytest.param(LIVE, MINI + "sampling: {key: call}\n", set(), id="what is none of theirs"),
    ],
)
async def test_what_changed_is_replaced(before: Before, live: str, candidates: str, replaced: set[str]) -> None:
    """Only what a change concerns begins anew."""
    old = _by_name(*before.read(LIVE, MINI))
    new = _by_name(*before.read(live, candidates))
    assert {name for name in old if old[name] is not new[name]} == replaced


async def test_a_refused_file_does_not_turn_the_switch(before: Before) -> None:
    """What the metrics say of the kill switch stays true when the second of two routes cannot be built."""
    before.read(LIVE, MINI)
    before.shadows[-1].switch(False)
    unfit = "mounts: {/m: {live: {base_url: 'https://m.example', tls: {ca: /nowhere}}, candidates: [{name: big}]}}\n"
    with pytest.raises(TlsUnfit):
        before.read(LIVE, MINI, unfit)
    assert before.telemetry.registry.get_sample_value("understudy_shadowing_enabled") == 0


async def test_a_live_is_built_from_its_address(before: Before) -> None:
    """Base path, Host and key go into the route, and each mount is one of its own."""
    lives, _ = before.read("live: {base_url: 'http://a.example:81/base/'}\n", "mounts: {/m: {" + LIVE.strip() + "}}\n")
    routes = lives.rules.routes
    assert [(key, one.base, one.host, one.api_key) for key, one in routes.items()] == [
        ("", "/base", b"a.example:81", ""),
        ("/m", "/v1", b"live.example", "live-key"),
    ]
    assert len(set(lives.upstreams)) == 2


async def test_control_only_beside_candidates(before: Before) -> None:
    """Without a candidate there is no noise to measure; each mount's control has a name of its own."""
    mounts = "mounts: {/a: {live: {base_url: 'http://a'}, candidates: [{name: x}]}, /b: {live: {base_url: 'http://b'}}}"
    _, shadows = before.read(LIVE, mounts)
    assert {prefix: set(mirror.names) for prefix, mirror in shadows.mirrors.items()} == {
        "": set(),
        "/a": {"x", "control/a"},
        "/b": set(),
    }
    _, shadows = before.read(LIVE, MINI, "control: {sample: 0}\n")
    assert set(shadows.mirrors[""].names) == {"mini"}


async def test_keys_go_to_their_own_origin(before: Before) -> None:
    """Live's key is asked with at live's origin; a candidate elsewhere has its own or none."""
    _, shadows = before.read(
        LIVE,
        "candidates: [{name: here}, {name: path, base_url: 'http://live.example/v2'},"
        " {name: own, api_key: mine}, {name: there, base_url: 'http://there.example'}]\n",
    )
    found = {one.target.name: (one.target.api_key, one.target.same_account) for one in _all(shadows)}
    assert found == {
        "here": ("live-key", True),
        "path": ("live-key", True),
        "own": ("mine", False),
        "there": ("", False),
        "control": ("live-key", True),
    }


async def test_egress_proxies(before: Before) -> None:
    """At live's own address by live's egress proxy; elsewhere directly, unless a candidate has its own."""
    async with (
        ScriptedUpstream(answer(b"live's")) as lives,
        ScriptedUpstream(answer(b"own")) as own,
        ScriptedUpstream(answer(b"none")) as there,
    ):
        _, shadows = before.read(
            f"live: {{base_url: 'http://live.example', proxy: '{lives.url}'}}\n",
            f"candidates: [{{name: here}}, {{name: there, base_url: '{there.url}'}},"
            f" {{name: own, base_url: 'http://far.example', proxy: '{own.url}'}}]\n",
        )
        found = {one.target.name: (await get(cast(Any, one.upstream))).whole for one in _all(shadows)}
    assert found == {"here": b"live's", "there": b"none", "own": b"own", "control": b"live's"}
    assert own.turns[0].target == b"http://far.example:80/x"


async def test_authorities(before: Before, tmp_path: Path) -> None:
    """Live's private authority is trusted at live's own address, and elsewhere only by who names it."""
    ca = authority(tmp_path)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=ca.serving("both"))
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, shadows = before.read(
            f"live: {{base_url: 'https://127.0.0.1:{port}', tls: {{ca: '{ca.ca}'}}}}\n",
            f"candidates: [{{name: here}}, {{name: there, base_url: 'https://localhost:{port}'}},"
            f" {{name: own, base_url: 'https://localhost:{port}', tls: {{ca: '{ca.ca}'}}}}]\n",
        )
        told = {one.target.name: await get(cast(Any, one.upstream)) for one in _all(shadows)}
        found = {name: one.error.detail if one.error else one.whole.decode() for name, one in told.items()}
    assert found == {"here": "ok", "there": "certificate not trusted", "own": "ok", "control": "ok"}


async def test_the_kill_switch_survives(before: Before) -> None:
    """What an operator has turned off stays off, for old rules too, until it is turned on again."""
    before.read(LIVE, MINI)[1].switch(False)
    _, shadows = before.read(LIVE, MINI.replace("model: a", "model: b"))
    assert not shadows.enabled
    shadows.switch(True)
    assert before.read(LIVE, MINI)[1].enabled


async def test_a_shadow_that_is_gone_says_nothing_more(before: Before) -> None:
    """The metrics of a candidate that was removed would else report its last breaker for ever."""
    before.read(LIVE, MINI)
    assert before.known("mini") == 0
    before.read(LIVE, MINI.replace("mini", "maxi"))
    assert (before.known("mini"), before.known("maxi")) == (None, 0)


async def test_retired_upstreams_keep_no_connection(before: Before) -> None:
    """An idle connection closes at once, an open exchange ends as it began, and whoever comes late is still served."""
    go_on = asyncio.Event()

    async def script(turn: Turn) -> None:
        await turn.send(STREAM_HEAD)
        if turn.target == b"/stream":
            await turn.chunk(b"one")
            await go_on.wait()
        await turn.chunk(b"two")
        await turn.chunk(b"")

    async with ScriptedUpstream(script) as server:
        live = f"live: {{base_url: '{server.url}'}}\n"
        (old,) = before.read(live)[0].upstreams
        stream = asyncio.create_task(get(old, b"/stream"))
        await come(lambda: server.turns)
        await get(old)
        assert "connections=2" in repr(old)
        new = before.read(LIVE)[0].upstreams
        retire([old, *new], new)
        await come(lambda: "connections=1" in repr(old))
        assert (await get(old)).whole == b"two"
        go_on.set()
        assert (await stream).whole == b"onetwo"
        await come(lambda: "connections=0" in repr(old))


@asynccontextmanager
async def reloaded(folder: Path, text: str) -> AsyncIterator[tuple[Running, Callable[[str], Any]]]:
    """A running proxy, and a way to give it another file that returns once it is in force."""
    file = folder / "understudy.yaml"
    fixed = f"listen: 127.0.0.1:0\nops: 127.0.0.1:0\ndata: {folder}\nqueue: {{url: 'unix:///{folder}/none'}}\n"
    file.write_text(fixed + text)
    async with running(parse(fixed + text, "test.yaml", {}, folder), {}, file) as proxy:

        async def give(content: str) -> None:
            count = await reloads()
            file.write_text(fixed + content)
            assert proxy.reloading is not None
            proxy.reloading.tell()
            async with asyncio.timeout(5):
                while await reloads() == count:
                    await asyncio.sleep(0.005)

        async def reloads() -> list[bytes]:
            async with Client(proxy.ops) as ops:
                lines = (await ops.ask("GET", "/metrics")).body.splitlines()
            return [line for line in lines if line.startswith(b'understudy_config_reloads_total{result="applied"}')]

        yield proxy, give


async def test_a_request_that_is_still_arriving(tmp_path: Path) -> None:
    """One whose body was half sent at the reload is answered by the live that it began with, and not refused."""
    async with ScriptedUpstream(answer(b"old")) as old, ScriptedUpstream(answer(b"new")) as new:
        async with reloaded(tmp_path, f"live: {{base_url: '{old.url}'}}\n") as (proxy, give):
            async with Client(proxy.listening) as early, Client(proxy.listening) as late:
                await early.send(HEAD % len(CHAT) + CHAT[:5])
                await give(f"live: {{base_url: '{new.url}'}}\n")
                assert (await late.ask("GET", "/")).body == b"new"
                await early.send(CHAT[5:])
                told = await early.answer("POST")
                assert (told.status, told.body) == (200, b"old")


async def test_a_request_that_outlasts_two_reloads(tmp_path: Path) -> None:
    """Its copy goes where it would have gone, hears of the drain, and ends in a bucket when the proxy stops."""
    async with ScriptedUpstream(answer()) as live, ScriptedUpstream(hang) as slow:
        text = f"live: {{base_url: '{live.url}'}}\ncontrol: {{sample: 0}}\n"
        text += f"candidates: [{{name: mini, base_url: '{slow.url}', set: {{model: MODEL}}}}]\n"
        async with reloaded(tmp_path, text) as (proxy, give):
            async with Client(proxy.listening) as client:
                await client.send(HEAD % len(CHAT) + CHAT[:5])
                await give(text.replace("MODEL", "b"))
                await give(text.replace("MODEL", "c"))
                await client.send(CHAT[5:])
                assert (await client.answer("POST")).status == 200
                await come(lambda: slow.turns)
            await proxy.draining.drain(0.2, last_calls=0.0)
            assert proxy.ledger.total(shadow="mini", bucket=Bucket.DROPPED, reason="shutdown") == 1


async def test_shadows_of_replaced_settings_are_settled(tmp_path: Path) -> None:
    """A copy that was open at a reload ends in a bucket when the proxy stops, like any other."""
    async with ScriptedUpstream(answer()) as live, ScriptedUpstream(hang) as slow:
        text = f"live: {{base_url: '{live.url}'}}\ncontrol: {{sample: 0}}\n"
        candidate = f"candidates: [{{name: mini, base_url: '{slow.url}', set: {{model: MODEL}}}}]\n"
        async with reloaded(tmp_path, text + candidate.replace("MODEL", "a")) as (proxy, give):
            async with Client(proxy.listening) as client:
                headers = b"Content-Type: application/json\r\n"
                assert (await client.ask("POST", "/v1/chat/completions", CHAT, headers)).status == 200
                await come(lambda: slow.turns)
                await give(text + candidate.replace("MODEL", "b"))
                await give(text + candidate.replace("MODEL", "c"))
                assert proxy.ledger.calls("mini") == 0
            await proxy.draining.drain(0.2, last_calls=0.0)
            assert proxy.ledger.total(shadow="mini", bucket=Bucket.DROPPED, reason="shutdown") == 1


async def test_a_reload_gives_no_slot_twice(tmp_path: Path) -> None:
    """With `max_in_flight: 1` and a copy that hangs the next one is dropped, whatever was reloaded in between."""
    async with ScriptedUpstream(answer()) as live, ScriptedUpstream(hang) as slow:
        text = f"live: {{base_url: '{live.url}'}}\ncontrol: {{sample: 0}}\n"
        candidate = f"candidates: [{{name: mini, base_url: '{slow.url}', max_in_flight: 1, set: {{model: MODEL}}}}]\n"
        headers = b"Content-Type: application/json\r\n"
        async with reloaded(tmp_path, text + candidate.replace("MODEL", "a")) as (proxy, give):
            for model in "bc":
                async with Client(proxy.listening) as client:
                    assert (await client.ask("POST", "/v1/chat/completions", CHAT, headers)).status == 200
                await come(lambda: slow.turns)
                await give(text + candidate.replace("MODEL", model))
            assert proxy.ledger.total(shadow="mini", bucket=Bucket.DROPPED, reason="in_flight") == 1
            assert len(slow.turns) == 1
            await proxy.draining.drain(0.0, last_calls=0.0)


async def test_a_reload_while_the_proxy_stops(tmp_path: Path) -> None:
    """It begins no shadow again: what is asked until the end is answered by live alone."""
    async with ScriptedUpstream(answer()) as live, ScriptedUpstream(answer()) as mini:
        text = (
            f"live: {{base_url: '{live.url}'}}\ncandidates: [{{name: mini, base_url: '{mini.url}', set: {{a: 1}}}}]\n"
        )
        async with reloaded(tmp_path, text) as (proxy, give), Client(proxy.listening) as client:
            draining = asyncio.create_task(proxy.draining.drain(3.0, last_calls=1.0))
            await asyncio.sleep(0)
            await give(text.replace("a: 1", "a: 2"))
            headers = b"Content-Type: application/json\r\n"
            assert (await client.ask("POST", "/v1/chat/completions", CHAT, headers)).status == 200
            await draining
            assert proxy.ledger.total(shadow="mini", bucket=Bucket.SKIPPED, reason="draining") == 1
            assert mini.turns == []


def _all(shadows: Shadows) -> list[Any]:
    return [shadow for _, shadow, _ in shadows._known.values()]


def _by_name(lives: Lives, shadows: Shadows) -> dict[str, LeanUpstream | Any]:
    return {"live": lives.upstreams[0]} | {one.target.name: one for one in _all(shadows)}


TWICE = "candidates: [{name: mini, again: 5%, max_per_second: 1}]\ncontrol: {sample: 5%}\n"


async def test_a_candidate_that_is_asked_twice(before: Before) -> None:
    """Its second answers come over its own connections, under its breaker and rate; a reload adds and removes them."""
    before.read(LIVE, MINI)
    assert before.known("mini/again") is None
    _, twice = before.read(LIVE, TWICE)
    first, second, control = _all(twice)
    assert [one.target.name for one in (first, second, control)] == ["mini", "mini/again", "control"]
    assert (second.target.role, second.target.sample, second.target.set) == (Role.AGAIN, 0.05, first.target.set)
    assert (second.upstream, second.breaker, second.rate) == (first.upstream, first.breaker, first.rate)
    assert len(twice.upstreams) == 2
    assert before.known("mini/again") == 0.0
    _, same = before.read(LIVE, TWICE)
    assert [one.upstream for one in _all(same)] == [one.upstream for one in _all(twice)]
    before.read(LIVE, MINI)
    assert before.known("mini/again") is None
