"""The only file that constructs and starts things: settings to a running proxy, closed in reverse order.

The order of closing is the order of a shutdown: the entrance first, then shadows, then the queue, then connections.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded import queue_url
from config.settings import Limits, ListenTls, Settings
from proxy.core.accounting import Ledger
from proxy.core.loops import Place
from proxy.generations import Common, Lives, Shadows, TlsUnfit, retire
from proxy.handler import Entrance, Handler, Shadowing
from proxy.mirror import Memory, Mirror
from proxy.ops import Ops
from proxy.publisher import TASK as PUBLISHING
from proxy.publisher import Publisher, PublisherRules, Spool, connect
from proxy.reloading import Reloading
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry, log

GRACE = 30.0
"""Seconds from the first signal to the end: what Kubernetes gives a pod by default."""

LAST_CALLS = 1.0
"""Seconds in which a proxy that is told to stop still takes connections, while `/readyz` says no and every answer says
`Connection: close`: balancers look every so often, and what they send meanwhile must not be refused."""

BACKLOG = 1024  # connections that wait to be accepted
_CUT = 0.5  # seconds for connections that are still open after the drain
FLUSH = 2.0  # seconds for the last pairs


class Front:
    """The live half: the handler, and the lives of the configuration in effect."""

    def __init__(
        self, settings: Settings, shadows: Mapping[str, Shadowing], telemetry: Telemetry, tasks: Tasks
    ) -> None:
        self._tasks = tasks
        self._own: set[Place] = set()
        self._lives = Lives(settings, shadows, tasks, own=self._own)
        self.handler = Handler(self._lives.rules, telemetry, tasks)
        self._entrances: list[asyncio.Server] = []

    def listens(self, entrance: asyncio.Server) -> None:
        """Clients come here; what live's address leads back here would be forwarded for ever."""
        self._entrances.append(entrance)
        self._own.update(one.getsockname()[:2] for one in entrance.sockets)

    def next(self, settings: Settings, shadows: Mapping[str, Shadowing]) -> Lives:
        """What a changed configuration would be; nothing is taken over yet. Raises TlsUnfit."""
        return Lives(settings, shadows, self._tasks, self._lives, self._own)

    def take(self, lives: Lives) -> None:
        """Take it over: new calls at once, open ones end as they began."""
        old, self._lives = self._lives, lives
        self.handler.rules = lives.rules
        retire(old.upstreams, lives.upstreams)

    async def drain(self, until: float, last_calls: float = LAST_CALLS) -> None:
        """Take nothing new once balancers can know; return when all requests have ended, or at the loop's `until`."""
        loop = asyncio.get_running_loop()
        self.handler.draining = True
        await asyncio.sleep(min(last_calls, until - loop.time()))
        for entrance in self._entrances:
            entrance.close()
        await self.handler.idle(until - loop.time())

    async def close(self) -> None:
        """Close every connection to a live."""
        for upstream in self._lives.upstreams:
            await upstream.close()


class Back:
    """The half behind live: the shadows of the configuration in effect, and the switch over all of them."""

    def __init__(self, settings: Settings, common: Common) -> None:
        self._common = common
        self._shadows = Shadows(settings, common)

    @property
    def mirrors(self) -> Mapping[str, Mirror]:
        """By the prefix of their route."""
        return self._shadows.mirrors

    @property
    def enabled(self) -> bool:
        """Whether new calls are shadowed (the kill switch)."""
        return self._shadows.enabled

    def switch(self, enabled: bool) -> None:
        """Turn the kill switch; shadows that are open go on."""
        self._shadows.switch(enabled)

    def next(self, settings: Settings) -> Shadows:
        """What a changed configuration would be; nothing is taken over yet. Raises TlsUnfit."""
        return Shadows(settings, self._common, self._shadows)

    def take(self, shadows: Shadows) -> None:
        """Take it over."""
        old, self._shadows = self._shadows, shadows
        retire(old.upstreams, shadows.upstreams)

    def drain(self) -> None:
        """Start no shadow from now on."""
        self._shadows.drain()

    async def settle(self, limit: float = 0.0) -> int:
        """Wait for open shadow calls, then stop the rest; returns how many those were."""
        return await self._shadows.settle(limit)

    async def close(self) -> None:
        """Close every connection to a shadow."""
        for upstream in self._shadows.upstreams:
            await upstream.close()


@dataclass(frozen=True, slots=True)
class Running:
    """A proxy that answers. `listening` and `ops` are base URLs with the ports that were really taken."""

    listening: str
    ops: str
    ledger: Ledger
    draining: Draining
    reloading: Reloading | None  # None where there is no file to watch


