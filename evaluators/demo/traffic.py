"""The demo's application: sends its requests to the proxy at a steady rate, as an open loop, and reads every answer.

Neighbour of prompts (what is asked) and run (which shows the progress).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable

import aiohttp

from evaluators.demo.prompts import Ask
from evaluators.demo.recorded import Item

RATE = 40.0
"""Requests a second: every request costs four model calls and a worker's time on the same laptop."""

AT_ONCE = 200
"""Never more unanswered requests than this; a slow machine then lowers the rate instead of collapsing."""


async def send(base_url: str, asks: Iterable[Ask], rate: float, answered: Callable[[], None]) -> Counter[str]:
    """Send every request, `rate` a second; counts what the application saw: ok, http_<status> or failed."""
    seen: Counter[str] = Counter()
    places = asyncio.Semaphore(AT_ONCE)
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(120)) as session,
        asyncio.TaskGroup() as group,
    ):

        async def one(ask: Ask) -> None:
            try:
                seen[await _exchange(session, f"{base_url}/v1/chat/completions", ask)] += 1
            finally:
                places.release()
                answered()

        for index, ask in enumerate(asks):
            await asyncio.sleep(max(0.0, start + index / rate - loop.time()))
            await places.acquire()
            group.create_task(one(ask))
    return seen


def recorded_asks(items: Iterable[Item]) -> list[Ask]:
    """One request an item, every second one streamed; the item's tags travel as headers."""
    return [
        Ask(
            {
                "model": "recorded",
                "messages": list(item.messages),
                "metadata": {"item": item.key},
                **({"stream": True} if index % 2 else {}),
            },
            {f"x-demo-tag-{name}": value for name, value in item.tags.items()},
        )
        for index, item in enumerate(items)
    ]


async def _exchange(session: aiohttp.ClientSession, url: str, ask: Ask) -> str:
    headers = {"authorization": "Bearer demo", "content-type": "application/json", **ask.headers}
    try:
        async with session.post(url, data=json.dumps(ask.body), headers=headers) as response:
            await response.read()
            return "ok" if response.status == 200 else f"http_{response.status}"
    except (aiohttp.ClientError, TimeoutError):
        return "failed"
