"""One promptfoo assertion as a check of this language, tried out; or a note of why not. Neighbours: filling, cases."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config import settings
from config.load.mistake import Place
from evaluators import checks, files
from evaluators.core.finding import BadCheck, CheckType, Doors
from evaluators.core.transform import BadTransform, chained
from evaluators.importing.filling import Unfilled, filled
from evaluators.importing.rows import assertion
from evaluators.importing.source import Source

_FILE = "file://"
_KEPT = ("type", "value", "threshold", "weight", "config", "metric", "transform", "assert")
_REMEDIES = {
    "provider": "there is no model that grades here; leave `provider:` out or the assertion",
    "rubricPrompt": "there is no model that grades here; leave `rubricPrompt:` out or the assertion",
    "contextTransform": "there is no context of retrieval here; take the assertion out",
}
_ELSEWHERE = {
    "javascript": "JavaScript does not run here; write it as `type: python`, or as a check with a `transform:`",
    "ruby": "Ruby does not run here; write it as `type: python`",
    "pi": "it asks a scoring service of its own; use a check that runs here",
    "search-rubric": "it needs a model that searches the web; check the facts with `contains` or `regex`",
    "agent-rubric": "it needs an agent that grades; take it out, or write what it asks as `type: python`",
    "select-best": "a model chooses there; use `max-score`, or a `shadow:` check",
    "human": "people grade there; take it out here",
}


def _unasked(*_: Any) -> Any:
    """A door that is there: building asks only whether it is open."""
    return None


_TRIAL = Doors(read=files.read, python=_unasked, post=_unasked, embed=_unasked)


@dataclass(frozen=True, slots=True)
class Carrier:
    """How assertions are carried: the templates of the file, and where the output will lie."""

    templates: Mapping[str, Any]
    near: Path  # the directory in which the output lies: relative `file://` begin there
    types: Mapping[str, CheckType] = field(default_factory=checks.registered)

    def carried(
        self, source: Source, place: Place, written: Any, variables: Mapping[str, Any], before: str = ""
    ) -> dict[str, Any] | None:
        """The check, or None with a note; `before` is the transform of the whole test."""
        try:
            found = self._check(source, place, written, variables, before)
            self._try(found)
        except (Unfilled, BadCheck, BadTransform) as error:
            source.refuse(place, str(error))
            return None
        return found

    def resolved(self, written: Any) -> Any:
        """The assertion with its template spread out; raises BadCheck."""
        if isinstance(written, str):
            return assertion(written, self.types)
        if not isinstance(written, dict):
            raise BadCheck("an assertion is a table with a `type:`; write it so")
        if "$ref" not in written:
            return written
        name = str(written["$ref"]).rpartition("/")[2]
        template = self.templates.get(name)
        if not isinstance(template, dict):
            raise BadCheck(f"there is no template for $ref {written['$ref']!r}; add it to `assertionTemplates:`")
        return {**template, **{key: value for key, value in written.items() if key != "$ref"}}

    def _check(
        self, source: Source, place: Place, written: Any, variables: Mapping[str, Any], before: str
    ) -> dict[str, Any]:
        given = self.resolved(written)
        kind = str(given.get("type", ""))
        refuse_type(kind, self.types)
        for key in given:
            if key not in _KEPT:
                raise BadCheck(f"{kind}: {_REMEDIES.get(key, f'`{key}:` is not known; leave it out')}")
        found = {key: given[key] for key in _KEPT if given.get(key) is not None and key not in ("assert", "transform")}
        for key in ("value", "threshold", "config"):
            if key in found and key not in self.types[kind.removeprefix("not-")].takes:
                del found[key]
                source.ignore(place, f"{kind} reads no `{key}:`")
        if "value" in found:
            found["value"] = self._value(source, found["value"], variables)
        if "metric" in found:
            found["metric"] = filled(str(found["metric"]), variables)
        transform = self._transform(source, kind, given.get("transform"), before)
        if transform:
            found["transform"] = transform
        if "assert" in given:
            if not isinstance(given["assert"], list):
                raise BadCheck("`assert:` is a list of assertions; write it so")
            found["assert"] = [self._check(source, place, one, variables, before) for one in given["assert"]]
        return found

    def _value(self, source: Source, value: Any, variables: Mapping[str, Any]) -> Any:
        if isinstance(value, list):
            return [self._value(source, one, variables) if isinstance(one, str) else one for one in value]
        if not isinstance(value, str):
            return value
        if value.startswith(_FILE):
            return self.moved(source, value)
        if value.startswith("package:"):
            raise BadCheck("code of an npm package does not run here; write it as `type: python`")
        found = filled(value, variables)
        if found.startswith(_FILE):
            raise BadCheck(f"a variable makes a file of its value; write {_FILE} itself into the assertion")
        return found

    def moved(self, source: Source, url: str) -> str:
        """The same file, seen from where the output lies; raises BadCheck for code that does not run here."""
        path = url.removeprefix(_FILE)
        name = path.split(":")[0]
        if name.endswith((".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".rb")):
            raise BadCheck(f"{url} is code that does not run here; write it in Python")
        return _FILE + os.path.relpath(source.path.absolute().parent / path, self.near)

    def _transform(self, source: Source, kind: str, own: Any, before: str) -> str:
        if own is not None and not isinstance(own, str):
            raise BadCheck("`transform:` is a text; write it so")
        if kind == "assert-set":
            return ""  # each member has the test's transform
        mine = self.moved(source, own) if own and own.startswith(_FILE) else own or ""
        if not mine or not before:
            return mine or before
        if _FILE in (mine[: len(_FILE)], before[: len(_FILE)]):
            raise BadCheck("two transforms apply here, one of them from a file; write both into one file")
        return chained(before, mine)

    def _try(self, found: Mapping[str, Any]) -> None:
        """Build it; raises BadCheck."""
        if found["type"] == "max-score":
            return  # needs the others beside it; built with them
        try:
            check = settings.Check.model_validate(located(found, self.near))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise BadCheck(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        try:
            checks.build([check], _TRIAL, self.types)
        except BadCheck as error:
            raise BadCheck(str(error).removeprefix("checks[0] ")) from error


def refuse_type(kind: str, known: Collection[str]) -> None:
    """Raise BadCheck for a type that nothing here measures, by its name."""
    base = kind.removeprefix("not-")
    if base in known:
        return
    if base in _ELSEWHERE:
        raise BadCheck(f"{kind}: {_ELSEWHERE[base]}")
    if base in checks.NOT_YET:
        raise BadCheck(f"{kind} is not available yet; take it out")
    if base.startswith("promptfoo:"):
        raise BadCheck(f"{kind}: red-team graders do not run here; take it out")
    raise BadCheck(f"there is no assertion type {kind!r}; correct the name")


def located(found: Any, near: Path) -> Any:
    """Every relative `file://` as an absolute one, as the loader makes it."""
    if isinstance(found, dict):
        return {key: located(one, near) for key, one in found.items()}
    if isinstance(found, list):
        return [located(one, near) for one in found]
    is_file = isinstance(found, str) and found.startswith(_FILE)
    return _FILE + str((near / found.removeprefix(_FILE)).absolute()) if is_file else found
