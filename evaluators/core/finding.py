"""Finding and Check: what one check says about one Reply or two, and how a check is declared.

A check is a factory that closes over its parameters and returns a pure function; the decorators only name it:

    @assertion("starts-with", dimension="correctness", takes=("value",))
    def starts_with(params: Params) -> Assert:
        prefix = params.text()
        return lambda arm: passed() if arm.reply.text.startswith(prefix) else failed("does not start with it")
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import Any

import regex

from evaluators.core.reply import Reply, Request

MAX_DETAIL = 200
MAX_PATHS = 32


class Result(StrEnum):
    """Assertions say pass or fail, comparisons same or differ; either may say skip or broken."""

    PASS = "pass"
    FAIL = "fail"
    SAME = "same"
    DIFFER = "differ"
    SKIP = "skip"  # the check does not apply to this reply
    BROKEN = "broken"  # the check could not judge: our fault, and never to the advantage of whom it did not judge


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says. `score` is in [0, 1]: for an assertion how right, for a comparison the distance."""

    result: Result
    score: float = 0.0
    detail: str = ""  # short, for people; hostile text is cut and escaped where it is shown, not here
    paths: tuple[str, ...] = ()  # where, e.g. /items/*/price or get_weather/city


def passed(detail: str = "", score: float = 1.0) -> Finding:
    """An assertion that holds."""
    return Finding(Result.PASS, score, detail[:MAX_DETAIL])


def failed(detail: str, score: float = 0.0, paths: tuple[str, ...] = ()) -> Finding:
    """An assertion that does not hold, and why."""
    return Finding(Result.FAIL, score, detail[:MAX_DETAIL], paths[:MAX_PATHS])


def same(detail: str = "", distance: float = 0.0) -> Finding:
    """Two replies that agree."""
    return Finding(Result.SAME, distance, detail[:MAX_DETAIL])


def differ(distance: float, detail: str = "", paths: tuple[str, ...] = ()) -> Finding:
    """Two replies that differ: how far, and where."""
    return Finding(Result.DIFFER, distance, detail[:MAX_DETAIL], paths[:MAX_PATHS])


def skipped(why: str) -> Finding:
    """The check does not apply."""
    return Finding(Result.SKIP, 0.0, why[:MAX_DETAIL])


def broken(why: str) -> Finding:
    """The check could not do its work."""
    return Finding(Result.BROKEN, 0.0, why[:MAX_DETAIL])


@dataclass(frozen=True, slots=True)
class Timing:
    """Latency of one arm in seconds after the request was sent; NEVER (-1.0) where it did not come."""

    first_byte: float
    total: float
    longest_gap: float  # between two chunks; NEVER with fewer than two


@dataclass(frozen=True, slots=True)
class Arm:
    """Everything a check may look at on one side."""

    request: Request
    reply: Reply
    timing: Timing
    cost: float  # USD; NEVER (-1.0) when tokens or price are unknown


Assert = Callable[[Arm], Finding]
Compare = Callable[[Arm, Arm], Finding]  # live first


class BadCheck(ValueError):
    """A check's parameters make no sense; the text names the remedy. Stops the start."""


class DoorFailed(Exception):
    """What a check asked for outside itself did not come; the text is short, ours, and becomes `broken`."""


def _closed(*_: object) -> Any:
    raise BadCheck("this needs files, a process or an endpoint, and none is open here")


@dataclass(frozen=True, slots=True)
class Doors:
    """What a check may reach outside itself. `read` is for building and raises BadCheck, the others are for running.

    They block the calling thread within limits of their own and raise DoorFailed. Made by wiring; a test hands in its
    own. All closed by default: checks stay functions of what they are given.
    """

    read: Callable[[str], Any] = _closed
    """`file://PATH` -> its content: parsed for .json, .yaml, .yml and .jsonl, rows for .csv, text for anything else."""
    python: Callable[[str, Mapping[str, Any]], Any] = _closed
    """Code (or `file://PATH.py[:function]`) and its arguments (output, context, threshold) -> what it returned."""
    post: Callable[[str, Mapping[str, Any]], Any] = _closed
    """URL and a JSON body -> the JSON that came back."""
    embed: Callable[[Sequence[str]], Sequence[Sequence[float]]] = _closed
    """Texts -> one vector each."""
    threshold: Callable[[str, str], float] = _closed
    """Check's label and route -> the calibrated distance above which two answers differ; NEVER while unknown."""


CLOSED = Doors()


@dataclass(frozen=True, slots=True)
class Member:
    """One assertion inside another, such as in an assert-set."""

    label: str
    weight: float  # 0 for a metric that never decides
    run: Assert
    type: str = ""


