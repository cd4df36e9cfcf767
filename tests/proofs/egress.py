"""Two hundred ways to name a destination in a request, and an egress proxy that tunnels. Played by test_egress.

A proxy that took its destination from any of these would be everybody's way into the operator's network.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

_CALL = "/v1/chat/completions"
_BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}

FIELDS = (
    "api_base base_url api_host api_url endpoint azure_endpoint host hostname url uri target target_url upstream "
    "backend server proxy http_proxy https_proxy gateway custom_host redirect redirect_uri callback webhook_url origin "
    "location provider_url openai_api_base anthropic_base_url service_url image_url file_url"
).split()
"""Names of JSON fields and of query parameters."""

HEADERS = (
    "X-Forwarded-Host X-Forwarded-Server X-Host X-Original-Host X-Original-URL X-Rewrite-URL X-HTTP-Host-Override "
    "X-Target X-Target-URL X-Target-Host X-Upstream X-Upstream-Host X-Backend X-Backend-Host X-Base-URL X-API-Base "
    "X-Proxy-URL X-Proxy-Host X-Destination Destination X-Custom-Host x-portkey-custom-host Helicone-Target-URL "
    "x-litellm-api-base X-Envoy-Original-Dst-Host X-Envoy-Original-Path X-Accel-Redirect X-Sendfile X-Forward-To "
    "X-Azure-Endpoint Via Referer Origin Alt-Svc Location Content-Location Proxy X-Real-IP X-Forwarded-For Forwarded"
).split()

_TARGETS = (
    "http://{at}{call}",
    "https://{at}{call}",
    "HTTP://{at}{call}",
    "http://{at}",
    "http://live.example@{at}{call}",
    "http://{at}@live.example{call}",
    "http://{at}#@live.example{call}",
    "http://{at}\\@live.example{call}",
    "http:{at}{call}",
    "http:/{at}{call}",
    "http:///{at}{call}",
    "ftp://{at}{call}",
    "file://{at}{call}",
    "//{at}{call}",
    "///{at}{call}",
    "/\\{at}{call}",
    "\\\\{at}{call}",
    "\\{at}{call}",
    "@{at}{call}",
    ":80@{at}{call}",
    ".{at}{call}",
    "{at}{call}",
    "{at}",
    "?@{at}{call}",
    "/@{at}{call}",
    "/:@{at}{call}",
    "/http://{at}{call}",
    "/%2f%2f{at}{call}",
    "/%5c%5c{at}{call}",
    "/%40{at}{call}",
    "/..//{at}{call}",
    "/../..//{at}{call}",
    "/%2e%2e//{at}{call}",
    "/.;//{at}{call}",
    "/;@{at}{call}",
    "/%00@{at}{call}",
    "/%0d%0aHost:%20{at}",
    "/%23@{at}{call}",
)
"""Request targets: what they are glued to must never become another authority."""


def carriers(at: str) -> Iterator[bytes]:
    """Requests that all name `at` as the place to go to, for a proxy with a live and a mount `/openai`."""
    for prefix in ("", "/openai"):
        for target in _TARGETS:
            shape = target.format(at=at, call=_CALL)
            yield _request(prefix + shape if shape[:1] in "/\\@:.?" else shape)
    yield from (_request(f"/openai/..//{at}{_CALL}"), _request(f"/openai/%2e%2e/@{at}{_CALL}"))
    for name in FIELDS:
        value = f"http://{at}/v1"
        yield _request(_CALL, body={**_BODY, name: value, "metadata": {name: value}, "extra_body": {name: value}})
        yield _request(f"{_CALL}?{name}={value}&{name}={at}")
    for name in HEADERS:
        for value in (at, f"http://{at}/v1", f"host={at};proto=http")[: 3 if name == "Forwarded" else 2]:
            yield _request(_CALL, f"{name}: {value}\r\n")
    for host in (at, f"live.example@{at}", f"{at}@live.example", f"{at}, live.example", f"http://{at}", f"{at}\\", ""):
        yield _request(_CALL, host=host)
    yield _request(_CALL, f"Host: {at}\r\n")
    for method in ("CONNECT", "OPTIONS", "TRACE"):
        yield f"{method} {at} HTTP/1.1\r\nHost: {at}\r\n\r\n".encode()
    upgrade = f"Connection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://{at}\r\nSec-WebSocket-Version: 13\r\n"
    yield f"GET //{at}/v1/realtime HTTP/1.1\r\nHost: {at}\r\n{upgrade}\r\n".encode()
    yield f"POST {_CALL} HTTP/1.0\r\nConnection: x\r\nX: http://{at}\r\n\r\n".encode()


def _request(target: str, lines: str = "", body: object = None, host: str = "app.example") -> bytes:
    data = json.dumps(_BODY if body is None else body).encode()
    head = f"POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{lines}"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


async def status(host: str, port: int, request: bytes) -> int:
    """How a request on a connection of its own is answered; 0: not at all."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        async with asyncio.timeout(5):
            line = await reader.readline()
    except ConnectionError:
        line = b""
    finally:
        writer.transport.abort()
    return int(line.split(b" ")[1]) if line else 0


@dataclass
class Egress:
    """An egress proxy: opens what CONNECT names, on this machine, and notes what it was asked."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        port = int(head.split(b" ")[1].rpartition(b":")[2])
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(_pass(reader, far_writer), _pass(far_reader, writer))
        finally:
            far_writer.transport.abort()


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a port of the loopback; at the end nobody is left connected."""
    open_: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_[task] = writer
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context, backlog=1024)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in open_:
            task.cancel()
        await asyncio.gather(*open_, return_exceptions=True)


@asynccontextmanager
async def egress_proxy() -> AsyncIterator[Egress]:
    """One that listens."""
    made = Egress()
    async with serving(made.serve) as made.port:
        yield made


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except OSError:
        pass
    writer.transport.abort()
