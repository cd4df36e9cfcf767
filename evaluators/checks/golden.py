"""The golden set: known questions with the assertions that their answers have to meet. Built by the registry.

A call is a golden item when its last user turn is the item's, spaces aside; the check skips every other call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluators.core.finding import (
    Arm,
    Assert,
    BadCheck,
    CheckType,
    Finding,
    Params,
    Result,
    assertion,
    broken,
    failed,
    passed,
    skipped,
)

MAX_ITEMS = 10_000

_KEYS = frozenset({"name", "prompt", "messages", "assert", "threshold"})
_NOT_GOLDEN = skipped("not in the golden set")


@assertion("golden", dimension="correctness", takes=("value",), negatable=False)
def golden(params: Params) -> Assert:
    """The answer to a golden question meets the question's assertions; a question asked anew is found by its words.

    `value` is a list of items, usually `file://golden.yaml`: `name`, `prompt` (the last user turn) or `messages`,
    `assert`, and `threshold` as on an assert-set. Items with the same prompt all have to hold.
    """
    if not isinstance(params.value, list) or not params.value:
        raise BadCheck("golden needs a `value:` that is a list of items, like file://golden.yaml")
    if len(params.value) > MAX_ITEMS:
        raise BadCheck(f"golden takes at most {MAX_ITEMS} items; split the file into several checks")
    items: dict[str, dict[str, Assert]] = {}
    for position, item in enumerate(params.value):
        _add(params, items, position, item)

    def check(arm: Arm) -> Finding:
        asked = items.get(_normal(arm.request.prompt))
        if asked is None:
            return _NOT_GOLDEN
        return _all({name: run(arm) for name, run in asked.items()})

    return check


TYPES: tuple[CheckType, ...] = (golden,)


def _add(params: Params, items: dict[str, dict[str, Assert]], position: int, item: Any) -> None:
    if not isinstance(item, dict) or not item.keys() <= _KEYS:
        raise BadCheck(f"golden[{position}] is no item; it may have {', '.join(sorted(_KEYS))}")
    prompt = _prompt(item)
    if not prompt:
        raise BadCheck(f"golden[{position}] needs a `prompt:`, the last user turn as the application sends it")
    name = str(item.get("name") or f"item {position + 1}")
    asked = items.setdefault(prompt, {})
    if name in asked:
        raise BadCheck(f"golden[{position}]: an item of this prompt is called {name!r} already; rename one")
    threshold = item.get("threshold")
    if threshold is not None and (isinstance(threshold, bool) or not isinstance(threshold, int | float)):
        raise BadCheck(f"golden[{position}] {name}: its `threshold:` is no number")
    if not item.get("assert"):
        raise BadCheck(f"golden[{position}] {name} has no `assert:`; give it assertions or take it out")
    try:
        asked[name] = params.together(item["assert"], threshold)
    except BadCheck as mistake:
        raise BadCheck(f"golden[{position}] {name}: {mistake}") from mistake


def _prompt(item: Mapping[str, Any]) -> str:
    messages = item.get("messages")
    if not isinstance(messages, list):
        return _normal(str(item.get("prompt") or ""))
    turns = [one.get("content") for one in messages if isinstance(one, dict) and one.get("role") == "user"]
    return _normal(str(turns[-1])) if turns else ""


def _normal(text: str) -> str:
    return " ".join(text.split())


def _all(found: Mapping[str, Finding]) -> Finding:
    """Every item of this prompt holds; the paths say which member of which item does not."""
    for name, finding in found.items():
        if finding.result is Result.BROKEN:
            return broken(f"{name}: {finding.detail}")
    judged = {name: one for name, one in found.items() if one.result is not Result.SKIP}
    if not judged:
        return skipped("no assertion of the item applies")
    score = sum(one.score for one in judged.values()) / len(judged)
    wrong = {name: one for name, one in judged.items() if one.result is Result.FAIL}
    if not wrong:
        return passed(", ".join(judged), score)
    paths = tuple(f"{name}/{path}" for name, one in wrong.items() for path in one.paths or ("score",))
    return failed("; ".join(f"{name}: {one.detail}" for name, one in wrong.items()), score, paths)
