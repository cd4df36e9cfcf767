"""The demo's application counts what it sees, and keeps its rate."""

from __future__ import annotations

import asyncio
import json

from evaluators.demo.prompts import Ask
from evaluators.demo.recorded import Item
from evaluators.demo.traffic import recorded_asks, send
from tests.doubles.upstream import ScriptedUpstream, Turn, answer

ASKS = [Ask({"kind": kind}, {"x-tenant": "acme"}) for kind in ("ok", "429", "ok", "reset", "cut", "500")]


async def play(turn: Turn) -> None:
    """Answer, refuse or break, as the body says."""
    kind = json.loads(turn.body)["kind"]
    if kind == "reset":
        turn.reset()
    elif kind == "cut":
        await turn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")
        turn.close()
    else:
        await answer(status={"ok": "200 OK"}.get(kind, f"{kind} No"))(turn)


async def test_what_the_application_sees() -> None:
    """Whole answers, errors by status, and exchanges that failed, each call once."""
    told: list[int] = []
    async with ScriptedUpstream(play) as upstream:
        seen = await send(upstream.url, ASKS, 1000.0, lambda: told.append(1))
    assert seen == {"ok": 2, "http_429": 1, "http_500": 1, "failed": 2}
    assert len(told) == len(upstream.turns) == len(ASKS)
    assert {turn.target for turn in upstream.turns} == {b"/v1/chat/completions"}
    assert {turn.header(b"x-tenant") for turn in upstream.turns} == {b"acme"}


async def test_nobody_listens() -> None:
    """Without an upstream every call failed."""
    assert await send("http://127.0.0.1:9", ASKS[:2], 1000.0, lambda: None) == {"failed": 2}


async def test_the_rate() -> None:
    """Requests leave at the rate that was asked for, however fast they are answered."""
    loop = asyncio.get_running_loop()
    async with ScriptedUpstream(answer()) as upstream:
        begin = loop.time()
        await send(upstream.url, [Ask({}, {})] * 11, 20.0, lambda: None)
        assert loop.time() - begin >= 10 / 20
    assert len(upstream.turns) == 11


def test_recorded_asks() -> None:
    """One request an item, every second one streamed, the tags as headers."""
    items = [Item(str(n), ({"role": "user", "content": "Hi"},), "Hello", {"lang": "en"}) for n in range(3)]
    asks = recorded_asks(items)
    assert [ask.body["metadata"]["item"] for ask in asks] == ["0", "1", "2"]
    assert [ask.body.get("stream", False) for ask in asks] == [False, True, False]
    assert {tuple(ask.headers.items()) for ask in asks} == {(("x-demo-tag-lang", "en"),)}
