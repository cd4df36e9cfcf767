"""Where the embedded queue listens: one short private directory per data directory. Asked by both houses.

A unix socket's path may have about 100 bytes (104 on macOS, 108 on Linux, unix(7)), and a data directory may lie
deeper; so the socket lies in a directory of its own, named after a hash of the data directory's resolved path.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

MAX_SOCKET_PATH = 100


class UnsafeDirectory(Exception):
    """The directory is not ours alone, so whoever owns it could read the traffic; the text has the remedy."""


class _Queue(Protocol):
    @property
    def url(self) -> SecretStr | None: ...


class Placed(Protocol):
    """The part of Settings that says where the queue is."""

    @property
    def data(self) -> str: ...
    @property
    def queue(self) -> _Queue: ...


def queue_url(settings: Placed, environ: Mapping[str, str] = os.environ) -> str:
    """The Redis URL to connect to: the configured one, else the embedded queue's socket."""
    url = settings.queue.url
    return url.get_secret_value() if url is not None else f"unix://{socket_path(settings.data, environ)}"


def socket_path(data: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The embedded queue's socket for the data directory `data`, in a runtime_dir that exists."""
    return runtime_dir(data, environ) / "queue.sock"


def runtime_dir(data: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The private directory for `data`, made with mode 0700 if need be; raises UnsafeDirectory or OSError."""
    key = hashlib.blake2b(os.fsencode(Path(data).resolve()), digest_size=4).hexdigest()
    name = f"understudy-{os.getuid()}-{key}"
    folder = Path(environ.get("XDG_RUNTIME_DIR") or "/tmp") / name
    if not folder.parent.is_dir() or len(os.fsencode(folder / "queue.sock")) > MAX_SOCKET_PATH:
        folder = Path("/tmp") / name
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        _check(folder)
    return folder


def _check(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafeDirectory(f"{folder} is not a directory of its own; remove it")
    if found.st_uid != os.getuid():
        raise UnsafeDirectory(f"{folder} belongs to another user; have it removed, or set XDG_RUNTIME_DIR")
    if found.st_mode & 0o077:
        raise UnsafeDirectory(f"{folder} is open to other users; remove it, or make it private: chmod 700 {folder}")
