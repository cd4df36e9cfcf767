"""A provider, and our proxy in front of it with a candidate and a control: both doors for the official SDKs."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import anthropic
import openai
import pytest
from aiohttp import web

from config.settings import Candidate, Control, Live, Queue, Settings
from proxy.wiring import Running, running
from tests.clients.provider import app
from tests.doubles.valkey import ValkeyServer, valkey_server


@dataclass
class Doors:
    """Base URLs of the provider itself and of the proxy in front of it."""

    direct: str
    proxied: str
    proxy: Running
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def openai(self) -> Iterator[openai.AsyncOpenAI]:
        """A client for each door, without retries of its own."""
        for base in (self.direct, self.proxied):
            client = openai.AsyncOpenAI(base_url=f"{base}/v1", api_key="sk-client", max_retries=0)
            self.stack.push_async_callback(client.close)
            yield client

    def anthropic(self) -> Iterator[anthropic.AsyncAnthropic]:
        """A client for each door, without retries of its own."""
        for base in (self.direct, self.proxied):
            client = anthropic.AsyncAnthropic(base_url=base, api_key="sk-client", max_retries=0)
            self.stack.push_async_callback(client.close)
            yield client


@pytest.fixture(scope="session")
def queue() -> Iterator[ValkeyServer]:
    """One real queue for all tests of this folder."""
    with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder)) as server:
        yield server


@pytest.fixture
async def doors(tmp_path: Path, queue: ValkeyServer) -> AsyncIterator[Doors]:
    """Provider and proxy for one test; afterwards every call must be in exactly one bucket per shadow."""
    runner = web.AppRunner(app(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    direct = f"http://127.0.0.1:{runner.addresses[0][1]}"
    settings = Settings(
        listen="127.0.0.1:0",
        ops="127.0.0.1:0",
        data=str(tmp_path),
        live=Live(base_url=direct),
        candidates=[Candidate(name="mini")],
        control=Control(sample=1.0),
        queue=Queue(url=queue.url),
    )
    async with running(settings) as proxy, AsyncExitStack() as stack:
        yield Doors(direct, proxy.listening, proxy, stack)
        await stack.aclose()
        await proxy.draining.drain(5.0)
    await runner.cleanup()
    counted = {shadow: proxy.ledger.calls(shadow) for shadow in ("mini", "control")}
    assert counted["mini"] == counted["control"] > 0
