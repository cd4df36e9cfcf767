"""Slicing: which groups a call belongs to, as "key=value". Used by observing; the keys come from the settings.

Slices are made of the call and the request only, never of an outcome: a group that the answer chooses would make a
bad answer look like a property of the traffic. How many distinct values are kept is the store's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from config.pair import Call
from evaluators.core.finding import BadPattern, pattern
from evaluators.core.language import NoDetector, detector, language_of
from evaluators.core.reply import Request

MAX_TEXT = 20_000
"""Characters of the last user turn in which plain topic words are looked for."""
MAX_PATTERN_TEXT = 4_000
"""The same for `re:` patterns, of which many need quadratic time: .*a.*b takes about 10 ms here. One that is not done
after a quarter of a second does not match."""
MAX_VALUE = 64

_PATTERN = "re:"
_TAG = "tag:"
_OTHER = "other"
_LANGUAGE = "language"
_UNKNOWN = "unknown"
_TURNS = ((2, "1"), (4, "2-3"), (8, "4-7"))
_LENGTHS = ((200, "<200"), (1_000, "200-1k"), (5_000, "1k-5k"), (20_000, "5k-20k"))
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


class BadRule(ValueError):
    """A slice key or topic that makes no sense; the text names the remedy. Stops the start."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A named subject: any of the words, or any of the patterns."""

    name: str
    words: tuple[re.Pattern[str], ...]
    patterns: tuple[Callable[[str], bool], ...]  # raise TimeoutError


@dataclass(frozen=True, slots=True)
class SliceRules:
    """Which keys, and what the topics are; made by slice_rules."""

    keys: tuple[str, ...]
    topics: tuple[Topic, ...]


def slice_rules(keys: Sequence[str], topics: Mapping[str, Sequence[str]]) -> SliceRules:
    """Compile the settings' `slices` and `topics`; raises BadRule.

    A topic's entries are words or phrases, found whole and in any case ("refund" is not in "refundable"), or `re:`
    and a regular expression, searched in any case. The language is that of the last user turn.
    """
    for key in keys:
        if key not in _KEYS and not (key.startswith(_TAG) and len(key) > len(_TAG)):
            raise BadRule(f"slices: {key!r} is not a key; use one of {', '.join(_KEYS)}, or tag:NAME")
    if _LANGUAGE in keys:
        try:
            detector()
        except NoDetector as error:
            raise BadRule(f"slices: {error}") from error
    return SliceRules(tuple(keys), tuple(_topic(name, entries) for name, entries in topics.items()))


def slices(call: Call, request: Request, rules: SliceRules) -> tuple[str, ...]:
    """Every slice of this call, sorted and unique. A tag that the call does not carry gives none."""
    found: set[str] = set()
    for key in rules.keys:
        values = _tagged(call, key) if key.startswith(_TAG) else _KEYS[key](call, request, rules)
        found.update(f"{key}={_clean(value)}" for value in values)
    return tuple(sorted(found))


def _topic(name: str, entries: Sequence[str]) -> Topic:
    plain = [entry for entry in entries if not entry.startswith(_PATTERN)]
    if not entries or not all(entry.removeprefix(_PATTERN).strip() for entry in entries):
        raise BadRule(f"topics: {name!r} needs words that are not empty")
    # \b would not do: it finds no boundary beside "$" or "c++".
    whole = [rf"(?<!\w){re.escape(word.strip())}(?!\w)" for word in plain]
    words = (re.compile("|".join(whole), re.IGNORECASE),) if whole else ()
    patterns = tuple(_pattern(name, entry.removeprefix(_PATTERN)) for entry in entries if entry not in plain)
    return Topic(name, words, patterns)


def _pattern(name: str, source: str) -> Callable[[str], bool]:
    try:
        return pattern(source, fold=True)
    except BadPattern as error:
        raise BadRule(f"topics: {name!r} has a pattern that is no regular expression: {error}") from error


def _topics(call: Call, request: Request, rules: SliceRules) -> Iterator[str]:
    text, short = request.prompt[:MAX_TEXT], request.prompt[:MAX_PATTERN_TEXT]
    matched = [
        topic.name
        for topic in rules.topics
        if any(word.search(text) for word in topic.words) or any(_found(search, short) for search in topic.patterns)
    ]
    yield from matched or [_OTHER]


def _found(search: Callable[[str], bool], text: str) -> bool:
    try:
        return search(text)
    except TimeoutError:
        return False


def _format(request: Request) -> str:
    if request.schema:
        return "json_schema"
    return "json" if request.json_mode else "text"


def _tagged(call: Call, key: str) -> list[str]:
    name = key.removeprefix(_TAG)
    return [value for tag, value in call.tags if tag == name]


def _bin(number: int, bins: Sequence[tuple[int, str]], last: str) -> str:
    """The first bin whose upper limit (exclusive) is above the number."""
    return next((name for limit, name in bins if number < limit), last)


def _clean(value: str) -> str:
    """Short and printable: slices are shown in terminals and tables."""
    return _UNSAFE.sub("", value[: 4 * MAX_VALUE])[:MAX_VALUE]


_KEYS: Mapping[str, Callable[[Call, Request, SliceRules], Iterator[str] | tuple[str, ...]]] = {
    "route": lambda call, request, rules: (call.path,),
    "model": lambda call, request, rules: (request.model or _UNKNOWN,),
    "turn": lambda call, request, rules: (_bin(request.turns, _TURNS, "8+"),),
    "topic": _topics,
    "tools": lambda call, request, rules: ("offered" if request.tools else "none",),
    "response_format": lambda call, request, rules: (_format(request),),
    "prompt_length": lambda call, request, rules: (_bin(request.characters, _LENGTHS, "20k+"),),
    "stream": lambda call, request, rules: ("yes" if request.stream else "no",),
    _LANGUAGE: lambda call, request, rules: (language_of(request.prompt) or _UNKNOWN,),
}
