"""The recording origin: plays the answer that a case carries and keeps what it received. Used by differential.

A request says by its X-Case field which case it belongs to. Everything else of it is the subject of the proof.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress

from tests.proofs.transparency.cases import Case
from tests.proofs.transparency.wire import LIMIT, Connection, Message

KEY = b"x-case"


class Origin:
    """A server on raw sockets; use as `async with`. `take` gives what arrived for a case, and forgets it."""

    def __init__(self, secured: ssl.SSLContext | None = None) -> None:
        self._secured = secured  # None: no TLS
        self._cases: dict[bytes, Case] = {}
        self._received: dict[bytes, list[Message]] = {}
        self._open: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __aenter__(self) -> Origin:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LIMIT, ssl=self._secured)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in set(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    @property
    def url(self) -> str:
        """The base URL to configure."""
        return f"{'http' if self._secured is None else 'https'}://127.0.0.1:{self.port}"

    def expect(self, case: Case) -> None:
        """Know the answer before the question comes."""
        self._cases[case.key] = case

    def take(self, case: Case) -> list[Message]:
        """The executions of a case since the last look."""
        return self._received.pop(case.key, [])

    def left_over(self) -> int:
        """Executions that nobody has taken: repeated after the answer, or of no case at all."""
        return sum(len(found) for found in self._received.values())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        connection = Connection(reader, writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._turn(connection):
                    pass
        except asyncio.CancelledError:
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _turn(self, connection: Connection) -> bool:
        message = await connection.head()
        if message is None:
            return False
        if message.values(b"expect"):
            await connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await connection.body(message, bodiless=False, until_close=False)
        key = b"".join(message.values(KEY))
        self._received.setdefault(key, []).append(message)
        case = self._cases.get(key)
        if case is None:
            await connection.send(b"HTTP/1.1 599 No Such Case\r\nContent-Length: 0\r\n\r\n")
            return True
        await connection.send(*case.answer.pieces(case.method))
        return case.answer.framing != "close" and message.values(b"connection") != [b"close"]
