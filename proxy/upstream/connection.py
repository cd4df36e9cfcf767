"""One TCP or TLS connection to an upstream: bytes in, callbacks out, no task. Kept by pool, made by dialing."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING, cast

from config.pair import Failure
from proxy.upstream.answer import Answer
from proxy.upstream.exchange import BEGINNING, RUNNING, WAITING, Exchange

if TYPE_CHECKING:
    from proxy.upstream.pool import Pool


class Connection(asyncio.Protocol):
    """Carries one exchange at a time; goes back to its pool after a sound one, and closes after any other."""

    __slots__ = ("_ended", "_pool", "answer", "exchange", "full", "idle_since", "keep", "peer", "tls", "transport")

    transport: asyncio.Transport

    def __init__(self, pool: Pool, peer: socket.socket, *, tls: bool) -> None:
        self.answer = Answer()
        self.exchange: Exchange | None = None
        self.peer = peer  # only looked at, never read or closed here
        self.tls = tls
        self.full = False  # above the write buffer's high-water mark
        self.idle_since = -1.0  # -1: never was idle
        self.keep = 0.0
        self._pool = pool
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Known to the pool from now on, which closes it in the end."""
        self.transport = cast(asyncio.Transport, transport)
        self._pool.made(self)

    def carry(self, exchange: Exchange, written: bytes = b"") -> None:
        """Send a request; its answer is the next thing that may arrive here."""
        self.answer.expect(bare=exchange.bare, upgrade=exchange.upgrade)
        self.exchange = exchange
        exchange.connection = self
        exchange.stage = WAITING
        exchange.heard = True
        if written:
            self.transport.write(written)
        else:
            exchange.begin(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer; without a question they are nobody's, and the connection is not sound."""
        exchange = self.exchange
        if exchange is None:
            self.transport.abort()
            return
        exchange.heard = True
        answer = self.answer
        if answer.raw:
            exchange.sink.body(data)
            exchange.sink.flush()
            return
        answer.feed(data)
        if exchange.stage == WAITING:
            self._tell_head(exchange, answer)
        pieces = answer.pieces
        if pieces:
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            if exchange.stage == BEGINNING:
                exchange.stage = RUNNING
            exchange.sink.body(body)
        if answer.complete or answer.fault:
            self._conclude(exchange, answer)
        else:
            exchange.sink.flush()

    def eof_received(self) -> None:
        """The peer has finished; the transport closes next."""
        self._ended = not self.tls or _said_goodbye(self.transport.get_extra_info("ssl_object"))

    def connection_lost(self, error: Exception | None) -> None:
        """Told once, whoever closed it."""
        exchange, self.exchange = self.exchange, None
        self._pool.lost(self, unused=exchange is None)
        if exchange is None:
            return
        exchange.connection = None
        answer = self.answer
        clean = error is None and self._ended
        if answer.head is None:
            self._pool.refused(self)
            exchange.fail(Failure.RESET, "connection closed before an answer")
        elif clean and (answer.raw or not answer.framed):
            sink = exchange.leave()
            sink.end(())
            sink.flush()
        else:
            exchange.fail(Failure.TRUNCATED, "connection lost inside the body")

    def pause_writing(self) -> None:
        """The socket takes no more for now."""
        self.full = True

    def resume_writing(self) -> None:
        """It does again."""
        self.full = False
        if self.exchange is not None:
            self.exchange.make_room()

    def half_close(self) -> None:
        """No more bytes from us; TLS has no such thing."""
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()

    def abandon(self) -> None:
        """The exchange is over before its answer: the rest would be read as the next one's."""
        self.exchange = None
        self.transport.abort()

    def sound(self) -> bool:
        """Whether nothing has arrived since the last answer, not even the end: one look, no waiting, nothing read."""
        try:
            self.peer.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        return False

    def _tell_head(self, exchange: Exchange, answer: Answer) -> None:
        if answer.interims:
            interims, answer.interims = answer.interims, []
            for interim in interims:
                exchange.sink.interim(interim)
        if answer.head is not None and exchange.stage == WAITING:
            exchange.stage = BEGINNING
            exchange.sink.head(answer.head)

    def _conclude(self, exchange: Exchange, answer: Answer) -> None:
        if self.exchange is not exchange:  # cancelled by whoever was just told
            return
        if answer.fault and answer.head is None:
            exchange.fail(Failure.MALFORMED, "the answer is not HTTP")
        elif answer.fault:
            exchange.fail(Failure.TRUNCATED, "connection lost inside the body")
        else:
            self.exchange = exchange.connection = None
            if answer.keep_alive and exchange.sent and not self.transport.is_closing():
                if exchange.paused:
                    self.transport.resume_reading()
                self._pool.put(self, answer.keep_for)
            else:
                self.transport.abort()
            sink = exchange.leave()
            sink.end(answer.trailers)
            sink.flush()

    def __repr__(self) -> str:
        return f"<Connection {'idle' if self.exchange is None else 'busy'}>"


def _said_goodbye(peer: ssl.SSLObject) -> bool:
    """Whether close_notify has come: without it anybody on the way can have ended the connection (RFC 9112 §9.8).

    uvloop tells the end of a TLS connection only after it, the default loop tells a bare end of TCP as well.
    """
    try:
        peer.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        pass
    return True
