"""The door to web hooks, with the check behind it: what a hook says, and what it must not say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from evaluators.checks import build
from evaluators.core.finding import DoorFailed, Doors, Finding, Result
from evaluators.judges.posting import Posting
from evaluators.judges.webhook import Webhook
from tests.doubles.upstream import ScriptedUpstream, answer, hang
from tests.evaluators.checks.arms import arm, judge


@pytest.fixture
def hook() -> Iterator[Webhook]:
    posting = Posting()
    yield Webhook(posting, within=0.3)
    posting.close()


async def said(hook: Webhook, url: str, type: str = "webhook") -> Finding:
    """What the check says of an answer."""
    return await asyncio.to_thread(judge, type, arm("Oslo"), value=url, doors=Doors(post=hook.post))


async def test_the_hook_sees_the_answer_and_decides(hook: Webhook) -> None:
    """{output, context} goes out; pass, score and reason come back, and not-webhook turns them round."""
    async with ScriptedUpstream(answer(b'{"pass": false, "score": 0.25, "reason": "too short"}')) as server:
        assert await said(hook, server.url) == Finding(Result.FAIL, 0.25, "too short")
        assert await said(hook, server.url, "not-webhook") == Finding(Result.PASS, 0.75, "too short")
        assert json.loads(server.turns[0].body) == {"output": "Oslo", "context": {"prompt": "", "vars": {}}}


@pytest.mark.parametrize("type", ["webhook", "not-webhook"])
async def test_a_hook_that_hangs_has_no_verdict_in_either_form(hook: Webhook, type: str) -> None:
    """An unreachable hook says nothing about the answer."""
    async with ScriptedUpstream(hang) as server:
        with pytest.raises(DoorFailed, match=r"^the webhook did not answer within 0.3 s$"):
            await said(hook, server.url, type)


def test_its_repr_says_the_limit(hook: Webhook) -> None:
    """So that a log shows it."""
    assert repr(hook) == "<Webhook within 0.3 s>"
    assert build([]) == ()
