"""`python -m proxy` with `workers: 2`: one line, one exit code, and processes that may die."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from evaluators.children import child
from tests.doubles.client import Client
from tests.doubles.upstream import STREAM_HEAD, ScriptedUpstream, Turn, answer
from tests.doubles.valkey import valkey_server
from tests.proofs.workers import lane_killed, relays_killed
from tests.proxy.conftest import CHAT
from tests.proxy.test___main__ import _file, _process

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(CHAT)


async def _line(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    found = json.loads(await asyncio.to_thread(process.stdout.readline))
    assert isinstance(found, dict)
    return found


def _children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    return [int(row.split()[0]) for row in listed.stdout.splitlines() if row.split()[1] == str(pid)]


@asynccontextmanager
async def _streaming(n: int) -> AsyncIterator[tuple[ScriptedUpstream, asyncio.Event]]:
    go_on = asyncio.Event()

    async def script(turn: Turn) -> None:
        await turn.send(STREAM_HEAD)
        await turn.chunk(b"data: 0\n\n")
        await go_on.wait()
        await turn.chunk(b"data: 1\n\n")
        await turn.send(b"0\r\n\r\n")

    async with ScriptedUpstream(script) as live:
        yield live, go_on


async def _rest(client: Client) -> bytes:
    body = b""
    while part := await client.chunk():
        body += part
    return body


async def test_open_streams_survive_the_end() -> None:
    """With 100 streams open SIGTERM lets each end whole, takes calls a moment longer, and ends with 0, nobody left."""
    with tempfile.TemporaryDirectory(prefix="us-") as name, valkey_server(Path(name)) as queue:
        async with _streaming(100) as (live, go_on), AsyncExitStack() as stack:
            path = _file(Path(name), live.url, "workers: 2\n")
            path.write_text(path.read_text().replace(f"unix://{name}/nobody", queue.url))
            process = stack.enter_context(_process("--config", str(path)))
            ready = await _line(process)
            clients = [await stack.enter_async_context(Client(ready["listening"])) for _ in range(100)]
            for client in clients:
                await client.send(HEAD + CHAT)
            assert {(await client.head()).status for client in clients} == {200}
            children = _children(process.pid)
            assert len(children) == 3
            async with Client(ready["ops"]) as ops:
                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(1):
                    while (await ops.ask("GET", "/readyz")).status != 503:
                        await asyncio.sleep(0.01)
            late = await stack.enter_async_context(Client(ready["listening"]))
            await late.send(HEAD + CHAT)
            assert (await late.head()).header(b"connection") == b"close"
            go_on.set()
            answers = await asyncio.gather(*map(_rest, [*clients, late]))
            assert set(answers) == {b"data: 0\n\ndata: 1\n\n"}
            assert await asyncio.to_thread(process.wait, 6) == 0
            assert not [pid for pid in children if _alive(pid)]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_children_end_with_their_supervisor() -> None:
    """A supervisor that is killed leaves nobody behind: streams that are open end first."""
    with tempfile.TemporaryDirectory(prefix="us-") as name:
        async with _streaming(1) as (live, go_on), AsyncExitStack() as stack:
            process = stack.enter_context(_process("--config", str(_file(Path(name), live.url, "workers: 1\n"))))
            ready = await _line(process)
            client = await stack.enter_async_context(Client(ready["listening"]))
            await client.send(HEAD + CHAT)
            assert (await client.head()).status == 200
            children = _children(process.pid)
            process.kill()
            go_on.set()
            assert await _rest(client) == b"data: 0\n\ndata: 1\n\n"
            async with asyncio.timeout(6):
                while any(map(_alive, children)):
                    await asyncio.sleep(0.02)


@pytest.mark.timeout(20)
async def test_a_second_signal_kills(tmp_path: Path) -> None:
    """Who does not want to wait for the drain does not have to, and no child stays longer than its last flush takes."""
    with _process("--config", str(_file(tmp_path, more="workers: 1\n"))) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        children = _children(process.pid)
        process.send_signal(signal.SIGTERM)
        while "draining" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGTERM)
        assert process.wait(3) == -signal.SIGTERM
        async with asyncio.timeout(8):  # the queue is away here: the lane tries for 2 s, and once more
            while any(map(_alive, children)):
                await asyncio.sleep(0.02)


def test_an_unfit_queue_is_told_once() -> None:
    """What the lane refuses at the start is the whole proxy's refusal, with code 2."""
    with tempfile.TemporaryDirectory(prefix="us-") as name, valkey_server(Path(name), "allkeys-lru") as server:
        path = _file(Path(name), more="workers: 2\n")
        path.write_text(path.read_text().replace(f"unix://{name}/nobody", server.url))
        with _process("--config", str(path)) as process:
            out, err = process.communicate(timeout=8)
    assert (process.returncode, out) == (2, "")
    assert err.count("noeviction") == 1


