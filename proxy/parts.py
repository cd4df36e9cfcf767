"""What one process of a divided proxy is told at its start, and the line on which it is told to stop.

Written by supervisor, read by __main__ and wiring of the process that it starts.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class Part(StrEnum):
    """What a process does."""

    RELAY = "relay"  # serves clients, and hands each call to the lane
    LANE = "lane"  # everything behind live


@dataclass(frozen=True, slots=True)
class Orders:
    """One process's orders; the numbers are of files that it inherits."""

    part: Part
    name: str  # which no other process of this proxy has or had
    instance: str  # of the whole proxy, in the accounting; outlives every lane
    folder: str  # of sockets and the book, for this proxy alone
    listening: tuple[int, ...]  # sockets: a relay's for clients, the lane's for relays
    stopping: int  # the pipe of a StopLine
    shadowing: bool = True  # the kill switch as it was last turned

    @property
    def ops(self) -> Path:
        """The unix socket on which this process answers the routes of ops."""
        return Path(self.folder, f"{self.name}.ops")

    @property
    def lane(self) -> Path:
        """The unix socket on which the lane takes relays."""
        return Path(self.folder, "lane")

    @property
    def book(self) -> Path:
        """The file in which one lane leaves its accounts to the next."""
        return Path(self.folder, "book")

    def argument(self) -> str:
        """As the value of `--part`."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, argument: str) -> Orders:
        """From the value of `--part`; ValueError when it is not one that `argument` made."""
        try:
            given = json.loads(argument)
            return cls(**{**given, "part": Part(given["part"]), "listening": tuple(given["listening"])})
        except (KeyError, TypeError) as error:
            raise ValueError("not orders of a supervisor") from error


class StopLine:
    """The child's end of a pipe: seconds to drain in, as a line; its end means that the supervisor is gone.

    A pipe because it ends with its writer however that dies, which only Linux's parent-death signal does otherwise.
    """

    def __init__(self, file: int, tell: Callable[[float | None], None], end: Callable[[], None] | None = None) -> None:
        self._file = file
        self._tell = tell
        self._end = end or _end_now
        self._told = False
        os.set_blocking(file, False)
        asyncio.get_running_loop().add_reader(file, self._read)

    def _read(self) -> None:
        data = os.read(self._file, 64)
        if data:
            self._told = True
            self._tell(float(data))
            return
        self.close()
        if self._told:  # whoever waited for the drain was killed, and wants no more of it
            self._end()
        else:
            self._tell(None)

    def close(self) -> None:
        """Listen no more."""
        if self._file >= 0:
            asyncio.get_running_loop().remove_reader(self._file)
            os.close(self._file)
            self._file = -1


def _end_now() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
