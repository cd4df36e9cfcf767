"""A small provider that speaks five vendors' APIs well enough for their official SDKs, errors included.

What it answers depends only on the request, so that asking it directly and through the proxy must give equal objects.
Its paths may begin with `/{door}/{case}`: the diary then keeps apart who called through which door.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from tests.clients.provider import anthropic_api, cohere_api, google_api, openai_api

_ROOM = 64 << 20
_DOORS = ("", "/{door}/{case}")
_APIS = (openai_api, anthropic_api, google_api, cohere_api)


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived; `path` is what follows door and case, with the query."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)


@dataclass
class Diary:
    """Every request that a provider got: by door and case, and the copies that a proxy marked as its own."""

    calls: dict[tuple[str, str], list[Received]] = field(default_factory=lambda: defaultdict(list))
    copies: int = 0

    def total(self, door: str) -> int:
        """How many calls came through a door."""
        return sum(len(calls) for (its_door, _), calls in self.calls.items() if its_door == door)


def app(diary: Diary | None = None) -> web.Application:
    """The provider; what arrives is written into the diary."""
    kept = Diary() if diary is None else diary

    @web.middleware
    async def write_down(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        body = await request.read()
        if "x-understudy-shadow" in request.headers:
            kept.copies += 1
        else:
            door, case = request.match_info.get("door", ""), request.match_info.get("case", "")
            headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
            path = request.raw_path.removeprefix(f"/{door}/{case}")
            kept.calls[door, case].append(Received(request.method, path, headers, body))
        return await handler(request)

    made = web.Application(middlewares=[write_down], client_max_size=_ROOM)
    for prefix in _DOORS:
        for api in _APIS:
            for method, path, handler in api.ROUTES:
                made.router.add_route(method, prefix + path, handler)
    return made
