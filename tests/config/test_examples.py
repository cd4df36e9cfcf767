"""The examples that ship with the package: they load, they show everything, and the schema has not drifted."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

import config
from config.load import load
from config.settings import Check, Settings, json_schema

EXAMPLES = Path(next(iter(config.__path__))) / "examples"
FILES = ["minimal.yaml", "full.yaml"]


def plain(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FILES)
def test_loads(name: str) -> None:
    """An example loads with an empty environment."""
    assert load(EXAMPLES / name, {}).candidates


@pytest.mark.parametrize("name", FILES)
def test_schema_accepts(name: str) -> None:
    """An editor that knows the schema has no complaint about an example."""
    schema = json.loads((EXAMPLES / "schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    assert [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(plain(name))] == []


@pytest.mark.parametrize("name", FILES)
def test_names_its_schema(name: str) -> None:
    """The first line tells editors where the schema is."""
    first = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=schema.json"


def test_minimal_is_minimal() -> None:
    """The least useful file has three lines."""
    assert len((EXAMPLES / "minimal.yaml").read_text(encoding="utf-8").splitlines()) == 3


def test_schema_has_not_drifted() -> None:
    """The committed schema is the one the models make."""
    committed = json.loads((EXAMPLES / "schema.json").read_text(encoding="utf-8"))
    assert committed == json_schema(), "run: understudy config schema > config/examples/schema.json"


def test_full_is_full() -> None:
    """The full example shows every key of every table, except those that are another key's alternatives.

    A mount has the tables of the top of the file, and a candidate's tls those of live.
    """
    missing = absent(Settings, [plain("full.yaml")])
    assert {key for key in missing if not key.startswith(("mounts.", "candidates.tls."))} == {
        "candidates.system_prompt.prepend",
        "candidates.system_prompt.file",
    }


def absent(table: type[BaseModel], shown: list[Any], place: str = "") -> set[str]:
    """The keys of a table that no shown instance of it has, and so on downwards."""
    instances = [one for one in shown if isinstance(one, dict)]
    missing: set[str] = set()
    for name, field in table.model_fields.items():
        key = field.alias or name
        values = [one[key] for one in instances if key in one]
        if not values:
            missing.add(place + key)
        if str(field.annotation).startswith("dict"):
            values = [list(value.values()) for value in values]
        parts = [part for value in values for part in (value if isinstance(value, list) else [value])]
        for inner in tables_in(field.annotation) if values and table is not Check else []:
            missing |= absent(inner, parts, f"{place}{key}.")
    return missing


def tables_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [table for inner in getattr(annotation, "__args__", ()) for table in tables_in(inner)]
