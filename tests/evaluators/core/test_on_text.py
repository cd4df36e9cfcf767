"""Assertions on texts: which text they see, and which answers have none."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators.core.finding import passed
from evaluators.core.on_text import NO_TEXT, on_text, textless
from evaluators.core.reply import ToolCall
from tests.evaluators.checks.arms import arm

CALL = ToolCall("f", "{}")


@pytest.mark.parametrize(
    ("reply", "seen"),
    [
        pytest.param({"text": "yes", "tool_calls": (CALL,)}, "yes", id="text beside a call"),
        pytest.param({"refusal": "no"}, "no", id="the provider's refusal"),
        pytest.param({"text": "yes", "refusal": "no"}, "yes", id="both"),
        pytest.param({}, "", id="blank"),
    ],
)
def test_it_sees_what_a_person_would_read(reply: dict[str, Any], seen: str) -> None:
    """The text, else the refusal; a blank answer is judged as the empty text."""
    one = arm(**reply)
    assert on_text(passed)(one).detail == seen
    assert not textless(one.reply)


@pytest.mark.parametrize("reply", [{"tool_calls": (CALL,)}, {"vector": (1.0,)}], ids=["calls", "embedding"])
def test_an_answer_without_text_is_skipped(reply: dict[str, Any]) -> None:
    """Nobody asked for a text there."""
    assert on_text(passed)(arm(**reply)) is NO_TEXT
