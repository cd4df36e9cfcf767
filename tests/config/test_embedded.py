"""The embedded queue's place: short, private, one per data directory."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import MAX_SOCKET_PATH, UnsafeDirectory, queue_url, runtime_dir, socket_path
from config.routing import Live
from config.settings import Queue, Settings

LIVE = Live(base_url="http://127.0.0.1:1")


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Path]:
    """A runtime directory as short as a login session's."""
    link = Path("/tmp") / f"ut-{os.getpid()}"
    link.symlink_to(tmp_path)
    yield link
    link.unlink()


def test_private(runtime: Path) -> None:
    """The directory is made for its owner only, and found again by the next who asks."""
    environ = {"XDG_RUNTIME_DIR": str(runtime)}
    folder = runtime_dir("data", environ)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.parent == runtime
    assert folder.name.startswith(f"understudy-{os.getuid()}-")
    assert runtime_dir("data", environ) == folder


def test_one_per_data_directory(runtime: Path, tmp_path: Path) -> None:
    """Two data directories have two sockets; two ways to write one directory have one."""
    environ = {"XDG_RUNTIME_DIR": str(runtime)}
    (tmp_path / "a").mkdir()
    assert socket_path("a", environ) != socket_path("b", environ)
    assert socket_path(str(tmp_path / "a"), environ) == socket_path(str(tmp_path / "b" / ".." / "a"), environ)


@pytest.mark.parametrize("environ", [{}, {"XDG_RUNTIME_DIR": ""}, {"XDG_RUNTIME_DIR": "/nowhere/at/all"}])
def test_without_a_session(environ: dict[str, str], tmp_path: Path) -> None:
    """Without a usable runtime directory the socket lies in /tmp."""
    folder = runtime_dir(str(tmp_path), environ)
    assert folder.parent == Path("/tmp")
    folder.rmdir()


def test_always_short(tmp_path: Path) -> None:
    """A runtime directory that is too deep for a socket is passed over."""
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    path = socket_path(str(tmp_path), {"XDG_RUNTIME_DIR": str(deep)})
    assert len(os.fsencode(path)) <= MAX_SOCKET_PATH
    path.parent.rmdir()


def test_symlink_is_refused(runtime: Path, tmp_path: Path) -> None:
    """A link in the directory's place may lead anywhere, so it is refused."""
    environ = {"XDG_RUNTIME_DIR": str(runtime)}
    folder = runtime_dir("data", environ)
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(UnsafeDirectory, match="remove it"):
        runtime_dir("data", environ)


def test_open_to_others_is_refused(runtime: Path) -> None:
    """A directory that others can enter is refused with the way to close it."""
    environ = {"XDG_RUNTIME_DIR": str(runtime)}
    runtime_dir("data", environ).chmod(0o750)
    with pytest.raises(UnsafeDirectory, match="chmod 700"):
        runtime_dir("data", environ)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_of_another_user_is_refused(runtime: Path) -> None:
    """A directory that somebody else made first is refused."""
    environ = {"XDG_RUNTIME_DIR": str(runtime)}
    os.chown(runtime_dir("data", environ), 12345, -1)
    with pytest.raises(UnsafeDirectory, match="belongs to another user"):
        runtime_dir("data", environ)


def test_queue_url(runtime: Path) -> None:
    """A configured URL always wins; otherwise the socket is the queue."""
    environ = {"XDG_RUNTIME_DIR": str(runtime)}
    own = Settings(live=LIVE, queue=Queue.model_validate({"url": "redis://:hunter2@queue:6379/0"}))
    assert queue_url(own, environ) == "redis://:hunter2@queue:6379/0"
    assert queue_url(Settings(live=LIVE, data="data"), environ) == f"unix://{socket_path('data', environ)}"
