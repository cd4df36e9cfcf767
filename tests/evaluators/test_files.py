"""The door to files: every ending, and what is said about a file that cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluators.core.finding import BadCheck
from evaluators.files import MAX_FILE, read


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.json", '{"a": [1, 1.5]}', {"a": [1, 1.5]}),
        ("a.jsonl", '{"a": 1}\n\n[2]\n', [{"a": 1}, [2]]),
        ("u.jsonl", '["a\u2028b\x85c"]\n', [["a\u2028b\x85c"]]),
        ("a.yaml", "x: &x [1, 2]\ny: [*x, *x]\n", {"x": [1, 2], "y": [[1, 2], [1, 2]]}),
        ("empty.yaml", "", None),
        ("a.csv", 'a, b \n1,"x,\ny"\n2\n', [{"a": "1", "b": "x,\ny"}, {"a": "2", "b": ""}]),
        ("a.txt", "\ufeff text \n", "text"),
        ("a.md", "# x", "# x"),
        (
            "A.YML",
            "- no\n- 010\n- 1.5\n- 2020-01-01\n- ~\n- '5'\n- true\n- 5x5\n",
            ["no", 10, 1.5, "2020-01-01", None, "5", True, "5x5"],
        ),
        ("a.yaml", "x: &x {q: 1}\ny:\n  <<: *x\n  r: 2\n", {"x": {"q": 1}, "y": {"q": 1, "r": 2}}),
    ],
)
def test_files_are_read_by_their_ending(tmp_path: Path, name: str, text: str, found: Any) -> None:
    """Tables and trees are parsed, the rest is trimmed text; YAML's words are those of version 1.2."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert read(f"file://{path}") == found


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.json", b"{", r"a\.json:1:2: this is not JSON"),
        ("a.jsonl", b"{}\n{", "this is not JSON"),
        ("a.yaml", b"a: [", r"a\.yaml:1:5: this is not YAML"),
        ("a.yaml", b"a: \x00", "cannot be read as yaml"),
        ("a.yaml", b"a: !!python/object:os.system x", "is not YAML"),
        ("a.json", b"[" * 100_000, "cannot be read as json"),
        ("a.txt", b"\xff", "is not UTF-8"),
        ("a.csv", b'a,b\n"not closed,1\n2,3\n', "cannot be read as csv"),
        ("a.csv", b"a,b\n1,2,3\n", "cannot be read as csv"),
        ("a.yaml", b"a: &a [*a]", "cannot be read as yaml"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    """The message has the path, the place where there is one, and the remedy."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(BadCheck, match=message):
        read(f"file://{path}")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """So is a directory."""
    with pytest.raises(BadCheck, match="No such file or directory; check the path"):
        read(f"file://{tmp_path}/absent.json")
    with pytest.raises(BadCheck, match="Is a directory"):
        read(f"file://{tmp_path}")


def test_a_file_has_a_limit(tmp_path: Path) -> None:
    """What is larger is not read."""
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(BadCheck, match="larger than 32 MiB"):
        read(f"file://{path}")
