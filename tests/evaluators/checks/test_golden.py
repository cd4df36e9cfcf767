"""The golden set: which calls it judges, and what it says about them."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators.core.finding import BadCheck, Doors, Result
from evaluators.core.reply import Request, ToolCall
from tests.evaluators.checks.arms import arm, check, judge

ITEM = {"name": "tea", "prompt": "What is  tea?\n", "assert": [{"type": "contains", "value": "leaf"}, "not-is-json"]}


def asked(prompt: str, text: str, *items: Any, **more: Any) -> Any:
    """What the golden set says about an answer to this prompt."""
    request = Request("openai-chat", prompt=prompt)
    return judge("golden", arm(text, request=request, **more), value=list(items) or [ITEM])


@pytest.mark.parametrize(
    ("prompt", "text", "result"),
    [
        ("What is tea?", "A leaf.", Result.PASS),
        (" What\tis tea? ", "A leaf.", Result.PASS),
        ("What is tea?", "A bean.", Result.FAIL),
        ("What is coffee?", "A bean.", Result.SKIP),
        ("what is tea?", "A leaf.", Result.SKIP),
        ("", "A leaf.", Result.SKIP),
    ],
)
def test_a_call_is_judged_where_its_last_turn_is_an_item(prompt: str, text: str, result: Result) -> None:
    """Spaces do not count; every other call is skipped."""
    assert asked(prompt, text).result is result


def test_the_paths_are_item_and_member() -> None:
    """A report can tell which assertion of which item failed."""
    assert asked("What is tea?", "{}").paths == ("tea/contains", "tea/not-is-json")


def test_an_item_has_a_threshold_like_a_set() -> None:
    """With a threshold of a half, one of two is enough; where it is not, the score is named."""
    half = {**ITEM, "threshold": 0.5}
    assert asked("What is tea?", "A bean.", half).score == 0.5
    assert asked("What is tea?", "A bean.", half).result is Result.PASS
    assert asked("What is tea?", "A bean.", {**ITEM, "threshold": 0.6}).result is Result.FAIL


def test_items_with_the_same_prompt_all_have_to_hold() -> None:
    """Two tests of one question are two items, found together."""
    green = {"name": "green", "prompt": "What is tea?", "assert": ["contains:green"]}
    assert asked("What is tea?", "a leaf", ITEM, green).paths == ("green/contains",)
    assert asked("What is tea?", "a green leaf", ITEM, green).result is Result.PASS


def test_messages_stand_for_their_last_user_turn() -> None:
    """An item may keep the whole conversation."""
    turns = [{"role": "system", "content": "x"}, {"role": "user", "content": "Why?"}]
    item = {"messages": turns, "assert": ["contains:so"]}
    assert asked("Why?", "not that", item).paths == ("item 1/contains",)


def test_items_that_do_not_apply_or_break_say_so() -> None:
    """An answer of tool calls has no text to judge; a member that breaks is no verdict."""
    item = {"prompt": "q", "assert": ["contains:a"]}
    assert asked("q", "", item, tool_calls=(ToolCall("f", "{}"),)).result is Result.SKIP
    broken = {"prompt": "q", "assert": [{"type": "perplexity", "threshold": 3}]}
    assert asked("q", "a", broken).detail.startswith("item 1: perplexity: ")


def test_the_items_come_from_a_file() -> None:
    """The door reads it, and files that an item names are found beside it."""
    seen = []

    def read(url: str) -> Any:
        seen.append(url)
        value = "file://words.txt"
        return [{"prompt": "q", "assert": [{"type": "contains", "value": value}]}] if url.endswith("yaml") else "tea"

    run: Any = check("golden", "file:///here/golden.yaml", doors=Doors(read=read)).run
    assert run(arm("tea", request=Request("openai-chat", prompt="q"))).result is Result.PASS
    assert seen == ["file:///here/golden.yaml", "file:///here/words.txt"]


def test_the_version_follows_what_the_files_say() -> None:
    """A changed word in a file starts new tallies."""

    def version(word: str) -> str:
        def read(url: str) -> Any:
            return word if url.endswith("txt") else [{"prompt": "q", "assert": ["contains:file://w.txt"]}]

        return check("golden", "file:///golden.yaml", doors=Doors(read=read)).version

    assert version("a") == version("a") != version("b")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "needs a `value:`"),
        ([], "needs a `value:`"),
        (["x"], r"golden\[0\] is no item"),
        ([{**ITEM, "answer": 1}], "it may have assert, messages, name, prompt, threshold"),
        ([{"assert": ["is-json"]}], "needs a `prompt:`"),
        ([{"messages": [{"role": "system", "content": "x"}], "assert": ["is-json"]}], "needs a `prompt:`"),
        ([{"prompt": "q"}], "has no `assert:`"),
        ([ITEM, ITEM], "called 'tea' already"),
        ([{**ITEM, "threshold": "x"}], "is no number"),
        ([{"prompt": "q", "assert": "is-json"}], "a list of assertions belongs here"),
        ([{"prompt": "q", "assert": ["contians:x"]}], r"golden\[0\] item 1: .*did you mean"),
        ([{"prompt": "q", "assert": [{"type": "contains", "valeu": 1}]}], r"assert\.0\.valeu: Extra inputs"),
        ([{"prompt": "q", "assert": ["shadow:text"]}], "only assertions on one answer"),
        ([{"prompt": str(n), "assert": ["is-json"]} for n in range(10_001)], "at most 10000 items"),
    ],
)
def test_a_golden_set_that_makes_no_sense_is_refused(value: Any, message: str) -> None:
    """The message names the item and the remedy."""
    with pytest.raises(BadCheck, match=message):
        check("golden", value)
