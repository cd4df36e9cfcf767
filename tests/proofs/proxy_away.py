"""The same absence seen by a client of the whole proxy: `python -m tests.proofs.proxy_away [way] [seconds]`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from config.load import parse
from config.wire import decode
from proxy.core.accounting import Bucket
from proxy.wiring import running
from tests.doubles.client import Client
from tests.doubles.faults import relay
from tests.doubles.upstream import ScriptedUpstream, answer
from tests.proofs.redis_away import RATE, STREAM, WAYS, Server

_CLIENTS = 4
_CHAT = b'{"model":"m","messages":[{"role":"user","content":"hello"}]}'
_YAML = """
listen: 127.0.0.1:0
ops: 127.0.0.1:0
data: {folder}/data
live: {{base_url: '{live}'}}
control: {{sample: 0%}}
candidates: [{{name: mini, base_url: '{live}'}}]
queue: {{url: 'redis://127.0.0.1:{port}', memory: 4MiB}}
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client and the evaluators see of one run."""

    way: str
    calls: int
    failed: int
    stored: int
    dropped: int
    before: float  # 99th percentile of the answers' times, seconds
    during: float

    def line(self) -> str:
        """One line of figures."""
        return (
            f"{self.way:9} {self.calls} calls {self.failed} failed, {self.stored} pairs stored {self.dropped} dropped, "
            f"p99 {self.before * 1000:.1f} ms before, {self.during * 1000:.1f} ms during"
        )


class _Calling:
    """RATE calls a second over a few connections; when each was asked, how long it took, and whether it succeeded."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.on = True
        self.times: list[tuple[float, float]] = []
        self.failed = 0

    async def run(self) -> None:
        """Call while `on`."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_CLIENTS):
                group.create_task(self._one())

    async def _one(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        async with Client(self._url) as client:
            while self.on:
                asked = loop.time()
                got = await client.ask("POST", "/v1/chat/completions", _CHAT, b"Content-Type: application/json\r\n")
                self.times.append((asked, loop.time() - asked))
                self.failed += got.status != 200
                due += _CLIENTS / RATE
                await asyncio.sleep(due - loop.time())

    def p99(self, since: float, until: float) -> float:
        """The 99th percentile of the calls asked in a span."""
        took = sorted(seconds for asked, seconds in self.times if since <= asked < until)
        return took[int(len(took) * 0.99)]


async def measure(way: str, seconds: float) -> Seen:
    """Call a proxy before, during and after its queue's absence; compare calls and pairs."""
    async with AsyncExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="us-")))
        server = Server(folder)
        server.start()
        closing.callback(server.kill)
        (await asyncio.to_thread(server.client)).close()
        between = await closing.enter_async_context(relay(server.socket))
        live = await closing.enter_async_context(ScriptedUpstream(answer()))
        text = _YAML.format(folder=folder, live=live.url, port=between.port)
        proxy = await closing.enter_async_context(running(parse(text, "test.yaml", {}, folder)))
        calling = _Calling(proxy.listening)
        running_calls = asyncio.ensure_future(calling.run())
        now = asyncio.get_running_loop().time
        began = now()
        await asyncio.sleep(max(1.0, seconds / 6))
        left = now()
        async with WAYS[way](server, between):  # type: ignore[attr-defined]
            await asyncio.sleep(seconds)
        back = now()
        calling.on = False
        await running_calls
        async with asyncio.timeout(120):
            while proxy.ledger.calls("mini") < len(calling.times):
                await asyncio.sleep(0.01)
        with server.client() as client:
            ids = {decode(fields).id for _, fields in client.xrange(STREAM)}
        return Seen(
            way,
            calls=len(calling.times),
            failed=calling.failed,
            stored=len(ids),
            dropped=proxy.ledger.total(bucket=Bucket.DROPPED),
            before=calling.p99(began, left),
            during=calling.p99(left, back),
        )


if __name__ == "__main__":
    way, seconds = [*sys.argv[1:], *("stopped", "60")[len(sys.argv) - 1 :]]
    print(uvloop.run(measure(way, float(seconds))).line())
