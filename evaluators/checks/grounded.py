"""Does an answer rest on the context of its request: quotes, numbers, names, citations. Neighbour of no other check.

All of it reads, none of it understands: a paraphrase that turns the meaning round passes, a sum that the answer worked
out by itself does not. What the prompt says counts as known too. Without context in the request every check skips; and
where the model may have seen what cannot be read here (a PDF, a picture, a search that the provider ran) they skip too,
whatever the answer: one arm passing and the other skipping would be held against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.core.diff import Amount, Grounds, amounts, countable, whole_json, without_code
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
from evaluators.core.grounding import BadPath, Context, Known, citations, context, names, path_of, quotes
from evaluators.core.reply import Request

WORDS = 4
"""Of a quote that is looked for: shorter ones are titles, terms and irony."""

_NO_CONTEXT = skipped("the request has no retrieved context")
_UNSEEN = skipped("the request holds what cannot be read as text")
_CROWDED = skipped("the context holds too many numbers to be searched")
_LAYER = "grounding"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in an answer that the context has to hold: where it counts (a short kind) and what it is."""

    path: str
    what: str


Found = tuple[Sequence[Item], Sequence[Item]]  # everything looked at, and what of it has no ground
Look = Callable[[Sequence[str], Context], "tuple[Found, ...] | Finding"]  # texts of answers -> one Found each


def _looking(params: Params, look: Callable[[Mapping[str, Any]], Look], *options: str) -> Callable[..., Any]:
    """Reads the texts of some arms against the context of their one request."""
    given = params.options("paths", *options)
    paths = given.get("paths", [])
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise BadCheck(f"{params.type} needs `config: {{paths: [metadata.documents[*].text, …]}}`")
    try:
        steps = [path_of(path) for path in paths]
    except BadPath as mistake:
        raise BadCheck(f"{params.type}: {mistake}") from mistake
    find = look(given)

    def read(request: Request, *arms: Arm) -> tuple[Found, ...] | Finding:
        found = context(request, steps)
        if found.opaque:
            return _UNSEEN
        return find([_text(arm) for arm in arms], found) if found.sources else _NO_CONTEXT

    return read


def _asserting(params: Params, look: Callable[[Mapping[str, Any]], Look], *options: str) -> Assert:
    read = _looking(params, look, *options)

    def check(arm: Arm) -> Finding:
        result = read(arm.request, arm)
        if isinstance(result, Finding):
            return result
        ((looked, loose),) = result
        if not loose:
            return passed(f"{len(looked)} looked at")  # none at all passes too: else new inventions had no partner
        said = f"{len(loose)} of {len(looked)} not in the context: {', '.join(item.what[:60] for item in loose[:3])}"
        return failed(said, 1 - len(loose) / len(looked), tuple(sorted({item.path for item in loose})))

    return check


def _comparing(params: Params, look: Callable[[Mapping[str, Any]], Look], *options: str) -> Compare:
    read = _looking(params, look, *options)

    def check(live: Arm, shadow: Arm) -> Finding:
        result = read(live.request, live, shadow)
        if isinstance(result, Finding):
            return result
        (_, before), (looked, after) = result
        known = {item.what for item in before}
        new = [item for item in after if item.what not in known]
        if not new:
            return same(f"{len(before)} → {len(after)} not in the context")
        paths = tuple(sorted({item.path for item in new}))
        return differ(len(new) / len(looked), f"{len(new)} of {len(looked)} new and not in the context", paths)

    return check


def _quotes(options: Mapping[str, Any]) -> Look:
    words = options.get("words", WORDS)
    if not isinstance(words, int) or isinstance(words, bool) or words < 1:
        raise BadCheck("quotes need `config: {words: N}`, a whole number of words from which a quote counts")

    def look(texts: Sequence[str], around: Context) -> tuple[Found, ...]:
        known = Known(around)
        spans = [[Item("quote", span) for span in quotes(text, words)] for text in texts]
        return tuple((items, [item for item in items if not known.quote(item.what)]) for items in spans)

    return look


def _numbers(_: Mapping[str, Any]) -> Look:
    def look(texts: Sequence[str], around: Context) -> tuple[Found, ...] | Finding:
        if not countable(around.said):
            return _CROWDED
        found = [dict.fromkeys(amounts(text)) for text in texts]
        if not any(found):
            return tuple(((), ()) for _ in texts)
        grounds = Grounds(around.said)
        return tuple(
            ([_item(one) for one in some], [_item(one) for one in some if not grounds.hold(one)]) for some in found
        )

    return look


