"""Upstreams that close connections: idle ones while the next call is on its way, busy ones inside an answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tests.doubles.upstream import ScriptedUpstream, Turn
from tests.proofs.transparency.rig import proxy, row
from tests.proofs.transparency.wire import LIMIT, Connection

_REQUEST = b"POST /v1/embeddings HTTP/1.1\r\nHost: app.example\r\nX-Call: %d\r\nContent-Length: 2\r\n\r\n{}"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
DELAY = 0.02
"""Seconds from an upstream's decision to close until the other side can know it: a network's way, in which a call that
was sent meets a reset. Who keeps connections for as long as the upstream loses half of the calls here."""

LIMITS = ((0.5, 200, 0.0), (1.0, 200, 0.0), (5.0, 400, DELAY))
"""Idle limit, lanes, delay. Below five seconds, the limit of uvicorn and vLLM, no proxy can know it before it has seen
one close; until then what is asked is that a client without it fares no better."""

_THINKING = 0.2
"""Seconds for an answer: all lanes' calls overlap, so that each has a connection of its own, idle since the last."""

_NOTICED = 0.2  # seconds until a close has been seen by whoever holds the connection
_SPREAD = 0.02  # seconds around the idle limit within which the next call is sent


@dataclass
class Tally:
    """Calls, how they ended for the client, and how often each was executed."""

    calls: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    executions: Counter[bytes] = field(default_factory=Counter)

    @property
    def repeated(self) -> int:
        """Calls that were executed more than once."""
        return sum(count > 1 for count in self.executions.values())

    @property
    def failed(self) -> int:
        """Calls that did not get their 200."""
        return self.calls - self.ends["200"]

    def line(self, name: str, wrong: int) -> str:
        """The row of the table."""
        return row(
            name,
            self.calls,
            wrong,
            f"executed {sum(self.executions.values()):,}, twice {self.repeated}; {dict(self.ends)}",
        )


class Closing:
    """An origin that closes a connection after `limit` seconds without a request; the news takes `delay` seconds."""

    def __init__(self, limit: float, delay: float, tally: Tally) -> None:
        self._limit, self._delay, self._tally = limit, delay, tally

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LIMIT)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        try:
            while True:
                async with asyncio.timeout(self._limit):
                    message = await connection.head()
                if message is None:
                    break
                await connection.body(message, bodiless=False, until_close=False)
                self._tally.executions[b"".join(message.values(b"x-call"))] += 1
                await asyncio.sleep(_THINKING)
                await connection.send(_ANSWER)
        except TimeoutError:
            if self._delay:
                await asyncio.sleep(self._delay)
                connection.reset()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def around_idle_close(
    limit: float, calls: int, lanes: int, delay: float = 0.0, *, direct: bool = False, seen: bool = False
) -> Tally:
    """`calls` POSTs on `lanes` connections, each sent when the upstream is about to close what the proxy may hold.

    With `seen` one more call comes first, whose connection idles until the upstream has closed it.
    """
    tally, dice = Tally(), Random(1)
    async with Closing(limit, delay, tally) as url, proxy(url) as through:
        port = int(url.rpartition(":")[2]) if direct else through.port
        if seen:
            (await _call(await Connection.to(port), port, calls, tally)).reset()
            await asyncio.sleep(limit + delay + _NOTICED)

        async def lane(number: int) -> None:
            await asyncio.sleep(_THINKING * dice.random() / 2)
            connection = await Connection.to(port)
            for call in range(number, calls, lanes):
                if call != number:
                    await asyncio.sleep(limit + dice.uniform(-_SPREAD, _SPREAD))
                if connection.reader.at_eof():  # as every pool looks before it sends
                    connection = await Connection.to(port)
                connection = await _call(connection, port, call, tally)
            connection.reset()

        async with asyncio.TaskGroup() as group:
            for number in range(lanes):
                group.create_task(lane(number))
    return tally


async def cut_exchanges(calls: int, lanes: int = 8) -> Tally:
    """`calls` POSTs of which three in four are cut: by FIN or RST, on a new or a kept connection, at every point."""
    tally = Tally()

    async def script(turn: Turn) -> None:
        call = turn.header(b"x-call")
        tally.executions[call] += 1
        cut = int(call) // lanes % len(_CUTS)
        await _CUTS[cut](turn)

    async with ScriptedUpstream(script) as origin, proxy(origin.url) as through:

        async def lane(number: int) -> None:
            connection = await Connection.to(through.port)
            for call in range(number, calls, lanes):
                connection = await _call(connection, through.port, call, tally)
            connection.reset()

        async with asyncio.TaskGroup() as group:
            for number in range(lanes):
                group.create_task(lane(number))
        await asyncio.sleep(0.2)  # a repetition would come now
    return tally


async def _call(connection: Connection, port: int, call: int, tally: Tally) -> Connection:
    """One POST; gives the connection for the next one."""
    tally.calls += 1
    try:
        await connection.send(_REQUEST % call)
        answer = await connection.answer(b"POST")
        tally.ends[str(answer.status) if answer.complete else "broken"] += 1
        if answer.complete and not answer.values(b"connection"):
            return connection
    except (OSError, EOFError) as error:
        tally.ends[type(error).__name__] += 1
    connection.reset()
    return await Connection.to(port)


async def _whole(turn: Turn) -> None:
    await turn.send(_ANSWER)


async def _fin(turn: Turn) -> None:
    turn.close()


async def _rst(turn: Turn) -> None:
    turn.reset()


async def _first_byte_fin(turn: Turn) -> None:
    await turn.send(b"H")
    turn.close()


async def _inside_head_rst(turn: Turn) -> None:
    await turn.send(_ANSWER[:20])
    turn.reset()


async def _inside_body_fin(turn: Turn) -> None:
    await turn.send(_ANSWER[:-1])
    turn.close()


_CUTS = (_whole, _fin, _whole, _rst, _first_byte_fin, _inside_head_rst, _inside_body_fin, _fin)
