"""The embedded queue: started, killed, shared and adopted, with the real binary."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from evaluators import queue_server
from evaluators.queue_server import NoServer, QueueServer, running

ROOT = Path(__file__).parents[2]


@pytest.fixture
def data() -> Iterator[Path]:
    """A data directory with a short path: unix sockets need one."""
    with tempfile.TemporaryDirectory(prefix="uq") as name:
        yield Path(name)


def ask(data: Path, *command: str) -> object:
    with redis.Redis(unix_socket_path=str(data / "s")) as client:
        return client.execute_command(*command)


async def gone(pid: int) -> None:
    """Wait until the process does not exist, or is a zombie nobody has waited for yet."""
    async with asyncio.timeout(8):
        while Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text():
            await asyncio.sleep(0.01)


async def test_it_listens_on_a_private_socket_only(data: Path) -> None:
    """The server has no TCP port, its socket is for the owner, it never evicts and it keeps a file."""
    async with running(data, data / "s") as server:
        assert ask(data, "CONFIG", "GET", "port") == {b"port": b"0"}
        assert ask(data, "CONFIG", "GET", "maxmemory-policy") == {b"maxmemory-policy": b"noeviction"}
        assert ask(data, "CONFIG", "GET", "appendonly") == {b"appendonly": b"yes"}
        assert stat.S_IMODE((data / "s").stat().st_mode) == 0o700
        assert stat.S_IMODE((data / "queue").stat().st_mode) == 0o700
        assert server.describe()["pid"] > 0  # type: ignore[operator]
        assert "pid" in repr(server)
    assert "stopped" in repr(QueueServer(data, data / "s"))


async def test_a_kill_loses_nothing(data: Path) -> None:
    """After kill -9 the watched server comes back with what it had acknowledged."""
    async with running(data, data / "s") as server:
        for _ in range(100):
            ask(data, "XADD", "pairs", "*", "a", "b")
        pid = int(server.describe()["pid"])
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(8):
            while server.describe()["pid"] == pid or not await queue_server._answers(data / "s"):
                await asyncio.sleep(0.01)
        assert ask(data, "XLEN", "pairs") == 100


async def test_a_stopped_server_keeps_its_data(data: Path) -> None:
    """What was written is there at the next start."""
    async with running(data, data / "s"):
        ask(data, "XADD", "pairs", "*", "a", "b")
    async with running(data, data / "s"):
        assert ask(data, "XLEN", "pairs") == 1


async def test_a_second_one_adopts_the_first(data: Path) -> None:
    """Two users of one directory share one server, and the second leaves it running."""
    async with running(data, data / "s") as first:
        async with running(data, data / "s") as second:
            assert second.describe()["pid"] == 0
            assert "adopted" in repr(second)
        assert ask(data, "PING")
        assert first.describe()["pid"] != 0


async def test_many_starts_at_once_make_one_server(data: Path) -> None:
    """Whoever starts first wins; all others adopt."""
    servers = [QueueServer(data, data / "s") for _ in range(6)]
    await asyncio.gather(*(server.start() for server in servers))
    assert sum(server.describe()["pid"] != 0 for server in servers) == 1
    await asyncio.gather(*(server.stop() for server in servers))


async def test_the_server_ends_with_a_killed_parent(data: Path) -> None:
    """A parent that is killed takes its server along, and the next start finds the lock free."""
    if sys.platform != "linux":
        pytest.skip("only Linux ends children of a killed parent; elsewhere the next start adopts the server")
    program = (
        "import asyncio, sys; from pathlib import Path; from evaluators.queue_server import running\n"
        "async def main(data):\n"
        "    async with running(data, data / 's') as server:\n"
        "        print(server.describe()['pid'], flush=True); await asyncio.Event().wait()\n"
        "asyncio.run(main(Path(sys.argv[1])))"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(data)], stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(await asyncio.to_thread(parent.stdout.readline))
    parent.kill()
    parent.wait()
    await gone(pid)
    async with running(data, data / "s") as server:
        assert server.describe()["pid"] != 0


async def test_a_server_that_cannot_start_says_why(data: Path) -> None:
    """A socket path that the system refuses ends in an error with the server's last words."""
    with pytest.raises(NoServer, match="ended at once"):
        async with running(data, data / ("x" * 120)):
            pass


async def test_the_error_of_the_block_comes_out_as_it_is(data: Path) -> None:
    """What the block raises is not wrapped."""
    with pytest.raises(ZeroDivisionError):
        async with running(data, data / "s"):
            raise ZeroDivisionError


def test_versions_that_are_too_old_or_do_not_run_are_passed_over(data: Path) -> None:
    """A program is asked for its version; what does not answer has none."""
    old = data / "old"
    old.write_text("#!/bin/sh\necho 'Redis server v=5.0.14 sha=0'\n")
    old.chmod(0o700)
    assert queue_server._version(old) == "5.0.14"
    assert queue_server._version(data / "missing") == ""
    assert queue_server._version(Path("/bin/true")) == ""
    assert queue_server.find_binary().version >= "6.2"
