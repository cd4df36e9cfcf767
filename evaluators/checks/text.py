"""Assertions on the words of an answer, by promptfoo's names and rules. Built by the registry in __init__.

An answer that is only tool calls, or an embedding, has no text to judge: these checks skip it. (promptfoo would
search the tool calls as JSON text; here they have checks of their own.) A provider's refusal message is text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rapidfuzz.distance import Levenshtein

from evaluators.core.diff import json_diff, whole_json
from evaluators.core.ecma import translated
from evaluators.core.finding import (
    TOO_SLOW,
    Assert,
    BadCheck,
    BadPattern,
    CheckType,
    Finding,
    Params,
    assertion,
    broken,
    failed,
    passed,
    pattern,
)
from evaluators.core.on_text import on_text


@assertion("equals", dimension="correctness", takes=("value",))
def equals(params: Params) -> Assert:
    """The whole text; an object or a list is compared with the parsed answer, key order aside."""
    if isinstance(params.value, dict | list):
        return on_text(lambda text: _verdict(_equals_json(text, params.value), "is not the expected value"))
    expected = params.text()
    return on_text(lambda text: _verdict(text == expected, "is not the expected text"))


@assertion("contains", dimension="correctness", takes=("value",))
def contains(params: Params) -> Assert:
    """The text holds the value."""
    return _search((_needle(params),), all, False)


@assertion("icontains", dimension="correctness", version=2, takes=("value",))
def icontains(params: Params) -> Assert:
    """The text holds the value, whatever the case."""
    return _search((_needle(params),), all, True)


@assertion("contains-all", dimension="correctness", version=2, takes=("value",))
def contains_all(params: Params) -> Assert:
    """The text holds every value."""
    return _search(_needles(params), all, False)


@assertion("contains-any", dimension="correctness", version=2, takes=("value",))
def contains_any(params: Params) -> Assert:
    """The text holds at least one value."""
    return _search(_needles(params), any, False)


@assertion("icontains-all", dimension="correctness", version=2, takes=("value",))
def icontains_all(params: Params) -> Assert:
    """The text holds every value, whatever the case."""
    return _search(_needles(params), all, True)


@assertion("icontains-any", dimension="correctness", version=2, takes=("value",))
def icontains_any(params: Params) -> Assert:
    """The text holds at least one value, whatever the case."""
    return _search(_needles(params), any, True)


@assertion("starts-with", dimension="correctness", takes=("value",))
def starts_with(params: Params) -> Assert:
    """The text begins with the value."""
    prefix = _needle(params)
    return on_text(lambda text: _verdict(text.startswith(prefix), "starts differently"))


@assertion("regex", dimension="correctness", version=2, takes=("value",))
def regex(params: Params) -> Assert:
    r"""The pattern is found anywhere. One that searches for longer than a quarter of a second is `broken`.

    It is read as JavaScript, as by promptfoo: `$` is the very end, `\d` and `\w` are ASCII. promptfoo fails every
    answer when the pattern is invalid; here an invalid pattern stops the start.
    """
    try:
        found = pattern(translated(params.text()))
    except BadPattern as error:
        raise BadCheck(f"{params.type} needs a valid regular expression: {error}") from error

    def judge(text: str) -> Finding:
        try:
            return _verdict(found(text), "the pattern is not found")
        except TimeoutError:
            return broken(TOO_SLOW)

    return on_text(judge)


@assertion("word-count", dimension="usefulness", takes=("value",), layer="format")
def word_count(params: Params) -> Assert:
    """The number of words between spaces: exactly `value`, or within {min, max}, both inclusive."""
    low, high = _range(params)

    def judge(text: str) -> Finding:
        count = len(text.split())
        return _verdict(low <= count <= high, f"{count} words")

    return on_text(judge)


@assertion("levenshtein", dimension="correctness", takes=("value", "threshold"))
def levenshtein(params: Params) -> Assert:
    """At most `threshold` (5) characters inserted, deleted or replaced away from the value."""
    expected, limit = params.text(), int(params.limit(5))

    def judge(text: str) -> Finding:
        distance = Levenshtein.distance(text, expected, score_cutoff=limit)
        return _verdict(distance <= limit, f"more than {limit} edits away")

    return on_text(judge)


TYPES: tuple[CheckType, ...] = (
    equals,
    contains,
    icontains,
    contains_all,
    contains_any,
    icontains_all,
    icontains_any,
    starts_with,
    regex,
    word_count,
    levenshtein,
)


def _verdict(holds: bool, otherwise: str) -> Finding:
    return passed() if holds else failed(otherwise)


def _equals_json(text: str, expected: Any) -> bool:
    return any(not json_diff(value, expected, 0.0) for value in whole_json(text))


def _search(needles: Sequence[str], quantifier: Callable[[Sequence[bool]], bool], fold: bool) -> Assert:
    wanted = tuple(needle.lower() for needle in needles) if fold else tuple(needles)

    def judge(text: str) -> Finding:
        haystack = text.lower() if fold else text
        found = [needle in haystack for needle in wanted]
        if quantifier(found):
            return passed()
        absent = ", ".join(needle for needle, there in zip(needles, found, strict=True) if not there)
        return failed(f"not found: {absent}")

    return on_text(judge)


def _needle(params: Params) -> str:
    return _filled(params, (params.text(),))[0]


def _needles(params: Params) -> tuple[str, ...]:
    return _filled(params, params.texts())


def _filled(params: Params, needles: tuple[str, ...]) -> tuple[str, ...]:
    if not all(needles):
        raise BadCheck(f"{params.type} has an empty text in its `value:`, which every answer contains")
    return needles


def _range(params: Params) -> tuple[float, float]:
    value = params.value
    if isinstance(value, int) and not isinstance(value, bool):
        return value, value
    if not isinstance(value, dict) or not value or not value.keys() <= {"min", "max"}:
        raise BadCheck(f"{params.type} needs a `value:` that is a whole number or {{min: …, max: …}}")
    low, high = value.get("min", 0), value.get("max", float("inf"))
    if not all(isinstance(bound, int | float) and not isinstance(bound, bool) for bound in (low, high)) or low > high:
        raise BadCheck(f"{params.type} needs numbers for min and max, min not above max")
    return low, high
