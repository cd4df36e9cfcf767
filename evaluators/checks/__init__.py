"""The checks that exist, and how configured ones are built. Each family file is independent; the worker gets Checks.

Checks from outside come by entry point (group `understudy.checks`): an object that is a CheckType, or an iterable of
them. One that fails to load stops the start, because a check that silently is not there would pass everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from hashlib import blake2b
from typing import Any, cast

import orjson

from config import settings
from evaluators.checks import (
    answer,
    compare_json,
    compare_text,
    compare_tools,
    compare_values,
    compare_vector,
    external,
    golden,
    grounded,
    grouping,
    json_shape,
    labels,
    language,
    leaks,
    markup,
    outside,
    overlap,
    pii,
    refusal,
    resources,
    secrets,
    semantic,
    signals,
    similar,
    sql,
    text,
    tools,
    trajectory,
    transforming,
    written,
)
from evaluators.core.finding import (
    CLOSED,
    Arm,
    Assert,
    BadCheck,
    Check,
    CheckType,
    Doors,
    Finding,
    Member,
    Params,
    Result,
)

BUILT_IN: tuple[CheckType, ...] = (
    *text.TYPES,
    *json_shape.TYPES,
    *answer.TYPES,
    *refusal.TYPES,
    *pii.TYPES,
    *secrets.TYPES,
    *leaks.TYPES,
    *resources.TYPES,
    *compare_text.TYPES,
    *compare_json.TYPES,
    *compare_tools.TYPES,
    *tools.TYPES,
    *trajectory.TYPES,
    *compare_vector.TYPES,
    *compare_values.TYPES,
    *grounded.TYPES,
    *labels.TYPES,
    *language.TYPES,
    *overlap.TYPES,
    *signals.TYPES,
    *semantic.TYPES,
    *similar.TYPES,
    *external.TYPES,
    *markup.TYPES,
    *sql.TYPES,
    *grouping.TYPES,
    *golden.TYPES,
)

NOT_YET = frozenset(
    """
    javascript ruby classifier
    moderation llm-rubric g-eval factuality model-graded-factuality model-graded-closedqa answer-relevance
    conversation-relevance pi search-rubric agent-rubric context-faithfulness context-recall context-relevance
    trajectory:goal-success select-best human
    """.split()
)
"""promptfoo's other type names: refused by name, so that nobody believes they are measured."""

DROPPED = {
    "rouge-l": "no longer in promptfoo; use rouge-n, or levenshtein where the order counts",
    "rouge-s": "no longer in promptfoo; use rouge-n, or gleu where the order counts",
}
"""Names of old files, and what to write in their place."""

_NOT = "not-"
_FILE = "file://"
_CODE = (".py",)  # read by the process that runs it, not here
_OPPOSITE = {Result.PASS: Result.FAIL, Result.FAIL: Result.PASS}


def build(
    configured: Sequence[settings.Check], doors: Doors = CLOSED, types: Mapping[str, CheckType] | None = None
) -> tuple[Check, ...]:
    """The configured checks, ready to run; raises BadCheck with every mistake, one per line.

    `types` are those of `registered`, for who builds often: looking for packages takes milliseconds.

    Assertions that share a `metric` give one more check of that name: promptfoo's named score.
    """
    registry = _Registry(registered() if types is None else types, doors)
    checks: list[Check] = []
    mistakes: list[str] = []
    labels: set[str] = set()
    for position, wanted in enumerate(configured):
        try:
            if wanted.label in labels:
                raise BadCheck("is there twice; give one of them a `name:`")
            labels.add(wanted.label)
            checks.append(registry.check(wanted, configured))
        except BadCheck as mistake:
            mistakes.append(f"checks[{position}] {wanted.label}: {mistake}")
    if mistakes:
        raise BadCheck("\n".join(mistakes))
    return (*checks, *grouping.metrics(checks))


