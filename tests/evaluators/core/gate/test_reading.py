"""What a rule sees: its limit and what is still missing."""

from __future__ import annotations

from typing import Any

import pytest

from config.settings import Gate
from evaluators.core.gate.reading import UNKNOWN, limit_of, missing


@pytest.mark.parametrize(
    ("given", "kind", "limit"),
    [
        ({"max_regression": "0.5%"}, "max_regression", 0.005),
        ({"max_excess": 0.05}, "max_excess", 0.05),
        ({"red_line": 0.0}, "red_line", 0.0),
        ({"max_ratio": 1.2, "check": None, "metric": "cost"}, "max_ratio", 1.2),
    ],
)
def test_limit_of(given: dict[str, Any], kind: str, limit: float) -> None:
    """A gate has one limit, and zero is one."""
    assert limit_of(Gate(**{"name": "g", "check": "is-json", **given})) == (kind, limit)


@pytest.mark.parametrize(
    ("n", "estimated", "expected"),
    [
        pytest.param(40, UNKNOWN, 60, id="up-to-the-minimum"),
        pytest.param(40, 300, 300, id="evidence-asks-for-more"),
        pytest.param(40, 10, 60, id="minimum-asks-for-more"),
        pytest.param(100, 7, 7, id="minimum-reached"),
        pytest.param(100, UNKNOWN, UNKNOWN, id="nobody-knows"),
    ],
)
def test_missing(n: int, estimated: int, expected: int) -> None:
    """Both the minimum and the evidence must be met."""
    assert missing(Gate(name="g", check="a", red_line=0.1), n, estimated) == expected
