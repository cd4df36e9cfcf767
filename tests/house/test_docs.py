"""The README knows everything that a user can name: settings, commands, checks, metrics.

What exists is asked of the registries themselves, so a new name without a word in the README fails the build. A
setting appears by its path without list positions and map keys, e.g. `candidates.timeout.idle` or `prices.input`.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def readme() -> str:
    return README.read_text(encoding="utf-8")


def unsaid(names: Iterable[str], text: str) -> list[str]:
    """The names that do not stand in the text as words of their own."""
    return [name for name in names if re.search(rf"(?<![\w.:-]){re.escape(name)}(?![\w:-]|\.\w)", text) is None]


def test_settings(readme: str) -> None:
    """Every key of the file is in the README."""
    from config.settings import Settings

    keys = (key for key in paths(Settings) if not key.startswith("mounts."))  # the tables of the top once more
    missing = unsaid([*keys, "mounts"], readme)
    assert not missing, f"not in README.md: {', '.join(missing)}"


def test_commands(readme: str) -> None:
    """Every command is in the README, as it is typed."""
    import typer.main

    from evaluators.cli import app

    missing = unsaid(commands(typer.main.get_command(app), "understudy"), readme)
    assert not missing, f"not in README.md: {', '.join(missing)}"


def test_checks(readme: str) -> None:
    """Every type of check is in the README."""
    from evaluators.checks import BUILT_IN

    missing = unsaid([check.name for check in BUILT_IN], readme)
    assert not missing, f"not in README.md: {', '.join(missing)}"


@pytest.mark.parametrize("house", ["proxy", "evaluators"])
def test_metrics(readme: str, house: str) -> None:
    """Every metric is in the README under the name that is scraped."""
    import importlib

    telemetry = importlib.import_module(f"{house}.telemetry").Telemetry()
    missing = unsaid(metrics(telemetry.registry), readme)
    assert not missing, f"not in README.md: {', '.join(missing)}"


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("live.timeout", "set `live.timeout` to", True),
        ("live.timeout", "set live.timeout. Then", True),
        ("live.timeout", "`live.timeout.idle`", False),
        ("text", "`shadow:text`", False),
        ("understudy pairs", "understudy pairs-list", False),
        ("is-json", "not-is-json", False),
    ],
)
def test_words_of_their_own(name: str, text: str, found: bool) -> None:
    """A name counts only where it is not part of another one."""
    assert (unsaid([name], text) == []) is found


def paths(table: type[BaseModel], place: str = "") -> Iterator[str]:
    """The leaf keys of a table and of the tables in it; a table inside itself is one."""
    for name, field in table.model_fields.items():
        key = field.alias or name
        inner = [one for one in tables(field.annotation) if one is not table]
        if not inner:
            yield place + key
        for one in inner:
            yield from paths(one, f"{place}{key}.")


def tables(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (list, dict, Union, UnionType, Annotated):
        for inner in get_args(annotation):
            yield from tables(inner)


def commands(command: Any, typed: str) -> Iterator[str]:
    """Every command of a group, and of the groups in it, as it is typed."""
    inner = getattr(command, "commands", {})
    if not inner:
        yield typed
    for name, one in inner.items():
        if not one.hidden:
            yield from commands(one, f"{typed} {name}")


def metrics(registry: Any) -> Iterator[str]:
    """The names of a registry as they are scraped: a counter's ends in _total."""
    for family in registry.collect():
        yield f"{family.name}_total" if family.type == "counter" else family.name
