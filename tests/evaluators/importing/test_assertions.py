"""One assertion carried over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluators.importing.assertions import Carrier, located
from evaluators.importing.source import Notes, Source


def carry(tmp_path: Path, written: Any, before: str = "", near: Path | None = None) -> tuple[Any, list[str], list[str]]:
    """The check, what is refused, and what is ignored."""
    notes = Notes()
    source = Source(tmp_path / "p.yaml", {}, {}, notes)
    carrier = Carrier({"t": {"type": "contains", "value": "{{a}}"}}, near or tmp_path)
    found = carrier.carried(source, ("x",), written, {"a": "b"}, before)
    return found, [one.message for one in notes.refused], [one.message for one in notes.ignored]


@pytest.mark.parametrize(
    ("written", "before", "found"),
    [
        ({"type": "contains", "value": "{{a}}"}, "", {"type": "contains", "value": "b"}),
        ({"type": "contains-all", "value": ["{{a}}", 1]}, "", {"type": "contains-all", "value": ["b", 1]}),
        ({"type": "equals", "value": {"k": "{{a}}"}}, "", {"type": "equals", "value": {"k": "{{a}}"}}),
        ({"$ref": "#/assertionTemplates/t", "weight": 2}, "", {"type": "contains", "value": "b", "weight": 2}),
        ({"type": "is-json", "metric": "{{a}}"}, "", {"type": "is-json", "metric": "b"}),
        ("not-contains:x", "", {"type": "not-contains", "value": "x"}),
        ({"type": "is-json"}, "output.a", {"type": "is-json", "transform": "output.a"}),
        ({"type": "is-json", "transform": "output.b"}, "f", None),
        (
            {"type": "assert-set", "assert": ["is-json"], "threshold": 1},
            "output.a",
            {"type": "assert-set", "threshold": 1, "assert": [{"type": "is-json", "transform": "output.a"}]},
        ),
    ],
)
def test_an_assertion_is_carried(tmp_path: Path, written: Any, before: str, found: Any) -> None:
    """Texts are filled, tables stay, and the test's transform comes first."""
    assert carry(tmp_path, written, before)[0] == found


def test_no_variable_makes_a_file_of_a_value(tmp_path: Path) -> None:
    """What is a text there would be read as a file here."""
    source = Source(tmp_path / "p.yaml", {}, {}, Notes())
    written = {"type": "equals", "value": "{{a}}://etc/hostname"}
    assert Carrier({}, tmp_path).carried(source, ("x",), written, {"a": "file"}) is None
    assert "a variable makes a file of its value" in source.notes.refused[0].message


def test_keys_that_promptfoo_does_not_read_either_are_dropped(tmp_path: Path) -> None:
    """A threshold on `contains` means nothing there."""
    written = {"type": "contains", "value": "x", "threshold": 0.5, "config": {"a": 1}}
    found, refused, ignored = carry(tmp_path, written)
    assert (found, refused) == ({"type": "contains", "value": "x"}, [])
    assert ignored == ["contains reads no `threshold:`", "contains reads no `config:`"]


def test_files_are_seen_from_the_output(tmp_path: Path) -> None:
    """Also from another directory."""
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "sub").mkdir()
    found, refused, _ = carry(tmp_path, {"type": "contains", "value": "file://a.txt"}, near=tmp_path / "sub")
    assert (found["value"], refused) == ("file://../a.txt", [])
    assert located(found, tmp_path / "sub")["value"] == f"file://{tmp_path}/sub/../a.txt"


@pytest.mark.parametrize(
    ("written", "before", "why"),
    [
        ({"type": "is-json", "transform": "file://t.py"}, "output.a", "write both into one file"),
        ({"type": "is-json", "transform": "const a = 1;\nreturn a"}, "output.a", "join them by hand"),
        ({"type": "is-json", "transform": 5}, "", "is a text"),
        ({"type": "assert-set", "assert": "is-json"}, "", "is a list"),
        ({"type": "assert-set", "assert": [{"type": "javascript", "value": "1"}]}, "", "JavaScript does not run"),
        ({"type": "is-json", "weight": "heavy"}, "", "weight: "),
        (5, "", "is a table"),
        ({"value": 1}, "", "no assertion type ''"),
    ],
)
def test_what_cannot_be_carried_is_refused(tmp_path: Path, written: Any, before: str, why: str) -> None:
    """With the remedy."""
    found, refused, _ = carry(tmp_path, written, before)
    assert found is None
    assert why in refused[0]
