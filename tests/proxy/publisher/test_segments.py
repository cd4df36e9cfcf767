"""Files of the spool: bounded, private, one owner each, left whole by a disk that refuses, and taken over."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.core import frames
from proxy.core.frames import Entry
from proxy.publisher.segments import SEGMENT, Disk, Segments
from tests.proxy.publisher.made import BROKEN, FULL, RefusingDisk, entries

MOST = 64 << 20


def segments(root: Path, instance: str = "proxy-1", most: int = MOST, disk: Disk | None = None) -> Segments:
    """The segments of one process."""
    return Segments(root, instance, most, disk or Disk())


def drained(spool: Segments) -> list[Entry]:
    """All entries, oldest first, each segment removed."""
    found: list[Entry] = []
    while (oldest := spool.oldest()) is not None:
        segment, data = oldest
        marker = frames.marker_of(data)
        assert marker is not None
        found += frames.read(data, frames.HEADER, marker, len(data), len(data)).entries
        spool.remove(segment)
    return found


def test_gives_back_what_it_took(tmp_path: Path) -> None:
    """Entries come back in order; appending goes on while the first ones are drained."""
    spool = segments(tmp_path / "spool")
    assert spool.append(entries(0, 10)) == 10
    oldest = spool.oldest()
    assert oldest is not None
    assert spool.append(entries(10, 15)) == 5
    assert spool.entries == 15
    assert spool.oldest() == oldest
    assert drained(spool) == entries(0, 15)
    assert (spool.entries, spool.size) == (0, 0)


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """Directories are 0700 and files 0600, even where a wider directory was there before."""
    root = tmp_path / "spool"
    root.mkdir(mode=0o755)
    spool = segments(root)
    spool.append(entries(0, 1))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (root, *root.iterdir())}
    assert modes == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (root / "proxy-1").iterdir()} == {0o600}


def test_never_grows_beyond_its_bound(tmp_path: Path) -> None:
    """What does not fit is not taken, to the byte; what was drained makes room."""
    spool = segments(tmp_path, most=5000)
    taken = spool.append(entries(0, 100))
    assert 0 < taken < 100
    assert spool.append(entries(0, 1)) == 0
    assert sum(path.stat().st_size for path in (tmp_path / "proxy-1").iterdir()) == spool.size <= 5000
    assert drained(spool) == entries(0, taken)
    assert spool.append(entries(0, 1)) == 1


def test_begins_a_new_segment_when_one_is_long(tmp_path: Path) -> None:
    """Segments end behind SEGMENT bytes; a record larger than that has one for itself."""
    spool = segments(tmp_path)
    large = [Entry(0, "mini", 1, os.urandom(SEGMENT + 1))]
    for batch in (large, large, entries(0, 3)):
        assert spool.append(batch) == len(batch)
    assert len(list(tmp_path.glob("proxy-1/*.seg"))) == 3
    assert drained(spool) == large + large + entries(0, 3)


@pytest.mark.parametrize("error", [FULL, BROKEN])
@pytest.mark.parametrize("at_sync", [False, True])
def test_a_refusing_disk_has_none_or_all(tmp_path: Path, error: int, at_sync: bool) -> None:
    """A failed append leaves nothing behind, at the beginning of a segment and later; then the disk works again."""
    disk = RefusingDisk()
    disk.at_sync = at_sync
    spool = segments(tmp_path, disk=disk)
    for first in (0, 10):
        disk.error = error
        for _ in range(2):
            with pytest.raises(OSError, match=os.strerror(error)):
                spool.append(entries(first, first + 10))
        disk.error = 0
        assert spool.append(entries(first, first + 10)) == 10
    assert disk.refused == 4
    oldest = spool.oldest()
    assert oldest is not None
    assert oldest[0].size == len(oldest[1])
    assert drained(spool) == entries(0, 20)


def test_a_directory_that_was_removed_is_made_again(tmp_path: Path) -> None:
    """One append fails, the next one works."""
    spool = segments(tmp_path / "spool")
    spool.append(entries(0, 1))
    oldest = spool.oldest()
    assert oldest is not None
    spool.remove(oldest[0])
    (tmp_path / "spool" / "proxy-1" / "lock").unlink()
    (tmp_path / "spool" / "proxy-1").rmdir()
    with pytest.raises(FileNotFoundError):
        spool.append(entries(1, 2))
    assert spool.append(entries(1, 2)) == 1
    assert drained(spool) == entries(1, 2)


def test_takes_over_what_a_dead_process_left(tmp_path: Path) -> None:
    """Closed with pairs in it, a directory is emptied by the next process, and disappears."""
    first = segments(tmp_path, "proxy-1")
    first.append(entries(0, 5))
    first.close()
    second = segments(tmp_path, "proxy-2")
    second.append(entries(5, 7))
    assert second.adopt() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["proxy-2"]
    assert second.adopt() == 0
    assert second.entries == 7
    assert sorted(drained(second), key=lambda entry: entry.record) == sorted(
        entries(0, 7), key=lambda entry: entry.record
    )
    second.close()
    assert not list(tmp_path.iterdir())


def test_goes_on_where_one_of_the_same_name_died(tmp_path: Path) -> None:
    """Killed with pairs on the disk, a process is followed by one of its name, which finds them without writing any."""
    code = (
        "import os, sys; from pathlib import Path; from tests.proxy.publisher.test_segments import *\n"
        "segments(Path(sys.argv[1])).append(entries(0, 3)); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=8)
    second = segments(tmp_path)
    assert second.adopt() == 1
    assert second.adopt() == 0
    assert drained(second) == entries(0, 3)


def test_takes_over_a_little_at_a_time(tmp_path: Path) -> None:
    """Many segments take several turns; the directory disappears with the last one."""
    first = segments(tmp_path, "proxy-1")
    for number in range(9):
        first.append(entries(number, number + 1))
        first.oldest()
    first.close()
    second = segments(tmp_path, "proxy-2")
    assert [second.adopt() for _ in range(4)] == [4, 4, 1, 0]
    assert drained(second) == entries(0, 9)
    assert [path.name for path in tmp_path.iterdir()] == ["proxy-2"]


def test_leaves_alone_what_somebody_owns(tmp_path: Path) -> None:
    """A directory is one process's while it lives: neither taken over nor opened twice."""
    first = segments(tmp_path, "proxy-1")
    first.append(entries(0, 5))
    second = segments(tmp_path, "proxy-2")
    assert second.adopt() == 0
    with pytest.raises(BlockingIOError):
        segments(tmp_path, "proxy-1").append(entries(0, 1))
    assert drained(first) == entries(0, 5)


