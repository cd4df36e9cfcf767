"""Makes connections to one origin: name, address check, TCP, egress proxy, TLS. The only file that knows their errors.

The name is resolved here and the address connected to is the one that was checked. Used by lean.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from asyncio.staggered import staggered_race
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from itertools import chain, zip_longest
from typing import Any
from urllib.parse import unquote, urlsplit

from config.pair import Failure
from proxy.core.loops import Place as OwnPlace
from proxy.core.loops import is_own, own_places
from proxy.upstream.addresses import allowed, is_local
from proxy.upstream.connection import Connection
from proxy.upstream.door import LOOP, ExchangeError

_HAPPY = 0.25
"""Seconds before the next address is tried beside the one that has not answered (RFC 8305 §5)."""

_PROXY_HEAD = 16 << 10  # bytes of a proxy's answer to CONNECT

Address = tuple[socket.AddressFamily, Any]
Resolve = Callable[[str, int], Awaitable[list[Address]]]


@dataclass(frozen=True, slots=True)
class Place:
    """Scheme, host and port of a URL; userinfo only of a proxy's, kept out of the repr."""

    scheme: str
    host: str
    port: int
    authorization: bytes = b""

    @classmethod
    def of(cls, url: str) -> Place:
        """Read a URL that settings have checked."""
        parts = urlsplit(url)
        authorization = b""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = b"Basic " + base64.b64encode(pair.encode())
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(parts.scheme, parts.hostname or "", port, authorization)

    @property
    def authority(self) -> str:
        """Host and port, as a request line names them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"{self.scheme}://{self.authority}"


class Dialing:
    """How to reach one origin, directly or through an egress proxy."""

    __slots__ = ("_context", "_found", "_local", "_near", "_origin", "_own", "_proxy", "_resolve", "_usable")

    def __init__(
        self,
        origin: Place,
        proxy: Place | None,
        context: ssl.SSLContext | None,
        resolve: Resolve | None = None,
        own: Collection[OwnPlace] = (),
    ) -> None:
        self._origin = origin
        self._proxy = proxy
        self._context = context  # None: no TLS
        self._near = proxy or origin  # whom we connect to
        self._resolve = resolve or LookUp()
        self._local = is_local(self._near.host)
        self._own = own  # where this proxy listens; filled once it does
        self._found: list[Address] = []  # the resolver's last answer,
        self._usable: list[Address] = []  # and what of it may be connected to

    async def connect(self, make: Callable[[socket.socket], Connection]) -> Connection:
        """A connection ready for requests; raises ExchangeError. Cancelled, it leaves nothing behind."""
        peer = await self._reach(await self._addresses())
        if self._own and _is_self(peer, self._own):
            peer.close()
            raise ExchangeError(Failure.CONNECT, LOOP)
        if self._proxy is not None and self._context is not None:
            try:
                await self._tunnel(peer, self._proxy)
            except BaseException:
                peer.close()
                raise
        return await self._wrap(peer, make)

    async def _addresses(self) -> list[Address]:
        near = self._near
        try:
            found = await self._resolve(near.host, near.port)
        except (OSError, UnicodeError):
            raise ExchangeError(Failure.CONNECT, "name not found") from None
        if found is not self._found:  # the same answer has been looked at
            usable = [one for one in found if allowed(str(one[1][0]), local=self._local)]
            if found and not usable:
                raise ExchangeError(Failure.CONNECT, "the address is not allowed")
            self._found, self._usable = found, _alternating(usable)
        return self._usable

    async def _reach(self, addresses: list[Address]) -> socket.socket:
        if len(addresses) == 1:
            try:
                return await _connect(addresses[0])
            except OSError:
                raise ExchangeError(Failure.CONNECT, "connection refused or unreachable") from None
        winner: socket.socket | None
        winner, _, _ = await staggered_race([partial(_connect, one) for one in addresses], _HAPPY)
        if winner is None:
            raise ExchangeError(Failure.CONNECT, "connection refused or unreachable")
        return winner

    async def _tunnel(self, peer: socket.socket, proxy: Place) -> None:
        """Ask the proxy for a way through (RFC 9110 §9.3.6); what it says beyond its head would be TLS to us."""
        authority = self._origin.authority.encode("idna" if not self._origin.host.isascii() else "ascii")
        lines = [b"CONNECT %b HTTP/1.1" % authority, b"Host: " + authority]
        if proxy.authorization:
            lines.append(b"Proxy-Authorization: " + proxy.authorization)
        loop = asyncio.get_running_loop()
        head = b""
        try:
            await loop.sock_sendall(peer, b"\r\n".join([*lines, b"", b""]))
            while b"\r\n\r\n" not in head and len(head) < _PROXY_HEAD and (data := await loop.sock_recv(peer, 4096)):
                head += data
        except OSError:
            head = b""
        if not head.startswith((b"HTTP/1.1 2", b"HTTP/1.0 2")) or not head.endswith(b"\r\n\r\n"):
            raise ExchangeError(Failure.CONNECT, "the egress proxy refused the connection")

    async def _wrap(self, peer: socket.socket, make: Callable[[socket.socket], Connection]) -> Connection:
        loop = asyncio.get_running_loop()
        name = self._origin.host.rstrip(".") if self._context is not None else None
        try:
            _, made = await loop.create_connection(
                lambda: make(peer), sock=peer, ssl=self._context, server_hostname=name
            )
        except ssl.SSLCertVerificationError:
            raise ExchangeError(Failure.CONNECT, "certificate not trusted") from None
        except (OSError, ValueError):  # ValueError: a name that cannot be an SNI
            what = "connection refused or unreachable" if self._context is None else "TLS handshake failed"
            raise ExchangeError(Failure.CONNECT, what) from None
        return made


_FRESH, _STALE = 1.0, 30.0
"""Seconds for which an answer serves further dials without another question, and beside one: a thread that asks waits
for its turn while the loop is busy (5 ms and more), and a burst of streams must not wait with it."""


class LookUp:
    """Names to addresses, one question at a time: everybody who dials meanwhile waits for the same answer.

    A resolver that hangs holds a thread. The loop's own look-ups share four (libuv), so a candidate whose name hangs
    would keep live from connecting; here each upstream holds one of the executor's at most, and wiring gives each two.
    """

    __slots__ = ("_asked", "_found", "_since")

    def __init__(self) -> None:
        self._asked: asyncio.Future[Any] | None = None
        self._found: list[Address] = []
        self._since = -_STALE

    async def __call__(self, host: str, port: int) -> list[Address]:
        """The addresses in the resolver's order; raises OSError or UnicodeError."""
        loop = asyncio.get_running_loop()
        age = loop.time() - self._since
        if self._found and age < _FRESH:
            return self._found
        if (numeric := _numeric(host, port)) is not None:
            self._found, self._since = [numeric], float("inf")  # for good
            return self._found
        if self._asked is None or self._asked.done():
            ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
            self._asked = loop.run_in_executor(None, ask)
            self._asked.add_done_callback(self._answered)
        if not self._found or age > _STALE:
            await asyncio.shield(self._asked)
        return self._found

    def _answered(self, asked: asyncio.Future[Any]) -> None:
        """Keeps the answer; looks at the exception too, which whoever waited for it may have left unseen."""
        if not asked.cancelled() and asked.exception() is None:
            self._found = [(family, place) for family, _, _, _, place in asked.result()]
            self._since = asyncio.get_running_loop().time()


def _numeric(host: str, port: int) -> Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if address.version == 4:
        return socket.AF_INET, (host, port)
    return socket.AF_INET6, (host, port, 0, 0)


def _is_self(peer: socket.socket, own: Collection[OwnPlace]) -> bool:
    """Whether this socket leads back to us; its own end has the interface's address when the peer is this machine."""
    try:
        there = peer.getpeername()
        if all(port != there[1] for _, port in own):  # the usual case, told without reading addresses
            return False
        here = peer.getsockname()
    except OSError:
        return False
    return is_own(own_places(own, [here[0]]), [there[:2]])


async def _connect(address: Address) -> socket.socket:
    family, place = address
    peer = socket.socket(family, socket.SOCK_STREAM)
    try:
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await asyncio.get_running_loop().sock_connect(peer, place)
    except BaseException:
        peer.close()
        raise
    return peer


def _alternating(addresses: list[Address]) -> list[Address]:
    """One family after the other, the resolver's first choice first (RFC 8305 §4)."""
    first = [one for one in addresses if one[0] == addresses[0][0]]
    other = [one for one in addresses if one[0] != addresses[0][0]]
    pairs = zip_longest(first, other)
    return [one for one in chain.from_iterable(pairs) if one is not None]
