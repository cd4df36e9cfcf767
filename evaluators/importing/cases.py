"""The tests of a promptfoo file: from `tests:` in all its forms to one case per set of variables. Neighbours: rows."""

from __future__ import annotations

import glob
import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.load import ConfigError
from config.load.mistake import Place
from evaluators import files
from evaluators.core.finding import BadCheck
from evaluators.importing.rows import BadRow, test_of
from evaluators.importing.source import Source, opened

MAX_CASES = 10_000

_FILE = "file://"
_ENDINGS = (".yaml", ".yml", ".json", ".jsonl", ".csv")
_READ = frozenset({"vars", "assert", "description", "threshold", "options"})
_IGNORED = frozenset({"metadata", "provider", "providers", "providerOutput"})
_REMEDIES = {
    "assertScoringFunction": "code of one's own for the score does not run here; give a `threshold:`",
    "prompts": "a test for some prompts only is not carried; move it to a file with these prompts",
}
_OPTIONS = frozenset({"transform", "prefix", "suffix", "disableVarExpansion"})
_GRADING = frozenset({"provider", "rubricPrompt", "factuality", "repeat", "runSerially"})
_OPTION_REMEDIES = {
    "disableDefaultAsserts": "the checks of defaultTest are measured on every call; take them out there",
    "storeOutputAs": "an answer as a variable of later tests is not carried; take the tests out",
    "transformVars": "variables changed by code are not carried; write the values out",
    "postprocess": "it is the old name of `transform:`; write it so",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One test with one set of variables."""

    source: Source
    place: Place
    name: str
    variables: Mapping[str, Any]
    asserts: tuple[tuple[Place, Any], ...]
    threshold: float | None
    options: Mapping[str, Any]


def cases(source: Source, types: Collection[str]) -> list[Case]:
    """Every case of the file; what is not understood is noted."""
    written = source.values.get("tests")
    listed = written if isinstance(written, list) else [] if written is None else [written]
    found: list[Case] = []
    for position, one in enumerate(listed):
        place: Place = ("tests", position) if isinstance(written, list) else ("tests",)
        for other, where, test in _meant(source, place, one, types):
            found += expanded(other, where, test, len(found))
        if len(found) > MAX_CASES:
            source.refuse(place, f"there are more than {MAX_CASES} tests; split the file")
            return found[:MAX_CASES]
    return found


def _meant(source: Source, place: Place, one: Any, types: Collection[str]) -> Iterator[tuple[Source, Place, Any]]:
    """The tests that an entry of `tests:` stands for: itself, or those of the files that it names."""
    if isinstance(one, dict) and "path" not in one:
        yield source, place, one
        return
    url = one["path"] if isinstance(one, dict) else one
    for other in _opened(source, place, str(url)):
        yield from ((other, where, test) for where, test in _tests(other, types))


def expanded(source: Source, place: Place, test: Any, before: int = 0) -> Iterator[Case]:
    """One case for every combination of the values that its variables list."""
    if not isinstance(test, dict):
        source.refuse(place, "a test is a table with `vars:` and `assert:`; write it so")
        return
    _look_over(source, place, test)
    options = test.get("options") or {}
    variables = variables_of(source, place, test.get("vars"))
    asserts = test.get("assert") or []
    if not isinstance(asserts, list):
        source.refuse((*place, "assert"), "`assert:` is a list of assertions; write it so")
        asserts = []
    listed = {} if options.get("disableVarExpansion") else {k: v for k, v in variables.items() if isinstance(v, list)}
    name = str(test.get("description") or f"test {before + 1}")
    for number, chosen in enumerate(itertools.islice(itertools.product(*listed.values()), MAX_CASES + 1)):
        yield Case(
            source,
            place,
            name if number == 0 else f"{name} ({number + 1})",
            {**variables, **dict(zip(listed, chosen, strict=True))},
            tuple(((*place, "assert", at), one) for at, one in enumerate(asserts)),
            threshold_of(source, place, test),
            options,
        )


def threshold_of(source: Source, place: Place, test: Mapping[str, Any]) -> float | None:
    """The threshold of a test; None where there is none."""
    found = test.get("threshold")
    if found is None or (isinstance(found, int | float) and not isinstance(found, bool)):
        return found
    source.refuse((*place, "threshold"), "a threshold is a number; write it so")
    return None


def variables_of(source: Source, place: Place, written: Any) -> dict[str, Any]:
    """`vars:` as a table, with the files that it names read."""
    where = (*place, "vars")
    if isinstance(written, str | list):
        found: dict[str, Any] = {}
        for one in written if isinstance(written, list) else [written]:
            for other in _opened(source, where, str(one)):
                found |= other.values if isinstance(other.values, dict) else {}
        return found
    if written is not None and not isinstance(written, dict):
        source.refuse(where, "`vars:` is a table; write it so")
        return {}
    return {key: _variable(source, (*where, key), value) for key, value in (written or {}).items()}


def _variable(source: Source, place: Place, value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(_FILE):
        return value
    path = source.path.absolute().parent / value.removeprefix(_FILE)
    if path.suffix.lower() not in (".txt", ".md", ".html", *_ENDINGS):
        source.refuse(place, f"{value} is no text; write the value out")
        return value
    try:
        return files.read(_FILE + str(path))
    except BadCheck as error:
        source.refuse(place, str(error))
        return value


def _look_over(source: Source, place: Place, test: Mapping[str, Any]) -> None:
    for key in test:
        if key in _IGNORED:
            source.ignore((*place, key), "says nothing about an answer")
        elif key not in _READ:
            source.refuse((*place, key), _REMEDIES.get(key, "this key of a test is not known; leave it out"))
    look_over_options(source, place, test.get("options"))


def look_over_options(source: Source, place: Place, options: Any) -> None:
    """Note what `options:` holds beyond what is carried."""
    for key in options or {}:
        if key in _GRADING:
            source.ignore((*place, "options", key), "says nothing about an answer")
        elif key not in _OPTIONS:
            remedy = _OPTION_REMEDIES.get(key, "this option is not known; leave it out")
            source.refuse((*place, "options", key), remedy)


def _opened(source: Source, place: Place, url: str) -> Iterator[Source]:
    """The files that a reference names; what is no file of tests is noted."""
    name = url.removeprefix(_FILE)
    if "://" in name or not name.lower().endswith(_ENDINGS):
        source.refuse(place, f"{url} is not read; save it as one of {', '.join(_ENDINGS)}")
        return
    pattern = source.path.absolute().parent / name
    paths = sorted(glob.glob(str(pattern), recursive=True))
    if not paths:
        source.refuse(place, f"there is no file {pattern}; correct the path")
    for path in paths:
        try:
            yield opened(Path(path), source.notes)
        except ConfigError as error:
            source.notes.refused.extend(error.mistakes)


def _tests(source: Source, types: Collection[str]) -> Iterator[tuple[Place, Any]]:
    """The tests of a file of their own, each with its place."""
    values = source.values
    listed = values if isinstance(values, list) else [values]
    for position, one in enumerate(listed):
        place: Place = (position,) if isinstance(values, list) else ()
        if source.path.suffix.lower() != ".csv":
            yield place, one
            continue
        try:
            yield place, test_of(one, types)
        except BadRow as error:
            source.refuse(place, str(error))
