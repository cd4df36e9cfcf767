"""Tests in all their forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evaluators import checks
from evaluators.importing.cases import Case, cases
from evaluators.importing.source import Notes, Source


def read(tmp_path: Path, tests: Any) -> tuple[list[Case], list[str]]:
    """The cases, and what is refused."""
    notes = Notes()
    source = Source(tmp_path / "p.yaml", {"tests": tests}, {}, notes)
    return cases(source, checks.registered()), [str(one) for one in notes.refused]


def test_a_list_of_values_is_a_case_each(tmp_path: Path) -> None:
    """Every combination, unless the test says that the list is meant."""
    variables = {"a": [1, 2], "b": ["x", "y"], "c": "z"}
    found, refused = read(tmp_path, [{"vars": variables, "assert": []}])
    assert not refused
    assert [(one.variables["a"], one.variables["b"]) for one in found] == [(1, "x"), (1, "y"), (2, "x"), (2, "y")]
    assert [one.name for one in found] == ["test 1", "test 1 (2)", "test 1 (3)", "test 1 (4)"]
    [whole], _ = read(tmp_path, [{"vars": variables, "options": {"disableVarExpansion": True}}])
    assert whole.variables["a"] == [1, 2]


def test_variables_come_from_files(tmp_path: Path) -> None:
    """Of one variable or of all."""
    (tmp_path / "v.yaml").write_text("a: 1\n")
    (tmp_path / "t.txt").write_text("long\n")
    found, refused = read(tmp_path, [{"vars": "v.yaml"}, {"vars": ["file://v.yaml"]}, {"vars": {"a": "file://t.txt"}}])
    assert not refused
    assert [one.variables["a"] for one in found] == [1, 1, "long"]


def test_what_is_no_test_is_refused(tmp_path: Path) -> None:
    """Each with its place."""
    tests = [{"vars": 5}, {"vars": {"a": "file://absent.txt"}}, {"vars": {}, "assert": "is-json"}, "absent.csv", "x"]
    _, refused = read(tmp_path, tests)
    keys = [one.split(": ")[1] for one in refused]
    assert keys == ["tests.0.vars", "tests.1.vars.a", "tests.2.assert", "tests.3", "tests.4"]


def test_a_file_of_tests_that_is_wrong_is_refused_under_its_own_name(tmp_path: Path) -> None:
    """The note is about the other file."""
    (tmp_path / "t.csv").write_text("__config:x:y,a\n1,2\n")
    (tmp_path / "t.json").write_text("{")
    (tmp_path / "t.jsonl").write_text('"word"\n')
    _, refused = read(tmp_path, ["t.csv", "t.json", "t.jsonl"])
    assert [one.split(": ")[0].removeprefix(str(tmp_path)) for one in refused] == [
        "/t.csv:2:1",
        "/t.json:1:1",
        "/t.jsonl:1:1",
    ]


def test_there_is_a_limit(tmp_path: Path) -> None:
    """A product of lists does not fill the memory."""
    found, refused = read(tmp_path, [{"vars": {name: list(range(100)) for name in "abcd"}}, {"vars": {"a": 1}}])
    assert len(found) <= 10_000
    assert "more than 10000 tests" in refused[0]
