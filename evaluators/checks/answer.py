"""Is there an answer at all, and why did it end: missing-answer, finish-reason. Built by the registry in __init__."""

from __future__ import annotations

import re
from unicodedata import category

from evaluators.core.finding import (
    Arm,
    Assert,
    BadCheck,
    CheckType,
    Compare,
    Finding,
    Params,
    assertion,
    comparison,
    differ,
    failed,
    passed,
    same,
    skipped,
)
from evaluators.core.reply import Request

MAX_PLACEHOLDER = 40
"""Characters; a longer text says something, or begins with 40 characters that say nothing."""

_WORD = re.compile(r"[^\W_]+")
_SILENT = frozenset("PZC")  # Unicode punctuation, separators, controls: an emoji or a «+» is an answer
_STANDS_FOR_NOTHING = frozenset({"n a", "na", "nan", "null", "undefined", "tbd", "todo", "no answer", "object object"})
_EMPTY_JSON = frozenset({"[]", "{}", '""', "null"})


@assertion("missing-answer", dimension="usefulness", negatable=False)
def missing_answer(params: Params) -> Assert:
    """A detector: fails when the answer is blank, only punctuation, or a placeholder such as "N/A" or "null".

    Tool calls, an embedding, and a refusal are answers (a refusal has its own check). Empty JSON (`[]`) is one too,
    and `null` is where the request demanded JSON.
    """

    def check(arm: Arm) -> Finding:
        reply = arm.reply
        if reply.tool_calls or reply.vector or reply.refusal:
            return passed()
        text = reply.text.strip()
        if not text:
            return failed("the answer is blank")
        return failed(f"only a placeholder: {text[:20]}") if _placeholder(text, arm.request) else passed()

    return check


@assertion("finish-reason", dimension="correctness", takes=("value",), layer="format")
def finish_reason(params: Params) -> Assert:
    """The answer ended for this reason (stop, length, content_filter, tool_calls), whatever the case; unknown fails."""
    expected = params.text().strip().lower()
    if not expected:
        raise BadCheck("finish-reason needs a `value:` such as stop, length, content_filter or tool_calls")

    def check(arm: Arm) -> Finding:
        reason = arm.reply.finish_reason
        return passed() if reason.lower() == expected else failed(f"ended with {reason or 'no reason given'}")

    return check


@comparison("shadow:finish-reason", dimension="correctness", layer="format")
def same_finish_reason(params: Params) -> Compare:
    """Both answers ended for the same reason; skips where a provider gives none. The path is `stop→length`."""

    def check(live: Arm, shadow: Arm) -> Finding:
        before, after = live.reply.finish_reason.lower(), shadow.reply.finish_reason.lower()
        if not before or not after:
            return skipped("no finish reason given")
        return same() if before == after else differ(1.0, f"{before}→{after}", (f"{before[:40]}→{after[:40]}",))

    return check


TYPES: tuple[CheckType, ...] = (missing_answer, finish_reason, same_finish_reason)


def _placeholder(text: str, request: Request) -> bool:
    if text in _EMPTY_JSON:
        return text == "null" and not (request.json_mode or request.schema)
    if all(category(character)[0] in _SILENT for character in text[:MAX_PLACEHOLDER]):
        return True
    return len(text) <= MAX_PLACEHOLDER and " ".join(_WORD.findall(text.lower())) in _STANDS_FOR_NOTHING
