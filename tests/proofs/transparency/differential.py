"""The same requests to the same origin, directly and through the proxy, with and without shadows; and what differs.

A difference is made smaller until nothing can be left out of the case, and told as bytes.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from tests.doubles.upstream import STREAM_HEAD, ScriptedUpstream, Turn
from tests.proofs.transparency.cases import Case, Reply, generate
from tests.proofs.transparency.compare import Difference, Seen, differences, passed
from tests.proofs.transparency.origin import Origin
from tests.proofs.transparency.papers import Papers
from tests.proofs.transparency.rig import Proxy, proxy, row
from tests.proofs.transparency.wire import Connection, Message

WORKERS = 6
_TOLD = 2  # cases of each kind that are made smaller and told
_ATTEMPTS = 400
_SETTLING = 50  # tenths of a second for the last copies


@dataclass
class Found:
    """How many exchanges were compared, and what was not the same: by kind, with the first cases of each."""

    n: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    told: dict[str, list[str]] = field(default_factory=dict)
    left_over: int = 0  # executions that came after their answer
    shadowed: int = 0  # copies that the healthy candidate received
    refusals: int = 0  # cases that the proxy must refuse, and the origin need not
    unaccounted: int = 0  # calls that are in no bucket, or in two, summed over the shadows

    def line(self, name: str, note: str = "") -> str:
        """The row of the table."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.kinds.items()))
        return row(
            name,
            self.n,
            sum(self.kinds.values()) + self.left_over + self.unaccounted,
            "; ".join(filter(None, (note, f"{self.refusals} of them to be refused" * bool(self.refusals), kinds))),
        )


class Route:
    """One worker's way to the origin: a connection that is kept as long as the other side keeps it."""

    def __init__(self, port: int, origin: Origin, trusted: ssl.SSLContext | None = None) -> None:
        self._port, self._origin, self._trusted = port, origin, trusted
        self._connection: Connection | None = None

    async def ask(self, case: Case) -> Seen:
        """One exchange, seen from both ends."""
        self._origin.expect(case)
        if self._connection is None:
            self._connection = await Connection.to(self._port, self._trusted)
        connection, keep = self._connection, False
        try:
            answer = await _exchange(connection, case)
            asked = any(name.lower() == b"connection" and b"close" in value for name, value in case.fields)
            keep = not asked and answer.complete and answer.framing != "close"
            keep = keep and b"close" not in answer.values(b"connection")
            return Seen(self._origin.take(case), answer)
        except (OSError, EOFError, ValueError) as error:
            return Seen(self._origin.take(case), type(error).__name__)
        finally:
            if not keep:
                self.close()

    def close(self) -> None:
        """Leave."""
        if self._connection is not None:
            self._connection.reset()
            self._connection = None


async def _exchange(connection: Connection, case: Case) -> Message:
    head, *body = case.pieces()
    await connection.send(head)
    if case.waits:
        async with asyncio.timeout(5):
            early = await connection.head()
        if early is not None and early.status != 100:  # the body is not wanted
            await connection.body(early, case.method == b"HEAD", until_close=True)
            return early
    await connection.send(*body)
    return await connection.answer(case.method)


async def compare(cases: Iterable[Case], shadows: bool = False, papers: Papers | None = None, **more: Any) -> Found:
    """Ask each case directly and through a proxy of its own; with `shadows` through one that has two candidates.

    With `papers` everybody speaks TLS; `more` goes into the proxy's file.
    """
    found = Found()
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(Origin(papers.server() if papers else None))
        if papers is not None:
            more |= papers.settings(origin.url)
        candidates: dict[str, str] = {}
        if shadows:
            healthy = await stack.enter_async_context(ScriptedUpstream(_healthy))
            resetting = await stack.enter_async_context(ScriptedUpstream(_Resetting()))
            candidates = {"healthy": healthy.url, "resetting": resetting.url}
        through = await stack.enter_async_context(proxy(origin.url, candidates, **more))
        trusted = papers.client() if papers else None
        routes = [tuple(Route(port, origin, trusted) for port in (origin.port, through.port)) for _ in range(WORKERS)]
        waiting = iter(cases)
        async with asyncio.TaskGroup() as group:
            for pair in routes:
                group.create_task(_work(waiting, pair, found))
        found.left_over = origin.left_over()
        if shadows:
            found.unaccounted = await _unaccounted(through, candidates)
            found.shadowed = len(healthy.turns)
    return found


async def generated(seed: int, count: int, shadows: bool = False, papers: Papers | None = None, **more: Any) -> Found:
    """`count` cases of a seed."""
    return await compare((generate(seed, number) for number in range(count)), shadows, papers, **more)


