"""What an upstream is to the rest of the house: ask, and be told. Implemented by lean; used by handler and mirror.

Everything is a callback in the event loop, because a wake-up per token is what a relay costs (measured: 26 µs a chunk
through a future, 17 by a callback that writes). Whoever implements Sink must not raise and must not block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from config.pair import Failure
from proxy.core.headers import HeaderPairs


class ExchangeError(Exception):
    """How an exchange failed, in our words: a library's message may hold a URL or a key and stays behind."""

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


LOOP = "the address is this proxy's own"
"""The detail of the one failure that is answered 508 (RFC 9110 §7.6: a proxy must not forward to itself)."""


@dataclass(frozen=True, slots=True)
class Head:
    """A response head, its bytes as received."""

    status: int
    reason: bytes
    headers: HeaderPairs


class Sink(Protocol):
    """Who is told of one answer: interim* head body* (end | failed), or failed alone. A flush ends each arrival."""

    def interim(self, head: Head) -> None:
        """An informational answer (1xx but 100 and 101) came before the final one (RFC 9110 §15.2)."""

    def head(self, head: Head) -> None:
        """The final status and fields; 101 only where an upgrade was asked for, and then raw bytes follow."""

    def body(self, data: bytes) -> None:
        """Body bytes, freed of their transfer coding, once per arrival; after a 101 whatever the peer sent."""

    def flush(self) -> None:
        """All of one arrival was told: what of it waits to be written together can go out now."""

    def end(self, trailers: HeaderPairs) -> None:
        """The answer is complete (or, after a 101, the peer has finished sending)."""

    def failed(self, error: ExchangeError) -> None:
        """There is no answer, or its rest will not come."""


class Exchange(Protocol):
    """One request on its way and its answer; told to a Sink."""

    def send(self, data: bytes) -> bool:
        """Write a piece of a streamed request body (after a 101: raw bytes). False: the exchange is over."""

    async def room(self) -> None:
        """Wait until what was sent fits into the socket's buffers again, or the exchange is over."""

    def finish(self) -> None:
        """The streamed request body is complete (after a 101: no more bytes from us, half-close)."""

    def pause(self) -> None:
        """Stop reading the answer: whoever reads it from us is slower. The idle limit does not run meanwhile."""

    def resume(self) -> None:
        """Go on reading."""

    def cancel(self) -> None:
        """Let go: an unfinished exchange's connection is closed at once and the sink hears nothing more."""


class Upstream(Protocol):
    """One origin with its own connections."""

    def ask(
        self,
        method: str,
        target: bytes,
        headers: HeaderPairs,
        body: bytes | None,
        sink: Sink,
        *,
        upgrade: bool = False,
    ) -> Exchange:
        """Send a request; never raises, never repeats it. The sink hears nothing before this returns.

        `target` is path and query as they are to be sent, base path included. `headers` go out as they are, so they
        hold Host and, for a body that is given, the right Content-Length. `body` None: it follows through `send` and
        `finish`, chunked when the headers give no Content-Length; this side adds Transfer-Encoding then.
        """

    async def close(self) -> None:
        """Close every connection; what is open fails."""
