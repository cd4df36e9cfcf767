"""Assertions in files of their own."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators.checks.written import checks, directory
from evaluators.core.finding import BadCheck


def test_assertions_are_read_like_those_of_the_configuration() -> None:
    """Short forms, sets, and files found beside the file that names them."""
    members = [{"type": "is-json", "value": "file://a.json"}, "is-json:file:///b.json"]
    found = checks(["levenshtein(3):x", {"type": "assert-set", "assert": members}], "file:///here")
    assert (found[0].type, found[0].threshold, found[0].value) == ("levenshtein", 3.0, "x")
    assert [one.value for one in found[1].members] == ["file:///here/a.json", "file:///b.json"]


@pytest.mark.parametrize(
    ("written", "message"),
    [("is-json", "a list"), ([5], "assert.0: "), ([{"type": "x", "weight": "y"}], r"assert\.0\.weight")],
)
def test_what_is_no_assertion_is_refused(written: Any, message: str) -> None:
    """With its place in the list."""
    with pytest.raises(BadCheck, match=message):
        checks(written, "")


def test_a_directory_is_that_of_a_file() -> None:
    """A value that is no file has none."""
    assert directory("file:///a/b.yaml") == "file:///a"
    assert directory([1]) == directory("text") == ""