@dataclass(frozen=True, slots=True)
class Params:
    """What the configuration gives a check, with readers that raise BadCheck."""

    type: str
    value: Any = None
    threshold: float | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    members: tuple[Member, ...] = ()  # of an assert-set
    doors: Doors = CLOSED
    together: Callable[[Any, float | None], Assert] = _closed
    """Assertions as a file writes them, and a threshold -> one assertion as by an assert-set; for a value of checks."""

    def options(self, *known: str) -> Mapping[str, Any]:
        """The `config:` table; raises BadCheck for a key that this check does not read."""
        unknown = sorted(set(self.config) - set(known))
        if unknown:
            raise BadCheck(f"{self.type} reads no `config: {unknown[0]}`; known: {', '.join(known) or 'none'}")
        return self.config

    def text(self) -> str:
        """The value as one string; numbers are stringified (promptfoo)."""
        if not _is_text(self.value):
            raise BadCheck(f"{self.type} needs a `value:` that is a text")
        return str(self.value)

    def texts(self) -> tuple[str, ...]:
        """The value as a list of strings; a comma-separated text is split (promptfoo's CSV form)."""
        if isinstance(self.value, str):
            return fields(self.value) or (self.value,)
        if not isinstance(self.value, list) or not self.value or not all(map(_is_text, self.value)):
            raise BadCheck(f"{self.type} needs a `value:` that is a list of texts")
        return tuple(str(part) for part in self.value)

    def limit(self, default: float) -> float:
        """The threshold, or the default where none is given; never below zero."""
        chosen = default if self.threshold is None else self.threshold
        if not 0 <= chosen < inf:
            raise BadCheck(f"{self.type} needs a `threshold:` of zero or more")
        return chosen


def fields(text: str) -> tuple[str, ...]:
    """The texts between commas, empty ones left out; quotes keep a comma, and `""` or a backslash keeps a quote."""
    found = []
    for quoted, plain in _FIELD.findall(text):
        found.append(_QUOTE.sub(lambda one: one[1] or '"', quoted[1:-1]) if quoted else plain.strip())
    return tuple(one for one in found if one)


_FIELD = re.compile(r"""\s*+("(?:[^"\\]|\\.|"")*+")\s*+(?=,|$)|([^,]+)""")
_QUOTE = re.compile(r'\\(["\\])|""')


PATTERN_SECONDS = 0.25


def pattern(source: str, *, fold: bool = False, seconds: float = PATTERN_SECONDS) -> Callable[[str], bool]:
    """A search for this regular expression that always ends: it raises TimeoutError after so many seconds.

    Raises BadPattern for what is no regular expression, or one too large to prepare. `fold` ignores the case.
    """
    if len(source) > MAX_PATTERN or _weight(source) > MAX_PATTERN:
        raise BadPattern("it is too large; write it with fewer or smaller repeats")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what [[ may mean one day
            made = regex.compile(source, regex.V0 | (regex.IGNORECASE if fold else 0))
    except (regex.error, OverflowError, RecursionError) as error:
        raise BadPattern(str(error)) from error
    return lambda text: bool(made.search(text, timeout=seconds))


class BadPattern(ValueError):
    """What is no regular expression; the text says why."""


TOO_SLOW = f"the pattern took longer than {PATTERN_SECONDS:g} s"
MAX_PATTERN = 10_000
"""Parts of a pattern with its fixed repeats written out, as `regex` does before it searches: a{1000} is a thousand.
A million of them take 0.7 s and 280 MB."""

_PART = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*+\]|\{(\d{1,9})[^{}]*+\}|.", re.DOTALL)


def _weight(source: str) -> int:
    groups, last = [0], 0
    for part in _PART.finditer(source):
        if part[0] == "(":
            groups.append(0)
        elif part[1]:
            groups[-1] += last * max(int(part[1]) - 1, 0)
            last *= max(int(part[1]), 1)
        else:
            last = groups.pop() if part[0] == ")" and len(groups) > 1 else 1
            groups[-1] += last
    return sum(groups)


def _is_text(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class CheckType:
    """A registered kind of check, before its parameters."""

    name: str
    make: Callable[[Params], Assert] | Callable[[Params], Compare]
    comparison: bool
    dimension: str
    version: int  # raised whenever the same input may get another result
    takes: frozenset[str] = frozenset()  # of "value", "threshold" and "config": what is given beyond these is a mistake
    negatable: bool = True  # False where the opposite says nothing
    layer: str = "task"  # format, task, safety or grounding


def assertion(
    name: str,
    *,
    dimension: str,
    version: int = 1,
    takes: tuple[str, ...] = (),
    negatable: bool = True,
    layer: str = "task",
) -> Callable[[Callable[[Params], Assert]], CheckType]:
    """Name a factory of assertions, and which parameters it reads."""
    return lambda make: CheckType(name, make, False, dimension, version, frozenset(takes), negatable, layer)


def comparison(
    name: str, *, dimension: str, version: int = 1, takes: tuple[str, ...] = (), layer: str = "task"
) -> Callable[[Callable[[Params], Compare]], CheckType]:
    """Name a factory of comparisons, and which parameters it reads."""
    return lambda make: CheckType(name, make, True, dimension, version, frozenset(takes), False, layer)


@dataclass(frozen=True, slots=True)
class Check:
    """A configured check, ready to run on one pair."""

    label: str  # unique: the name in findings, gates and reports
    type: str
    comparison: bool
    dimension: str
    severity: str
    version: str  # type version plus a short hash of the parameters: a changed check starts new tallies
    run: Assert | Compare
    layer: str = "task"
    metric: str = ""  # promptfoo's named metric: checks that share one are shown together
    weight: float = 1.0
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # slice key -> values; {} always
