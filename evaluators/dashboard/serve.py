"""serve: the dashboard's routes and its listening socket. Joins access, pages and the callables it is given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from typing import Protocol

from aiohttp import web

from evaluators.assess import Ambiguous, Missing, PairLine, PairView, StoreAway
from evaluators.core import render
from evaluators.core.render.style import CSS_HASH
from evaluators.core.report import Report
from evaluators.dashboard import pages
from evaluators.dashboard.access import COOKIE, Access, same_origin

FRESH = 1.0
"""Seconds for which one report serves everybody: a screen full of browsers costs one assessment a second."""

SHOWN_PAIRS = 100

HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'self'; style-src '{CSS_HASH}'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

OPEN_PATHS = frozenset({"/login"})

ACCESS = web.AppKey("access", Access)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pairs(Protocol):
    """Where the dashboard gets pairs from; both methods may block, and raise what assess says."""

    def listed(self, shadow: str, check: str, letters: tuple[str, ...], slice: str, limit: int) -> Sequence[PairLine]:
        """The latest pairs; what is empty does not restrict."""
        ...

    def shown(self, call_id: str, shadow: str) -> PairView:
        """One pair with both answers."""
        ...


def app(assess_now: Callable[[], Report], pairs: Pairs, token: str) -> web.Application:
    """The dashboard as an application; `assess_now` may block. An empty token admits this machine only."""
    made = web.Application(middlewares=[_edge, _guard], client_max_size=16 * 1024)
    made[ACCESS] = Access(token)
    made.on_response_prepare.append(_harden)
    views = _Views(assess_now, pairs)
    made.router.add_get("/", views.report)
    made.router.add_get("/report.json", views.report_json)
    made.router.add_get("/gate.json", views.gate_json)
    made.router.add_get("/pairs", views.pairs)
    made.router.add_get("/pairs/{call_id}/{shadow}", views.pair)
    made.router.add_get("/live.js", views.script)
    made.router.add_get("/login", views.login_form)
    made.router.add_post("/login", views.login)
    made.router.add_post("/logout", views.logout)
    return made


@asynccontextmanager
async def serving(made: web.Application, listen: str) -> AsyncIterator[str]:
    """Serve while the block runs; yields the address of the page. Port 0 takes a free one.

    Raises Unprotected when others could reach it and no token is set, OSError when the port is taken.
    """
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    made[ACCESS].may_serve(host)
    runner = web.AppRunner(made, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, int(port))
        await site.start()
        bound = runner.addresses[0][1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound}"
    finally:
        await runner.cleanup()


class _Views:
    """The handlers; everything that blocks runs in a thread."""

    def __init__(self, assess_now: Callable[[], Report], pairs: Pairs) -> None:
        self._assess = assess_now
        self._pairs = pairs
        self._lock = asyncio.Lock()
        self._made: tuple[float, Report] | tuple[()] = ()
        self._script = resources.files(__package__).joinpath("live.js").read_text("utf-8")

    async def report(self, request: web.Request) -> web.Response:
        return _page(pages.live(await self._report(), may_leave=not request.app[ACCESS].open))

    async def report_json(self, _request: web.Request) -> web.Response:
        return web.Response(body=render.json(await self._report()), content_type="application/json")

    async def gate_json(self, request: web.Request) -> web.Response:
        report = pages.only(await self._report(), request.query.get("candidate", ""))
        return web.Response(body=render.gate_bytes(report), content_type="application/json")

    async def pairs(self, request: web.Request) -> web.Response:
        wanted = pages.Wanted.of(request.query)
        found = await asyncio.to_thread(
            self._pairs.listed, wanted.shadow, wanted.check, wanted.letters, wanted.slice, SHOWN_PAIRS
        )
        return _page(pages.pair_list(found, wanted))

    async def pair(self, request: web.Request) -> web.Response:
        found = await asyncio.to_thread(self._pairs.shown, request.match_info["call_id"], request.match_info["shadow"])
        return _page(pages.pair(found))

    async def script(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._script, content_type="text/javascript")

    async def login_form(self, _request: web.Request) -> web.Response:
        return _page(pages.login(""))

    async def login(self, request: web.Request) -> web.Response:
        if not _from_here(request):
            raise web.HTTPForbidden(text="Log in on the dashboard's own page.")
        given = str((await request.post()).get("token", ""))
        access = request.app[ACCESS]
        if not access.tries(given, asyncio.get_running_loop().time()):
            return _page(pages.login("That is not the token."), status=401)
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(
            COOKIE, access.ticket, httponly=True, samesite="Strict", secure=request.secure, max_age=12 * 3600
        )
        return answer

    async def logout(self, request: web.Request) -> web.Response:
        if not _from_here(request):
            raise web.HTTPForbidden(text="Log out on the dashboard's own page.")
        answer = web.Response(status=303, headers={"Location": "/login"})
        answer.del_cookie(COOKIE)
        return answer

    async def _report(self) -> Report:
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if not self._made or now - self._made[0] >= FRESH:
                self._made = (now, await asyncio.to_thread(self._assess))
            return self._made[1]


@web.middleware
async def _edge(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns what went wrong into a page that says what to do, and nothing about our insides."""
    try:
        return await handler(request)
    except (Missing, Ambiguous) as error:
        return _page(pages.trouble("Not found", str(error)), status=404)
    except StoreAway:
        said = "The store is busy or away. What was measured is safe; this page tries again by itself."
        return _page(pages.trouble("Not now", said), status=503)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _page(pages.trouble(error.reason, error.text or ""), status=error.status)


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    access = request.app[ACCESS]
    host, authorization = (request.headers.get(name, "") for name in ("Host", "Authorization"))
    logging_in = request.path in OPEN_PATHS and not access.open
    if logging_in or access.allows(host, authorization, request.cookies.get(COOKIE, "")):
        return await handler(request)
    if access.open:
        raise web.HTTPMisdirectedRequest(text="Without a token the dashboard answers only to this machine's own names.")
    if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
        raise web.HTTPSeeOther("/login")
    raise web.HTTPUnauthorized(text="Send the token as `Authorization: Bearer …`.")


async def _harden(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def _from_here(request: web.Request) -> bool:
    return same_origin(request.headers.get("Origin", ""), request.headers.get("Host", ""))


def _page(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, content_type="text/html", status=status)
