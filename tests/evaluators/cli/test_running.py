"""demo, up, work, serve as real processes: they say when they are ready, do their work, and leave nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config.embedded import runtime_dir
from tests.doubles.client import Client
from tests.doubles.upstream import ScriptedUpstream, answer
from tests.evaluators.cli.conftest import Type
from tests.evaluators.stocked import configured

CHAT = b'{"model":"m","messages":[{"role":"user","content":"hello"}]}'
JSON = b"Content-Type: application/json\r\n"


@asynccontextmanager
async def command(*arguments: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """One `understudy` process in a session of its own; whatever is left of it is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "evaluators",
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()
        await process.communicate()


def everything(folder: Path, live: str) -> Path:
    """A file for `up` on free ports."""
    file = folder / "up.yaml"
    file.write_text(
        f"listen: 127.0.0.1:0\nops: 127.0.0.1:0\ndashboard: {{listen: '127.0.0.1:0'}}\ndata: {folder}/data\n"
        f"live: {{base_url: '{live}'}}\ncandidates: [{{name: mini}}]\n"
    )
    return file


def children(pid: int) -> dict[int, str]:
    """The living child processes and their command lines."""
    found = {}
    for number in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found[int(number)] = Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def addresses(process: asyncio.subprocess.Process) -> dict[str, str]:
    """The three lines that `up` prints when it is ready."""
    assert process.stdout is not None
    lines = [(await asyncio.wait_for(process.stdout.readline(), 9)).decode() for _ in range(3)]
    return {line.split(":")[0]: line.split(": ", 1)[1].split()[0] for line in lines}


linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")


@linux
@pytest.mark.timeout(30)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_up(tmp_path: Path, number: signal.Signals) -> None:
    """Queue, worker, proxy and dashboard start; a call is relayed; a signal ends all of them with exit code 0."""
    async with ScriptedUpstream(answer(b'{"choices": []}')) as live:
        async with command("up", "-c", everything(tmp_path, live.url)) as process:
            said = await addresses(process)
            assert set(said) == {"base URL", "dashboard", "metrics"}
            async with Client(said["base URL"]) as client:
                relayed = await client.ask("POST", "/v1/chat/completions", CHAT, JSON)
            assert (relayed.status, relayed.body) == (200, b'{"choices": []}')
            async with Client(said["dashboard"]) as client:
                host = said["dashboard"].removeprefix("http://").encode()
                await client.send(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host)
                assert (await client.answer()).status == 200
            started = children(process.pid)
            assert len(started) == 3
            process.send_signal(number)
            assert await asyncio.wait_for(process.wait(), 15) == 0
            assert not [pid for pid in started if alive(pid)]
    assert not list(runtime_dir(str(tmp_path / "data")).glob("*.sock"))


@linux
@pytest.mark.timeout(30)
async def test_up_ends_when_the_worker_dies(tmp_path: Path) -> None:
    """Half a product is none: the rest is stopped, exit code 1 and the name of the one that ended."""
    async with command("up", "-c", everything(tmp_path, "http://127.0.0.1:9")) as process:
        await addresses(process)
        started = children(process.pid)
        os.kill(next(pid for pid, line in started.items() if " work " in line), signal.SIGKILL)
        assert process.stderr is not None
        err = await asyncio.wait_for(process.stderr.read(), 15)
        assert await process.wait() == 1
        assert not [pid for pid in started if alive(pid)]
    assert b"worker ended with exit code -9" in err
    assert b"Traceback" not in err


async def test_work_serves_its_metrics(tmp_path: Path) -> None:
    """With `--metrics` the worker says where, and the numbers are there; SIGTERM ends it with exit code 0."""
    file = configured(tmp_path, "queue: {url: 'redis://127.0.0.1:1/0'}")
    async with command("work", "-c", file, "--metrics", "127.0.0.1:0") as process:
        assert process.stdout is not None
        ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 9))
        assert ready["working"] is True
        async with Client(ready["metrics"]) as client:
            scraped = await client.ask("GET", "/metrics")
        assert scraped.status == 200
        assert b"understudy_worker_pairs_total" in scraped.body
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_work_serves_nothing_unasked(tmp_path: Path) -> None:
    """Without `--metrics` nobody listens."""
    file = configured(tmp_path, "queue: {url: 'redis://127.0.0.1:1/0'}")
    async with command("work", "-c", file) as process:
        assert process.stdout is not None
        assert json.loads(await asyncio.wait_for(process.stdout.readline(), 9)) == {"working": True}


@pytest.mark.parametrize("address", ["9100", "host", "127.0.0.1:99999", ":9100"])
def test_a_bad_address_for_metrics(typed: Type, file: Path, address: str) -> None:
    """What is no HOST:PORT is wrong usage."""
    done = typed("work", "-c", file, "--metrics", address)
    assert (done.code, done.out) == (2, "")
    assert "--metrics" in done.err


async def test_serve(tmp_path: Path) -> None:
    """The dashboard alone says where it is, and ends with exit code 0."""
    file = configured(tmp_path, "dashboard: {listen: '127.0.0.1:0'}")
    async with command("serve", "-c", file) as process:
        assert process.stderr is not None
        line = (await asyncio.wait_for(process.stderr.readline(), 9)).decode()
        assert line.startswith("dashboard: http://127.0.0.1:")
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_proxy(tmp_path: Path) -> None:
    """`understudy proxy` becomes the proxy, in the same process."""
    async with ScriptedUpstream(answer(b"{}")) as live:
        async with command("proxy", "-c", everything(tmp_path, live.url)) as process:
            assert process.stdout is not None
            ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 9))
            async with Client(ready["listening"]) as client:
                assert (await client.ask("GET", "/v1/models")).body == b"{}"
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 9) == 0


def test_bad_answers(typed: Type, tmp_path: Path) -> None:
    """Recorded answers that cannot be read are their mistake, before anything starts."""
    done = typed("demo", "--once", "--answers", f"live={tmp_path}/no", "--answers", f"mini={tmp_path}/no")
    assert (done.code, done.out) == (2, "")
    assert "cannot be read" in done.err