class Draining:
    """Told to stop: takes nothing new, lets what is open end, then lets the rest of the pairs go out."""

    def __init__(self, front: Front, back: Back, ops: Ops) -> None:
        self._front = front
        self._back = back
        self._ops = ops

    async def drain(self, grace: float, last_calls: float = LAST_CALLS) -> None:
        """Return when all requests and shadows have ended, or after `grace` seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + grace
        self._ops.ready = False
        self._back.drain()
        await self._front.drain(until, last_calls)
        late = await self._back.settle(until - loop.time())
        log(logging.INFO, "drained", open_requests=self._front.handler.open_requests, cancelled_shadows=late)


@asynccontextmanager
async def running(
    settings: Settings, environ: Mapping[str, str] = os.environ, path: Path | None = None
) -> AsyncIterator[Running]:
    """A proxy for these settings, answering when the body of the `with` begins; changes of `path` are taken over.

    Raises QueueUnfit when the queue's server must not be used, TlsUnfit when a certificate or key cannot, and OSError
    when an address cannot be listened on.
    """
    enough_threads(settings)
    telemetry, ledger, tasks = Telemetry(), Ledger(), Tasks()
    async with AsyncExitStack() as closing:
        publisher = make_publisher(settings, environ, ledger, telemetry, instance())
        back = Back(settings, common(settings, publisher, ledger, telemetry, tasks))
        closing.push_async_callback(back.close)
        front = Front(settings, back.mirrors, telemetry, tasks)
        closing.push_async_callback(front.close)
        closing.push_async_callback(publisher.close, FLUSH)
        await publisher.start(tasks)
        closing.push_async_callback(tasks.settle, 0.0, {PUBLISHING})
        closing.push_async_callback(back.settle)
        ops = Ops(back, telemetry)
        side_door = await listen(ops, settings.ops, None, settings.limits, telemetry, closing)
        closing.callback(front.handler.stop)
        entrance = await listen(front.handler, settings.listen, settings.tls, settings.limits, telemetry, closing)
        front.listens(entrance)

        def apply(changed: Settings) -> None:
            shadows = back.next(changed)
            lives = front.next(changed, shadows.mirrors)
            back.take(shadows)  # both or neither
            front.take(lives)

        reloading = None
        if path is not None:
            reloading = Reloading(path, environ, settings, apply, telemetry)
            closing.callback(tasks.spawn(reloading.watch(), "reloading").cancel)
        listening, answering = url(entrance.sockets[0], settings.tls), url(side_door.sockets[0], None)
        yield Running(listening, answering, ledger, Draining(front, back, ops), reloading)


def enough_threads(settings: Settings) -> None:
    """Name look-ups block a thread each: a resolver that hangs for one shadow must leave threads for live."""
    upstreams = sum(2 + len(route.candidates) for route in settings.routes)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(8 + 2 * upstreams, "understudy"))


def common(settings: Settings, publisher: Publisher, ledger: Ledger, telemetry: Telemetry, tasks: Tasks) -> Common:
    """What outlives a configuration on the shadow side, shown in the metrics."""
    memory = Memory(settings.queue.memory)
    telemetry.watch(ledger)
    telemetry.shadow_bytes.set_function(lambda: memory.held)
    return Common(publisher, memory, ledger, telemetry, tasks)


def instance() -> str:
    """A name for this proxy in the accounting, that no other has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def make_publisher(
    settings: Settings, environ: Mapping[str, str], ledger: Ledger, telemetry: Telemetry, name: str
) -> Publisher:
    """The publisher of the proxy called `name` in the accounting."""
    rules = PublisherRules(
        stream=settings.queue.stream, max_pairs=settings.queue.max_pairs, memory=settings.queue.memory, instance=name
    )
    spool = None
    if settings.queue.spool.max:
        spool = Spool(Path(settings.data) / "spool", name, settings.queue.spool.max)
        telemetry.watch_spool(spool.facts)
    return Publisher(rules, connect(queue_url(settings, environ)), ledger, telemetry, spool)


def address(text: str) -> tuple[str, int]:
    """Host and port of a `host:port` of the file."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


async def listen(
    handler: Any,
    where: str | socket.socket,
    tls: ListenTls | None,
    limits: Limits,
    telemetry: Telemetry,
    closing: AsyncExitStack,
) -> asyncio.Server:
    """Serve at an address of the file, or at a socket that is bound; closed with `closing`."""
    entrance = Entrance(handler, telemetry, limits)
    secured = None if tls is None else _certificate(tls)
    loop = asyncio.get_running_loop()
    if isinstance(where, str):
        server = await loop.create_server(entrance, *address(where), backlog=BACKLOG, ssl=secured)
    elif where.family == socket.AF_UNIX:
        server = await loop.create_unix_server(entrance, sock=where, backlog=BACKLOG)
    else:
        server = await loop.create_server(entrance, sock=where, backlog=BACKLOG, ssl=secured)
    closing.push_async_callback(entrance.shutdown, _CUT)
    closing.callback(entrance.pre_shutdown)  # ends idle connections; without it each would wait for a request
    closing.callback(server.close)
    return server


def _certificate(tls: ListenTls) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(tls.cert, tls.key)
    except OSError as error:
        raise TlsUnfit("tls", error) from None
    return context


def url(bound: socket.socket, tls: ListenTls | None) -> str:
    """The base URL of a socket that listens."""
    host, port = bound.getsockname()[:2]
    scheme = "http" if tls is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