def test_takes_over_no_more_than_it_has_room_for(tmp_path: Path) -> None:
    """With pairs of its own, a process adopts up to its bound; the rest stays for others, or for later."""
    first = segments(tmp_path, "proxy-1")
    first.append(entries(0, 20))
    first.close()
    second = segments(tmp_path, "proxy-2", most=6000)
    second.append(entries(20, 22))
    assert second.adopt() == 0
    assert drained(second) == entries(20, 22)
    assert second.adopt() == 1
    assert drained(second) == entries(0, 20)


def test_ignores_what_is_not_its_own(tmp_path: Path) -> None:
    """Links, other names, other contents and torn beginnings are neither read nor followed nor deleted, but named."""
    outside = tmp_path / "outside.seg"
    outside.write_bytes(b"secret")
    root = tmp_path / "spool"
    left = segments(root, "left")
    left.append(entries(0, 2))
    left.close()
    folder = root / "left"
    (folder / "00000002.seg").symlink_to(outside)
    (folder / "notes.txt").write_text("mine")
    (folder / "00000003.seg").write_bytes(b"not a segment, though it is called one")
    (folder / "00000004.seg").write_bytes(frames.MAGIC)
    (root / "link").symlink_to(tmp_path)
    (root / "file").write_text("x")
    (root / "unlocked").mkdir()
    spool = segments(root, "next")
    assert [spool.adopt(), spool.adopt()] == [3, 0]
    assert drained(spool) == entries(0, 2)
    not_a_segment = root / "next" / "00000002.seg"  # under its new name
    others = {folder / "00000002.seg", folder / "notes.txt", root / "link", root / "file"}
    assert spool.foreign == {not_a_segment} | others
    spool.close()
    assert outside.read_bytes() == b"secret"
    assert (folder / "notes.txt").read_text() == "mine"


def test_refuses_a_root_that_is_a_link(tmp_path: Path) -> None:
    """Whoever made the link could read what is written behind it."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "spool").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError):
        segments(tmp_path / "spool").append(entries(0, 1))
    assert not list((tmp_path / "elsewhere").iterdir())


def test_an_unreadable_segment_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """A segment that cannot be opened goes to the end of the row; one that was removed is forgotten."""
    spool = segments(tmp_path)
    for first in (0, 2, 4):
        spool.append(entries(first, first + 2))
        oldest = spool.oldest()
    assert oldest is not None
    paths = sorted(tmp_path.glob("proxy-1/*.seg"))
    paths[0].rename(tmp_path / "away")
    paths[0].symlink_to(tmp_path / "away")
    paths[1].unlink()
    with pytest.raises(OSError, match="symbolic links"):
        spool.oldest()
    oldest = spool.oldest()
    assert oldest is not None
    assert oldest[0].path == paths[2]
    assert spool.entries == 4
