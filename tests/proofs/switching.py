"""The kill switch under load: how long after it was turned the last new copy goes out, at 200 live calls a second.

`python -m tests.proofs.switching` prints a row for one process and one for a divided proxy; test_switching runs it.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import aiohttp
import uvloop
import yaml

from evaluators.children import child
from evaluators.queue_server import QueueServer
from tests.doubles.upstream import ScriptedUpstream, Turn
from tests.proofs.workers import Load, prompt


@dataclass
class Switched:
    """What the turns of the switch did."""

    calls: int = 0
    failed: int = 0
    late: list[float] = field(default_factory=list)  # ms from the turn to the last copy after it; 0: none came after
    back: list[float] = field(default_factory=list)  # ms from the turn back to the first copy
    quiet: int = 0  # live calls while it was off
    copies: int = 0  # copies later than a second after the turn, while it was off

    def row(self, name: str) -> str:
        """One line of a table."""
        return (
            f"| {name} | {len(self.late)} | {self.calls:,} | {self.failed} | {max(self.late):.0f} "
            f"| {max(self.back):.0f} | {self.copies} of {self.quiet:,} |"
        )


HEADER = (
    "| proxy | turns | live calls | failed | last copy after off, at most ms | first copy after on, at most ms "
    "| copies while off |\n|---|---|---|---|---|---|---|"
)


async def switched(workers: int | None, turns: int, off: float = 1.5) -> Switched:
    """Turn it off and on again so many times."""
    found, copies = Switched(), list[float]()

    async def candidate(turn: Turn) -> None:
        copies.append(monotonic())
        await prompt(turn)

    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="us-")))
        queue = QueueServer(folder, folder / "q.sock")
        await queue.start()
        stack.push_async_callback(queue.stop)
        live = await stack.enter_async_context(ScriptedUpstream(prompt))
        asked = await stack.enter_async_context(ScriptedUpstream(candidate))
        config = {
            "listen": "127.0.0.1:0",
            "ops": "127.0.0.1:0",
            **({} if workers is None else {"workers": workers}),
            "data": str(folder / "data"),
            "live": {"base_url": live.url},
            "candidates": [{"name": "mini", "base_url": asked.url}],
            "queue": {"url": f"unix://{folder / 'q.sock'}"},
        }
        file = folder / "understudy.yaml"
        file.write_text(yaml.safe_dump(config))
        log = folder / "proxy.log"
        proxy = await stack.enter_async_context(child("proxy", ["-m", "proxy", "--config", str(file)], log=log))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        load = Load(proxy.ready["listening"])
        running = asyncio.ensure_future(load.run())
        for _ in range(turns):
            await _flowing(copies)
            turned, before = await _turn(session, proxy.ready["ops"], False), load.calls
            await asyncio.sleep(off)
            after = [one for one in copies if one > turned]
            found.late.append(max([0.0, *((one - turned) * 1000 for one in after)]))
            found.copies += sum(one > turned + 1.0 for one in after)
            found.quiet += load.calls - before
            turned = await _turn(session, proxy.ready["ops"], True)
            found.back.append((await _flowing(copies) - turned) * 1000)
        load.stopped = True
        await running
        found.calls, found.failed = load.calls, load.failures.total()
    return found


async def _turn(session: aiohttp.ClientSession, ops: str, enabled: bool) -> float:
    """Turn the switch; gives the instant at which it was asked to."""
    at = monotonic()
    async with session.post(f"{ops}/shadowing", json={"enabled": enabled}) as response:
        assert await response.json() == {"enabled": enabled}
    return at


async def _flowing(copies: list[float]) -> float:
    """Wait until copies come again; gives the instant of the first."""
    before = len(copies)
    async with asyncio.timeout(5):
        while len(copies) < before + 20:
            await asyncio.sleep(0.005)
    return copies[before]


async def main() -> None:
    """Print the table."""
    print(HEADER)
    print((await switched(None, 10)).row("one process"), flush=True)
    print((await switched(1, 10)).row("`workers: 1`"), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
