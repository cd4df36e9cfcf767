"""Files with places."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import ConfigError
from evaluators.importing.source import Notes, opened


def place_of(path: Path, *key: str | int) -> tuple[int, int]:
    """Line and column of a note about this key."""
    notes = Notes()
    opened(path, notes).refuse(key, "why")
    return notes.refused[0].line, notes.refused[0].column


def test_a_dollar_begins_no_variable_and_moves_nothing(tmp_path: Path) -> None:
    """promptfoo has no variables of the environment; the columns are those of the file."""
    path = tmp_path / "a.yaml"
    path.write_text("x: {$ref: '${HOME} $$', b: 1}\n")
    assert opened(path, Notes()).values == {"x": {"$ref": "${HOME} $$", "b": 1}}
    assert place_of(path, "x", "$ref") == (1, 5)
    assert place_of(path, "x", "b") == (1, 25)
    assert place_of(path, "x", "absent") == (1, 1)


def test_rows_and_lines_have_places(tmp_path: Path) -> None:
    """A row with a line break in a cell is as long as it is."""
    (tmp_path / "a.csv").write_text('a\n"x\ny"\nz\n')
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n{"a": 2}\n')
    assert [place_of(tmp_path / "a.csv", row)[0] for row in (0, 1)] == [2, 4]
    assert [place_of(tmp_path / "a.jsonl", row)[0] for row in (0, 1)] == [1, 3]


def test_what_is_ignored_is_noted_apart(tmp_path: Path) -> None:
    """It says nothing about answers, so it is no refusal."""
    (tmp_path / "a.json").write_text("{}")
    notes = Notes()
    opened(tmp_path / "a.json", notes).ignore(("env",), "why")
    assert [str(one) for one in notes.ignored] == [f"{tmp_path}/a.json:1:1: env: why"]
    assert not notes.refused


@pytest.mark.parametrize(("name", "text"), [("a.yaml", "a: ["), ("a.yaml", "a: !x 1"), ("a.json", "{")])
def test_what_cannot_be_read_is_an_error(tmp_path: Path, name: str, text: str) -> None:
    """With its place."""
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=f"{name}:1:"):
        opened(tmp_path / name, Notes())
