"""Paths into JSON, in both spellings."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators.core.grounding import BadPath, path_of, values_at
from evaluators.core.grounding.paths import MAX_VALUES

DATA = {"m": [{"t": "a", "n": 1}, {"t": "b"}, "c"], "a/b": {"~": 2}, "x.y": 3, "0": "zero"}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        pytest.param("m[0].t", ["a"], id="an index"),
        pytest.param("m[*].t", ["a", "b"], id="every item"),
        pytest.param("$.m[-1]", ["c"], id="the last"),
        pytest.param("$m[-1]", ["c"], id="the last, shorter"),
        pytest.param("m[-4]", [], id="before the first"),
        pytest.param("m[9]", [], id="after the last"),
        pytest.param("m.t", [], id="a name in a list"),
        pytest.param("m[0].*", ["a", 1], id="every member"),
        pytest.param('["x.y"]', [3], id="a name in quotes"),
        pytest.param("0", ["zero"], id="a name that is a number"),
        pytest.param("m[2].t", [], id="below a text"),
        pytest.param("/m/0/n", [1], id="a pointer"),
        pytest.param("/m/*/t", ["a", "b"], id="a pointer with a star"),
        pytest.param("/a~1b/~0", [2], id="a pointer with escapes"),
        pytest.param("/none", [], id="nowhere"),
    ],
)
def test_values(path: str, values: list[Any]) -> None:
    """A path leads to every value it fits, in order."""
    assert list(values_at(DATA, path_of(path))) == values


@pytest.mark.parametrize("path", ["", "$", "a..b", "a[b]", "a[", ".a", "a[0]b"])
def test_what_is_no_path(path: str) -> None:
    """A mistake is refused with an example."""
    with pytest.raises(BadPath, match="write one such as"):
        path_of(path)


def test_the_number_of_values_is_bounded() -> None:
    """A body made of small lists does not multiply."""
    assert len(values_at([[1] * 200] * 200, ("*", "*"))) == MAX_VALUES
