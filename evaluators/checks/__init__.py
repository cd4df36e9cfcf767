"""The checks that exist, and how configured ones are built. Each family file is independent; the worker gets Checks.

Checks from outside come by entry point (group `understudy.checks`): an object that is a CheckType, or an iterable of
them. One that fails to load stops the start, because a check that silently is not there would pass everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from hashlib import blake2b
from importlib.metadata import entry_points
from typing import Any, cast

import orjson

from config import settings
from evaluators.checks import (
    answer,
    compare_json,
    compare_text,
    compare_tools,
    compare_vector,
    grouping,
    json_shape,
    refusal,
    resources,
    text,
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
    *resources.TYPES,
    *compare_text.TYPES,
    *compare_json.TYPES,
    *compare_tools.TYPES,
    *compare_vector.TYPES,
    *grouping.TYPES,
)

NOT_YET = frozenset(
    """
    is-html contains-html is-xml contains-xml is-sql contains-sql guardrails rouge-n rouge-l rouge-s bleu gleu meteor
    perplexity perplexity-score is-valid-function-call is-valid-openai-function-call is-valid-openai-tools-call
    tool-call-f1 python webhook javascript ruby similar similar:cosine similar:dot similar:euclidean classifier
    moderation llm-rubric g-eval factuality model-graded-factuality model-graded-closedqa answer-relevance
    conversation-relevance pi search-rubric agent-rubric context-faithfulness context-recall context-relevance
    skill-used trajectory:tool-used trajectory:tool-args-match trajectory:tool-sequence trajectory:step-count
    trajectory:goal-success trace-span-count trace-span-duration trace-error-spans select-best human
    """.split()
)
"""promptfoo's other type names: refused by name, so that nobody believes they are measured."""

GROUP = "understudy.checks"

_NOT = "not-"
_FILE = "file://"
_CODE = (".py",)  # read by the process that runs it, not here
_OPPOSITE = {Result.PASS: Result.FAIL, Result.FAIL: Result.PASS}


def build(configured: Sequence[settings.Check], doors: Doors = CLOSED) -> tuple[Check, ...]:
    """The configured checks, ready to run; raises BadCheck with every mistake, one per line.

    Assertions that share a `metric` give one more check of that name: promptfoo's named score.
    """
    types = registered()
    checks: list[Check] = []
    mistakes: list[str] = []
    labels: set[str] = set()
    for position, wanted in enumerate(configured):
        try:
            if wanted.label in labels:
                raise BadCheck("is there twice; give one of them a `name:`")
            labels.add(wanted.label)
            members = _members(wanted, types, doors) if wanted.members else ()
            if wanted.type == grouping.MAX_SCORE:
                others = [one for one in configured if one.type != grouping.MAX_SCORE]
                members = tuple(Member(one.label, one.weight, run) for one, run in _asserting(others, types, doors))
            checks.append(_build(wanted, types, doors, members))
        except BadCheck as mistake:
            mistakes.append(f"checks[{position}] {wanted.label}: {mistake}")
    if mistakes:
        raise BadCheck("\n".join(mistakes))
    return (*checks, *_metrics(checks))


def _members(wanted: settings.Check, types: Mapping[str, CheckType], doors: Doors) -> tuple[Member, ...]:
    found = tuple(Member(one.label, one.weight, run) for one, run in _asserting(wanted.members, types, doors))
    if len(found) < len(wanted.members):
        raise BadCheck("only assertions on one answer can be members: take the comparison out")
    if any(one.when for one in wanted.members):
        raise BadCheck("a member has no `when:` of its own; give it to the set")
    return found


def _asserting(
    configured: Sequence[settings.Check], types: Mapping[str, CheckType], doors: Doors
) -> Iterable[tuple[settings.Check, Assert]]:
    for one in configured:
        members = _members(one, types, doors) if one.members else ()
        built = _build(one, types, doors, members)
        if not built.comparison:
            yield one, cast(Assert, built.run)


def _metrics(checks: Sequence[Check]) -> list[Check]:
    """One check per metric that several assertions share; its result follows theirs."""
    labels = {check.label for check in checks}
    found = []
    for metric in dict.fromkeys(check.metric for check in checks if check.metric and not check.comparison):
        sharing = [check for check in checks if check.metric == metric and not check.comparison]
        if len(sharing) < 2:
            continue
        members = tuple(Member(check.label, check.weight, cast(Assert, check.run)) for check in sharing)
        version = blake2b("".join(check.version for check in sharing).encode(), digest_size=4).hexdigest()
        first = sharing[0]
        found.append(
            replace(
                first,
                label=metric if metric not in labels else f"metric {metric}",
                type="metric",
                version=f"1-{version}",
                run=grouping.together(members, None),
                when=first.when if all(check.when == first.when for check in sharing) else {},
            )
        )
    return found


def registered() -> Mapping[str, CheckType]:
    """Every check type by name: the built-in ones and those of installed packages; raises BadCheck."""
    types: dict[str, CheckType] = {}
    for source, found in (("understudy", BUILT_IN), *_outside()):
        for kind in found:
            if kind.name in types:
                raise BadCheck(f"{source} brings a check type {kind.name!r} that exists already")
            types[kind.name] = kind
    return types


def _outside() -> Iterable[tuple[str, tuple[CheckType, ...]]]:
    for entry in entry_points(group=GROUP):
        try:
            loaded = entry.load()
            found = (loaded,) if isinstance(loaded, CheckType) else tuple(loaded)
        except Exception as error:  # any code of any package runs here; it stops the start under its name
            raise BadCheck(f"the check {entry.name!r} ({entry.value}) does not load: {error!r}") from error
        if not all(isinstance(kind, CheckType) for kind in found):
            raise BadCheck(f"the check {entry.name!r} ({entry.value}) is not a CheckType")
        yield entry.value, found


def _build(
    wanted: settings.Check, types: Mapping[str, CheckType], doors: Doors, members: tuple[Member, ...] = ()
) -> Check:
    negated = wanted.type.startswith(_NOT)
    kind = _find(wanted.type.removeprefix(_NOT), types)
    if negated and not kind.negatable:
        raise BadCheck(f"{kind.name} has no opposite; drop the `{_NOT}`")
    _refuse_unread(wanted, kind)
    value = wanted.value
    if (
        isinstance(value, str)
        and value.startswith(_FILE)
        and not value.partition(":/")[2].split(":")[0].endswith(_CODE)
    ):
        value = doors.read(value)
    run = kind.make(Params(wanted.type, value, wanted.threshold, wanted.config, wanted.label, members, doors))
    return Check(
        label=wanted.label,
        type=wanted.type,
        comparison=kind.comparison,
        dimension=wanted.dimension or kind.dimension,
        severity=wanted.severity,
        version=_version(wanted, kind, value),
        run=partial(_opposite, cast(Assert, run)) if negated else run,
        layer=kind.layer,
        metric=wanted.metric or "",
        weight=wanted.weight,
        when={key: (value,) if isinstance(value, str) else tuple(value) for key, value in wanted.when.items()},
    )


def _find(name: str, types: Mapping[str, CheckType]) -> CheckType:
    if name in types:
        return types[name]
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


def _version(wanted: settings.Check, kind: CheckType, value: Any) -> str:
    members = [one.model_dump(mode="json") for one in wanted.members]
    more = (wanted.config, wanted.transform, members)
    said = (wanted.type, value, wanted.threshold, wanted.when, *(more if any(more) else ()))
    text = orjson.dumps(said, default=repr, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return f"{kind.version}-{blake2b(text, digest_size=4).hexdigest()}"
