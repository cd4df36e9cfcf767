"""Reading a transform: names in scope, statements, arrow functions."""

from __future__ import annotations

import pytest

from evaluators.core.transform.parsing import program
from evaluators.core.transform.spelling import BadTransform
from evaluators.core.transform.values import Budget


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("output.split(' ').map(word => word.length).join('')", "125"),
        ("output.split(' ').map((word, at) => `${at}${word}`)[2]", "2delta"),
        ("output.split(' ').filter(w => w.split('').some(c => c === w[1]))[0]", "be"),
        ("let n = output.length;\nvar m = n + 1\nreturn m", 11),
        ("output.length;", 10),
        ("'\\n'.length", 1),
        ("output /* the text */ .length", 10),
    ],
)
def test_names_mean_what_was_given_last(source: str, found: object) -> None:
    """Arguments hide outer names inside their function only."""
    assert program(source)({"output": "a be delta"}, Budget()) == found


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("output.map(x => x) + x", "`x` is not part"),
        ("output.trim(x => x)", "`x` is not part"),
        ("const x = 1;\nreturn y", "`y` is not part"),
        ("output.map((x", "`x` is not part"),
        ("output.", "'the end' is not understood"),
        ("output ?", "'the end' is not understood"),
        ("[1, 2", "',' is expected"),
        ("`${output.nope()}`", r"\.nope\(\) is not part"),
        ("JSON.evil(output)", r"`JSON\.evil` is not part"),
        ("this", "`this` is not part"),
    ],
)
def test_names_that_nobody_gave_are_refused(source: str, why: str) -> None:
    """A name is an argument, a constant, or a mistake."""
    with pytest.raises(BadTransform, match=why):
        program(source)
