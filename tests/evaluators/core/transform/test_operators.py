"""What the marks of a transform do."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators.core.transform import compiled


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("'a' + 1 + 2", "a12"),
        ("1 + 2 + 'a'", "3a"),
        ("5 - 2 - 1", "2"),
        ("-output", "-4"),
        ("!!output", "true"),
        ("+'3' + 1", "4"),
        ("'' || 'x'", "x"),
        ("'' ?? 'x'", ""),
        ("undefined ?? 'x'", "x"),
        ("'a' && 'b'", "b"),
        ("0 && 'b'", "0"),
        ("'10' < '9'", "true"),
        ("10 < '9'", "false"),
        ("2 >= 2", "true"),
        ("2 <= 1", "false"),
        ("1 === '1'", "false"),
        ("1 !== 2 && 1 != 2", "true"),
        ("null == null", "true"),
        ("true ? false ? 1 : 2 : 3", "2"),
        ("[1, 'a', [2]].length", "3"),
        ("null?.a ?? 'none'", "none"),
        ("null?.a.b.c ?? 'none'", "none"),
        ("[[1]][0]?.[0]", "1"),
    ],
)
def test_marks_bind_and_work_as_in_javascript(source: str, text: str) -> None:
    """Precedence, conversions and short cuts."""
    found: Any = compiled(source)("4")
    assert found == text
