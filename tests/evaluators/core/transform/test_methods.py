"""The methods of a transform, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators.core.ecma import compiled
from evaluators.core.transform.methods import FUNCTIONS, METHODS, called
from evaluators.core.transform.values import UNDEFINED, Budget, Regex, Unfit

G = Regex(compiled("a(b)?"), True)
ONE = Regex(compiled("a(b)?"), False)


@pytest.mark.parametrize(
    ("value", "name", "arguments", "found"),
    [
        ("\u00a0a\ufeff", "trim", [], "a"),
        (" a ", "trimStart", [], "a "),
        (" a ", "trimEnd", [], " a"),
        ("Ab", "toLowerCase", [], "ab"),
        ("Ab", "toUpperCase", [], "AB"),
        ("ab", "toString", [], "ab"),
        ("abcd", "slice", [1, -1], "bc"),
        ("abcd", "substring", [3, 1], "bc"),
        ("abcd", "substring", [-5], "abcd"),
        ("abcd", "at", [-1], "d"),
        ("abcd", "at", [9], UNDEFINED),
        ("abcd", "charAt", [1], "b"),
        ("a,b,c", "split", [",", 2], ["a", "b"]),
        ("ab", "split", [""], ["a", "b"]),
        ("ab", "split", [], ["ab"]),
        ("xabya", "split", [ONE], ["x", "b", "y", UNDEFINED, ""]),
        ("aab", "replace", ["a", "$"], "$ab"),
        ("aab", "replace", [G, "[$1]"], "[][b]"),
        ("aab", "replaceAll", ["a", "$$$9"], "$$9$$9b"),
        ("abab", "match", [G], ["ab", "ab"]),
        ("xab", "match", [ONE], ["ab", "b"]),
        ("x", "match", [G], None),
        ("abc", "match", ["b."], ["bc"]),
        ("abc", "includes", ["b"], True),
        ("abcb", "indexOf", ["b", 2], 3),
        ("abc", "startsWith", ["a"], True),
        ("abc", "endsWith", ["a"], False),
        ("a", "concat", ["b", 1], "ab1"),
        ([1, 2, 3], "slice", [1], [2, 3]),
        ([1, 2], "at", [0], 1),
        ([1, None, "a"], "join", ["-"], "1--a"),
        ([1, 2], "join", [], "1,2"),
        ([1, "a"], "includes", ["a"], True),
        ([1, "a"], "indexOf", ["1"], -1),
        ([1, 2], "toString", [], "1,2"),
        ([1, 2], "map", [lambda x, i: x + i], [1, 3]),
        ([0, 2], "filter", [lambda x, i: x], [2]),
        ([1, 2], "find", [lambda x, i: x > 1], 2),
        ([1, 2], "find", [lambda x, i: x > 2], UNDEFINED),
        ([1, 2], "some", [lambda x, i: x > 1], True),
        ([1, 2], "every", [lambda x, i: x > 1], False),
        (G, "test", ["xa"], True),
        (G, "exec", ["xab"], ["ab", "b"]),
        (2.345, "toFixed", [1], "2.3"),
        (2.0, "toString", [], "2"),
    ],
)
def test_a_method_gives_what_javascripts_gives(value: Any, name: str, arguments: list[Any], found: Any) -> None:
    """Each method, on each kind of value that has it."""
    assert called(value, name, arguments, Budget()) == found


def test_every_method_is_tried_above() -> None:
    """The table of tests names each of them."""
    mark = test_a_method_gives_what_javascripts_gives.pytestmark[0]  # type: ignore[attr-defined]
    assert {row[1] for row in mark.args[1]} == METHODS


@pytest.mark.parametrize(
    ("name", "arguments", "found"),
    [
        ("JSON.parse", ["[1]"], [1]),
        ("JSON.stringify", [[1]], "[1]"),
        ("Object.keys", [{"a": 1}], ["a"]),
        ("Object.values", [{"a": 1}], [1]),
        ("Object.values", ["ab"], ["a", "b"]),
        ("Object.keys", [[7]], ["0"]),
        ("Object.keys", [5], []),
        ("String", [1.0], "1"),
        ("Number", ["2"], 2),
        ("Boolean", [""], False),
    ],
)
def test_functions_belong_to_no_value(name: str, arguments: list[Any], found: Any) -> None:
    """The few global functions."""
    assert FUNCTIONS[name](None, arguments, Budget()) == found


def test_values_without_the_method_are_unfit() -> None:
    """A list has no trim, and an iteration needs a function."""
    with pytest.raises(Unfit, match="on a list"):
        called([], "trim", [], Budget())
    with pytest.raises(Unfit, match="a function belongs here"):
        called([1], "map", ["x"], Budget())
    with pytest.raises(Unfit, match="an object belongs here"):
        FUNCTIONS["Object.keys"](None, [None], Budget())
    with pytest.raises(Unfit, match="no regular expression"):
        called("a", "match", ["("], Budget())
