"""Assertions that look at the text of an answer alone, and what they do where there is none. Used by checks."""

from __future__ import annotations

from collections.abc import Callable

from evaluators.core.finding import Arm, Assert, Finding, skipped
from evaluators.core.reply import Reply

NO_TEXT = skipped("the answer has no text")


def textless(reply: Reply) -> bool:
    """True for an answer that is only tool calls, or an embedding; a blank one has a text, the empty one."""
    return not reply.words and bool(reply.tool_calls or reply.vector)


def on_text(judge: Callable[[str], Finding]) -> Assert:
    """An assertion that looks at the text alone."""

    def check(arm: Arm) -> Finding:
        return NO_TEXT if textless(arm.reply) else judge(arm.reply.words)

    return check
