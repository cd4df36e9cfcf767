"""Answers that are one of a few labels, or hold one value that matters. Built by the registry in __init__."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import regex

from evaluators.core.diff import ROUNDING, json_blocks, json_diff, normalise, whole_json
from evaluators.core.finding import (
    PATTERN_SECONDS,
    TOO_SLOW,
    Arm,
    Assert,
    BadCheck,
    BadPattern,
    CheckType,
    Compare,
    Finding,
    Params,
    assertion,
    broken,
    comparison,
    differ,
    failed,
    passed,
    same,
    skipped,
)
from evaluators.core.finding import pattern as bounded
from evaluators.core.grounding import BadPath, path_of, values_at

MAX_ANSWER = 300
"""Characters of an answer that may be a label with some words around it; a longer one is prose."""

_NONE = "none"
_EDGES = " \t\r\n.,;:!?\"'`*_()[]{}<>«»“”‘’„#"
_PREFIX = regex.compile(
    r"(?:(?:the|my|final)\s+)*(?:label|class|classification|category|answer|output|result|sentiment|intent|verdict)"
    r"\W{0,3}\s*(?:\bis\b|[:=→–-])\W{0,3}"
)

Take = Callable[[str], tuple[Any, ...]]  # a text -> the one value in it, or ()


@assertion("label", dimension="correctness", takes=("value", "config"))
def label(params: Params) -> Assert:
    """The answer is exactly one of `value`, whatever the case, with or without marks around it and «Label:» before it.

    With `config: {path: /label}` the answer is JSON and the label stands there.
    """
    reduce = _reducing(params)

    def check(arm: Arm) -> Finding:
        found = reduce(_text(arm))
        return passed(found) if found else failed("is none of the labels")

    return check


@comparison("shadow:label", dimension="correctness", takes=("value", "config"))
def same_label(params: Params) -> Compare:
    """Both answers are the same one of `value`, read as `label` reads them; skips where neither is one of them.

    The path says which became which, `spam→ham`; `none` stands for an answer that is no label.
    """
    reduce = _reducing(params)

    def check(live: Arm, shadow: Arm) -> Finding:
        before, after = reduce(_text(live)), reduce(_text(shadow))
        if not before and not after:
            return skipped("neither answer is one of the labels")
        if before == after:
            return same(before)
        change = f"{before[:40] or _NONE}→{after[:40] or _NONE}"
        return differ(1.0, change, (change,))

    return check


@comparison("shadow:extract", dimension="correctness", takes=("threshold", "config"))
def same_extract(params: Params) -> Compare:
    """The value at `config: {path: /items/0/price}` of the JSON answers, or what `{pattern: "Total: (\\d+)"}` finds.

    Numbers may differ by `threshold` (1e-9) relatively. Of a pattern the first group counts, or all of it; texts are
    compared without white space around. Skips where neither answer has a value.
    """
    take, place = _taking(params)
    tolerance = params.limit(ROUNDING)

    def check(live: Arm, shadow: Arm) -> Finding:
        try:
            before, after = take(_text(live)), take(_text(shadow))
        except TimeoutError:
            return broken(TOO_SLOW)
        if not before and not after:
            return skipped("neither answer has the value")
        if not before or not after:
            return differ(1.0, "only the shadow has the value" if after else "only live has the value", (place,))
        differences = json_diff(before[0], after[0], tolerance)
        if not differences:
            return same()
        inner = dict.fromkeys(f"{place}{found.path}" if found.path != "/" else place for found in differences)
        return differ(1.0, "another value", tuple(inner))

    return check


TYPES: tuple[CheckType, ...] = (label, same_label, same_extract)


def _text(arm: Arm) -> str:
    return arm.reply.words


def _reducing(params: Params) -> Callable[[str], str]:
    """A text -> its label as the configuration spells it, or "" where it is none."""
    if params.value is None:
        raise BadCheck(f"{params.type} needs a `value:` that is a list of labels")
    labels = {_bare(one): one for one in params.texts()}
    if "" in labels:
        raise BadCheck(f"{params.type} has an empty label in its `value:`")
    path = params.options("path").get("path")
    take = _at(params, path) if path is not None else lambda text: (text,)

    def reduce(text: str) -> str:
        for value in take(text):
            if isinstance(value, str | int | float) and len(str(value)) <= MAX_ANSWER:
                bare = _bare(str(value))
                prefix = _PREFIX.match(bare)
                return labels.get(bare) or (labels.get(bare[prefix.end() :].strip(_EDGES), "") if prefix else "")
        return ""

    return reduce


def _bare(text: str) -> str:
    return normalise(text).strip(_EDGES).casefold()


def _taking(params: Params) -> tuple[Take, str]:
    options = params.options("path", "pattern")
    if len(options) != 1:
        raise BadCheck(f"{params.type} needs `config: {{path: …}}` or `config: {{pattern: …}}`, one of both")
    if "path" in options:
        return _at(params, options["path"]), str(options["path"])[:80]
    return _matching(params, options["pattern"]), "value"


def _at(params: Params, path: object) -> Take:
    if not isinstance(path, str):
        raise BadCheck(f"{params.type} needs a `path:` that is a text such as /items/0/price")
    try:
        steps = path_of(path)
    except BadPath as mistake:
        raise BadCheck(f"{params.type}: {mistake}") from mistake

    def take(text: str) -> tuple[Any, ...]:
        blocks = json_blocks(text)
        found = values_at(max(blocks, key=lambda block: block.size).value, steps) if blocks else ()
        return found if len(found) < 2 else (list(found),)  # a path with a star has a list for its value

    return take


def _matching(params: Params, pattern: object) -> Take:
    if not isinstance(pattern, str) or not pattern:
        raise BadCheck(f"{params.type} needs a `pattern:` that is a text")
    try:
        bounded(pattern)  # refuses what is no pattern, or too large to prepare
    except BadPattern as error:
        raise BadCheck(f"{params.type} needs a valid regular expression: {error}") from error
    compiled = regex.compile(pattern, regex.V0)

    def take(text: str) -> tuple[Any, ...]:
        found = compiled.search(text, timeout=PATTERN_SECONDS)
        if found is None:
            return ()
        value = normalise(str(next((group for group in found.groups() if group is not None), found[0])))
        return next((scalar,) for scalar in (*whole_json(value), value) if isinstance(scalar, str | int | float))

    return take
