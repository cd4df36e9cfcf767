"""What the matrix is played against: a provider, a running proxy before it, a candidate, a queue. All on loopback.

The proxy is a process of its own, as in production. Used by tests.commands.clients.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from tests.clients.provider import Diary, app
from tests.doubles.valkey import valkey_server

ROOT = Path(__file__).parents[3]
SHADOWS = ("mini", "control")
_PATIENCE = 30.0
"""Seconds for the last shadows; each is answered at once, but for those of the model that waits 5 s."""


@dataclass
class Rig:
    """Both doors, and what was seen behind them."""

    direct: str
    proxied: str
    ops: str
    diary: Diary
    candidate: Diary

    async def accounts(self) -> Accounts:
        """The proxy's own numbers, once every call has its buckets or patience is over."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _PATIENCE
        while not (accounts := self._look()).balanced and loop.time() < end:
            await asyncio.sleep(0.05)
        return accounts

    def _look(self) -> Accounts:
        with urllib.request.urlopen(f"{self.ops}/metrics", timeout=5) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        samples = [sample for family in families for sample in family.samples]
        answered = sum(sample.value for sample in samples if sample.name == "understudy_requests_total")
        buckets: dict[str, Counter[str]] = {name: Counter() for name in SHADOWS}
        for sample in samples:
            if sample.name == "understudy_shadow_calls_total":
                label = " ".join(filter(None, (sample.labels["bucket"], sample.labels["reason"])))
                buckets[sample.labels["shadow"]][label] += int(sample.value)
        return Accounts(self.diary.total("proxied"), int(answered), buckets)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Calls that came to the provider through the proxy, answers that the proxy counted, and each shadow's buckets."""

    calls: int
    answered: int
    buckets: dict[str, Counter[str]]

    @property
    def balanced(self) -> bool:
        """The identity: calls = answers = the sum over the buckets of every shadow, and there were calls."""
        totals = {sum(counter.values()) for counter in self.buckets.values()}
        return self.calls > 0 and {self.calls, self.answered} == totals

    def __str__(self) -> str:
        lines = [f"{self.calls} calls came through the proxy, which counted {self.answered} answers"]
        for shadow, counter in self.buckets.items():
            parts = ", ".join(f"{label} {number}" for label, number in sorted(counter.items()))
            lines.append(f"{shadow}: {sum(counter.values())} = {parts or 'nothing'}")
        return "\n".join(lines)


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    """Everything up; the proxy must end well when it is told to."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="us-")))
        diary, candidate = Diary(), Diary()
        queue = stack.enter_context(valkey_server(folder))
        live = await stack.enter_async_context(_serving(diary))
        mini = await stack.enter_async_context(_serving(candidate))
        config = {
            "listen": "127.0.0.1:0",
            "ops": "127.0.0.1:0",
            "data": str(folder),
            "live": {"base_url": live},
            "control": {"sample": "100%"},
            "candidates": [{"name": "mini", "base_url": mini, "api_key": "sk-candidate"}],
            "queue": {"url": queue.url},
        }
        file = folder / "understudy.yaml"
        file.write_text(json.dumps(config))  # JSON is YAML
        said = await stack.enter_async_context(_proxy(file, folder / "proxy.log"))
        yield Rig(live, said["listening"], said["ops"], diary, candidate)


@asynccontextmanager
async def _serving(diary: Diary) -> AsyncIterator[str]:
    runner = web.AppRunner(app(diary), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _proxy(config: Path, log: Path) -> AsyncIterator[dict[str, str]]:
    command = (sys.executable, "-m", "proxy", "--config", str(config))
    with log.open("wb") as errors:
        child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=errors)
    assert child.stdout is not None
    try:
        async with asyncio.timeout(30):
            line = await child.stdout.readline()
        if not line:
            raise SystemExit(f"clients: the proxy did not start: {log.read_text().strip()}")
        yield json.loads(line)
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(40):
            code = await child.wait()
        if code:
            raise SystemExit(f"clients: the proxy ended with {code}: {log.read_text().strip()[-2000:]}")
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
