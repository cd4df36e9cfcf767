"""A running proxy for every shell test, and the law that every one of them ends with: conservation."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest
import uvloop

from config.load import parse
from config.pair import Pair
from config.wire import decode
from proxy.core.accounting import Bucket
from proxy.wiring import Running, running
from tests.doubles.client import Answer, Client
from tests.doubles.valkey import ValkeyServer, valkey_server

CHAT = b'{"model":"m","messages":[{"role":"user","content":"hello"}]}'
JSON = b"Content-Type: application/json\r\n"


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that production runs on: its transports end connections in ways of their own."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def _server() -> Iterator[ValkeyServer]:
    with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder)) as server:
        yield server


@pytest.fixture
def valkey(_server: ValkeyServer) -> ValkeyServer:
    """The session's server, empty."""
    with _server.client() as client:
        client.flushall()
    return _server


@dataclass
class Rig:
    """A running proxy, what was asked of it, and what it wrote."""

    proxy: Running
    queue: ValkeyServer
    shadows: tuple[str, ...]
    calls: int = 0
    clients: list[Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The base URL that an application would use."""
        return self.proxy.listening

    async def chat(self, client: Client | None = None, body: bytes = CHAT, headers: bytes = JSON) -> Answer:
        """One shadowable call, on a connection of its own unless one is given."""
        self.calls += 1
        if client is not None:
            return await client.ask("POST", "/v1/chat/completions", body, headers)
        async with Client(self.url) as own:
            return await own.ask("POST", "/v1/chat/completions", body, headers)

    def counted(self, shadow: str, bucket: Bucket | None = None, reason: str | None = None) -> int:
        """The ledger's number."""
        return self.proxy.ledger.total(shadow=shadow, bucket=bucket, reason=reason)

    async def settled(self, limit: float = 5.0) -> None:
        """Wait until every call has its bucket for every shadow: the identity of DESIGN §5, exactly."""
        async with asyncio.timeout(limit):
            while any(self.counted(name) < self.calls for name in self.shadows):
                await asyncio.sleep(0.005)
        self.conserved()

    def conserved(self) -> None:
        """Assert calls = ineligible + sampled_out + skipped + dropped + paired, for every shadow."""
        for name in self.shadows:
            buckets = {bucket: self.counted(name, bucket) for bucket in Bucket}
            assert sum(buckets.values()) == self.calls, (name, buckets, self.calls)

    def pairs(self) -> list[Pair]:
        """What is in the stream."""
        with self.queue.client() as client:
            entries = client.xrange("understudy:pairs")
        return [decode(fields) for _, fields in entries]

    def published_accounting(self) -> list[list[object]]:
        """The rows that this proxy wrote beside the stream."""
        with self.queue.client() as client:
            found = client.hgetall("understudy:pairs:accounting")
        return [row for value in found.values() for row in orjson.loads(value)]


RigMaker = Callable[..., AbstractAsyncContextManager[Rig]]


@pytest.fixture
def rig(valkey: ValkeyServer, tmp_path: Path) -> RigMaker:
    """Makes rigs: `async with rig(live.url, {"mini": candidate.url}, more_yaml) as proxy`."""

    @asynccontextmanager
    async def make(
        live: str,
        candidates: dict[str, str] | None = None,
        more: str = "",
        candidate_more: str = "",
        live_more: str = "",
        control: str = "{sample: 0%}",
        queue: str = "",
        law: bool = True,
        mounts: dict[str, str] | None = None,
    ) -> AsyncIterator[Rig]:
        lines = [
            "listen: 127.0.0.1:0",
            "ops: 127.0.0.1:0",
            f"data: {tmp_path}",
            "" if mounts else f"live: {{base_url: '{live}', {live_more}}}",
            "mounts:" if mounts else "",
            *(f"  {prefix}: {{live: {{base_url: '{url}'}}}}" for prefix, url in (mounts or {}).items()),
            f"control: {control}",
            f"queue: {{url: '{valkey.url}', {queue}}}",
            "candidates:" if candidates else "",
            *(f"  - {{name: {name}, base_url: '{url}', {candidate_more}}}" for name, url in (candidates or {}).items()),
            more,
        ]
        settings = parse("\n".join(lines), "test.yaml", {}, tmp_path)
        names = tuple(candidates or {}) + (("control",) if candidates and settings.control.sample else ())
        async with running(settings) as proxy:
            made = Rig(proxy, valkey, names)
            yield made
            if law:
                await made.settled()
        if law:
            made.conserved()

    return make
