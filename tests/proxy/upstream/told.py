"""A sink that remembers, and short ways to ask. For the tests of this room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from config.pair import Failure
from config.routing import Timeout
from proxy.core.headers import HeaderPairs
from proxy.tasks import Tasks
from proxy.upstream.door import ExchangeError, Head
from proxy.upstream.lean import LeanUpstream

OK = b"HTTP/1.1 200 OK\r\n"
HOST = (b"Host", b"h")
LIMIT = 5.0  # seconds until a test gives up waiting


class Told:
    """What was told, in order; it refuses to be told anything after the end."""

    def __init__(self) -> None:
        self.story: list[str] = []
        self.interims: list[Head] = []
        self.heads: list[Head] = []
        self.pieces: list[bytes] = []
        self.trailers: HeaderPairs = ()
        self.error: ExchangeError | None = None
        self.flushes = 0
        self.over = asyncio.Event()
        self.news = asyncio.Event()
        self.on: dict[str, Callable[[], object]] = {}  # what a test does when it is told

    def interim(self, head: Head) -> None:
        self.interims.append(head)
        self._note("interim")

    def head(self, head: Head) -> None:
        self.heads.append(head)
        self._note("head")

    def body(self, data: bytes) -> None:
        assert data
        self.pieces.append(data)
        self._note("body")

    def flush(self) -> None:
        assert self.story
        assert self.story[-1] != "failed"
        self.flushes += 1

    def end(self, trailers: HeaderPairs) -> None:
        self.trailers = tuple(trailers)
        self.over.set()
        self._note("end")

    def failed(self, error: ExchangeError) -> None:
        self.error = error
        self.over.set()
        self._note("failed")

    def _note(self, what: str) -> None:
        assert not {"end", "failed"} & set(self.story), f"{what} after {self.story}"
        self.story.append(what)
        self.news.set()
        if what in self.on:
            self.on[what]()

    @property
    def status(self) -> int:
        """Of the one final head."""
        (head,) = self.heads
        return head.status

    @property
    def whole(self) -> bytes:
        """All of the body so far."""
        return b"".join(self.pieces)

    @property
    def failure(self) -> tuple[Failure, str]:
        """How it failed."""
        assert self.error is not None, self.story
        return self.error.failure, self.error.detail

    async def done(self) -> Told:
        """Wait until it is over."""
        async with asyncio.timeout(LIMIT):
            await self.over.wait()
        return self

    async def until(self, what: Callable[[Told], object]) -> None:
        """Wait until `what` holds."""
        async with asyncio.timeout(LIMIT):
            while not what(self):
                self.news.clear()
                await self.news.wait()


async def come(what: Callable[[], object]) -> None:
    """Wait until something that tells nobody has happened."""
    async with asyncio.timeout(LIMIT):
        while not what():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def lean(url: str, timeout: Timeout | None = None, **settings: Any) -> AsyncIterator[LeanUpstream]:
    """A client that is closed afterwards, and leaves nothing behind: no task, no connection, no ticker."""
    tasks = Tasks()
    made = LeanUpstream(url, timeout or Timeout(connect=5.0, first_byte=5.0, idle=5.0), tasks, **settings)
    try:
        yield made
    finally:
        await made.close()
        assert len(tasks) == 0
        assert "connections=0" in repr(made)


def post(
    up: LeanUpstream, body: bytes | None = b"{}", target: bytes = b"/x", headers: HeaderPairs = (HOST,), **how: Any
) -> Told:
    """A POST on its way; a given body gets its Content-Length."""
    told = Told()
    length = () if body is None else ((b"Content-Length", b"%d" % len(body)),)
    up.ask("POST", target, (*headers, *length), body, told, **how)
    return told


async def get(up: LeanUpstream, target: bytes = b"/x", method: str = "GET") -> Told:
    """A request without a body, until it is over."""
    told = Told()
    up.ask(method, target, (HOST,), b"", told)
    return await told.done()
