"""Each look of the doctor gives one line that says fine, notice or wrong, and the remedy."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from evaluators import doctoring
from evaluators.doctoring import Examined
from tests.doubles.upstream import ScriptedUpstream, answer, hang
from tests.doubles.valkey import valkey_server

PLAIN = {"live": {"base_url": "http://127.0.0.1:9"}}


def configured(folder: Path, **more: Any) -> Settings:
    return Settings.model_validate({"data": str(folder / "data"), **PLAIN, **more})


async def looked(settings: Settings) -> dict[str, Examined]:
    return {one.what: one for one in await doctoring.surroundings(settings, {})}


def test_the_installation() -> None:
    """This interpreter and its aiohttp are fine, and nobody owns our names."""
    found = {one.what: one.state for one in doctoring.installation()}
    assert found == {"version": "fine", "aiohttp": "fine"}


def test_a_line_and_an_object() -> None:
    """The same for people and programs."""
    one = Examined("queue", "wrong", "away")
    assert one.line().split() == ["wrong", "queue", "away"]
    assert one.json() == {"what": "queue", "state": "wrong", "said": "away"}


async def test_good_surroundings(tmp_path: Path) -> None:
    """Queue, store and upstreams answer; what is missing on purpose is a notice."""
    async with ScriptedUpstream(answer()) as live:
        with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder)) as server:
            settings = configured(tmp_path, live={"base_url": live.url}, queue={"url": server.url})
            found = await looked(settings)
    states = {what: one.state for what, one in found.items()}
    assert states == {"queue": "fine", "store": "fine", "live": "fine", "candidates": "notice", "gates": "notice"}
    assert "0 pairs wait" in found["queue"].said
    assert live.turns == []
    assert not (tmp_path / "data").exists()


async def test_the_embedded_queue(tmp_path: Path) -> None:
    """Without a URL the binary is looked for, and its version named; nothing is started."""
    found = (await looked(configured(tmp_path)))["queue"]
    assert found.state == "fine"
    assert "embedded: valkey" in found.said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("redis://127.0.0.1:1/0", "no answer", id="away"),
        pytest.param("unix:///nowhere/q.sock", "no answer", id="no socket"),
    ],
)
async def test_a_queue_that_is_away(tmp_path: Path, url: str, said: str) -> None:
    """No connection is trouble, with what to check."""
    found = (await looked(configured(tmp_path, queue={"url": url})))["queue"]
    assert found.state == "wrong"
    assert said in found.said


async def test_a_queue_that_evicts(tmp_path: Path) -> None:
    """A server that throws keys away is refused before it loses pairs."""
    with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder), "allkeys-lru") as server:
        found = (await looked(configured(tmp_path, queue={"url": server.url})))["queue"]
    assert found.state == "wrong"
    assert "noeviction" in found.said


async def test_a_store_that_opens_and_one_that_does_not(tmp_path: Path) -> None:
    """An existing store is opened; a file that is no store is trouble."""
    (tmp_path / "data").mkdir(mode=0o700)
    assert (await looked(configured(tmp_path)))["store"].said == "opens"
    (tmp_path / "data" / "understudy.db").write_bytes(b"no database" * 1000)
    for rest in (tmp_path / "data").glob("understudy.db-*"):
        rest.unlink()
    assert (await looked(configured(tmp_path)))["store"].state == "wrong"


async def test_upstreams_that_cannot_be_reached(tmp_path: Path) -> None:
    """Each upstream is tried on its own: refused, without TLS where it should have it, unknown by name."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as plain:
        candidates = [
            {"name": "tls", "base_url": f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}"},
            {"name": "name", "base_url": "http://no-such-host.invalid"},
            {"name": "same"},
        ]
        found = await looked(configured(tmp_path, candidates=candidates))
    assert "127.0.0.1:9 cannot be reached (ConnectionRefusedError)" in found["live"].said
    assert found["same"].said == found["live"].said
    assert {found[name].state for name in ("live", "tls", "name")} == {"wrong"}
    assert "does not speak TLS" in found["tls"].said


async def test_an_upstream_that_is_silent_at_tls(tmp_path: Path) -> None:
    """Whoever never answers the TLS greeting is given up within the limit."""
    async with ScriptedUpstream(hang) as silent:
        looking = looked(configured(tmp_path, live={"base_url": silent.url.replace("http:", "https:")}))
        found = await asyncio.wait_for(looking, 9)
    assert "does not answer within 5 s" in found["live"].said


async def test_it_goes_the_way_the_proxy_will(tmp_path: Path) -> None:
    """Through the egress proxy, with its credentials; one that refuses, and a key file that is none, are told apart."""
    asked: list[bytes] = []

    async def egress(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        answer = b"200 OK" if b"CONNECT open.example" in asked[-1] else b"403 Forbidden"
        writer.write(b"HTTP/1.1 " + answer + b"\r\n\r\n")
        writer.close()

    (tmp_path / "no.pem").write_text("no certificate")
    async with await asyncio.start_server(egress, "127.0.0.1", 0) as server:
        through = f"http://user:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}"
        candidates = [
            {"name": "closed", "base_url": "http://closed.example", "proxy": through},
            {"name": "key", "base_url": "https://key.example", "tls": {"ca": str(tmp_path / "no.pem")}},
        ]
        live = {"base_url": "http://open.example", "proxy": through}
        found = await looked(configured(tmp_path, live=live, candidates=candidates))
    assert found["live"].said == "open.example:80 can be reached through the egress proxy"
    assert "lets nobody through to closed.example:80 (403)" in found["closed"].said
    assert "a file of its `tls:` cannot be used" in found["key"].said
    assert all(b"Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=" in one for one in asked)
    assert not any("secret" in one.said for one in found.values())
