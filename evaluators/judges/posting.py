"""One JSON question to one endpoint and its answer, for threads: within a time, a size, and nowhere else than asked.

Used by webhook and embedding. All exchanges run in an event loop of one own thread, begun with the first of them: only
there a time limit holds whatever the other side does.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import threading
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

from evaluators.core.finding import DoorFailed
from evaluators.judges.resting import Resting

CONNECT = 2.0
MOST_CONNECTIONS = 16  # to all endpoints together: twice as many as pairs are checked at a time


class Posting:
    """The connections to the endpoints. Safe to use from several threads; close it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._resting = Resting()

    def __repr__(self) -> str:
        return f"<Posting {'not begun' if self._loop is None else 'open'}>"

    def post(
        self,
        what: str,
        url: str,
        body: Mapping[str, Any],
        *,
        headers: Mapping[str, str] | None = None,
        within: float,
        most: int,
    ) -> Any:
        """The parsed answer to a JSON body; `what` names the endpoint in what DoorFailed says, which shows no address.

        `within` is seconds for everything, `most` the bytes of the longest answer. No redirect is followed, no proxy
        of the environment used, no cookie kept, and certificates are looked at. Who is late again and again rests.
        """
        self._resting.admit(url, what)
        data = json.dumps(body).encode()  # orjson takes no lone surrogates, which answers may have
        loop = self._running()
        question = self._exchange(what, url, data, {"Content-Type": "application/json", **(headers or {})}, most)
        answer = asyncio.run_coroutine_threadsafe(asyncio.wait_for(question, within), loop)
        try:
            status, found = answer.result(within + 1)
        except TimeoutError:
            answer.cancel()
            self._resting.late(url)
            raise DoorFailed(f"the {what} did not answer within {within:g} s") from None
        except concurrent.futures.CancelledError:
            raise DoorFailed(f"the {what} was not asked: the worker stops") from None
        except DoorFailed:
            self._resting.ended(url)
            raise
        self._resting.ended(url)
        if not 200 <= status < 300:
            raise DoorFailed(f"the {what} answered with status {status}")
        try:
            return orjson.loads(found)
        except orjson.JSONDecodeError:
            raise DoorFailed(f"the {what} answered with something else than JSON") from None

    def close(self) -> None:
        """End all connections and the thread."""
        with self._lock:
            loop, thread, self._loop, self._closed = self._loop, self._thread, None, True
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._ended(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise DoorFailed("the worker stops")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_run, args=(self._loop,), name="posting", daemon=True)
                self._thread.start()
            return self._loop

    async def _exchange(
        self, what: str, url: str, data: bytes, headers: Mapping[str, str], most: int
    ) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=CONNECT),
                auto_decompress=False,  # a few kilobytes may unpack to gigabytes
                headers={"Accept-Encoding": "identity"},
                trust_env=False,
            )
        try:
            async with self._session.post(url, data=data, headers=headers, allow_redirects=False) as response:
                found = bytearray()
                async for part in response.content.iter_any():
                    found += part
                    if len(found) > most:
                        raise DoorFailed(f"the {what} answered with more than {most} bytes")
                return response.status, bytes(found)
        except aiohttp.ClientConnectorCertificateError:
            raise DoorFailed(f"the {what} has a certificate that is not trusted") from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise DoorFailed(f"the {what} cannot be connected to") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise DoorFailed(f"the {what} broke off, or answered with something else than HTTP") from None

    async def _ended(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()
