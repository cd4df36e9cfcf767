"""File and environment to Settings. The steps: document (YAML), models (settings), rules; what is wrong is worded once.

Everything wrong is reported at once. A secret never appears: values from the environment or from mounted files are
written in messages the way the file writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.load.document import Document, read
from config.load.language import is_secret, is_text
from config.load.mistake import ConfigError, Mistake, Place, dotted
from config.load.rules import Clash, clashes
from config.load.wording import not_yet, sentence, without
from config.settings import Settings
from config.units import FROM_FILE

_STAND_IN = {"base_url": "http://stand-in.invalid"}
"""Takes the place of a `live` that has mistakes, so that the rules can look at the rest."""

_FILE = "file://"
"""A check's value may live in a file: promptfoo's spelling, found relative to this one. Read where checks are built."""

Wrong = list[tuple[Place, str]]


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of the file at `path`; raises ConfigError with every mistake, also when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        why = f"cannot be read: {error.strerror}; check the path and its permissions"
        raise ConfigError((Mistake(str(path), 1, 1, "", why),)) from error
    except UnicodeDecodeError:
        raise ConfigError((Mistake(str(path), 1, 1, "", "is not UTF-8; save it as UTF-8"),)) from None
    return parse(text, str(path), environ, path.parent)


def parse(text: str, name: str, environ: Mapping[str, str], directory: Path) -> Settings:
    """The same for text. `name` stands in front of every mistake; relative `file:` paths start at `directory`."""
    document = read(text, environ, is_text, partial(_mounted, directory))
    if document.broken:
        raise ConfigError(tuple(Mistake(name, line, column, "", why) for line, column, why in document.broken))
    if document.values is None and not document.wrong:
        why = "the file is empty; the least is `live: {base_url: https://api.example.com}`"
        raise ConfigError((Mistake(name, 1, 1, "", why),))
    _inline_prompts(document)
    settings, wrong = _validated(document)
    if settings is None:
        raise ConfigError(tuple(sorted(set(_mistakes(name, document, wrong)))))
    return settings


def _validated(document: Document) -> tuple[Settings | None, Wrong]:
    wrong = list(document.wrong)
    settings, found = None, []
    try:
        settings = Settings.model_validate(document.values, context=FROM_FILE)
        found = clashes(settings)
    except ValidationError as error:
        wrong += _complaints(error, document)
    if wrong:
        found = _clashes_of_the_rest(document.values, wrong)
    wrong += [(place, not_yet(place, word) or not_yet(place) or why) for place, word, why in found]
    return (None if wrong else settings), wrong


def _complaints(error: ValidationError, document: Document) -> Iterator[tuple[Place, str]]:
    """Each complaint at its place in the file; not the echoes of what could not be read in the first place."""
    unread = [place for place, _ in document.wrong]
    for detail in error.errors(include_url=False):
        place: Place = ()
        for part in detail["loc"]:  # unions and checked keys put words into it that are not in the file
            place = (*place, part) if (*place, part) in document.places else place
        if detail["type"] == "missing":
            place = (*place, detail["loc"][-1])
        below = any(place[: len(one)] == one for one in unread)
        above = detail["type"] == "value_error" and any(one[: len(place)] == place for one in unread)
        if not below and not above:
            yield place, sentence(detail, place)


def _clashes_of_the_rest(values: Any, wrong: Wrong) -> list[Clash]:
    damaged = frozenset(str(place[0]) for place, _ in wrong if place)
    if not isinstance(values, dict) or any(not place for place, _ in wrong):
        return []
    sound = {key: value for key, value in values.items() if key not in damaged}
    try:
        rest = Settings.model_validate({"live": _STAND_IN, **sound}, context=FROM_FILE)
    except ValidationError:  # a check whose template is among the damaged
        return []
    return clashes(rest, damaged)


def _mistakes(name: str, document: Document, wrong: Wrong) -> Iterator[Mistake]:
    for place, why in wrong:
        known = place
        while known and known not in document.places:
            known = known[:-1]
        line, column = document.places.get(known, (1, 1))
        yield Mistake(name, line, column, dotted(place), without(document.hidden, why))


def _mounted(directory: Path, place: Place, text: str) -> str:
    """The contents of a `file:` secret or of a system prompt's file; any other text as it is."""
    if place[-2:-1] == ("tls",):
        return str(directory / text)
    if place[:1] in (("checks",), ("templates",)) and text.startswith(_FILE):
        return _FILE + str((directory / text.removeprefix(_FILE)).absolute())
    prompt = place[-2:] == ("system_prompt", "file")
    if not prompt and not (is_secret(place) and text.startswith("file:")):
        return text
    path = directory / text.removeprefix("file:")
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"the file {path} cannot be read: {why}; check the path and its permissions") from None
    if not prompt:
        content = content.rstrip("\r\n")
    if not content:
        raise ValueError(f"the file {path} is empty; fill it or leave the key out")
    return content


def _inline_prompts(document: Document) -> None:
    """`file` became its content while reading: from here on it is a `replace`."""
    values = document.values if isinstance(document.values, dict) else {}
    mounts = values.get("mounts")
    tables = [values, *(mounts.values() if isinstance(mounts, dict) else ())]
    lists = [table.get("candidates") for table in tables if isinstance(table, dict)]
    for candidate in (one for many in lists if isinstance(many, list) for one in many):
        prompt = candidate.get("system_prompt") if isinstance(candidate, dict) else None
        if isinstance(prompt, dict) and prompt.keys() == {"file"}:
            prompt["replace"] = prompt.pop("file")
