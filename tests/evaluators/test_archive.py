"""Pairs to and from files."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from evaluators import archive
from evaluators.archive import BadLine
from tests.evaluators.made import pair, random_bytes


def test_what_is_dumped_is_loaded(tmp_path: Path) -> None:
    """Pairs come back equal, binary bodies included; blank lines between them are nothing."""
    pairs = [pair(1), pair(2, "control"), pair(3, body=random_bytes(1000))]
    file = io.BytesIO()
    assert archive.dump(pairs, file) == 3
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(file.getvalue().replace(b"\n", b"\n\n"))
    assert list(archive.load(path)) == pairs


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(b"{", "not JSON", id="cut off"),
        pytest.param(b"\xff\xfe", "not JSON", id="not text"),
        pytest.param(b"[1]", "not a JSON object", id="a list"),
        pytest.param(b'{"schema": 2}', "schema 2 is not 1; use a newer version", id="a newer schema"),
        pytest.param(b'{"schema": 1}', "damaged record: KeyError", id="nothing in it"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_is_read(tmp_path: Path, line: bytes, reason: str) -> None:
    """A line that holds no pair says file, line and reason, and hides nothing that follows."""
    file = io.BytesIO(b"\n" + line + b"\n")
    file.seek(0, io.SEEK_END)
    archive.dump([pair(1)], file)
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(file.getvalue())
    bad, good = archive.load(path)
    assert isinstance(bad, BadLine)
    assert str(bad) == f"{path}:2: {reason}"
    assert good == pair(1)
