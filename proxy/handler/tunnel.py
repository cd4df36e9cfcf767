"""A WebSocket after its 101: bytes both ways, nothing read, nothing copied. Used by serving.

Live's bytes reach the client through the Relay; this is the other direction, in the place of aiohttp's frame parser.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from aiohttp.web import BaseRequest

from proxy.upstream.door import Exchange


class Tunnel:
    """What the client sends, to live as it comes; reading from the client rests while live's socket is full."""

    def __init__(self, request: BaseRequest, exchange: Exchange) -> None:
        self._protocol = request.protocol
        self._exchange = exchange
        self._arrived = asyncio.Event()

    def open(self) -> None:
        """Live has agreed: what the client sends from here on, and has sent already, is live's."""
        self._protocol.set_parser(cast(Any, self))  # aiohttp asks it for feed_data and feed_eof only

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Bytes came; the answer says that the end is not known here and that nothing is left over."""
        self._protocol.pause_reading()  # at once: uvloop reads up to 8 MiB in a turn, before any task could say so
        self._arrived.set()
        return not self._exchange.send(data), b""

    def feed_eof(self) -> None:
        """The client is gone; serving is told by a cancellation."""

    async def balance(self) -> None:
        """Hold the client back as long as live takes less than it sends; runs until it is cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            await self._exchange.room()
            self._protocol.resume_reading()
