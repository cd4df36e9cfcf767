"""One question to one endpoint: what can go wrong with real servers, and how it is said."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from evaluators.core.finding import DoorFailed
from evaluators.judges.posting import Posting
from tests.doubles.upstream import Script, ScriptedUpstream, Turn, answer, endless, hang, raw


@pytest.fixture
def posting() -> Iterator[Posting]:
    opened = Posting()
    yield opened
    opened.close()


async def ask(posting: Posting, url: str, within: float = 5.0, most: int = 4096, **headers: str) -> Any:
    """The question in a thread, as checks ask it."""
    post = partial(posting.post, "hook", url, {"a": "\ud800"}, headers=headers, within=within, most=most)
    return await asyncio.to_thread(post)


async def test_json_goes_out_and_comes_back(posting: Posting) -> None:
    """The body and the headers are sent once, nothing of the environment with them; the connection is kept."""
    async with ScriptedUpstream(answer(b'{"pass": true}')) as hook:
        for _ in range(3):
            assert await ask(posting, f"{hook.url}/judge?x=1", Authorization="Bearer k") == {"pass": True}
        turn = hook.turns[0]
        assert (turn.request_line, turn.body) == (b"POST /judge?x=1 HTTP/1.1", b'{"a": "\\ud800"}')
        assert turn.header(b"authorization") == b"Bearer k"
        assert turn.header(b"content-type") == b"application/json"
        assert turn.header(b"accept-encoding") == b"identity"
        assert (len(hook.turns), hook.connections) == (3, 1)


async def drip(turn: Turn) -> None:
    """A script: a byte now and then, for ever."""
    await turn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n")
    while not turn.writer.transport.is_closing():
        await turn.send(b" ")
        await asyncio.sleep(0.05)
    turn.closed = True


REDIRECT = b"Location: http://127.0.0.1:9/elsewhere\r\n"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param(answer(b"", "500 Oops"), "the hook answered with status 500", id="error"),
        pytest.param(answer(b"{}", "302 Found", REDIRECT), "the hook answered with status 302", id="redirect"),
        pytest.param(answer(b"no"), "the hook answered with something else than JSON", id="text"),
        pytest.param(answer(b'{"a": NaN}'), "the hook answered with something else than JSON", id="NaN"),
        pytest.param(answer(b"x" * 5000), "the hook answered with more than 4096 bytes", id="too much"),
        pytest.param(endless, "the hook answered with more than 4096 bytes", id="endless"),
        pytest.param(hang, "the hook did not answer within 0.5 s", id="hangs"),
        pytest.param(drip, "the hook did not answer within 0.5 s", id="drips"),
        pytest.param(
            raw(b"nonsense\r\n\r\n"), "the hook broke off, or answered with something else than HTTP", id="no HTTP"
        ),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
            "the hook broke off, or answered with something else than HTTP",
            id="cut",
        ),
    ],
)
async def test_each_trouble_is_a_phrase_of_ours(posting: Posting, script: Script, said: str) -> None:
    """Whatever the server does ends within the time, and what is said of it holds nothing of the server's."""
    async with ScriptedUpstream(script) as hook:
        began = time.monotonic()
        with pytest.raises(DoorFailed) as failure:
            await ask(posting, hook.url, within=0.5)
        assert str(failure.value) == said
        assert time.monotonic() - began < 2


async def test_a_silent_server_does_not_hold_up_everything(posting: Posting) -> None:
    """After three late answers in a row the next questions are refused at once; another address is asked."""
    async with ScriptedUpstream(hang) as hook, ScriptedUpstream(answer(b"1")) as other:
        for _ in range(3):
            with pytest.raises(DoorFailed, match="did not answer"):
                await ask(posting, hook.url, within=0.05)
        began = time.monotonic()
        for _ in range(20):
            with pytest.raises(DoorFailed, match=r"^the hook rests"):
                await ask(posting, hook.url, within=5)
        assert time.monotonic() - began < 1
        assert await ask(posting, other.url) == 1


async def test_nobody_there(posting: Posting) -> None:
    """A closed port is said at once, without its address."""
    with pytest.raises(DoorFailed, match=r"^the hook cannot be connected to$"):
        await ask(posting, "http://127.0.0.1:9/?token=secret")


async def test_plain_text_where_tls_is_wanted(posting: Posting) -> None:
    """https means TLS."""
    async with ScriptedUpstream(hang) as hook:
        with pytest.raises(DoorFailed, match=r"^the hook (cannot be connected to|did not answer within 1 s)$"):
            await ask(posting, hook.url.replace("http:", "https:"), within=1)


async def test_a_proxy_of_the_environment_is_not_asked(posting: Posting, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY leads nowhere."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with ScriptedUpstream(answer(b"1")) as hook:
        assert await ask(posting, hook.url) == 1


async def test_many_threads_ask_at_once(posting: Posting) -> None:
    """Eight threads with an endpoint that takes 100 ms are done in much less than eight times that."""

    async def slowly(turn: Turn) -> None:
        await asyncio.sleep(0.1)
        await answer(b"1")(turn)

    async with ScriptedUpstream(slowly) as hook:
        began = time.monotonic()
        await asyncio.gather(*(ask(posting, hook.url) for _ in range(8)))
        assert time.monotonic() - began < 0.6


async def test_closing_ends_what_waits_and_leaves_no_thread() -> None:
    """A question in flight ends, a later one is refused, and the thread is gone; unused, nothing ever began."""
    posting = Posting()
    assert repr(posting) == "<Posting not begun>"
    async with ScriptedUpstream(hang) as hook:
        waiting = asyncio.get_running_loop().run_in_executor(
            None, partial(posting.post, "hook", hook.url, {}, within=9, most=9)
        )
        await asyncio.wait_for(hook.arrived.wait(), 5)
        assert repr(posting) == "<Posting open>"
        await asyncio.to_thread(posting.close)
        with pytest.raises(DoorFailed, match="the worker stops"):
            await waiting
        with pytest.raises(DoorFailed, match="the worker stops"):
            await ask(posting, hook.url)
    assert "posting" not in {thread.name for thread in threading.enumerate()}
    Posting().close()
