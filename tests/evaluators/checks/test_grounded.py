"""Answers against the context of their request."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.core.finding import BadCheck, Finding, Result
from evaluators.core.reply import Request
from tests.evaluators.checks.arms import HOSTILE, arm, check, judge

PASS, FAIL, SAME, DIFFER, SKIP = Result.PASS, Result.FAIL, Result.SAME, Result.DIFFER, Result.SKIP
CONTEXT = (
    '<documents><document id="lease">The tenant pays 1,200 EUR a month, due on 3 May 2024. “Pets are allowed in the '
    "garden flat only,” says Ms Olsen; interest is 5 % a year.</document></documents>"
)
REQUEST = Request("openai-chat", body={"messages": [{"role": "user", "content": f"{CONTEXT} What of 7 cats?"}]})
BARE = Request("openai-chat", body={"messages": [{"role": "user", "content": "What of 7 cats?"}]})
PICTURE = Request(
    "openai-chat",
    body={"messages": [{"role": "user", "content": [{"type": "text", "text": CONTEXT}, {"type": "image_url"}]}]},
)
ASSERTIONS = ("quotes-exist", "numbers-grounded", "names-grounded", "citations-resolve")
COMPARISONS = ("shadow:quotes-exist", "shadow:numbers-grounded", "shadow:citations")


def said(type: str, *texts: str, request: Request = REQUEST, **more: Any) -> Finding:
    """What a check says about answers to the request with a context."""
    return judge(type, *(arm(text, request=request) for text in texts), **more)


@pytest.mark.parametrize(
    ("type", "text", "expected", "paths"),
    [
        ("quotes-exist", "The lease says 'pets' and \"pets are ALLOWED in the garden flat\".", PASS, ()),
        ("quotes-exist", 'It says "pets are allowed in every flat".', FAIL, ("quote",)),
        ("quotes-exist", 'It says "pets are forbidden".', PASS, ()),
        ("quotes-exist", 'It says "pets … the garden flat only".', PASS, ()),
        ("quotes-exist", '{"answer": "pets are allowed in every flat"}', PASS, ()),
        ("numbers-grounded", "€1200 on May 3rd, 0.05 interest, 7 cats", PASS, ()),
        ("numbers-grounded", "€1300 on May 4 and 6 %", FAIL, ("currency", "date", "percent")),
        ("numbers-grounded", "1. Pay\n2. Leave", PASS, ()),
        ("numbers-grounded", '{"rent": 1300}', FAIL, ("number",)),
        ("numbers-grounded", "```py\nx = 99\n```", FAIL, ("number",)),
        ("numbers-grounded", "so ```py\nx = 99\n```", PASS, ()),
        ("names-grounded", "They were told that Ms Olsen decides.", PASS, ()),
        ("names-grounded", "They were told that Ms Larsen decides.", FAIL, ("name",)),
        ("citations-resolve", "Yes [1], see [lease] and (Source: lease).", PASS, ()),
        ("citations-resolve", "Yes [2], see https://a.b and (Source: Almanac).", FAIL, ("number", "source", "url")),
        ("citations-resolve", "Yes.", PASS, ()),
    ],
)
def test_assertions(type: str, text: str, expected: Result, paths: tuple[str, ...]) -> None:
    """What the context or the prompt holds passes in any format; what neither holds fails with its kind."""
    found = said(type, text)
    assert (found.result, found.paths) == (expected, paths)


def test_the_reason_names_what_was_invented() -> None:
    """How many of how many, the first three, and a score that is the grounded share."""
    found = said("numbers-grounded", "7 cats pay €1300")
    assert found.detail == "1 of 2 not in the context: EUR 1300 currency"
    assert found.score == 0.5
    assert said("quotes-exist", "Nothing quoted.").detail == "0 looked at"


@pytest.mark.parametrize(
    ("type", "live", "shadow", "expected", "paths"),
    [
        ("shadow:numbers-grounded", "1200 or 99", "99", SAME, ()),
        ("shadow:numbers-grounded", "99", "98", DIFFER, ("number",)),
        ("shadow:numbers-grounded", "none", "98 kg", DIFFER, ("unit kg",)),
        ("shadow:numbers-grounded", "98", "none", SAME, ()),
        ("shadow:quotes-exist", "x", '"a b c d"', DIFFER, ("quote",)),
        ("shadow:quotes-exist", '"a b c d"', '"a b c d"', SAME, ()),
        ("shadow:citations", "so [1]", "so [2] [doc-9]", DIFFER, ("marker", "number")),
        ("shadow:citations", "so [2]", "so [1] [2]", SAME, ()),
    ],
)
def test_comparisons(type: str, live: str, shadow: str, expected: Result, paths: tuple[str, ...]) -> None:
    """Only what the shadow invents and live did not makes a difference; the path is a kind, never a content."""
    found = said(type, live, shadow)
    assert (found.result, found.paths) == (expected, paths)


@pytest.mark.parametrize("type", [*ASSERTIONS, *COMPARISONS])
def test_without_context_there_is_nothing_to_judge(type: str) -> None:
    """A request without retrieved context is skipped, and so is one whose paths lead nowhere."""
    texts = ['Bob and [9] "a b c d" 99'] * (1 + type.startswith("shadow:"))
    assert said(type, *texts, request=BARE).detail == "the request has no retrieved context"
    assert said(type, *texts, config={"paths": ["metadata.docs"]}).result is SKIP


@pytest.mark.parametrize(
    ("type", "texts"),
    [("numbers-grounded", ["99"]), ("not-numbers-grounded", ["99"]), ("shadow:numbers-grounded", ["1", "99"])],
)
def test_what_the_model_may_have_seen_elsewhere_is_not_held_against_it(type: str, texts: list[str]) -> None:
    """Beside a picture nothing counts as invented, and nothing as grounded: both arms are judged, or neither."""
    found = said(type, *texts, request=PICTURE)
    assert found.result is SKIP
    assert "cannot be read as text" in found.detail
    assert said("numbers-grounded", "1200", request=PICTURE).result is SKIP


def test_a_context_of_too_many_numbers_is_skipped() -> None:
    """Where not every number can be looked at, none is called invented."""
    body = {"messages": [{"role": "user", "content": f"<context>{'1 ' * 20_000}</context>"}]}
    crowded = Request("openai-chat", body=body)
    assert said("numbers-grounded", "99", request=crowded).detail == "the context holds too many numbers to be searched"
    assert said("numbers-grounded", "none", request=crowded).result is SKIP
    assert said("shadow:numbers-grounded", "99", "98", request=crowded).result is SKIP


def test_options() -> None:
    """Paths say what the context is, and how many words make a quote is chosen."""
    assert said("quotes-exist", '"no pets"', config={"words": 2}).result is FAIL
    assert said("citations-resolve", "[1] [2]", config={"paths": ["messages[*].content"]}).paths == ("number",)


@pytest.mark.parametrize(
    ("type", "config", "message"),
    [
        ("quotes-exist", {"words": 0}, "a whole number of words"),
        ("quotes-exist", {"words": True}, "a whole number of words"),
        ("numbers-grounded", {"words": 4}, "reads no `config: words`"),
        ("numbers-grounded", {"paths": "x"}, "needs `config: {paths: [metadata"),
        ("shadow:citations", {"paths": ["a[b]"]}, "is no path"),
    ],
)
def test_mistakes(type: str, config: dict[str, Any], message: str) -> None:
    """An option that makes no sense is refused with its remedy."""
    with pytest.raises(BadCheck, match=message.replace("{", r"\{").replace("[", r"\[")):
        check(type, config=config)


ANSWERS = st.text() | st.text('0123456789 .,%$[]"“”()kmABob', max_size=60)
RUNS: dict[str, Any] = {
    type: check(type).run for type in (*ASSERTIONS, *COMPARISONS, *(f"not-{type}" for type in ASSERTIONS))
}
REQUESTS = st.sampled_from([REQUEST, BARE, PICTURE])


@settings(deadline=None, max_examples=60)
@given(request_=REQUESTS, text=ANSWERS)
@pytest.mark.parametrize("type", ASSERTIONS)
def test_negation_with_a_context(type: str, request_: Request, text: str) -> None:
    """not-X swaps the verdict where there is a context, and skips where X skips."""
    swapped = {PASS: FAIL, FAIL: PASS, SKIP: SKIP}
    answer = arm(text, request=request_)
    plain, negated = RUNS[type](answer), RUNS[f"not-{type}"](answer)
    assert negated.result is swapped[plain.result]
    assert plain == RUNS[type](answer)
    assert 0 <= plain.score <= 1


@settings(deadline=None, max_examples=60)
@given(text=ANSWERS, other=ANSWERS)
@pytest.mark.parametrize("type", COMPARISONS)
def test_nothing_differs_from_itself_with_a_context(type: str, text: str, other: str) -> None:
    """An answer invents nothing that it did not invent before."""
    live, shadow = arm(text, request=REQUEST), arm(other, request=REQUEST)
    assert RUNS[type](live, live).result is SAME
    assert 0 <= RUNS[type](live, shadow).score <= 1


@pytest.mark.parametrize("text", [*HOSTILE.values(), "1 " * 500_000, '"a b c d" ' * 100_000, "[1]" * 300_000])
@pytest.mark.parametrize("type", [*ASSERTIONS, *COMPARISONS])
def test_hostile_answers_and_contexts(type: str, text: str) -> None:
    """A megabyte on either side is judged in about a second."""
    began = time.process_time()
    said(type, *[text] * (1 + type.startswith("shadow:")))
    body = {"messages": [{"role": "user", "content": f"<context>{text}</context>"}]}
    run: Any = check(type).run
    answer = arm('Then Bob said 99 [4] "a b c e"', request=Request("openai-chat", body=body))
    run(*[answer] * (1 + type.startswith("shadow:")))
    assert time.process_time() - began < 5