def _citations(_: Mapping[str, Any]) -> Look:
    def look(texts: Sequence[str], around: Context) -> tuple[Found, ...]:
        known = Known(around)
        cited = [citations(text) for text in texts]
        return tuple(
            (
                [Item(one.kind, one.text) for one in some],
                [Item(one.kind, one.text) for one in some if not known.citation(one)],
            )
            for some in cited
        )

    return look


def _names(_: Mapping[str, Any]) -> Look:
    def look(texts: Sequence[str], around: Context) -> tuple[Found, ...]:
        known = Known(around)
        called = [[Item("name", name) for name in names(text)] for text in texts]
        return tuple((items, [item for item in items if not known.name(item.what)]) for items in called)

    return look


@assertion("quotes-exist", dimension="correctness", takes=("config",), layer=_LAYER)
def quotes_exist(params: Params) -> Assert:
    """Every quoted stretch of `config: {words: 4}` words or more stands in the context or the prompt.

    Case, kinds of quotes and dashes, white space and emphasis do not count; «…» leaves something out.
    """
    return _asserting(params, _quotes, "words")


@assertion("numbers-grounded", dimension="correctness", takes=("config",), layer=_LAYER)
def numbers_grounded(params: Params) -> Assert:
    """Every number, date, percentage and measure stands in the context or the prompt, in whatever format.

    Numbers written as words and the numbering of lists are left out; a result worked out from other numbers fails.
    """
    return _asserting(params, _numbers)


@assertion("names-grounded", dimension="correctness", takes=("config",), layer=_LAYER)
def names_grounded(params: Params) -> Assert:
    """Every capitalised name inside an English sentence stands in the context or the prompt, word by word.

    It cannot see a name at the beginning of a sentence, an acronym or one in lower case, does not know that two names
    mean the same, and takes true knowledge from elsewhere for an invention. A text that seems German is not judged.
    """
    return _asserting(params, _names)


@assertion("citations-resolve", dimension="correctness", takes=("config",), layer=_LAYER)
def citations_resolve(params: Params) -> Assert:
    """Every [1], [doc-3], 【…】, address and (Source: x) points to something that the context has.

    Whether the source says what it is cited for is not looked at. Annotations beside the text are not read.
    """
    return _asserting(params, _citations)


@comparison("shadow:quotes-exist", dimension="correctness", takes=("config",), layer=_LAYER)
def new_quotes(params: Params) -> Compare:
    """The shadow quotes what neither context nor prompt holds and live did not quote. The path is `quote`."""
    return _comparing(params, _quotes, "words")


@comparison("shadow:numbers-grounded", dimension="correctness", takes=("config",), layer=_LAYER)
def new_numbers(params: Params) -> Compare:
    """The shadow has numbers that neither context, prompt nor live's answer holds. Paths are kinds, as `percent`."""
    return _comparing(params, _numbers)


@comparison("shadow:citations", dimension="correctness", takes=("config",), layer=_LAYER)
def new_citations(params: Params) -> Compare:
    """The shadow cites what is not there, and live did not. Paths are `number`, `marker`, `url` and `source`."""
    return _comparing(params, _citations)


TYPES: tuple[CheckType, ...] = (
    quotes_exist,
    numbers_grounded,
    names_grounded,
    citations_resolve,
    new_quotes,
    new_numbers,
    new_citations,
)


def _item(amount: Amount) -> Item:
    return Item(amount.kind, f"{amount.text} {amount.kind.removeprefix('unit ')}" if amount.plain else amount.text)


def _text(arm: Arm) -> str:
    """The words of an answer: of JSON its texts and numbers, since every text there is in quotes."""
    text = arm.reply.words
    data = [value for value in whole_json(text) if isinstance(value, dict | list)]
    return "\n".join(_leaves(data[0])) if data else without_code(text)


def _leaves(value: Any) -> list[str]:
    leaves, stack = [], [value]
    while stack:
        item = stack.pop()
        inner = list(item.values()) if isinstance(item, dict) else item if isinstance(item, list) else []
        stack.extend(reversed(inner))
        if isinstance(item, str | int | float) and not isinstance(item, bool):
            leaves.append(str(item))
    return leaves
