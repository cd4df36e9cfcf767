"""An upstream in memory: it notes what is asked and plays the answer on command. Stands in for proxy.upstream.door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from config.pair import Failure
from proxy.core.headers import HeaderPairs
from proxy.upstream.door import ExchangeError, Head, Sink

JSON_HEAD = ((b"Content-Type", b"application/json"), (b"X-Secret", b"kept out"))


@dataclass
class Asked:
    """One exchange: what was asked, and the strings by which a test plays its answer. After the end it is silent."""

    method: str
    target: bytes
    headers: HeaderPairs
    body: bytes | None
    sink: Sink
    cancelled: bool = False
    over: bool = False
    on_cancel: Callable[[], None] = field(default=lambda: None)

    def head(self, status: int = 200, headers: HeaderPairs = JSON_HEAD) -> None:
        """The status line and the fields arrive."""
        if not self.over:
            self.sink.head(Head(status, b"Said", headers))
            self.sink.flush()

    def piece(self, data: bytes) -> None:
        """A piece of the body arrives."""
        if not self.over:
            self.sink.body(data)
            self.sink.flush()

    def end(self) -> None:
        """The answer is complete."""
        if not self.over:
            self.over = True
            self.sink.end(())
            self.sink.flush()

    def fail(self, failure: Failure, detail: str = "it failed") -> None:
        """The exchange breaks."""
        if not self.over:
            self.over = True
            self.sink.failed(ExchangeError(failure, detail))

    def answer(self, body: bytes = b"{}", status: int = 200) -> None:
        """Everything at once."""
        self.head(status)
        self.piece(body)
        self.end()

    def send(self, data: bytes) -> bool:
        """Shadow bodies are given whole."""
        raise AssertionError("a shadow's body is not streamed")

    async def room(self) -> None:
        """Never full."""

    def finish(self) -> None:
        """Shadow bodies are given whole."""
        raise AssertionError("a shadow's body is not streamed")

    def pause(self) -> None:
        """A shadow is read as it comes."""
        raise AssertionError("a shadow does not pause")

    def resume(self) -> None:
        """A shadow is read as it comes."""
        raise AssertionError("a shadow does not pause")

    def cancel(self) -> None:
        """The asker lets go: silent from now on."""
        self.cancelled = self.over = True
        self.on_cancel()


class AskedUpstream:
    """The upstream. `then` is called with each exchange one turn of the loop after it was asked."""

    def __init__(self, then: Callable[[Asked], None] | None = None) -> None:
        self.asked: list[Asked] = []
        self.closed = False
        self.then = then

    def ask(
        self,
        method: str,
        target: bytes,
        headers: HeaderPairs,
        body: bytes | None,
        sink: Sink,
        *,
        upgrade: bool = False,
    ) -> Asked:
        """Note it; the sink hears nothing before this returns."""
        assert not upgrade
        exchange = Asked(method, target, headers, body, sink)
        self.asked.append(exchange)
        if self.then is not None:
            asyncio.get_running_loop().call_soon(self.then, exchange)
        return exchange

    async def close(self) -> None:
        """Whatever is open fails."""
        self.closed = True
        for exchange in self.asked:
            exchange.fail(Failure.CANCELLED, "closed")
