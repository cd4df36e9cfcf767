"""A lean HTTP/1.1 client: one write per request, callbacks for the answer. The real door.Upstream, one per role.

Next door: request (bytes out), answer (bytes in), connection and pool (whom they travel on), dialing (how those are
made), limits (for how long), exchange (the caller's end). Nothing is ever repeated. Used by handler and mirror.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection
from functools import partial

from config.pair import Failure
from config.routing import Timeout, Tls
from config.tls import context
from proxy.core.headers import HeaderPairs
from proxy.core.loops import Place as OwnPlace
from proxy.tasks import Tasks
from proxy.upstream.connection import Connection
from proxy.upstream.dialing import Dialing, Place
from proxy.upstream.door import ExchangeError, Sink
from proxy.upstream.exchange import Exchange
from proxy.upstream.limits import Limits
from proxy.upstream.pool import Pool
from proxy.upstream.request import CHUNKED, declared, head

KEEP_IDLE = 4.0
"""Seconds an idle connection is kept. Below the 5 s after which vLLM and uvicorn hang up: at equal times, 56 of 4,000
POSTs met a connection that was just being closed; below it, none did."""

_SYSTEM = Tls()


class LeanUpstream:
    """One origin, its connections and its open exchanges."""

    def __init__(
        self,
        base_url: str,
        timeout: Timeout,
        tasks: Tasks,
        *,
        tls: Tls = _SYSTEM,
        proxy: str = "",
        keep_alive: float = KEEP_IDLE,
        own: Collection[OwnPlace] = (),
    ) -> None:
        self._origin = Place.of(base_url)
        through = Place.of(proxy) if proxy else None
        secure = self._origin.scheme == "https"
        self._dialing = Dialing(self._origin, through, context(tls) if secure else None, own=own)
        self._secure = secure
        self._absolute = b""  # what a proxy that is no tunnel wants before the target
        self._added: tuple[tuple[bytes, bytes], ...] = ()
        if through is not None and not secure:
            self._absolute = repr(self._origin).encode()
            if through.authorization:
                self._added = ((b"Proxy-Authorization", through.authorization),)
        self._limits = Limits(timeout)
        self._pool = Pool(keep_alive)
        self._tasks = tasks
        self._dials: set[asyncio.Task[None]] = set()
        self._closed = False

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
        """Send a request; never raises, never repeats it. The sink hears nothing before this returns."""
        exchange = Exchange(sink, self._limits.open, bare=method == "HEAD", upgrade=upgrade)
        try:
            written = self._written(method, target, headers, body, exchange)
        except ValueError:  # Unsendable, and text that is no ASCII
            self._refuse(exchange, Failure.MALFORMED, "the request cannot be sent")
            return exchange
        if self._closed:
            self._refuse(exchange, Failure.CANCELLED, "the upstream is closed")
            return exchange
        self._limits.watch()
        connection = self._pool.take()
        if connection is not None:
            connection.carry(exchange, written)
        else:
            dial = self._tasks.spawn(self._dial(exchange), "dial")
            self._dials.add(dial)
            dial.add_done_callback(self._dials.discard)
            exchange.dialed_by(dial, written)
        return exchange

    def retire(self) -> None:
        """Replaced: who began before it was may still ask, and no connection is kept after its exchange."""
        self._pool.keep_none()

    async def close(self) -> None:
        """Close every connection; what is open fails."""
        self._closed = True
        self._limits.stop()
        dials = tuple(self._dials)
        for exchange in tuple(self._limits.open):
            exchange.fail(Failure.CANCELLED, "the upstream is closed")
        await asyncio.gather(*dials, return_exceptions=True)
        await self._pool.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"open={len(self._limits.open)}"
        return f"<LeanUpstream {state} connections={len(self._pool)}>"

    def _written(
        self, method: str, target: bytes, headers: HeaderPairs, body: bytes | None, exchange: Exchange
    ) -> bytes:
        if self._absolute:
            target = self._absolute + target
        if body is not None:
            return head(method, target, headers, self._added) + body
        length = declared(headers)
        exchange.stream(length)
        return head(method, target, headers, self._added + CHUNKED if length is None else self._added)

    async def _dial(self, exchange: Exchange) -> None:
        begun: list[Connection] = []
        connection = None
        try:
            connection = await self._dialing.connect(partial(self._connection, begun))
        except ExchangeError as error:
            exchange.refuse(error)
            return
        except (OSError, ValueError):  # ValueError: a name that no encoding takes
            exchange.refuse(ExchangeError(Failure.CONNECT, "the address is not usable"))
            return
        finally:
            # uvloop closes a transport whose dialing is cancelled in its last turn, and tells its protocol nothing.
            for one in begun:
                if one is not connection:
                    self._pool.forget(one)
        if connection.transport.is_closing():
            exchange.refuse(ExchangeError(Failure.RESET, "connection closed before an answer"))
        else:
            connection.carry(exchange)

    def _connection(self, begun: list[Connection], peer: socket.socket) -> Connection:
        begun.append(Connection(self._pool, peer, tls=self._secure))
        return begun[-1]

    def _refuse(self, exchange: Exchange, failure: Failure, detail: str) -> None:
        asyncio.get_running_loop().call_soon(exchange.fail, failure, detail)
