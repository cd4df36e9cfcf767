"""No credential spreads: one sweep through the real processes at debug level, then a search of all that they wrote."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import tempfile
from contextlib import closing, suppress
from dataclasses import dataclass, field
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
from proxy.parts import Orders
from tests.doubles.upstream import ScriptedUpstream, Turn
from tests.proofs.canary import ECHO, HEADERS, OWN, PARAMETERS, Canaries, everything_in, files_in, head, opened
from tests.proofs.sweeping import SCENARIOS, SHADOW, chats, others, provider

SHORT = {"first_byte": "300ms", "idle": "300ms"}
NO_BREAKER = {"failures": 0}


@dataclass
class Sweep:
    """One folder, its processes, and what was found in every place that is looked at."""

    folder: Path
    canaries: Canaries = field(default_factory=Canaries)
    sinks: dict[str, bytes] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """Where the processes write."""
        return self.folder / "data"

    def look(self, when: str) -> None:
        """At all files of the proxy, the queue and the store."""
        self.sinks |= {f"{path}, {when}": found for path, found in files_in(self.data).items()}

    def configured(self, live: str, stranger: str, egress: str, workers: int | None) -> Path:
        """The file."""
        keys = self.canaries.keys
        through = egress.replace("//", f"//us:{keys['egress']}@")
        config = {
            "listen": "127.0.0.1:0",
            "ops": "127.0.0.1:0",
            **({} if workers is None else {"workers": workers}),
            "data": str(self.data),
            "live": {"base_url": live, "timeout": SHORT},
            "mounts": {"/away": {"live": {"base_url": "http://127.0.0.1:9", "api_key": keys["gone"]}}},
            "candidates": [
                {"name": "stranger", "base_url": stranger, "api_key": keys["stranger"]},
                {"name": "gone", "base_url": "http://127.0.0.1:9", "api_key": keys["gone"]},
                {"name": "neighbour", "set": {"model": "other"}},
                {"name": "tunnelled", "base_url": "http://models.example:8000", "proxy": through},
            ],
            "control": {"sample": 1.0, "timeout": SHORT, "breaker": NO_BREAKER},
            "sampling": {"closes_after": "1s"},
            # capture.headers and tags cannot name a credential: the file would be refused
            "capture": {"max_body": "64KiB", "headers": ["content-type", "x-request-id", "server"]},
            "queue": {"url": f"unix://{self.folder / 'q.sock'}"},
            "checks": ["is-json", "shadow:text"],
        }
        for candidate in config["candidates"]:  # type: ignore[attr-defined]
            candidate |= {"timeout": SHORT, "breaker": NO_BREAKER}
        file = self.folder / "understudy.yaml"
        file.write_text(yaml.safe_dump(config))
        return file


@pytest.mark.timeout(60)  # processes start one after the other, the queue twice
@pytest.mark.parametrize("workers", [None, pytest.param(1, marks=pytest.mark.proof)])
async def test_no_credential_spreads(monkeypatch: pytest.MonkeyPatch, workers: int | None) -> None:
    """Keys in every known place, on happy and broken paths, reach live, and nothing that is kept or shown."""
    monkeypatch.setenv("UNDERSTUDY_LOG", "debug")
    with tempfile.TemporaryDirectory(prefix="us-") as name:
        sweep = Sweep(Path(name))
        sweep.data.mkdir()
        script = provider(sweep.canaries)
        async with (
            ScriptedUpstream(script) as live,
            ScriptedUpstream(script) as far,
            ScriptedUpstream(script) as egress,
        ):
            file = sweep.configured(live.url, far.url, egress.url, workers)
            queue = QueueServer(sweep.data, sweep.folder / "q.sock")
            try:
                await _swept(sweep, file, queue)
                await _judged(sweep, file)
            finally:
                await queue.stop()
            sweep.look("at the end")
        _live_only(live.turns, sweep.canaries)
        _own_key_only(far.turns, sweep.canaries, {OWN[0]})
        _own_key_only(egress.turns, sweep.canaries, {"egress"})
    assert any("spool" in sink for sink in sweep.sinks), sorted(sweep.sinks)
    assert any("appendonlydir" in sink for sink in sweep.sinks), sorted(sweep.sinks)
    _nothing_found(sweep)


def _nothing_found(sweep: Sweep) -> None:
    quiet = ("proxy.log", "worker.log", "metrics", "queue.log", "book")
    allowed = {sink: () if sink.startswith(quiet) else (ECHO,) for sink in sweep.sinks}
    leaks = {sink: found for sink, text in sweep.sinks.items() if (found := sweep.canaries.found(text, allowed[sink]))}
    total = sum(map(len, sweep.sinks.values()))
    print(
        f"{len(sweep.canaries.keys)} keys, {len(sweep.sinks)} places, {total:,} bytes: {len(leaks)} places with a key"
    )
    assert not leaks
    for where in ("queue", "appendonlydir", "spool", "records"):
        found = [sink for sink in sweep.sinks if where in sink and sweep.canaries.found(sweep.sinks[sink]) == {ECHO}]
        assert found, f"the search must find in {where} what is there"


async def _swept(sweep: Sweep, file: Path, queue: QueueServer) -> None:
    """Everything once with a queue; then all calls again without one, a death of the lane, and the queue's return."""
    await queue.start()
    async with child("proxy", ["-m", "proxy", "--config", str(file)], log=sweep.data / "proxy.log") as proxy:
        url = proxy.ready["listening"]
        await chats(url, sweep.canaries)
        await others(url, sweep.canaries)
        async with asyncio.timeout(10):
            while _length(sweep) < len(SCENARIOS) * 5:
                await asyncio.sleep(0.02)
        await queue.stop()
        await chats(url, sweep.canaries)
        await _spooled(sweep, proxy, len(SCENARIOS) * 4)
        sweep.look("queue away")
        await _kill_the_lane(sweep, proxy)
        await queue.start()
        await _spooled(sweep, proxy, 0)
        await asyncio.sleep(1.1)  # the accounting of the refused calls is at most a second old
    with redis.Redis(unix_socket_path=str(sweep.folder / "q.sock")) as client:
        sweep.sinks["queue"] = everything_in(client)


