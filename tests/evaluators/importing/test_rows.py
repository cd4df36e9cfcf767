"""The short form of assertions, and rows of tables."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators import checks
from evaluators.importing.rows import BadRow, assertion
from evaluators.importing.rows import test_of as row_of

TYPES = {*checks.registered(), *checks.NOT_YET}


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("Paris", {"type": "equals", "value": "Paris"}),
        ("note: this", {"type": "equals", "value": "note: this"}),
        ("is-json", {"type": "is-json"}),
        ("contains: a b ", {"type": "contains", "value": "a b"}),
        ("not-contains:a:b", {"type": "not-contains", "value": "a:b"}),
        ('contains-any:a,"b, c"', {"type": "contains-any", "value": ["a", "b, c"]}),
        ("levenshtein(5):x", {"type": "levenshtein", "value": "x", "threshold": 5}),
        ("rouge-n:x", {"type": "rouge-n", "value": "x", "threshold": 0.75}),
        ("latency(2000)", {"type": "latency", "threshold": 2000}),
        ("cost(0.5):", {"type": "cost", "threshold": 0.5}),
        ("starts-with(0.9):x", {"type": "starts-with", "value": "x"}),
        ("trajectory:tool-used:search", {"type": "trajectory:tool-used", "value": "search"}),
        ("grade: is polite", {"type": "llm-rubric", "value": " is polite"}),
        ("llm-rubric:x", {"type": "llm-rubric", "value": "x"}),
        ("fn: output.length", {"type": "javascript", "value": "output.length"}),
        ("eval:x", {"type": "javascript", "value": "x"}),
        ("python: len(output)", {"type": "python", "value": "len(output)"}),
        ("file://check.py:f", {"type": "python", "value": "file://check.py:f"}),
        ("file://check.js", {"type": "javascript", "value": "file://check.js"}),
        ("not-is-json:type: object", {"type": "not-is-json", "value": "type: object"}),
    ],
)
def test_the_short_form_is_spelled_out(cell: str, found: dict[str, Any]) -> None:
    """As promptfoo spells it out; what is no type is the expected text."""
    assert assertion(cell, TYPES) == found


def test_columns_say_what_they_say() -> None:
    """Everything without two underscores is a variable."""
    row = {
        "q": "a",
        "__expected": "is-json",
        "__expected2": "levenshtein:x",
        "__expected3": " ",
        "__config:__expected2:threshold": "3",
        "__description": "d",
        "__prefix": "<",
        "__suffix": ">",
        "__metric": "m",
        "__threshold": "0",
        "__metadata:area": "x",
        "__metadata:tags[]": "a,b",
    }
    found = row_of(row, TYPES)
    expected = [
        {"type": "is-json", "metric": "m"},
        {"type": "levenshtein", "value": "x", "threshold": 3, "metric": "m"},
    ]
    assert found["assert"] == expected
    assert (found["vars"], found["options"]) == ({"q": "a"}, {"prefix": "<", "suffix": ">"})
    assert (found["description"], found["threshold"]) == ("d", 0)


def test_a_threshold_that_is_no_number_is_none() -> None:
    """As in promptfoo: an empty cell is no threshold."""
    assert "threshold" not in row_of({"__threshold": ""}, TYPES)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"__config:__expected1:threshold": "x"}, "has no number"),
        ({"__config:__expected1:weight": "1"}, "is not understood"),
        ({"__config:first:threshold": "1"}, "is not understood"),
    ],
)
def test_a_column_that_cannot_be_read_is_named(row: dict[str, str], message: str) -> None:
    """The rest of the row would mean something else without it."""
    with pytest.raises(BadRow, match=message):
        row_of(row, TYPES)
