"""One worker process on trivial checks, to be killed: URL of the queue, URL of the store, and how it shall die.

`before-acknowledge` and `after-acknowledge` kill the process at exactly that point of its first batch.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from evaluators.intake import Intake, connect
from evaluators.store import open_store
from evaluators.telemetry import Telemetry
from evaluators.worker import Pace, Worker
from tests.evaluators.made import assess

PACE = Pace(batch=32, block=0.1, lease=1.0, reclaim=0.1, fold=0.1, patience=0.3, accounting=0.2, away=0.1)


class Mortal(Intake):
    """An intake whose process dies beside the acknowledgement."""

    def __init__(self, url: str, death: str) -> None:
        super().__init__(connect(url), "pairs")
        self._death = death

    async def acknowledge(self, entries: Sequence[bytes]) -> None:
        """Die before or after the real thing."""
        if self._death == "before-acknowledge":
            os.kill(os.getpid(), signal.SIGKILL)
        await super().acknowledge(entries)
        if self._death == "after-acknowledge":
            os.kill(os.getpid(), signal.SIGKILL)


async def main(queue: str, store: str, death: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    worker = Worker(Mortal(queue, death), open_store(store), assess, Telemetry(), closes_after=0.3, pace=PACE)
    await worker.run(stop)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