async def _unaccounted(through: Proxy, shadows: Iterable[str]) -> int:
    """Calls that were accepted less those in a bucket, once the last copies have ended."""
    calls = await through.metric("understudy_requests_total") - await through.metric("understudy_refused_total")
    for _ in range(_SETTLING):
        counted = [await through.metric("understudy_shadow_calls_total", shadow=name) for name in shadows]
        missing = sum(abs(calls - one) for one in counted)
        if not missing:
            break
        await asyncio.sleep(0.1)
    return int(missing)


async def _work(waiting: Iterator[Case], routes: tuple[Route, ...], found: Found) -> None:
    try:
        for case in waiting:
            found.n += 1
            found.refusals += not case.target.isascii()
            for difference in await _differences(case, routes):
                found.kinds[difference.what] += 1
                if found.kinds[difference.what] <= _TOLD:
                    told = await _smallest(case, difference, routes)
                    found.told.setdefault(difference.what, []).append(told)
    finally:
        for route in routes:
            route.close()


async def _differences(case: Case, routes: tuple[Route, ...]) -> list[Difference]:
    direct, through = routes
    if not case.target.isascii():  # aiohttp's parser takes none of these; percent-encoded they pass
        return passed(await through.ask(case))
    return differences(await direct.ask(case), await through.ask(case))


async def _smallest(case: Case, difference: Difference, routes: tuple[Route, ...]) -> str:
    """The case with everything left out that the difference does not need."""
    attempts, again = 0, True
    while again:
        again = False
        for smaller in _smaller(case):
            if len(repr(smaller)) >= len(repr(case)):
                continue
            attempts += 1
            if attempts > _ATTEMPTS:
                break
            same = [one for one in await _differences(smaller, routes) if one.what == difference.what]
            if same:
                case, difference, again = smaller, same[0], True
                break
    request, answer = b"".join(case.pieces()), b"".join(case.answer.pieces(case.method))
    return f"{difference}\n    request {request!r}\n    answer  {answer!r}"


def _smaller(case: Case) -> Iterator[Case]:
    """One thing less, or one thing plainer, at a time."""
    plain = {
        "answer": Reply(),
        "fields": (),
        "trailers": (),
        "extension": b"",
        "cuts": (),
        "tears": (),
        "target": b"/",
        "method": b"GET",
    }
    yield from (replace(case, **{name: value}) for name, value in plain.items() if getattr(case, name) != value)
    for name, value in {
        "fields": (),
        "trailers": (),
        "cuts": (),
        "tears": (),
        "interim": (),
        "extension": b"",
        "body": b"",
    }.items():
        if getattr(case.answer, name) != value:
            yield replace(case, answer=replace(case.answer, **{name: value}))
    if case.answer.status != 200:
        yield replace(case, answer=replace(case.answer, status=200))
    if case.answer.reason != b"OK":
        yield replace(case, answer=replace(case.answer, reason=b"OK"))
    if case.body:
        yield replace(case, body=b"", framing="none", trailers=())
        yield replace(case, body=b"x")
        yield replace(case, body=case.body[: len(case.body) // 2])
    yield from (replace(case, fields=less) for less in _without_one(case.fields))
    yield from (replace(case, answer=replace(case.answer, fields=less)) for less in _without_one(case.answer.fields))
    if len(case.target) > 1:
        half = len(case.target) // 2
        yield from (replace(case, target=cut) for cut in (case.target[:half], b"/" + case.target[half:]))
        yield from (
            replace(case, target=case.target[:at] + case.target[at + 1 :]) for at in range(1, min(20, len(case.target)))
        )


def _without_one(fields: Sequence[tuple[bytes, bytes]]) -> Iterator[Sequence[tuple[bytes, bytes]]]:
    if len(fields) > 3:
        yield fields[: len(fields) // 2]
        yield fields[len(fields) // 2 :]
    for at in range(len(fields)):
        yield (*fields[:at], *fields[at + 1 :])


async def _healthy(turn: Turn) -> None:
    await turn.send(STREAM_HEAD)
    await turn.chunk(b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n')
    await turn.chunk(b"data: [DONE]\n\n")
    await turn.chunk(b"")


class _Resetting:
    """A candidate that resets each copy: before the head, inside the body, after the end, in turns."""

    def __init__(self) -> None:
        self._turns = 0

    async def __call__(self, turn: Turn) -> None:
        self._turns += 1
        if self._turns % 3:
            await turn.send(STREAM_HEAD)
            await turn.chunk(b'data: {"choices":[]}\n\n')
        if self._turns % 3 == 2:
            await turn.chunk(b"")
        turn.reset()
