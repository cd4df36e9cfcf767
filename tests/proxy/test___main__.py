"""`python -m proxy` as a process: the line it prints, the codes it ends with, the signals it obeys."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from config.pair import Failure
from config.wire import decode
from proxy.__main__ import main, unfit
from tests.doubles.client import Client
from tests.doubles.upstream import STREAM_HEAD, ScriptedUpstream, Turn, answer, hang
from tests.doubles.valkey import valkey_server
from tests.proxy.conftest import CHAT

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COV"))}


def _file(folder: Path, live: str = "http://127.0.0.1:9", more: str = "") -> Path:
    path = folder / "understudy.yaml"
    path.write_text(
        f"listen: 127.0.0.1:0\nops: 127.0.0.1:0\ndata: {folder}\nlive: {{base_url: '{live}'}}\n"
        f"queue: {{url: 'unix://{folder}/nobody'}}\n{more}"
    )
    return path


@contextmanager
def _process(*arguments: str, flags: tuple[str, ...] = (), **environ: str) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, *flags, "-m", "proxy", *arguments],
        cwd=ROOT,
        env={**ENVIRONMENT, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


async def test_serves_and_stops_on_sigterm(tmp_path: Path) -> None:
    """It says where it listens, relays, and ends with 0 when told to; stderr is JSON lines without contents."""
    async with ScriptedUpstream(answer(b'{"ok":1}')) as live:
        with _process("--config", str(_file(tmp_path, live.url))) as child:
            assert child.stdout is not None
            ready = json.loads(child.stdout.readline())
            async with Client(ready["listening"]) as client, Client(ready["ops"]) as ops:
                reply = await client.ask("POST", "/v1/x?key=sk-q", b"{}", b"Authorization: Bearer sk-h\r\n")
                assert reply.body == b'{"ok":1}'
                assert (await ops.ask("GET", "/readyz")).status == 200
            child.send_signal(signal.SIGTERM)
            out, err = child.communicate(timeout=8)
            assert (child.returncode, out) == (0, "")
            events = [json.loads(line)["event"] for line in err.splitlines()]
            assert events[-3:] == ["listening", "draining", "drained"]
            assert "sk-" not in err


async def test_second_signal_ends_at_once(tmp_path: Path) -> None:
    """With a request open, the first SIGTERM drains and the second ends the process."""
    async with ScriptedUpstream(hang) as live:
        with _process("--config", str(_file(tmp_path, live.url))) as child:
            assert child.stdout is not None
            assert child.stderr is not None
            ready = json.loads(child.stdout.readline())
            async with Client(ready["listening"]) as client:
                await client.send(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
                await live.arrived.wait()
                child.send_signal(signal.SIGTERM)
                while "draining" not in child.stderr.readline():
                    pass
                child.send_signal(signal.SIGTERM)
                assert child.wait(3) == -signal.SIGTERM


async def test_open_streams_survive_the_end(tmp_path: Path) -> None:
    """With 50 streams open, SIGTERM lets each end whole, exits with 0, and leaves every pair and count in the queue."""
    go_on = asyncio.Event()

    async def script(turn: Turn) -> None:
        await turn.send(STREAM_HEAD)
        for number in range(3):
            await turn.chunk(b"data: %d\n\n" % number)
            await go_on.wait()
        await turn.send(b"0\r\n\r\n")

    async def stream(client: Client) -> bytes:
        body = b""
        while part := await client.chunk():
            body += part
        return body

    with tempfile.TemporaryDirectory(prefix="us-") as name, valkey_server(Path(name)) as queue:
        async with ScriptedUpstream(script) as live, ScriptedUpstream(script) as candidate, AsyncExitStack() as stack:
            path = _file(tmp_path, live.url, f"candidates: [{{name: mini, base_url: '{candidate.url}'}}]\n")
            path.write_text(path.read_text().replace(f"unix://{tmp_path}/nobody", queue.url))
            child = stack.enter_context(_process("--config", str(path)))
            assert child.stdout is not None
            assert child.stderr is not None
            url = json.loads(child.stdout.readline())["listening"]
            clients = [await stack.enter_async_context(Client(url)) for _ in range(50)]
            head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(CHAT)
            for client in clients:
                await client.send(head + CHAT)
            assert {(await client.head()).status for client in clients} == {200}
            async with asyncio.timeout(5):
                while len(candidate.turns) < 50:
                    await asyncio.sleep(0.005)
            child.send_signal(signal.SIGTERM)
            while "draining" not in await asyncio.to_thread(child.stderr.readline):
                pass
            go_on.set()
            answers = await asyncio.gather(*map(stream, clients))
            assert set(answers) == {b"data: 0\n\ndata: 1\n\ndata: 2\n\n"}
            assert await asyncio.to_thread(child.wait, 5) == 0
        with queue.client() as reader:
            pairs = [decode(fields) for _, fields in reader.xrange("understudy:pairs")]
            (rows,) = reader.hgetall("understudy:pairs:accounting").values()
        assert len({pair.id for pair in pairs}) == len(pairs)
        assert all(pair.live.failure is pair.outcome.failure is Failure.NONE for pair in pairs)
        books: Counter[tuple[str, str]] = Counter()
        for _, shadow, bucket, _, n in json.loads(rows):
            books[shadow, bucket] += n
        assert books["mini", "paired"] == 50
        assert books["control", "paired"] + books["control", "sampled_out"] == 50
        assert len(pairs) == books["mini", "paired"] + books["control", "paired"]


@pytest.mark.parametrize(
    ("flags", "environ", "word"),
    [
        pytest.param(("-O",), {}, "-O", id="optimized"),
        pytest.param((), {"AIOHTTP_NO_EXTENSIONS": "1"}, "C parser", id="no-c-parser"),
    ],
)
def test_unfit_installations_are_refused(
    tmp_path: Path, flags: tuple[str, ...], environ: dict[str, str], word: str
) -> None:
    """Without what safety depends on it does not start, and says what to do."""
    with _process("--config", str(_file(tmp_path)), flags=flags, **environ) as child:
        out, err = child.communicate(timeout=8)
    assert (child.returncode, out) == (2, "")
    assert word in err


def test_this_installation_is_fit() -> None:
    """The environment that the tests run in passes its own check."""
    assert unfit() == []


def test_every_mistake_of_the_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Configuration mistakes are all printed, with their places, and the code is 2."""
    path = _file(tmp_path, more="nonsense: 1\nalpha: 7\n")
    assert main(["--config", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("understudy.yaml:")[2][:1] for line in lines] == ["6", "7"]


def test_taken_port_is_a_mistake_of_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An address that cannot be listened on is told by name, with code 2."""
    path = _file(tmp_path)
    path.write_text(path.read_text().replace("listen: 127.0.0.1:0", "listen: 203.0.113.7:80"))
    assert main(["--config", str(path)]) == 2
    assert "203.0.113.7:80" in capsys.readouterr().err


def test_certificates_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key file that cannot be used stops the start and is named with the place that wants it."""
    (tmp_path / "no.pem").write_text("no certificate")
    for more, place in (
        ("tls: {cert: no.pem, key: no.pem}", "tls: "),
        ("mounts: {/a: {live: {base_url: 'https://x.example', tls: {ca: no.pem}}}}", "tls towards https://x.example: "),
    ):
        file = tmp_path / "proxy.yaml"
        file.write_text(
            "listen: 127.0.0.1:0\nops: 127.0.0.1:0\nlive: {base_url: 'http://127.0.0.1:9'}\n"
            f"queue: {{url: 'redis://127.0.0.1:9', spool: {{max: 0}}}}\n{more}\n"
        )
        assert main(["--config", str(file)]) == 2
        assert f"{place}a certificate or key file cannot be used" in capsys.readouterr().err


def test_evicting_queue_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A queue that may lose everything silently stops the start with code 2."""
    with tempfile.TemporaryDirectory(prefix="us-") as name, valkey_server(Path(name), "allkeys-lru") as server:
        path = _file(Path(name))
        path.write_text(path.read_text().replace(f"unix://{name}/nobody", server.url))
        assert main(["--config", str(path)]) == 2
    assert "noeviction" in capsys.readouterr().err
