"""One HTTP exchange: open, head, chunks, close. The only file that knows the client library and its errors.

Used by handler (live) and mirror (shadows), one Upstream each, so that nothing is shared between them. `Exchange` and
`Upstream` are the door: whoever implements them can replace aiohttp's client without touching a caller.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from aiohttp.connector import Connection
from yarl import URL

from config.pair import Failure
from config.settings import ShadowTimeout, Timeout
from proxy.core.headers import HeaderPairs

Body = bytes | AsyncIterator[bytes] | None

KEEP_IDLE = 4.0
"""Seconds an idle connection is kept. Below the 5 s after which vLLM and uvicorn hang up: at equal times, 56 of 4,000
POSTs met a connection that was just being closed; below it, none did."""

_LIMIT = 64 << 10  # bytes of one response line or header field; providers' cookies and policies pass 8 KiB
_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that are no UTF-8, see surrogateescape
_LINE_END = re.compile(rb"[\r\n\0]")
_NOTHING_OF_ITS_OWN = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class ExchangeError(Exception):
    """How an exchange failed, in our words: the library's message may hold a URL or a key and stays behind."""

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Head:
    """A response head, its bytes as received."""

    status: int
    reason: bytes
    headers: HeaderPairs


class Exchange(Protocol):
    """An opened exchange: the head is there, the body comes in chunks."""

    @property
    def head(self) -> Head:
        """Status, reason and headers as received."""

    async def read(self) -> bytes:
        """The next body bytes as they arrive, b"" at the end; raises ExchangeError when the body breaks off."""

    def close(self) -> None:
        """Let go: a finished exchange's connection is kept for the next one, an unfinished one's is closed."""


class Upstream(Protocol):
    """One destination with its own connections."""

    async def open(self, method: str, url: str, headers: HeaderPairs, body: Body) -> Exchange:
        """Send the request and wait for the head; raises ExchangeError. Never repeats a request with a body."""

    async def close(self) -> None:
        """Close every connection."""


