"""What `understudy doctor` examines: each look gives one line that says fine, notice or wrong, and the remedy.

Looks only: opens connections and closes them again, sends no request to a model, writes nothing.
"""

from __future__ import annotations

import asyncio
import base64
import platform
import ssl
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import aiohttp
from aiohttp import http_parser
from pydantic import SecretStr

from config.clash import intruders
from config.embedded import queue_url
from config.routing import Tls
from config.settings import Settings
from config.tls import context, why
from config.version import __version__
from evaluators import wiring
from evaluators.intake import Intake, QueueAway, QueueUnfit, connect
from evaluators.queue_server import NoServer, find_binary
from evaluators.store import StoreAway, StoreError

_REACH_SECONDS = 5.0
_FLOOR = (3, 14, 3)


@dataclass(frozen=True, slots=True)
class Examined:
    """One look: what was looked at, how it is, and what to do about it."""

    what: str
    state: Literal["fine", "notice", "wrong"]
    said: str

    def line(self) -> str:
        """For a terminal."""
        return f"{self.state:<7} {self.what:<16} {self.said}"

    def json(self) -> dict[str, str]:
        """For programs."""
        return asdict(self)


def installation() -> list[Examined]:
    """Python, aiohttp's parser, and other distributions under our names."""
    found = [Examined("version", "fine", f"understudy {__version__}, Python {platform.python_version()}")]
    release = tuple(int(part) for part in aiohttp.__version__.split(".")[:3] if part.isdigit())
    if release < _FLOOR:
        found.append(Examined("aiohttp", "wrong", f"{aiohttp.__version__} has known holes; install 3.14.3 or later"))
    elif not hasattr(http_parser, "HttpRequestParserC"):
        found.append(Examined("aiohttp", "wrong", "without its C parser; unset AIOHTTP_NO_EXTENSIONS or reinstall"))
    else:
        found.append(Examined("aiohttp", "fine", f"{aiohttp.__version__} with its C parser"))
    if sys.flags.optimize:
        found.append(Examined("python -O", "wrong", "libraries rely on assertions; run without -O"))
    return found + [Examined("import names", "wrong", sentence) for sentence in intruders()]


async def surroundings(settings: Settings, environ: Mapping[str, str]) -> list[Examined]:
    """Queue, store, and the way to every upstream."""
    found = [await _queue(settings, environ), await asyncio.to_thread(_store, settings)]
    ways: dict[str, tuple[str, Tls, SecretStr | None]] = {}
    for route in settings.routes:
        ways[f"live{route.prefix}"] = route.live.base_url, route.live.tls, route.live.proxy
        ways |= {one.name: route.way(one) for one in route.candidates}
    found += await asyncio.gather(*(_reach(name, *way) for name, way in ways.items()))
    if not any(route.candidates for route in settings.routes):
        found.append(Examined("candidates", "notice", "none are configured: calls are relayed and nothing is compared"))
    if not settings.gates:
        found.append(Examined("gates", "notice", "none are configured: `gate` will say inconclusive"))
    return found


async def _queue(settings: Settings, environ: Mapping[str, str]) -> Examined:
    if settings.queue.url is None:
        try:
            binary = await asyncio.to_thread(find_binary)
        except NoServer as error:
            return Examined("queue", "wrong", str(error))
        return Examined("queue", "fine", f"embedded: {binary.path.name} {binary.version}, append-only file in `data`")
    intake = Intake(connect(queue_url(settings, environ)), settings.queue.stream)
    try:
        waiting = await intake.inspect()
    except QueueUnfit as error:
        return Examined("queue", "wrong", str(error))
    except QueueAway as error:
        return Examined("queue", "wrong", f"{error}: no answer; check queue.url, the password and the network")
    finally:
        await intake.close()
    return Examined("queue", "fine", f"answers; {waiting} pairs wait")


def _store(settings: Settings) -> Examined:
    if settings.store.url is None and not Path(settings.data).exists():
        return Examined("store", "fine", f"SQLite, will be made in {settings.data}")
    try:
        wiring.opened_store(settings).close()
    except (StoreError, StoreAway) as error:
        return Examined("store", "wrong", str(error))
    return Examined("store", "fine", "opens")


async def _reach(name: str, url: str, tls: Tls, proxy: SecretStr | None) -> Examined:
    """Open a connection the way the proxy will, with TLS where the URL says so, and close it."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        trust = context(tls) if secure else None
    except OSError as error:
        return Examined(name, "wrong", f"a file of its `tls:` cannot be used: {why(error)}")
    try:
        async with asyncio.timeout(_REACH_SECONDS):
            if proxy is None:
                _, writer = await asyncio.open_connection(parts.hostname, port, ssl=trust)
            else:
                writer = await _through(proxy.get_secret_value(), f"{parts.hostname}:{port}")
                if trust is not None:
                    await writer.start_tls(trust, server_hostname=parts.hostname)
            writer.close()
    except _Refused as error:
        return Examined(name, "wrong", f"the egress proxy lets nobody through to {parts.hostname}:{port} ({error})")
    except TimeoutError:
        return Examined(name, "wrong", f"{parts.hostname}:{port} does not answer within {_REACH_SECONDS:.0f} s")
    except ssl.SSLCertVerificationError as error:
        return Examined(name, "wrong", f"{parts.hostname}:{port} has no certificate we trust ({error.verify_message})")
    except ssl.SSLError as error:
        return Examined(name, "wrong", f"{parts.hostname}:{port} does not speak TLS ({error.reason}); https or http?")
    except OSError as error:
        return Examined(name, "wrong", f"{parts.hostname}:{port} cannot be reached ({type(error).__name__})")
    by = f"{' with TLS' if secure else ''}{' through the egress proxy' if proxy else ''}"
    return Examined(name, "fine", f"{parts.hostname}:{port} can be reached{by}")


class _Refused(Exception):
    """What the egress proxy answered to CONNECT."""


async def _through(proxy: str, authority: str) -> asyncio.StreamWriter:
    """A tunnel (RFC 9110 §9.3.6); a plain http origin is asked for in another way, but is reached by the same one."""
    parts = urlsplit(proxy)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}")
    writer.write("\r\n".join([*lines, "", ""]).encode())
    status = (await reader.readline()).split(b" ")
    if len(status) < 2 or not status[1].startswith(b"2"):
        writer.close()
        raise _Refused(status[1].decode("latin-1")[:3] if len(status) > 1 else "no HTTP")
    while (await reader.readline()).strip():
        pass
    return writer
