"""A provider, and our proxy in front of it with a candidate and a control: both doors for the official SDKs."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from aiohttp import web

from config.routing import Candidate, Control, Live
from config.settings import Queue, Settings
from proxy.wiring import Running, running
from tests.clients.comparing import first_difference, received
from tests.clients.provider import Diary, app
from tests.doubles.valkey import ValkeyServer, valkey_server

Call = Callable[[Any, str], Awaitable[Any]]


@dataclass
class Doors:
    """Base URLs of the provider itself and of the proxy in front of it."""

    direct: str
    proxied: str
    proxy: Running
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def openai(self, call: Call, model: str) -> tuple[Any, Any]:
        """What a call gives directly and through the proxy."""
        return await self._both(openai.AsyncOpenAI, "/v1", call, model)

    async def anthropic(self, call: Call, model: str) -> tuple[Any, Any]:
        """What a call gives directly and through the proxy."""
        return await self._both(anthropic.AsyncAnthropic, "", call, model)

    async def _both(self, sdk: Any, prefix: str, call: Call, model: str) -> tuple[Any, Any]:
        seen = []
        for base in (self.direct, self.proxied):
            client = sdk(base_url=f"{base}{prefix}", api_key="sk-client", max_retries=1 if model == "flaky" else 0)
            self.stack.push_async_callback(client.close)
            seen.append(await _what_happens(call, client, model))
        return seen[0], seen[1]


async def collected(stream: AsyncIterator[Any]) -> list[Any]:
    """A stream's events; an error that ends it carries those before it as a note."""
    events: list[Any] = []
    try:
        async for event in stream:
            events.append(event.model_dump())
    except Exception as error:
        error.add_note(repr(events))
        raise
    return events


async def _what_happens(call: Call, client: Any, model: str) -> Any:
    """The result, or everything that an application can see of the error."""
    try:
        return await call(client, model)
    except (openai.APIStatusError, anthropic.APIStatusError) as error:
        return (
            type(error).__name__,
            error.status_code,
            error.body,
            str(error),
            error.response.headers.get("retry-after"),
            _before(error),
        )
    except (openai.APIError, anthropic.APIError) as error:
        return type(error).__name__, str(error), _before(error)
    except Exception as error:  # the SDKs let the transport's own errors through while a stream is read
        return type(error).__name__, str(error), _before(error)


def _before(error: Exception) -> list[str]:
    return getattr(error, "__notes__", [])


@pytest.fixture(scope="session")
def queue() -> Iterator[ValkeyServer]:
    """One real queue for all tests of this folder."""
    with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder)) as server:
        yield server


@pytest.fixture
async def doors(tmp_path: Path, queue: ValkeyServer) -> AsyncIterator[Doors]:
    """Provider and proxy for one test; afterwards the provider must have got the same requests through both doors,
    and every call must be in exactly one bucket per shadow.
    """
    diary = Diary()
    runner = web.AppRunner(app(diary), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    root = f"http://127.0.0.1:{runner.addresses[0][1]}"
    settings = Settings(
        listen="127.0.0.1:0",
        ops="127.0.0.1:0",
        data=str(tmp_path),
        live=Live(base_url=root),
        candidates=[Candidate(name="mini")],
        control=Control(sample=1.0),
        queue=Queue(url=queue.url),
    )
    async with running(settings) as proxy, AsyncExitStack() as stack:
        yield Doors(f"{root}/direct/case", f"{proxy.listening}/proxied/case", proxy, stack)
        await stack.aclose()
        await proxy.draining.drain(5.0, last_calls=0.0)
    await runner.cleanup()
    direct, proxied = (received(diary.calls[door, "case"]) for door in ("direct", "proxied"))
    assert direct
    assert not first_difference(direct, proxied)
    counted = {shadow: proxy.ledger.calls(shadow) for shadow in ("mini", "control")}
    assert counted == {"mini": diary.total("proxied"), "control": diary.total("proxied")}
