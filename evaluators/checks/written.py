"""Assertions as a file of their own writes them: a golden item's, read as in the configuration. For the registry."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from config import settings
from evaluators.core.finding import BadCheck

_FILE = "file://"


def checks(assertions: Any, directory: str) -> list[settings.Check]:
    """The assertions; relative `file://` begin at the directory. Raises BadCheck."""
    if not isinstance(assertions, list):
        raise BadCheck("a list of assertions belongs here, like `assert: [{type: contains, value: text}]`")
    found = []
    for position, one in enumerate(assertions):
        try:
            found.append(settings.Check.model_validate(_absolute(settings.spelled_out(one), directory)))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, ("assert", position, *first["loc"])))
            raise BadCheck(f"{place}: {first['msg']}") from error
    return found


def directory(value: Any) -> str:
    """Where the file that a value names lies, as `file:///directory`; "" where it names none."""
    return value.rpartition("/")[0] if isinstance(value, str) and value.startswith(_FILE) else ""


def _absolute(found: Any, directory: str) -> Any:
    if isinstance(found, dict):
        return {key: _absolute(one, directory) for key, one in found.items()}
    if isinstance(found, list):
        return [_absolute(one, directory) for one in found]
    relative = isinstance(found, str) and found.startswith(_FILE) and not found.startswith(f"{_FILE}/")
    return f"{directory}/{found.removeprefix(_FILE)}" if relative and directory else found
