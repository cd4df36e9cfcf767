"""No credential spreads: one sweep through the real processes at debug level, then a search of all that they wrote."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import aiohttp
import pytest
import redis
import yaml
from typer.testing import CliRunner

from config.load import load
from evaluators import wiring
from evaluators.children import Child, child
from evaluators.cli import app
from evaluators.dashboard import serving
from evaluators.queue_server import QueueServer
from tests.doubles.client import Answer, Client
from tests.doubles.upstream import ScriptedUpstream, Turn
from tests.proofs.canary import HEADERS, OWN, PARAMETERS, Canaries, everything_in, files_in, head, opened

SCENARIOS = ("fine", "live-401", "live-307", "live-hang", "live-cut", "live-garbage", "shadow-hang", "shadow-500")
SHADOW = b"x-understudy-shadow"
_COMPLETE = b'{"choices":[{"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'


@pytest.mark.timeout(30)  # three processes start, one after the other
async def test_no_credential_spreads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys in every known place, on happy and broken paths, reach live, and nothing that is kept or shown."""
    monkeypatch.setenv("UNDERSTUDY_LOG", "debug")
    canaries = Canaries()

    async def live_script(turn: Turn) -> None:
        await _answer(turn, canaries)

    with tempfile.TemporaryDirectory(prefix="us-") as name:
        folder = Path(name)
        data = folder / "data"
        data.mkdir()
        queue = QueueServer(data, folder / "q.sock")
        await queue.start()
        try:
            async with ScriptedUpstream(live_script) as live, ScriptedUpstream(live_script) as stranger:
                file = _configured(folder, live.url, stranger.url, canaries)
                async with child("proxy", ["-m", "proxy", "--config", str(file)], log=data / "proxy.log") as proxy:
                    await _sweep(proxy, canaries)
                    kept = await _queued(folder, len(SCENARIOS))
                    metrics = await _fetched(proxy.ready["ops"] + "/metrics")
                shown = await _judged(file, data, len(SCENARIOS))
                written = files_in(data)
                _live_only(live.turns, canaries)
                _own_key_only(stranger.turns, canaries)
        finally:
            await queue.stop()
        written |= {f"{path} at the end": found for path, found in files_in(data).items()}
    sinks = {"queue": kept, "metrics": metrics, **shown, **written}
    assert {"proxy.log", "worker.log", "understudy.db"} <= set(written)
    assert any("appendonlydir" in path for path in written), sorted(written)
    leaks = {sink: found for sink, text in sinks.items() if (found := canaries.found(text))}
    assert not leaks


def _configured(folder: Path, live: str, stranger: str, canaries: Canaries) -> Path:
    short = {"first_byte": "300ms", "idle": "300ms"}
    config = {
        "listen": "127.0.0.1:0",
        "ops": "127.0.0.1:0",
        "data": str(folder / "data"),
        "live": {"base_url": live, "timeout": short},
        "candidates": [
            {"name": "stranger", "base_url": stranger, "api_key": canaries.keys["stranger"], "timeout": short},
            {"name": "gone", "base_url": "http://127.0.0.1:9", "api_key": canaries.keys["gone"]},
            {"name": "neighbour", "set": {"model": "other"}, "timeout": short},
        ],
        "control": {"sample": 1.0, "timeout": short},
        "sampling": {"closes_after": "1s"},
        # capture.headers and tags cannot name a credential: the file would be refused
        "capture": {"max_body": "64KiB", "headers": ["content-type", "x-request-id", "server"]},
        "queue": {"url": f"unix://{folder / 'q.sock'}"},
        "checks": ["is-json", "shadow:text"],
    }
    file = folder / "understudy.yaml"
    file.write_text(yaml.safe_dump(config))
    return file


async def _answer(turn: Turn, canaries: Canaries) -> None:
    """Each scenario is named in the prompt, so that live and its shadows are told apart by their mark alone."""
    shadow, keys = bool(turn.header(SHADOW)), canaries.keys
    extra = f"Set-Cookie: sid={keys['set-cookie']}\r\n".encode()
    if (b"live-hang" in turn.body and not shadow) or (b"shadow-hang" in turn.body and shadow):
        await turn.gone()
    elif b"live-garbage" in turn.body and not shadow:
        await turn.send(extra + b"\r\n")
        turn.close()
    elif b"live-cut" in turn.body and not shadow:
        await turn.send(b"HTTP/1.1 200 OK\r\n" + extra + b"Content-Length: 99\r\n\r\n{")
        turn.close()
    else:
        status = b"200 OK"
        if b"live-401" in turn.body and not shadow:
            status = b"401 Unauthorized"
            extra += f"WWW-Authenticate: Bearer {keys['www-authenticate']}\r\n".encode()
        elif b"live-307" in turn.body and not shadow:
            status = b"307 Temporary Redirect"
            extra += f"Location: http://127.0.0.1:9/?key={keys['location']}\r\n".encode()
        elif b"shadow-500" in turn.body and shadow:
            status = b"500 Oops"
        lines = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
        await turn.send(lines % (status, extra, len(_COMPLETE)) + _COMPLETE)


