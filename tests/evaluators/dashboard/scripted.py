"""A dashboard on a real socket, over scripted pairs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp

from config.pair import Call
from evaluators.assess import Missing, PairLine, PairSide, PairView, StoreAway
from evaluators.core.finding import differ, failed, passed
from evaluators.core.reply import Kind, Reply, Request, ToolCall
from evaluators.core.report import Report
from evaluators.dashboard import app, serving
from tests.evaluators.core.render.pages import lively

CALL = Call("0192f1a0c3d27be5a6b1c2d3e4f50617", 1_799_990_000.0, "POST", "/v1/x", "", (), b"{}", "c", ())
HOSTILE = "<script>alert(1)</script>\x00\u202e"
VIEW = PairView(
    CALL,
    "mini",
    Request("openai-chat", prompt=f"Where is my invoice? {HOSTILE}", system="Be kind."),
    PairSide(Reply(Kind.OK, text="It is in your mailbox.", model="big", finish_reason="stop"), {"is-json": passed()}),
    PairSide(
        Reply(Kind.OK, text=f"It is in {HOSTILE}", tool_calls=(ToolCall("find", '{"a":1}'),), unread=("a note",)),
        {"is-json": failed("not JSON", paths=("/a",)), "shadow:text": differ(0.4, "other words")},
    ),
)
LINE = PairLine(CALL.id, "mini", CALL.arrived, HOSTILE, ("topic=billing",), {"is-json": "pf"}, "ok", "timeout")


class ScriptedPairs:
    """Pairs from memory; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def listed(self, shadow: str, check: str, letters: tuple[str, ...], slice: str, limit: int) -> Sequence[PairLine]:
        self.asked.append((shadow, check, letters, slice, limit))
        if shadow == "away":
            raise StoreAway("/secret/path is locked")
        if shadow == "broken":
            raise RuntimeError("a secret inside")
        return [] if shadow == "nobody" else [LINE, replace(LINE, joints={}, live_kind="ok", kind="ok")]

    def shown(self, call_id: str, shadow: str) -> PairView:
        if call_id != CALL.id:
            raise Missing(f"no pair {call_id!r}")
        return VIEW


@asynccontextmanager
async def looking(
    token: str = "", assess_now: Callable[[], Report] = lively, pairs: ScriptedPairs | None = None
) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """A browser without cookies of its own making, and the dashboard's address."""
    made = app(assess_now, pairs or ScriptedPairs(), token)
    async with serving(made, "127.0.0.1:0") as address:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(address, cookie_jar=jar) as session:
            yield session, address
