"""A visit's id, clock and end."""

from __future__ import annotations

import asyncio

from aiohttp.test_utils import make_mocked_request

from config.pair import Failure
from proxy.handler.visit import Visit, arrive


def _visit() -> Visit:
    request = make_mocked_request("POST", "/openai/v1/x?key=1", headers={"Host": "a"})
    return arrive(request, "/openai/v1/x", "/v1/x", "key=1", 10, bare=False)


async def test_ids_are_hexadecimal_and_ordered() -> None:
    """32 digits that sort by arrival, and never twice the same."""
    ids = []
    for _ in range(5):
        ids.append(_visit().id)
        await asyncio.sleep(0.002)
    assert ids == sorted(set(ids))
    assert all(len(one) == 32 and int(one, 16) for one in ids)


async def test_first_end_counts() -> None:
    """Whoever ends the exchange first is right, and everybody who waits gets that Outcome."""
    visit = _visit()
    visit.capture.chunk(b"abc", visit.now())
    outcome = visit.end(Failure.NONE, "")
    assert visit.end(Failure.CLIENT_LEFT, "left") is outcome
    assert await visit.live is outcome
    assert (outcome.body, outcome.last_byte >= outcome.first_byte >= 0) == (b"abc", True)


async def test_draft_says_why_there_is_no_body() -> None:
    """The reason goes with a missing body only; the upstream's path, the one received, and the query are apart."""
    visit = _visit()
    assert (visit.draft(b"{}", "body_too_large").why_no_body, visit.draft(None, "upgrade").why_no_body) == (
        "",
        "upgrade",
    )
    draft = visit.draft(None, "upgrade")
    assert (draft.path, draft.shown, draft.query, draft.bare) == ("/v1/x", "/openai/v1/x", "key=1", False)
