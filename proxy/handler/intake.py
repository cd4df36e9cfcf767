"""The request's body on its way to live, and a bounded copy of it. Used by serving; says when it is complete."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from aiohttp import ClientConnectionError, StreamReader
from aiohttp.web import RequestPayloadError

SMALL = 64 << 10
"""Bytes of a request body up to which it is awaited whole: live gets it in one write, and never a slow sender."""

_IDLE = 60.0
"""Seconds a client may pause inside its request body; then 408. A dead sender would hold an exchange with live."""


class IntakeError(Exception):
    """The client's body broke off or stood still; `status` is what it gets for that."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class Intake:
    """The request's body on its way to live, and a bounded copy of it; says when it is complete."""

    def __init__(self, content: StreamReader, cap: int, on_complete: Callable[[bytes | None], None]) -> None:
        self.complete = False
        self.broken: IntakeError | None = None
        self._content = content
        self._cap = cap
        self._on_complete = on_complete

    async def whole(self) -> bytes:
        """All of it at once."""
        if self._content.is_eof():  # the usual case: it came with the head
            body = self._content.read_nowait(-1)
            self._finish(body if len(body) <= self._cap else None)
            return body
        parts = []
        while part := await self._next():
            parts.append(part)
        body = b"".join(parts)
        self._finish(body if len(body) <= self._cap else None)
        return body

    async def stream(self) -> AsyncIterator[bytes]:
        """Chunk by chunk, as fast as live takes them."""
        copy: list[bytes] | None = []
        size = 0
        while part := await self._next():
            size += len(part)
            if copy is not None and size <= self._cap:
                copy.append(part)
            else:
                copy = None
            yield part
        self._finish(None if copy is None else b"".join(copy))

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(_IDLE):
                return await self._content.readany()
        except TimeoutError:
            self.broken = IntakeError(408)
        except (RequestPayloadError, ClientConnectionError, OSError):
            self.broken = IntakeError(400)
        raise self.broken

    def _finish(self, copy: bytes | None) -> None:
        self.complete = True
        self._on_complete(copy)