@dataclass(frozen=True, slots=True)
class _Registry:
    """What configured checks are built with."""

    types: Mapping[str, CheckType]
    doors: Doors

    def check(self, wanted: settings.Check, beside: Sequence[settings.Check] = ()) -> Check:
        """One check with its members; `beside` are the others of its file, for max-score."""
        kind = _find(wanted.type.removeprefix(_NOT), self.types)
        negated = wanted.type.startswith(_NOT)
        if negated and not kind.negatable:
            raise BadCheck(f"{kind.name} has no opposite; drop the `{_NOT}`")
        _refuse_unread(wanted, kind)
        inner = self._members(wanted.members)
        if wanted.type == grouping.MAX_SCORE:
            inner = [one for other in beside if other.type != grouping.MAX_SCORE for one in self._counted(other)]
        value = self._value(wanted.value)
        within = [built.version for _, built in inner] + self._source(wanted.value)
        params = Params(
            wanted.type,
            value,
            wanted.threshold,
            wanted.config,
            wanted.label,
            tuple(_member(one, built) for one, built in inner),
            self.doors,
            partial(self._together, written.directory(wanted.value), within),
        )
        run = kind.make(params)
        if negated:
            run = partial(_opposite, cast(Assert, run))
        if wanted.transform:
            run = transforming.transformed(run, wanted.transform, kind.comparison, self.doors)
        return Check(
            label=wanted.label,
            type=wanted.type,
            comparison=kind.comparison,
            dimension=wanted.dimension or kind.dimension,
            severity=wanted.severity,
            version=_version(wanted, kind, value, within),
            run=run,
            layer=wanted.layer or kind.layer,
            metric=wanted.metric or "",
            weight=wanted.weight,
            when={key: (value,) if isinstance(value, str) else tuple(value) for key, value in wanted.when.items()},
        )

    def _value(self, value: Any) -> Any:
        """The value; from its file where it names one, but for code, which the process that runs it reads."""
        if isinstance(value, list):
            return [self._value(one) if isinstance(one, str) else one for one in value]
        if not isinstance(value, str) or not value.startswith(_FILE):
            return value
        return value if value.removeprefix(_FILE).split(":")[0].endswith(_CODE) else self.doors.read(value)

    def _source(self, value: Any) -> list[str]:
        """What a file of code holds, for the version: changed code is another check."""
        if not isinstance(value, str) or not value.startswith(_FILE):
            return []
        path = value.removeprefix(_FILE).split(":")[0]
        known = path.endswith(_CODE) and self.doors.read is not CLOSED.read
        return [str(self.doors.read(_FILE + path))] if known else []

    def _members(self, wanted: Sequence[settings.Check]) -> list[_Built]:
        found = [(one, self.check(one)) for one in wanted]
        if any(built.comparison for _, built in found):
            raise BadCheck("only assertions on one answer can be members: take the comparison out")
        if any(one.when for one in wanted):
            raise BadCheck("a member has no `when:` of its own; give it to the set")
        return found

    def _counted(self, other: settings.Check) -> list[_Built]:
        """What max-score counts of one other check: the members of a set one by one, and no comparison."""
        if other.members:
            return [one for member in other.members for one in self._counted(member)]
        built = self.check(other)
        return [] if built.comparison else [(other, built)]

    def _together(self, directory: str, within: list[str], assertions: Any, threshold: float | None) -> Assert:
        members = self._members(written.checks(assertions, directory))
        within += [built.version for _, built in members]
        return grouping.together([_member(one, built) for one, built in members], threshold)


_Built = tuple[settings.Check, Check]


def _member(wanted: settings.Check, built: Check) -> Member:
    return Member(wanted.label, wanted.weight, cast(Assert, built.run), wanted.type)


def registered() -> Mapping[str, CheckType]:
    """Every check type by name: the built-in ones and those of installed packages; raises BadCheck."""
    types: dict[str, CheckType] = {}
    for source, found in (("understudy", BUILT_IN), *outside.found()):
        for kind in found:
            if kind.name in types:
                raise BadCheck(f"{source} brings a check type {kind.name!r} that exists already")
            types[kind.name] = kind
    return types


def _find(name: str, types: Mapping[str, CheckType]) -> CheckType:
    if name in types:
        return types[name]
    if name in DROPPED:
        raise BadCheck(f"{name} is {DROPPED[name]}")
    if name in NOT_YET:
        raise BadCheck(f"{name} is not available yet")
    near = get_close_matches(name, types, n=1)
    raise BadCheck(f"there is no check type {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def _refuse_unread(wanted: settings.Check, kind: CheckType) -> None:
    given = {
        "value": wanted.value is not None,
        "threshold": wanted.threshold is not None,
        "config": bool(wanted.config),
        "assert": bool(wanted.members),
    }
    for name, there in given.items():
        if there and name not in kind.takes:
            raise BadCheck(f"{kind.name} takes no `{name}:`; drop it")


def _opposite(run: Assert, arm: Arm) -> Finding:
    finding = run(arm)
    if finding.result not in _OPPOSITE:
        return finding  # a check that does not apply, or broke, says nothing under negation either
    detail = finding.detail or "holds, and should not"
    return Finding(_OPPOSITE[finding.result], 1.0 - finding.score, detail, finding.paths)


def _version(wanted: settings.Check, kind: CheckType, value: Any, within: Sequence[str]) -> str:
    more = (wanted.config, wanted.transform, within)
    said = (wanted.type, value, wanted.threshold, wanted.when, *(more if any(more) else ()))
    try:
        text = orjson.dumps(said, default=repr, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    except TypeError:  # a number beyond 64 bits, a lone surrogate, more than 254 levels
        text = repr(said).encode(errors="backslashreplace")
    return f"{kind.version}-{blake2b(text, digest_size=4).hexdigest()}"