def test_a_start_that_is_refused_leaves_nobody(tmp_path: Path) -> None:
    """What only relays refuse ends the lane, which was ready, before the proxy ends: nothing of it is left."""
    path = _file(tmp_path, more=f"workers: 2\ntls: {{cert: '{tmp_path}', key: '{tmp_path}'}}\n")
    with _process("--config", str(path)) as process:
        assert process.wait(8) == 2
        listed = subprocess.run(["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True)
        assert not [row for row in listed.stdout.splitlines() if str(path) in row]


async def test_switch_and_reload_reach_the_processes(tmp_path: Path) -> None:
    """The kill switch stops shadows within a second; SIGHUP has every process read the file."""
    async with ScriptedUpstream(answer()) as live, ScriptedUpstream(answer()) as candidate:
        more = f"workers: 1\ncandidates: [{{name: mini, base_url: '{candidate.url}'}}]\n"
        path = _file(tmp_path, live.url, more)
        async with (
            child("proxy", ["-m", "proxy", "--config", str(path)], log=tmp_path / "log") as proxy,
            Client(proxy.ready["listening"]) as client,
            Client(proxy.ready["ops"]) as ops,
        ):
            async with asyncio.timeout(5):
                while not candidate.arrived.is_set():  # a relay may be ready before its line to the lane is
                    await client.ask("POST", "/v1/chat/completions", CHAT)
            assert (await ops.ask("POST", "/shadowing", b'{"enabled": false}')).status == 200
            await asyncio.sleep(0.3)  # copies that were on their way
            asked = len(candidate.turns)
            for _ in range(5):
                await client.ask("POST", "/v1/chat/completions", CHAT)
            os.kill(proxy.pid, signal.SIGHUP)
            async with asyncio.timeout(5):
                while b'reloads_total{result="applied"} 2.0' not in (await ops.ask("GET", "/metrics")).body:
                    await asyncio.sleep(0.05)
            assert len(candidate.turns) == asked
            assert (await ops.ask("GET", "/shadowing")).json() == {"enabled": False}


@pytest.mark.timeout(30)
async def test_a_killed_lane_is_not_felt() -> None:
    """Two deaths of the lane at 200 calls a second: 0 failed, and every call in exactly one bucket for each shadow."""
    one = await lane_killed(2)
    assert (one.load.failures.total(), one.code) == (0, 0)
    assert {shadow: book.total() for shadow, book in one.books.items()} == dict.fromkeys(
        ("mini", "control"), one.load.calls
    )


@pytest.mark.timeout(30)
async def test_a_stranger_who_stops_the_lane_costs_no_pair() -> None:
    """A lane that is told to end by somebody else hands all it paired to the next one, its very last pairs included."""
    one = await lane_killed(1, signal.SIGTERM)
    assert (one.load.failures.total(), one.code) == (0, 0)
    assert sum(book["paired"] for book in one.books.values()) == one.pairs
    assert one.books["mini"].total() == one.load.calls


@pytest.mark.timeout(30)
async def test_a_killed_relay_takes_only_its_open_calls() -> None:
    """One death of a relay at 200 calls a second: new connections are never refused, and only open calls can fail."""
    one, exposed = await relays_killed(1)
    assert one.load.failures["refused"] == 0
    assert one.load.failures.total() <= exposed
    assert one.load.calls - one.load.failures.total() <= one.books["mini"].total() <= one.load.calls
    assert one.code == 0
