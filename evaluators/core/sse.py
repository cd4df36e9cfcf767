"""Server-sent events from bytes: fed and flushed, never reading. Used by reading; the dialects see only its Events.

Follows the WHATWG standard, §9.2.5 and §9.2.6 (html.spec.whatwg.org/multipage/server-sent-events.html). What a
browser does with reconnection (`retry`) is left out: a recorded stream does not reconnect.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_EVENT = 16 << 20
"""Bytes of one line, or of all data lines of one event. Image models put whole base64 pictures of up to about 10 MB
into a single line; nothing legitimate is above, so more is dropped and `overflowed` says so."""

_BOM = b"\xef\xbb\xbf"
_LINE_ENDS = (b"\n", b"\r")


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event. `id` is the last id the stream gave so far, as the standard has it."""

    type: str
    data: str
    id: str = ""


class Decoder:
    """Bytes in, events out. How the bytes are cut makes no difference; nothing raises.

    `pending`: an event was begun and its closing blank line has not come: at the end of a stream, a cut.
    `overflowed`: at least one event was larger than `limit` and was dropped.
    """

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self.overflowed = False
        self._limit = limit
        self._first = True  # no line was taken yet: a byte order mark may still come
        self._after_cr = False  # a line feed now would belong to the line end already seen
        self._tail: list[bytes] = []  # pieces of the unfinished line; empty when it is too long
        self._size = 0  # bytes of the unfinished line, kept or not
        self._begun = False  # the current event has at least one field
        self._lost = False  # the current event is too large
        self._type = ""
        self._id = ""
        self._data: list[str] = []
        self._held = 0

    def __repr__(self) -> str:
        return f"<Decoder pending={self.pending} overflowed={self.overflowed} held={self._held + self._size}>"

    @property
    def pending(self) -> bool:
        """True while an event is incomplete."""
        return self._begun or self._size > 0

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if not chunk:
            return []
        lines = chunk.splitlines()  # of bytes: CR, LF and CRLF only, as the standard wants
        rest = b"" if chunk.endswith(_LINE_ENDS) else lines.pop()
        self._after_cr = chunk.endswith(b"\r")
        events: list[Event] = []
        if lines:
            self._keep(lines[0])
            self._line(b"".join(self._tail), events)
            self._tail, self._size = [], 0
            for line in lines[1:]:
                self._size = len(line)
                self._line(line, events)
            self._size = 0
        self._keep(rest)
        return events

    def flush(self) -> list[Event]:
        """The stream has ended. What is incomplete is dropped, as the standard demands; `pending` goes on saying so."""
        self._tail, self._data = [], []
        return []

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            self._tail = []
        elif piece:
            self._tail.append(piece)

    def _line(self, line: bytes, events: list[Event]) -> None:
        if self._size > self._limit:
            self._overflow()
            return
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            self._dispatch(events)
        elif not line.startswith(b":"):
            self._begun = True
            self._field(line)

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._held += len(value) + 1
            if self._held > self._limit:
                self._overflow()
            else:
                self._data.append(value.decode("utf-8", "replace"))
        elif name == b"event":
            self._type = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")

    def _dispatch(self, events: list[Event]) -> None:
        if self._data and not self._lost:
            events.append(Event(self._type or "message", "\n".join(self._data), self._id))
        self._begun = self._lost = False
        self._type = ""
        self._data = []
        self._held = 0

    def _overflow(self) -> None:
        self.overflowed = self._begun = self._lost = True
        self._first = False
        self._data = []
