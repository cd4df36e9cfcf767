"""The spool's files: one directory per process under a lock, segments in it, appended and synced. Blocks.

Used by spool, in its thread. Every OSError goes up; what was written before it is taken back, so that a record is
either in a segment or still in the caller's hands. Records of files that are not ours to read are left where they are.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from proxy.core import frames
from proxy.core.frames import Entry

SEGMENT = 8 << 20
"""Bytes of a segment before the next one begins: read whole for the drain, and given back when all of it is drained."""

_AT_ONCE = 4  # segments to adopt: they are read once, to count what is in them

_NAME = re.compile(r"\d{8}\.seg")
_LOCK = "lock"
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class Disk:
    """The two calls that a disk keeps waiting or refuses; tests put a slow or broken one here."""

    def write(self, file: int, data: bytes) -> None:
        """Write all of it."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]

    def sync(self, file: int) -> None:
        """Wait until what was written is on the disk."""
        getattr(os, "fdatasync", os.fsync)(file)  # macOS has no fdatasync


@dataclass(slots=True)
class Segment:
    """A file of the spool: how long it is, and how many entries it holds."""

    path: Path
    size: int
    entries: int


@dataclass(slots=True)
class _Active:
    segment: Segment
    file: int
    marker: bytes


class Segments:
    """`append` at one end, `oldest` and `remove` at the other; `adopt` takes over what a dead process left."""

    def __init__(self, root: Path, instance: str, most: int, disk: Disk) -> None:
        self._root = root
        self._folder = root / re.sub(r"[^\w.-]", "_", instance, flags=re.ASCII)
        self._most = most
        self._disk = disk
        self._sealed: deque[Segment] = deque()
        self._active: _Active | None = None
        self._lock = -1
        self._number = 0
        self.foreign: set[Path] = set()  # found, and left alone

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(segment.size for segment in self._all())

    @property
    def entries(self) -> int:
        """Entries on the disk, the drained ones of a segment included until it is removed."""
        return sum(segment.entries for segment in self._all())

    def append(self, entries: Sequence[Entry]) -> int:
        """Write and sync as many as fit; returns how many. OSError: none of them."""
        self._open()
        if self.size + frames.HEADER >= self._most:
            return 0
        active = self._active or self._begin()
        written: list[bytes] = []
        room = self._most - self.size
        for entry in entries:
            coded = frames.frame(entry, active.marker)
            room -= len(coded)
            if room < 0:
                break
            written.append(coded)
        if written:
            self._write(active, b"".join(written))
            active.segment.entries += len(written)
        if active.segment.size >= SEGMENT:
            self._seal()
        return len(written)

    def oldest(self) -> tuple[Segment, bytes] | None:
        """The segment to drain next, with all its bytes; appending goes on in another one."""
        self._seal()
        while self._sealed:
            segment = self._sealed[0]
            self._sealed.rotate(-1)  # one that cannot be read must not hold up the others
            try:
                data = _bytes(segment.path)
            except FileNotFoundError:  # somebody removed it
                self._sealed.remove(segment)
                continue
            if frames.marker_of(data) is not None:
                self._sealed.rotate(1)
                return segment, data
            if len(data) < frames.HEADER:  # its process died at the first write
                segment.path.unlink(missing_ok=True)
            else:
                self.foreign.add(segment.path)
            self._sealed.remove(segment)
        return None

    def remove(self, segment: Segment) -> bool:
        """Delete a segment whose entries the queue has acknowledged."""
        segment.path.unlink(missing_ok=True)
        self._sealed.remove(segment)
        return True

    def adopt(self) -> int:
        """Move a few segments of a process that is gone to our directory, if there is room; returns how many."""
        if not self._root.is_dir():
            return 0
        if self._lock < 0 and self._folder.is_dir():  # whoever had our name before us died with pairs in it
            self._open()
            if self._sealed:
                return len(self._sealed)
        for folder in sorted(self._root.iterdir()):
            if folder == self._folder or self.size >= self._most:
                continue
            if not _ours(folder, stat.S_ISDIR):
                self.foreign.add(folder)
            elif (lock := _locked(folder, os.O_RDWR)) >= 0:
                try:
                    if found := self._take_over(folder):
                        return found
                finally:
                    os.close(lock)
        return 0

    def close(self) -> None:
        """Leave the directory to whoever comes next; an empty one is removed."""
        self._seal()
        if self._lock >= 0:
            if not self._sealed:
                _remove(self._folder)
            os.close(self._lock)
            self._lock = -1

    def _all(self) -> list[Segment]:
        return [*self._sealed, *([self._active.segment] if self._active else [])]

    def _open(self) -> None:
        if self._lock >= 0:
            return
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _ours(self._root, stat.S_ISDIR):
            raise PermissionError("the spool's directory is a link, or another user's")
        self._root.chmod(0o700)
        self._folder.mkdir(exist_ok=True, mode=0o700)
        self._lock = _locked(self._folder, os.O_RDWR | os.O_CREAT)
        if self._lock < 0:
            raise BlockingIOError("the spool's directory is in use")
        for path in self._found(self._folder):
            self._sealed.append(_measured(path))
            self._number = int(path.stem)

    def _begin(self) -> _Active:
        marker = secrets.token_bytes(frames.MARKER)
        path = self._next_path()
        try:
            file = os.open(path, _NEW, 0o600)
        except FileNotFoundError:  # somebody removed the directory: the next append makes another one
            os.close(self._lock)
            self._lock = -1
            raise
        self._active = _Active(Segment(path, 0, 0), file, marker)
        try:
            self._write(self._active, frames.header(marker))
            _sync_folder(self._folder)
        except OSError:
            self._active = None
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        return self._active

    def _write(self, active: _Active, data: bytes) -> None:
        try:
            self._disk.write(active.file, data)
            self._disk.sync(active.file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(active.file, active.segment.size)
            os.lseek(active.file, active.segment.size, os.SEEK_SET)
            raise
        active.segment.size += len(data)

    def _seal(self) -> None:
        if self._active is not None:
            active, self._active = self._active, None
            os.close(active.file)
            if active.segment.entries:
                self._sealed.append(active.segment)
            else:
                active.segment.path.unlink(missing_ok=True)

    def _next_path(self) -> Path:
        self._number += 1
        return self._folder / f"{self._number:08d}.seg"

    def _found(self, folder: Path) -> list[Path]:
        paths = [path for path in sorted(folder.iterdir()) if path.name != _LOCK]
        good = [path for path in paths if _NAME.fullmatch(path.name) and _ours(path, stat.S_ISREG)]
        self.foreign.update(set(paths) - set(good))
        return good

    def _take_over(self, folder: Path) -> int:
        found = 0
        for path in self._found(folder)[:_AT_ONCE]:
            segment = _measured(path)
            if self._all() and self.size + segment.size > self._most:
                return found  # the rest waits for room, ours or another process's
            self._open()
            segment.path = path.rename(self._next_path())
            self._sealed.append(segment)
            found += 1
        _remove(folder)
        return found


def _ours(path: Path, kind: Callable[[int], bool]) -> bool:
    found = path.lstat()
    return kind(found.st_mode) and found.st_uid == os.geteuid()


def _locked(folder: Path, how: int) -> int:
    """The lock of a directory, taken; -1: somebody has it, or it went away meanwhile."""
    path = folder / _LOCK
    try:
        lock = os.open(path, how | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return -1
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), path.lstat()):  # else its last owner removed it before it was ours
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(lock)
    return -1


def _remove(folder: Path) -> None:
    """Remove a directory of which we hold the lock; it stays if anything else is in it."""
    if [path.name for path in folder.iterdir()] == [_LOCK]:
        (folder / _LOCK).unlink()
        with suppress(OSError):
            folder.rmdir()


def _measured(path: Path) -> Segment:
    data = _bytes(path)
    marker = frames.marker_of(data)
    return Segment(path, len(data), frames.count(data, marker) if marker else 0)


def _bytes(path: Path) -> bytes:
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(file, "rb") as stream:
        return stream.read()


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
