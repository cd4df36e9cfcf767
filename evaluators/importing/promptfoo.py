"""A promptfoo file carried over: checks for every call, a golden set out of its tests, and notes on all the rest.

What defaultTest asserts is asserted of every answer, so it becomes checks. What a test asserts belongs to one prompt,
so it becomes an item of the golden set, found again in the traffic by the words of its last user turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.load import ConfigError, Mistake
from config.load.mistake import Place
from evaluators.core.finding import BadCheck
from evaluators.importing import cases
from evaluators.importing.assertions import Carrier
from evaluators.importing.cases import Case
from evaluators.importing.filling import Unfilled, has_template, names
from evaluators.importing.prompts import asked, prompts
from evaluators.importing.source import Notes, Source, opened

_READ = frozenset({"defaultTest", "tests", "assertionTemplates", "prompts"})
_IGNORED = frozenset(
    "description tags providers targets env outputPath evaluateOptions commandLineOptions sharing tracing metadata "
    "writeLatestResults".split()
)
_REMEDIES = {
    "scenarios": "scenarios are not carried; write their combinations out as `tests:`",
    "derivedMetrics": "formulas over metrics are not carried; give assertions that belong together one `metric:`",
    "extensions": "hooks in code do not run here; take them out",
    "nunjucksFilters": "filters in code do not run here; write the texts out",
    "redteam": "attacks are not generated here; take it out",
}
_DEFAULT_KEYS = frozenset(
    {"assert", "vars", "options", "threshold", "description", "metadata", "provider", "providers"}
)
_MAX_NAME = 80


@dataclass(slots=True)
class Carried:
    """What came of a file."""

    checks: list[dict[str, Any]] = field(default_factory=list)
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    golden: list[dict[str, Any]] = field(default_factory=list)
    refused: tuple[Mistake, ...] = ()
    ignored: tuple[Mistake, ...] = ()


def carried(path: Path, near: Path) -> Carried:
    """The file at `path` for an output in the directory `near`; raises ConfigError where it cannot be read at all."""
    notes = Notes()
    source = opened(path, notes)
    if not isinstance(source.values, dict):
        raise ConfigError((Mistake(str(path), 1, 1, "", "this is no promptfoo configuration: a table belongs here"),))
    _look_over(source)
    default = _default(source)
    templates = source.values.get("assertionTemplates")
    carrier = Carrier(templates if isinstance(templates, dict) else {}, near.absolute())
    found = Carried()
    every = cases.cases(source, carrier.types)
    for_each = _Defaults(carrier, default, every)
    found.checks = for_each.checks(found.templates)
    texts = prompts(source) if every else []
    found.golden = [item for case in every for item in _items(carrier, case, for_each, texts)]
    named(found.checks)
    found.refused = tuple(sorted(set(notes.refused)))
    found.ignored = tuple(sorted(set(notes.ignored)))
    return found


def named(checks: list[dict[str, Any]]) -> None:
    """Give each check that shares its type a name of its own, out of what it looks for."""
    taken: set[str] = set()
    types = [one["type"] for one in checks]
    for one in checks:
        label = one["type"]
        if types.count(label) > 1 or label in taken:
            about = one.get("metric") or _about(one)
            label = " ".join(f"{label} {about}".split())[:_MAX_NAME]
            number = 1
            while label in taken or (number == 1 and label == one["type"] and label in types[: types.index(label)]):
                number += 1
                label = f"{label.removesuffix(f' {number - 1}')} {number}"
            one["name"] = label
        taken.add(label)


def _about(check: Mapping[str, Any]) -> str:
    """The value, where it is a text; of a hook the host alone, since names are shown and addresses hold keys."""
    value = check.get("value")
    if not isinstance(value, str) or check["type"].removeprefix("not-") != "webhook":
        return value if isinstance(value, str) else ""
    return urlsplit(value).hostname or ""


class _Defaults:
    """What defaultTest asserts: for every call where it can be said once, else for each test."""

    def __init__(self, carrier: Carrier, default: Default, every: list[Case]) -> None:
        self._carrier = carrier
        self.default = default
        changed = {
            name for case in every for name, value in case.variables.items() if default.variables.get(name) != value
        }
        self.whole = [one for one in default.asserts if not self._asked(one[1]) & changed]
        self.each = [one for one in default.asserts if self._asked(one[1]) & changed]

    def _asked(self, written: Any) -> frozenset[str]:
        try:
            given = self._carrier.resolved(written)
        except BadCheck:
            return frozenset()
        members = given.get("assert")
        inner = [self._asked(one) for one in members] if isinstance(members, list) else []
        return names(given.get("value")).union(names(given.get("metric")), *inner)

    def checks(self, templates: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """The checks of every call; templates that stay whole are added."""
        default, carrier = self.default, self._carrier
        before = _before(carrier, default.source, default.options)
        found: list[dict[str, Any]] = []
        for place, written in self.whole:
            check = carrier.carried(default.source, place, written, default.variables, before)
            if check is not None:
                found.append(self._referring(written, check, templates) if not before else check)
        if default.threshold is None or not found:
            return found
        alone = [one for one in found if one.get("type") == "max-score"]
        members = [one for one in found if one not in alone]
        return [{"type": "assert-set", "assert": members, "threshold": default.threshold}, *alone]

    def _referring(self, written: Any, check: dict[str, Any], templates: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """The check beside its template, where the template says the same for everyone."""
        if not isinstance(written, dict) or "$ref" not in written:
            return check
        name = str(written["$ref"]).rpartition("/")[2]
        template = self._carrier.templates[name]
        if has_template(template.get("value")) or template.get("assert"):
            return check
        templates[name] = {key: check[key] for key in template if key in check and key not in written}
        beside = {key: value for key, value in check.items() if key not in templates[name]}
        return {"$ref": f"#/templates/{name}", "type": check["type"], **beside}


@dataclass(frozen=True, slots=True)
class Default:
    """defaultTest, read."""

    source: Source
    variables: Mapping[str, Any]
    asserts: tuple[tuple[Place, Any], ...]
    threshold: float | None
    options: Mapping[str, Any]


def _default(source: Source) -> Default:
    written = source.values.get("defaultTest")
    place: Place = ("defaultTest",)
    if isinstance(written, str):
        path = source.path.absolute().parent / written.removeprefix("file://")
        source, place = opened(path, source.notes), ()
        written = source.values
    if written is not None and not isinstance(written, dict):
        source.refuse(place, "defaultTest is a table, or a file with one; write it so")
    table = written if isinstance(written, dict) else {}
    for key in table:
        if key not in _DEFAULT_KEYS:
            source.refuse((*place, key), "this key of defaultTest is not carried; leave it out")
    options = table.get("options") if isinstance(table.get("options"), dict) else {}
    cases.look_over_options(source, place, options)
    listed = table.get("assert") or []
    return Default(
        source,
        cases.variables_of(source, place, table.get("vars")),
        tuple(((*place, "assert", at), one) for at, one in enumerate(listed if isinstance(listed, list) else [])),
        cases.threshold_of(source, place, table),
        options or {},
    )


def _items(carrier: Carrier, case: Case, defaults: _Defaults, texts: list[str]) -> Iterator[dict[str, Any]]:
    """The golden items of a case: one for each prompt."""
    default = defaults.default
    variables = {**default.variables, **case.variables}
    threshold = default.threshold if case.threshold is None else case.threshold
    options = {**default.options, **case.options}
    before = _before(carrier, case.source if "transform" in case.options else default.source, options)
    inherited = [*defaults.whole, *defaults.each] if threshold is not None else defaults.each
    if not case.asserts and not defaults.each:
        return
    found = [carrier.carried(default.source, place, one, variables, before) for place, one in inherited]
    found += [_own(carrier, case, place, one, variables, before) for place, one in case.asserts]
    members = [one for one in found if one is not None and one["type"] != "max-score"]
    if not members:
        return
    for number, text in enumerate(texts):
        try:
            prompt = asked(f"{options.get('prefix', '')}{text}{options.get('suffix', '')}", variables)
        except Unfilled as error:
            case.source.refuse(case.place, str(error))
            continue
        name = case.name if len(texts) == 1 else f"{case.name}, prompt {number + 1}"
        item = {"name": name, "prompt": prompt, "assert": members}
        yield item if threshold is None else {**item, "threshold": threshold}


def _own(
    carrier: Carrier, case: Case, place: Place, written: Any, variables: Mapping[str, Any], before: str
) -> dict[str, Any] | None:
    found = carrier.carried(case.source, place, written, variables, before)
    if found is not None and found["type"] == "max-score":
        case.source.refuse(place, "max-score compares answers over the whole file; give it in defaultTest")
    return found


def _before(carrier: Carrier, source: Source, options: Mapping[str, Any]) -> str:
    """The transform of a whole test; "" for none."""
    written = options.get("transform")
    if not isinstance(written, str):
        return ""
    return carrier.moved(source, written) if written.startswith("file://") else written


def _look_over(source: Source) -> None:
    for key in source.values:
        if key in _IGNORED:
            source.ignore((key,), "says nothing about an answer")
        elif key not in _READ and not key.startswith(("x-", "$")):
            source.refuse((key,), _REMEDIES.get(key, "this key is not known; leave it out"))