def _length(sweep: Sweep) -> int:
    with redis.Redis(unix_socket_path=str(sweep.folder / "q.sock")) as client:
        return int(client.xlen("understudy:pairs"))


async def _spooled(sweep: Sweep, proxy: Child, pairs: int) -> None:
    """Wait until so many pairs lie in the spool, or none any more."""
    async with asyncio.timeout(15):
        while True:
            text = await _fetched(proxy.ready["ops"] + "/metrics")
            sweep.sinks[f"metrics, spool to be {pairs}"] = text
            found = [
                line.split()[-1] for line in text.decode().splitlines() if line.startswith("understudy_spool_pairs")
            ]
            if found and (float(found[0]) >= pairs > 0 or float(found[0]) == pairs):
                return
            await asyncio.sleep(0.05)


async def _kill_the_lane(sweep: Sweep, proxy: Child) -> None:
    """Where there is one: with calls open, and its book looked at before the next one reads it."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    for pid, parent, words in (line.split(None, 2) for line in listed.stdout.splitlines()):
        if parent == str(proxy.pid) and '"part": "lane"' in words:
            asking = asyncio.ensure_future(chats(proxy.ready["listening"], sweep.canaries))
            await asyncio.sleep(0.1)
            os.kill(int(pid), signal.SIGKILL)
            book = Orders.read(words.partition("--part ")[2]).book
            sweep.sinks["book of the lane"] = opened(book.read_bytes())
            await asking


async def _judged(sweep: Sweep, file: Path) -> None:
    """A worker takes all pairs; what report, dashboard and `config show` then say."""
    settings, store = load(file, {}), sweep.data / "understudy.db"
    pairs = _length(sweep)
    async with child("worker", ["-m", "evaluators", "work", "-c", str(file)], log=sweep.data / "worker.log"):
        rows: list[tuple[str, str]] = []
        async with asyncio.timeout(15):
            while len(rows) < pairs:
                await asyncio.sleep(0.02)
                with suppress(sqlite3.Error), closing(sqlite3.connect(store)) as found:
                    rows = found.execute("select call_id, shadow from pairs").fetchall()
        sweep.look("while judged")  # the write-ahead log is there
    commands = (["report", "--json"], ["report", "--html"], ["report"], ["gate", "--json"], ["config", "show"])
    for words in commands:
        result = await asyncio.to_thread(CliRunner().invoke, app, [*words, "-c", str(file)])
        assert result.exit_code in (0, 3, 4), (words, result.output)
        sweep.sinks[" ".join(words)] = result.output.encode()
    with closing(sqlite3.connect(store)) as found:
        cells = [cell for row in found.execute("select * from records") for cell in row]
    sweep.sinks["records"] = b"\n".join(
        opened(cell if isinstance(cell, bytes) else str(cell).encode()) for cell in cells
    )
    with closing(wiring.opened_store(settings)) as stored:
        async with serving(wiring.dashboard(stored, settings), "127.0.0.1:0") as address:
            for path in ("/", "/report.json", "/pairs", *(f"/pairs/{call}/{shadow}" for call, shadow in rows)):
                sweep.sinks[path] = await _fetched(address + path)


async def _fetched(url: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200, url
        return await response.read()


def _live_only(turns: list[Turn], canaries: Canaries) -> None:
    """Live gets what the client sent; the shadows at its origin get the account, and no cookie."""
    clients = {*HEADERS, *PARAMETERS, "multipart", "json-field"}
    for turn in turns:
        found = canaries.found(head(turn))
        if turn.header(SHADOW):
            assert found <= {*HEADERS[:4], "OpenAI-Organization", "OpenAI-Project", *PARAMETERS}
        else:
            assert found <= clients - {"Proxy-Authorization"}
    plain = [turn for turn in turns if not turn.header(SHADOW)]
    assert any(canaries.found(head(turn)) == {*HEADERS, *PARAMETERS} - {"Proxy-Authorization"} for turn in plain)


def _own_key_only(turns: list[Turn], canaries: Canaries, own: set[str]) -> None:
    """Whoever is not live gets its own key, as an egress proxy its credentials, and nobody else's."""
    assert len(turns) >= 2 * len(SCENARIOS)
    for turn in turns:
        assert canaries.found(head(turn)) == own
