"""What counts as new: neither in the request nor in the other answer, in whatever spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from evaluators.core.diff.novelty import MAX_SCANNED, Item, given, kinds, nothing_new, nothing_newer, said
from evaluators.core.finding import BadCheck, Params, Result
from evaluators.core.reply import Reply, Request, ToolCall, ToolResult
from tests.evaluators.checks.arms import arm


def badges(text: str) -> Iterator[Item]:
    """Ten digits after a B are a badge, three after an S a seat."""
    for match in re.finditer(r"B(\d(?: ?\d){9})\b|S(\d{3})\b", text):
        yield ("badge", match[1].replace(" ", "")) if match[1] else ("seat", match[2])


BADGE = "B1234567890"
REQUESTS = {
    "the prompt": Request("openai-chat", prompt=BADGE),
    "the system prompt": Request("openai-chat", system=f"of {BADGE}."),
    "a tool's result": Request("openai-chat", tool_results=(ToolResult("find", BADGE),)),
    "deep in the body": Request("openai-chat", body={"messages": [{"role": "user", "content": [{"text": BADGE}]}]}),
    "a number of the body": Request("openai-chat", body={"badge": 1234567890}),
    "a key of the body": Request("openai-chat", body={BADGE: None, "stream": True}),
    "spaced otherwise": Request("openai-chat", prompt="B12-34 5678 90"),
    "beyond what is scanned": Request("openai-chat", prompt="." * MAX_SCANNED + BADGE),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_what_the_request_has_is_not_new(request_: Request) -> None:
    """Wherever in the request an item stands, the answer may repeat it."""
    assert nothing_new(badges)(arm(BADGE, request=request_)).result is Result.PASS
    assert nothing_new(badges)(arm("B9876543210", request=request_)).result is Result.FAIL


@pytest.mark.parametrize(
    "reply",
    [{"text": BADGE}, {"refusal": BADGE}, {"tool_calls": (ToolCall("open", f'{{"badge": "{BADGE}"}}'),)}],
    ids=["text", "refusal", "arguments"],
)
def test_an_item_is_found_wherever_the_answer_has_it(reply: dict[str, Any]) -> None:
    """Text, refusal and tool arguments all go out."""
    assert nothing_new(badges)(arm(**reply)).result is Result.FAIL
    assert BADGE in said(Reply(arm().reply.kind, **reply))


def test_a_finding_has_kinds_and_counts_and_never_the_item() -> None:
    """Each item counts once however often it is said, and nothing of it is stored."""
    found = nothing_new(badges)(arm("B1234567890, B12 3456 7890, B0000000001 and S123."))
    assert (found.detail, found.paths, found.score) == ("2 × badge, 1 × seat", ("badge", "seat"), 0.0)


def test_a_short_item_is_looked_for_as_it_stands() -> None:
    """Three digits are in every long number; they are known only where they stand as an item or literally."""
    assert nothing_new(badges)(arm("S123", request=Request("plain", prompt="seat 1-2-3"))).result is Result.FAIL
    assert nothing_new(badges)(arm("S123", request=Request("plain", prompt="seat 123"))).result is Result.PASS


@pytest.mark.parametrize(
    ("live", "shadow", "result"),
    [
        ("no", BADGE, Result.DIFFER),
        (BADGE, "no", Result.SAME),
        (BADGE, BADGE, Result.SAME),
        ("B12 34567890", BADGE, Result.SAME),
        (BADGE, f"{BADGE} S123", Result.DIFFER),
        ("no", "no", Result.SAME),
    ],
)
def test_only_the_shadows_new_items_differ(live: str, shadow: str, result: Result) -> None:
    """What live says too, or live alone, is no difference."""
    found = nothing_newer(badges)(arm(live), arm(shadow))
    assert found.result is result
    assert found.score == (result is Result.DIFFER)


def test_what_the_request_has_is_no_difference_either() -> None:
    """A shadow may repeat what it was told even where live does not."""
    request = Request("openai-chat", prompt=BADGE)
    assert nothing_newer(badges)(arm("no", request=request), arm(BADGE, request=request)).result is Result.SAME


def test_an_embedding_says_nothing() -> None:
    """Where there is no text there is no verdict; text beside a vector is judged."""
    vector = arm(vector=(0.1,))
    assert nothing_new(badges)(vector).result is Result.SKIP
    assert nothing_newer(badges)(vector, vector).result is Result.SKIP
    assert nothing_new(badges)(arm(BADGE, vector=(0.1,))).result is Result.FAIL


def test_a_deep_body_is_read() -> None:
    """Ten thousand levels are no recursion, whether lists or objects."""
    body: Any = BADGE
    for level in range(10_000):
        body = [1, body, None] if level % 2 else {"a": True, "b": body}
    assert BADGE in given(Request("plain", body={"a": body}))


def test_kinds_are_known_or_refused() -> None:
    """No value means the default; an unknown kind is named beside the known ones."""
    assert kinds(Params("pii"), ("a", "b"), ("a",)) == ("a",)
    assert kinds(Params("pii", ["b"]), ("a", "b"), ("a",)) == ("b",)
    assert kinds(Params("pii", "a, b"), ("a", "b"), ("a",)) == ("a", "b")
    with pytest.raises(BadCheck, match="does not know 'c'; known: a, b"):
        kinds(Params("pii", ["c"]), ("a", "b"), ("a",))