class HttpUpstream:
    """The real Upstream: one aiohttp session and connector, with every default that is wrong here turned off."""

    def __init__(self, timeout: Timeout) -> None:
        self._idle = timeout.idle
        total = timeout.total if isinstance(timeout, ShadowTimeout) else None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_IDLE),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            # sock_read is the first-byte limit until the body begins, then AiohttpExchange lowers it to idle
            timeout=aiohttp.ClientTimeout(
                total=total, connect=timeout.connect, sock_connect=timeout.connect, sock_read=timeout.first_byte
            ),
            skip_auto_headers=_NOTHING_OF_ITS_OWN,
            request_class=_Verbatim,
            max_line_size=_LIMIT,
            max_field_size=_LIMIT,
        )

    async def open(self, method: str, url: str, headers: HeaderPairs, body: Body) -> Exchange:
        """Send the request and wait for the head; raises ExchangeError."""
        try:
            fields = [(name.decode("ascii"), value.decode("utf-8", "surrogateescape")) for name, value in headers]
            url.encode("utf-8")
            response = await self._session.request(
                method, URL(url, encoded=True), headers=fields, data=body, allow_redirects=False
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            raise _before_head(error) from None
        exchange = AiohttpExchange(response, self._idle)
        if response.status == 101 or _splits(exchange.head):  # nobody asked for an upgrade
            exchange.close()
            raise ExchangeError(Failure.MALFORMED, "the answer is not HTTP")
        return exchange

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    def __repr__(self) -> str:
        return f"<HttpUpstream {'closed' if self._session.closed else 'open'}>"


class _Verbatim(aiohttp.ClientRequest):
    """Sends header bytes that are no UTF-8 as they came (Python's requests writes latin-1); aiohttp would drop them."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send; with such bytes always by way of write_bytes, which aiohttp uses only where there is a body."""
        if self._body is None and self._escaped():
            self._body = aiohttp.BytesPayload(b"")
        return await super().send(conn)

    async def write_bytes(self, writer: Any, conn: Connection, content_length: int | None = None) -> None:
        """The head is serialized but not written yet when this begins: put the true one in its place."""
        if self._escaped():
            lines = [f"{self.method} {self.url.raw_path_qs} HTTP/1.1"]
            lines += [f"{name}: {value}" for name, value in self.headers.items()]
            writer._headers_buf = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
        await super().write_bytes(writer, conn, content_length)

    def _escaped(self) -> bool:
        values = "".join(self.headers.values())
        return not values.isascii() and _ESCAPED.search(values) is not None


class AiohttpExchange:
    """The real Exchange."""

    def __init__(self, response: aiohttp.ClientResponse, idle: float) -> None:
        reason = (response.reason or "").encode("utf-8", "surrogateescape")
        self.head = Head(response.status, reason, tuple(response.raw_headers))
        self._response = response
        self._idle = idle
        self._begun = False
        names = {name.lower() for name, _ in self.head.headers}
        self._open_ended = not names & {b"content-length", b"transfer-encoding"}
        self._reset = False
        self._closed = self._watch_end()

    async def read(self) -> bytes:
        """The next body bytes as they arrive, b"" at the end; raises ExchangeError when the body breaks off."""
        try:
            chunk = await self._response.content.readany()
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _inside_body(error, self._begun) from None
        if chunk:
            if not self._begun:
                self._begin_body()
            return chunk
        if self._open_ended and self._closed is not None:
            await asyncio.sleep(0)  # the end of the body is told before the end of the connection
        self._unwatch()
        if self._reset:
            raise ExchangeError(Failure.TRUNCATED, "connection reset inside the body")
        return b""

    def close(self) -> None:
        """Let go of the connection; see Exchange."""
        self._unwatch()
        self._response.close()

    def _begin_body(self) -> None:
        self._begun = True
        connection = self._response.connection  # None once the body is complete
        if connection is not None and connection.protocol is not None:
            connection.protocol.read_timeout = self._idle
            connection.protocol.start_timeout()  # the clock that is running was set to the first-byte limit

    def _watch_end(self) -> asyncio.Future[None] | None:
        """The end of the connection, while the body is not complete: aiohttp itself does not tell it in two cases.

        After a chunk that is not a chunk it leaves the reader waiting for ever, with its timer stopped; and where only
        the connection's end marks the body's end, it takes a reset for a clean one.
        """
        connection = self._response.connection
        if connection is None or connection.protocol is None or (closed := connection.protocol.closed) is None:
            return None
        closed.remove_done_callback(_retrieve)  # one for all exchanges of a connection
        closed.add_done_callback(_retrieve)
        closed.add_done_callback(self._ended)
        return closed

    def _ended(self, closed: asyncio.Future[None]) -> None:
        content = self._response.content
        if not content.is_eof():
            if content.exception() is None:
                content.set_exception(aiohttp.ClientPayloadError())
        elif self._open_ended and not closed.cancelled() and closed.exception() is not None:
            self._reset = True

    def _unwatch(self) -> None:
        if self._closed is not None:
            self._closed.remove_done_callback(self._ended)
            self._closed = None


def _retrieve(closed: asyncio.Future[None]) -> None:
    """Looks at the exception, so that asyncio does not report it as unseen."""
    if not closed.cancelled():
        closed.exception()


def _splits(head: Head) -> bool:
    """Whether a field, written out again, could end early: aiohttp reads answers leniently, by decision."""
    return _LINE_END.search(b"".join((head.reason, *(part for field in head.headers for part in field)))) is not None


# First match wins, so that subclasses stand before their bases.
_BEFORE_HEAD: tuple[tuple[type[Exception], Failure, str], ...] = (
    (aiohttp.ConnectionTimeoutError, Failure.TIMEOUT, "no connection within the connect limit"),
    (aiohttp.SocketTimeoutError, Failure.TIMEOUT, "no answer within the first-byte limit"),
    (TimeoutError, Failure.TIMEOUT, "no answer within the total limit"),
    (aiohttp.ClientConnectorCertificateError, Failure.CONNECT, "certificate not trusted"),
    (aiohttp.ClientConnectorSSLError, Failure.CONNECT, "TLS handshake failed"),
    (aiohttp.ClientConnectorDNSError, Failure.CONNECT, "name not found"),
    (aiohttp.ClientConnectorError, Failure.CONNECT, "connection refused or unreachable"),
    (ssl.SSLError, Failure.CONNECT, "TLS handshake failed"),
    (aiohttp.ClientResponseError, Failure.MALFORMED, "the answer is not HTTP"),
    (aiohttp.InvalidURL, Failure.CONNECT, "the address is not usable"),
    (aiohttp.ClientConnectionError, Failure.RESET, "connection closed before an answer"),
    (OSError, Failure.RESET, "connection closed before an answer"),
    (ValueError, Failure.MALFORMED, "the request cannot be sent"),
)


def _before_head(error: Exception) -> ExchangeError:
    for kind, failure, detail in _BEFORE_HEAD:
        if isinstance(error, kind):
            return ExchangeError(failure, detail)
    return ExchangeError(Failure.MALFORMED, "the answer is not HTTP")


def _inside_body(error: Exception, begun: bool) -> ExchangeError:
    if isinstance(error, aiohttp.SocketTimeoutError):
        limit = "idle" if begun else "first-byte"
        return ExchangeError(Failure.TIMEOUT, f"silent for longer than the {limit} limit")
    if isinstance(error, asyncio.TimeoutError):
        return ExchangeError(Failure.TIMEOUT, "not complete within the total limit")
    return ExchangeError(Failure.TRUNCATED, "connection lost inside the body")
