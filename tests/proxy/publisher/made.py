"""Pairs and entries for the tests of this room, and disks that stall or refuse."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import replace

from config.pair import Call, Failure, Outcome, Pair, Role
from proxy.core.frames import Entry
from proxy.publisher.segments import Disk
from proxy.publisher.waiting import pack

HOUR = 1_700_000_000 // 3600 * 3600
OUTCOME = Outcome(Failure.NONE, "", 200, (), b"{}", 2, 0.0, 0.1, 0.2, 1, 0.0)
CALL = Call("0" * 32, HOUR + 5.0, "POST", "/v1/x", "", (), b"{}", "c", ())


def pair(number: int, body: bytes = b"{}") -> Pair:
    """A pair of its own id."""
    return Pair(replace(CALL, id=f"{number:032x}", body=body), "mini", Role.CANDIDATE, OUTCOME, OUTCOME)


def entries(first: int, behind: int, body: bytes = b"{}") -> list[Entry]:
    """Packed pairs."""
    return [entry for entry in pack([pair(number, body) for number in range(first, behind)]) if entry is not None]


class StallingDisk(Disk):
    """Every sync takes so long."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.syncs = 0
        self.hanging = False

    def sync(self, file: int) -> None:
        """Sleep in the thread that asked."""
        self.syncs += 1
        self.hanging = True
        time.sleep(self.seconds)
        self.hanging = False
        super().sync(file)


class RefusingDisk(Disk):
    """Refuses while `error` is set: after half of the data was written, as a full disk does, or at the sync."""

    def __init__(self) -> None:
        self.error = 0
        self.at_sync = False
        self.refused = 0

    def write(self, file: int, data: bytes) -> None:
        """Write all, or half."""
        if not self.error or self.at_sync:
            return super().write(file, data)
        super().write(file, data[: len(data) // 2])
        self._refuse()

    def sync(self, file: int) -> None:
        """Sync or refuse."""
        if self.error:
            self._refuse()
        super().sync(file)

    def _refuse(self) -> None:
        self.refused += 1
        raise OSError(self.error, os.strerror(self.error))


FULL = errno.ENOSPC
BROKEN = errno.EIO
