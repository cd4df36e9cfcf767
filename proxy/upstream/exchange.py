"""One request on its way and its answer: the caller's end of door.Exchange. Made by lean, moved on by connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from config.pair import Failure
from proxy.core.headers import HeaderPairs
from proxy.upstream.door import ExchangeError, Head, Sink
from proxy.upstream.request import LAST_CHUNK, chunk

if TYPE_CHECKING:
    from proxy.upstream.connection import Connection

CONNECTING: Final = 0
WAITING: Final = 1  # for the head
BEGINNING: Final = 2  # the head is there, no body byte yet
RUNNING: Final = 3
OVER: Final = 4


class _Nobody:
    """Who is told once an exchange is over: what still arrives on its way out needs no question whether."""

    __slots__ = ()

    def interim(self, head: Head) -> None:
        """Ignored, like the rest."""

    def head(self, head: Head) -> None: ...

    def body(self, data: bytes) -> None: ...

    def flush(self) -> None: ...

    def end(self, trailers: HeaderPairs) -> None: ...

    def failed(self, error: ExchangeError) -> None: ...


_NOBODY: Final = _Nobody()


class Exchange:
    """The state of one exchange. `heard` says that something happened since the clock last looked."""

    __slots__ = (
        "_dial",
        "_due",
        "_open",
        "_room",
        "_unsent",
        "bare",
        "connection",
        "heard",
        "paused",
        "sent",
        "sink",
        "stage",
        "until",
        "until_total",
        "upgrade",
    )

    def __init__(self, sink: Sink, watched: set[Exchange], *, bare: bool, upgrade: bool) -> None:
        self.sink: Sink = sink
        self.bare = bare
        self.upgrade = upgrade
        self.stage = CONNECTING
        self.heard = True
        self.paused = False
        self.sent = True  # the whole request
        self.until = self.until_total = 0.0  # instants; owned by limits
        self.connection: Connection | None = None
        self._open = watched
        self._dial: asyncio.Task[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._unsent: list[bytes] | None = None
        self._due: int | None = None
        watched.add(self)

    def stream(self, length: int | None) -> None:
        """The request body follows, `length` bytes of it, or as many chunks as there are."""
        self.sent = False
        self._due = length

    def dialed_by(self, dial: asyncio.Task[None], written: bytes) -> None:
        """A connection is being made; `written` is what it is for."""
        self._dial = dial
        self._unsent = [written]

    def send(self, data: bytes) -> bool:
        """Write a piece of the request body (after a 101: raw bytes). False: the exchange is over."""
        if self.stage == OVER:
            return False
        if not data:
            return True
        self.heard = True
        if self.upgraded:
            self._write(data)
        elif self.sent:
            self.fail(Failure.MALFORMED, "the request cannot be sent")  # more than it said: another request to a server
        elif self._due is None:
            self._write(chunk(data))
        elif len(data) <= self._due:
            self._due -= len(data)
            self._write(data)
        else:
            self.fail(Failure.MALFORMED, "the request cannot be sent")
        return self.stage != OVER

    async def room(self) -> None:
        """Wait until what was sent fits into the socket's buffers again, or the exchange is over."""
        while self.stage != OVER and (self.connection is None or self.connection.full):
            if self._room is None or self._room.done():
                self._room = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._room)

    def finish(self) -> None:
        """The request body is complete (after a 101: half-close, where TLS allows)."""
        if self.stage == OVER:
            return
        self.heard = True
        if self.upgraded:
            if self.connection is not None:
                self.connection.half_close()
        elif self._due:
            self.fail(Failure.MALFORMED, "the request cannot be sent")  # less than it said
        elif not self.sent:
            if self._due is None:
                self._write(LAST_CHUNK)
            self.sent = True

    def pause(self) -> None:
        """Stop reading the answer."""
        self.paused = True
        if self.connection is not None:
            self.connection.transport.pause_reading()

    def resume(self) -> None:
        """Go on reading."""
        self.paused = False
        self.heard = True
        if self.connection is not None:
            self.connection.transport.resume_reading()

    def cancel(self) -> None:
        """Let go; the sink hears nothing more."""
        if self.stage != OVER:
            self.leave()

    def fail(self, failure: Failure, detail: str) -> None:
        """There is no answer, or its rest will not come; does nothing once the exchange is over."""
        if self.stage != OVER:
            sink = self.leave()
            sink.failed(ExchangeError(failure, detail))

    def refuse(self, error: ExchangeError) -> None:
        """No connection could be made."""
        self._dial = None
        self.fail(error.failure, error.detail)

    def begin(self, connection: Connection) -> None:
        """A connection was made for it: write what waited."""
        self._dial = None
        if self._unsent:
            connection.transport.write(b"".join(self._unsent))
            self._unsent = None
        self.make_room()
        if self.paused:
            connection.transport.pause_reading()

    def make_room(self) -> None:
        """Wake whoever waits in `room`."""
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    def leave(self) -> Sink:
        """It is over: nothing reaches it any more, and an unfinished connection closes. Returns who was told so far."""
        sink, connection, dial = self.sink, self.connection, self._dial
        self.stage = OVER
        self.sink = _NOBODY
        self.connection = self._dial = self._unsent = None
        self._open.discard(self)
        if connection is not None:
            connection.abandon()
        if dial is not None:
            dial.cancel()
        self.make_room()
        return sink

    @property
    def upgraded(self) -> bool:
        """Whether raw bytes go both ways."""
        return self.upgrade and self.connection is not None and self.connection.answer.raw

    def _write(self, data: bytes) -> None:
        if self.connection is not None:
            if not self.connection.transport.is_closing():  # its end is told in a moment
                self.connection.transport.write(data)
        elif self._unsent is not None:
            self._unsent.append(data)

    def __repr__(self) -> str:
        return f"<Exchange {('connecting', 'waiting', 'beginning', 'running', 'over')[self.stage]}>"
