"""The request's body on its way to live, and a bounded copy of it. Used by passage; says when it is complete."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from aiohttp import ClientConnectionError, StreamReader
from aiohttp.web import RequestPayloadError

SMALL = 64 << 10
"""Bytes of a request body up to which it is awaited whole: live gets it in one write, and never a slow sender."""


class IntakeError(Exception):
    """The client's body broke off, stood still or grew too long; `status` is what it gets for that."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class Intake:
    """The request's body on its way to live, and a bounded copy of it; says when it is complete."""

    def __init__(
        self, content: StreamReader, cap: int, most: int, stall: float, on_complete: Callable[[bytes | None], None]
    ) -> None:
        self._content = content
        self._cap = cap
        self._most = most  # bytes of a request body at all
        self._stall = stall  # seconds a client may pause inside its body: a dead one would hold an exchange with live
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
            if size > self._most:
                raise IntakeError(413)
            if copy is not None and size <= self._cap:
                copy.append(part)
            else:
                copy = None
            yield part
        self._finish(None if copy is None else b"".join(copy))

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(self._stall):
                return await self._content.readany()
        except TimeoutError:
            raise IntakeError(408) from None
        except (RequestPayloadError, ClientConnectionError, OSError):
            raise IntakeError(400) from None

    def _finish(self, copy: bytes | None) -> None:
        self._on_complete(copy)
