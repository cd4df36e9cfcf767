"""The instruments themselves: an error must be counted as one, and a call must cost what it costs."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bench.rig import compiled

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both programs."""
    folder = tmp_path_factory.mktemp("tools")
    for name in ("fakemodel", "load"):
        compiled(name, folder)
    return folder


@contextmanager
def fake_model(tools: Path, *forms: str) -> Iterator[list[int]]:
    """A fake model with one port per form, and one for what it saw."""
    ports = [free_port() for _ in range(len(forms) + 1)]
    words = [f"{port}:{form}" for port, form in zip(ports, [*forms, "stats"], strict=True)]
    with subprocess.Popen([tools / "fakemodel", *words]) as process:
        try:
            for port in ports:
                wait_for(port)
            yield ports
        finally:
            process.kill()


def load(tools: Path, mode: str, port: int, **words: Any) -> dict[str, Any]:
    """What the load generator prints."""
    command = [tools / "load", mode, f"port={port}", *(f"{name}={value}" for name, value in words.items())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def seen(port: int) -> dict[str, Any]:
    """What the fake model saw."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(port: int) -> None:
    """Until somebody listens."""
    end = time.monotonic() + 5
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.02)


@contextmanager
def scripted(answer: bytes) -> Iterator[int]:
    """A server that gives every call the same bytes and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    peer.recv(65536)
                    peer.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_every_call_of_a_closed_loop_reaches_the_model_and_is_answered_in_full(tools: Path) -> None:
    """What the load counts as good is what the model counts as answered; bodies arrive whole."""
    with fake_model(tools, "json:0:1200") as (port, stats):
        found = load(tools, "closed", port, seconds=0.3, conns=8, body=300_000, answer=1200)
        at_model = seen(stats)["ports"][str(port)]
    assert found["bad"] == 0
    assert found["good"] == at_model["calls"] == at_model["whole"] > 8
    assert at_model["received"] == found["good"] * 300_000


def test_latency_counts_from_the_instant_a_call_was_due(tools: Path) -> None:
    """One connection and an answer of 20 ms carry 50 calls a second: of 100 the later ones wait longer and longer."""
    with fake_model(tools, "json:20000:1200") as (port, _):
        one = load(tools, "open", port, seconds=1, conns=1, rate=100, even=1)
        enough = load(tools, "open", port, seconds=1, conns=64, rate=100, even=1)
    assert one["good"] == enough["good"] == 100
    assert one["bad"] == enough["bad"] == 0
    assert 20 <= enough["latency_ms"]["p50"] < 200 < one["latency_ms"]["p50"]
    assert one["latency_ms"]["max"] >= 900


def test_streams_are_counted_event_by_event(tools: Path) -> None:
    """Each event of each stream is seen in its place; one that lacks events is bad."""
    with fake_model(tools, "sse:10000:5:10000") as (port, _):
        found = load(tools, "streams", port, streams=20, over_ms=100, events=5)
        short = load(tools, "streams", port, streams=20, over_ms=100, events=6)
    assert (found["good"], found["bad"], found["late_ms"]["n"]) == (20, 0, 100)
    assert found["first_ms"]["p50"] >= 10
    assert found["latency_ms"]["p50"] >= 50
    assert (short["good"], short["why"]["length"]) == (0, 20)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno", "status", id="another status"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", "length", id="too short"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\nno", "closed", id="cut off"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "framing", id="no chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nnothing", "framing", id="more than announced"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2000, "framing", id="without an end of its own"),
    ],
)
def test_a_wrong_answer_is_bad(tools: Path, answer: bytes, why: str) -> None:
    """No answer that is broken, short or an error counts as a call."""
    with scripted(answer) as port:
        found = load(tools, "closed", port, seconds=0.2, conns=2, answer=1200)
    assert found["good"] == 0
    assert found["why"][why] == found["bad"] > 0


def test_nobody_there_is_bad(tools: Path) -> None:
    """A refused connection is counted, not skipped."""
    found = load(tools, "closed", free_port(), seconds=0.2, conns=2)
    assert (found["good"], found["why"]["connect"]) == (0, found["bad"])
    assert found["bad"] > 0


def test_the_model_reads_chunked_requests_and_counts_who_left(tools: Path) -> None:
    """A request in chunks has its body counted; a peer that hangs up before the answer is `cut`."""
    chunked = (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"
    )
    with fake_model(tools, "json:0:1200", "json:200000:1200") as (at_once, late, stats):
        with socket.create_connection(("127.0.0.1", at_once), 5) as peer:
            for byte in chunked:
                peer.send(bytes([byte]))
            head = peer.recv(65536)
        with socket.create_connection(("127.0.0.1", late), 5) as peer:
            peer.sendall(chunked)
        end = time.monotonic() + 5
        calls = cut = received = 0
        while cut == 0 and time.monotonic() < end:
            ports = seen(stats)["ports"]
            cut += ports[str(late)]["cut"]
            calls += ports[str(at_once)]["calls"]
            received += ports[str(at_once)]["received"]
            time.sleep(0.02)
    assert re.match(rb"HTTP/1\.1 200 OK\r\n", head)
    assert (calls, cut, received) == (1, 1, 13)