async def _sweep(proxy: Child, canaries: Canaries) -> None:
    """Every scenario as a chat call, then the requests that are refused, too large, of another kind, or broken off."""
    url, keys, lines = proxy.ready["listening"], canaries.keys, canaries.headers()
    target = f"/v1/chat/completions?{canaries.query()}"
    await asyncio.gather(*(_chat(url, target, scenario, lines) for scenario in SCENARIOS))
    form = (
        f'--b\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n{keys["multipart"]}\r\n'
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n'
    ).encode()
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n"
    statuses = [
        await _ask(
            url, "POST", "/v1/audio/transcriptions", lines + b"Content-Type: multipart/form-data; boundary=b\r\n", form
        ),
        await _ask(url, "POST", target, lines, b'{"model":"m","messages":[],"x":"' + b"y" * 70_000 + b'"}'),
        await _ask(url, "GET", f"/v1/realtime?{canaries.query()}", lines + upgrade),
        await _ask(url, "POST", f"http://u:{keys['userinfo']}@app.example/v1/chat/completions", lines, b"{}"),
        await _ask(url, "POST", target, lines + b"Host: b\r\n", b"{}"),
        await _ask(url, "POST", target, lines + b"bad name " + keys["Cookie"].encode() + b": x\r\n", b"{}"),
        await _ask(url, "POST", target, lines + b"Transfer-Encoding: chunked\r\n", b"{}"),
        await _ask(url, "POST", f"/%00{target}", lines, b"not json"),
    ]
    assert statuses == [200, 200, 501, 400, 400, 400, 400, 200]
    async with Client(url) as leaver:
        await leaver.send(f"POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n".encode() + lines + b"\r\n{")


async def _chat(url: str, target: str, scenario: str, lines: bytes) -> Answer:
    body = b'{"model":"m","messages":[{"role":"user","content":"%b"}]}' % scenario.encode()
    async with Client(url) as client:
        return await client.ask("POST", target, body, lines + b"Content-Type: application/json\r\n")


async def _ask(url: str, method: str, target: str, lines: bytes, body: bytes = b"") -> int:
    async with Client(url) as client:
        return (await client.ask(method, target, body, lines)).status


async def _queued(folder: Path, calls: int) -> bytes:
    """Everything in the queue once all pairs are there: one per call and shadow."""
    with redis.Redis(unix_socket_path=str(folder / "q.sock")) as client:
        async with asyncio.timeout(5):
            while client.xlen("understudy:pairs") < calls * 4:
                await asyncio.sleep(0.01)
        await asyncio.sleep(1.1)  # the accounting of the refused calls is at most a second old
        return everything_in(client)


async def _judged(file: Path, data: Path, calls: int) -> dict[str, bytes]:
    """A worker takes all pairs; what report, dashboard and `config show` then say."""
    settings = load(file, {})
    async with child("worker", ["-m", "evaluators", "work", "-c", str(file)], log=data / "worker.log"):
        rows: list[tuple[str, str]] = []
        async with asyncio.timeout(10):
            while len(rows) < calls * 4:
                await asyncio.sleep(0.02)
                with suppress(sqlite3.Error), closing(sqlite3.connect(data / "understudy.db")) as found:
                    rows = found.execute("select call_id, shadow from pairs").fetchall()
    commands = (["report", "--json"], ["report", "--html"], ["report"], ["gate", "--json"], ["config", "show"])
    shown = {}
    for words in commands:
        result = await asyncio.to_thread(CliRunner().invoke, app, [*words, "-c", str(file)])
        assert result.exit_code in (0, 3, 4), (words, result.output)
        shown[" ".join(words)] = result.output.encode()
    with closing(sqlite3.connect(data / "understudy.db")) as found:
        cells = [cell for row in found.execute("select * from records") for cell in row]
    shown["records"] = b"\n".join(opened(cell if isinstance(cell, bytes) else str(cell).encode()) for cell in cells)
    with closing(wiring.opened_store(settings)) as store:
        async with serving(wiring.dashboard(store, settings), "127.0.0.1:0") as address:
            for path in ("/", "/report.json", "/pairs", *(f"/pairs/{call}/{shadow}" for call, shadow in rows)):
                shown[path] = await _fetched(address + path)
    return shown


async def _fetched(url: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200, url
        return await response.read()


def _live_only(turns: list[Turn], canaries: Canaries) -> None:
    """Live gets what the client sent; the shadows at its origin get the account, and no cookie."""
    clients = {*HEADERS, *PARAMETERS, "multipart"}
    for turn in turns:
        found = canaries.found(head(turn))
        if turn.header(SHADOW):
            assert found <= {*HEADERS[:4], "OpenAI-Organization", "OpenAI-Project", *PARAMETERS}
        else:
            assert found <= clients - {"Proxy-Authorization"}
    plain = [turn for turn in turns if not turn.header(SHADOW)]
    assert any(canaries.found(head(turn)) == {*HEADERS, *PARAMETERS} - {"Proxy-Authorization"} for turn in plain)


def _own_key_only(turns: list[Turn], canaries: Canaries) -> None:
    """The shadow on another origin gets its own key and nobody else's."""
    assert len(turns) == len(SCENARIOS)
    for turn in turns:
        assert canaries.found(head(turn)) == {OWN[0]}
