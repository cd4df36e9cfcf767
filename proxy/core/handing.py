"""Frames between a relay and the lane: a call as it begins, how live ended, and how many there were. Read by both.

A frame is its length and a marshalled tuple. Both ends are children of one supervisor, of one interpreter, on a private
socket: there marshal is what costs least (1.2 µs for a call of 1 kB and 1.0 µs for an answer of 1.5 kB, to unpack 1.0
and 0.6; pickle takes 1.4 and more), and version 2 of its format is a third faster to write than the newest.
"""

from __future__ import annotations

import marshal
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from config.pair import Failure, Outcome
from proxy.core.accounting import HOUR
from proxy.core.plan import Draft

KEPT = 48 * HOUR
"""Seconds before the newest hour after which an hour is over for good: as long as the accounting is kept."""

HELLO = b"\n"
"""What the lane sends when it has taken a connection: until then nobody reads."""

MOST = 1 << 30  # bytes of a frame; a longer one is no frame of ours

Totals = Mapping[tuple[int, str, str], int]
"""Calls of one relay since its start, by hour, route and what became of them: "" was handed over, else the reason of
DROPPED. Totals, so that telling them twice counts once."""

_FORMAT = 2
_LENGTH = struct.Struct("<I")
_DRAFT = attrgetter(*(field.name for field in fields(Draft)))
_OUTCOME = attrgetter(*(field.name for field in fields(Outcome) if field.name != "failure"))
_BEGUN, _ENDED, _TOLD = range(3)


class FrameError(Exception):
    """These bytes are no frames: a bug of ours, or two versions that meet."""


@dataclass(slots=True)
class Begun:
    """A call that mirror is to follow; `number` counts the calls of one connection."""

    number: int
    prefix: str
    started: float  # on the monotonic clock, which all processes of a machine share
    draft: Draft


@dataclass(slots=True)
class Ended:
    """The live Outcome of a call."""

    number: int
    outcome: Outcome


@dataclass(slots=True)
class Told:
    """A relay's name, which no two have, and its totals as of this point among its frames."""

    relay: str
    totals: dict[tuple[int, str, str], int]


Frame = Begun | Ended | Told


def begun(number: int, prefix: str, started: float, draft: Draft) -> bytes:
    """The frame of a call. ValueError for a value that cannot be written: a bug of ours."""
    return _framed((_BEGUN, number, prefix, started, _DRAFT(draft)))


def ended(number: int, outcome: Outcome) -> bytes:
    """The frame of a call's end; ValueError as above."""
    return _framed((_ENDED, number, outcome.failure.value, _OUTCOME(outcome)))


def told(relay: str, totals: Totals) -> bytes:
    """The frame of a relay's totals."""
    return _framed((_TOLD, relay, dict(totals)))


def hour_of(at: float) -> int:
    """The hour of a Unix second, as the accounting names it."""
    return int(at // HOUR) * HOUR


class Frames:
    """Fed with what a relay sent, in whatever pieces; gives each frame once it is whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._wanted = _LENGTH.size  # bytes before which nothing can be whole

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete. FrameError ends the stream."""
        self._buffer += data
        if len(self._buffer) < self._wanted:
            return
        whole, at = bytes(self._buffer), 0
        while True:
            self._wanted = _LENGTH.size
            if len(whole) - at < self._wanted:
                break
            (length,) = _LENGTH.unpack_from(whole, at)
            if length > MOST:
                raise FrameError(f"a frame of {length} bytes")
            self._wanted += length
            if len(whole) - at < self._wanted:
                break
            yield _frame(memoryview(whole)[at + _LENGTH.size : at + self._wanted])
            at += self._wanted
        self._buffer = bytearray(memoryview(whole)[at:])

    def __repr__(self) -> str:
        return f"<Frames waiting for {self._wanted} bytes, {len(self._buffer)} here>"


def _framed(value: tuple[Any, ...]) -> bytes:
    data = marshal.dumps(value, _FORMAT)
    return _LENGTH.pack(len(data)) + data


def _frame(data: memoryview) -> Frame:
    try:
        kind, *values = marshal.loads(data)
        frame: Frame = _KINDS[kind](*values)
    except (EOFError, ValueError, TypeError, KeyError) as error:
        raise FrameError(f"not a frame: {type(error).__name__}") from None
    return frame


_KINDS: Mapping[int, Any] = {
    _BEGUN: lambda number, prefix, started, draft: Begun(number, prefix, started, Draft(*draft)),
    _ENDED: lambda number, failure, rest: Ended(number, Outcome(Failure(failure), *rest)),
    _TOLD: Told,
}
