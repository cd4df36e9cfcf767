"""Children speak once when they are ready, are stopped in order, and never outlive the block."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from evaluators.children import ChildFailed, child

READY = "import json, sys; print(json.dumps({'port': 7}), flush=True); "
WAIT = "import signal; signal.pause()"


def gone(pid: int) -> bool:
    """Whether the process does not exist any more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_a_child_is_ready_in_the_block_and_gone_after_it() -> None:
    """What it said is at hand; leaving the block ends it by SIGTERM."""
    async with child("one", ["-c", READY + WAIT]) as one:
        assert one.ready == {"port": 7}
        assert not gone(one.pid)
        assert repr(one) == f"<Child one pid={one.pid} returncode=None>"
    assert gone(one.pid)
    assert await one.ended() == -signal.SIGTERM


async def test_it_ends_in_its_own_way() -> None:
    """A child that handles SIGTERM gives its own exit code; stopping twice gives it again."""
    script = f"import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(3)); {READY}{WAIT}"
    async with child("one", ["-c", script]) as one:
        assert await one.stop() == 3
        assert await one.stop() == 3


async def test_the_block_ends_it_also_when_it_fails() -> None:
    """An error in the block does not leave the process behind."""
    with pytest.raises(KeyError):
        async with child("one", ["-c", READY + WAIT]) as one:
            raise KeyError
    assert gone(one.pid)


async def test_cancelling_ends_it() -> None:
    """A cancelled block does not leave the process behind either."""
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run() -> None:
        async with child("one", ["-c", READY + WAIT]) as one:
            started.set_result(one.pid)
            await one.ended()

    task = asyncio.get_running_loop().create_task(run())
    pid = await started
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone(pid)


async def test_orders_and_log(tmp_path: Path) -> None:
    """Orders arrive as one line of JSON; what it says on standard error goes to a private file."""
    script = "import json, sys; o = json.loads(sys.stdin.readline()); print('hm', file=sys.stderr, flush=True); "
    script += "print(json.dumps({'got': o['n']}), flush=True); " + WAIT
    log = tmp_path / "one.log"
    async with child("one", ["-c", script], orders={"n": 5}, log=log) as one:
        assert one.ready == {"got": 5}
    assert log.read_text() == "hm\n"
    assert log.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param("raise SystemExit(9)", "exit code 9 before it was ready; see ", id="ends at once"),
        pytest.param("print(7, flush=True); " + WAIT, "something else", id="says no object"),
        pytest.param("print('hello', flush=True); " + WAIT, "something else", id="says no JSON"),
    ],
)
async def test_one_that_does_not_become_ready(tmp_path: Path, script: str, said: str) -> None:
    """The error names the child, how it ended and where its words are."""
    with pytest.raises(ChildFailed, match=said) as failed:
        async with child("worker", ["-c", script], log=tmp_path / "log"):
            pass
    assert str(failed.value).startswith("worker ")


async def test_one_that_dies_is_noticed() -> None:
    """Waiting for its end gives the code of whatever ended it."""
    async with child("one", ["-c", READY + WAIT]) as one:
        os.kill(one.pid, signal.SIGKILL)
        async with asyncio.timeout(5):
            assert await one.ended() == -signal.SIGKILL
