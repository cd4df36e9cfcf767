"""YAML to plain values with places: the core schema, anchors, variables, and what is refused."""

from typing import Any

import pytest

from config.load.document import Document, read, retyped
from config.load.mistake import Place


def words(place: Place) -> bool:
    """In these tests, text is wanted under the key `text`."""
    return "text" in place


def as_it_is(_place: Place, text: str) -> str:
    return text


def document(text: str, **environ: str) -> Document:
    return read(text, environ, words, as_it_is)


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("no", "no"),
        ("on", "on"),
        ("5", 5),
        ("-5", -5),
        ("0.2", 0.2),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        (".nan", ".nan"),
        (".inf", ".inf"),
        ("5s", "5s"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2026-01-01", "2026-01-01"),
        ("9" * 30, float("9" * 30)),
    ],
)
def test_core_schema(scalar: str, value: Any) -> None:
    """Plain scalars have the types of YAML 1.2, and a number is always a finite one."""
    assert retyped(scalar) == value
    assert type(retyped(scalar)) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("a: 5", {"a": 5}, id="plain"),
        pytest.param("a: '5'", {"a": "5"}, id="quoted"),
        pytest.param("a: |\n  5\n", {"a": "5\n"}, id="block"),
        pytest.param("text: 5", {"text": "5"}, id="text is wanted"),
        pytest.param("text: null", {"text": None}, id="no text"),
        pytest.param("a: ${N}", {"a": 7}, id="a variable has the type of its value"),
        pytest.param("a: '${N}'", {"a": "7"}, id="unless quoted"),
        pytest.param("a: 1${N}", {"a": "17"}, id="a part is text"),
        pytest.param("text: ${N}", {"text": "7"}, id="or text is wanted"),
        pytest.param("a: ${X:-}", {"a": None}, id="an empty default is null"),
        pytest.param("text: ${X:-}", {"text": None}, id="an empty default is no text"),
        pytest.param("text: ${NULL}", {"text": "null"}, id="a secret may be called null"),
        pytest.param("a: ${SHAPE}", {"a": "{b: [c]}"}, id="a variable never changes the shape"),
        pytest.param("a: $$5", {"a": "$5"}, id="dollar"),
        pytest.param("${N}: 5", {"${N}": 5}, id="keys are never replaced"),
        pytest.param("x-a: &a {b: 1}\nc: *a", {"c": {"b": 1}}, id="anchors"),
        pytest.param("x-a: &a {b: 1, c: 2}\nd: {<<: *a, c: 3}", {"d": {"c": 3, "b": 1}}, id="merge"),
        pytest.param(
            "x-a: &a {b: 1}\nx-b: &b {b: 2, c: 2}\nd: {<<: [*a, *b]}", {"d": {"b": 1, "c": 2}}, id="merge of several"
        ),
        pytest.param("a: {x-b: 1}", {"a": {"x-b": 1}}, id="x- is special at the top only"),
        pytest.param("'<<': 1", {"<<": 1}, id="quoted merge key is a key"),
        pytest.param("[1, a]", [1, "a"], id="list"),
        pytest.param("x-a: ${UNSET}\nb: 1", {"b": 1}, id="what is ignored needs no variables"),
    ],
)
def test_values(text: str, value: Any) -> None:
    """What the file says is what comes out."""
    found = document(text, N="7", SHAPE="{b: [c]}", NULL="null")
    assert found.values == value
    assert (found.wrong, found.broken) == ([], [])


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        pytest.param("a: 1\na: 2", ("a",), "given twice, first in line 1", id="duplicate key"),
        pytest.param("a: {b: 1, b: 2}", ("a", "b"), "given twice", id="duplicate key inside"),
        pytest.param("a: !!python/object:os.system x", ("a",), "not part of this language", id="tag"),
        pytest.param("a: ${UNSET}", ("a",), "UNSET is not set", id="unset"),
        pytest.param("a: [x, '${UNSET}']", ("a", 1), "UNSET is not set", id="unset in a list"),
        pytest.param("[a, b]: 1", (), "plain word", id="key is a list"),
        pytest.param("a: {<<: 5}", ("a",), "alias of a table", id="merge of a number"),
        pytest.param("a: {<<: [5]}", ("a",), "alias of a table", id="merge of a list of numbers"),
    ],
)
def test_wrong(text: str, place: Place, said: str) -> None:
    """What is wrong is told with its place, and the rest is read."""
    ((where, why),) = document(text).wrong
    assert where == place
    assert said in why


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        pytest.param("a: [1\nb: 2", 2, "this is not YAML", id="open bracket"),
        pytest.param("a: b: c", 1, "this is not YAML", id="two colons"),
        pytest.param("a:\n\t- b", 2, "this is not YAML", id="tab"),
        pytest.param("a: {b: ${X}}", 1, "needs quotes", id="variable inside braces"),
        pytest.param("a: *b", 1, "undefined alias", id="unknown alias"),
        pytest.param("--- 1\n--- 2", 2, "single document", id="two documents"),
        pytest.param("a: \x00", 1, "control characters", id="NUL"),
        pytest.param("a: &a [*a]", 1, "contains itself", id="anchor in itself"),
        pytest.param("[" * 5000, 1, "hundreds deep", id="very deep"),
    ],
)
def test_broken(text: str, line: int, said: str) -> None:
    """What is not YAML is told with its line and raises nothing."""
    ((where, _column, why),) = document(text).broken
    assert where == line
    assert said in why


def test_broken_line_is_not_quoted() -> None:
    """A syntax error does not repeat the line, which may hold a credential."""
    assert "hunter2" not in str(document("api_key: hunter2: x").broken)


def test_places() -> None:
    """Every key and list entry knows its line and column."""
    found = document("a:\n  - b: 1\n  - 2\nc: {d: 3}\n").places
    assert found == {
        (): (1, 1),
        ("a",): (1, 1),
        ("a", 0): (2, 5),
        ("a", 0, "b"): (2, 5),
        ("a", 1): (3, 5),
        ("c",): (4, 1),
        ("c", "d"): (4, 5),
    }


def test_hidden() -> None:
    """Values from outside the file are remembered with the words of the file."""
    found = read(
        "a: ${KEY}\nb: file:x\nc: open", {"KEY": "hunter2"}, words, lambda _, text: text.replace("file:x", "s3")
    )
    assert found.values == {"a": "hunter2", "b": "s3", "c": "open"}
    assert found.hidden == {"hunter2": "${KEY}", "s3": "file:x"}


def test_finish_may_refuse() -> None:
    """What cannot be finished is a mistake at its place."""

    def refuse(place: Place, text: str) -> str:
        raise ValueError(f"no {text}")

    assert read("a: x", {}, words, refuse).wrong == [(("a",), "no x")]


def test_empty() -> None:
    """An empty file has no values and nothing wrong."""
    assert document("# only a comment") == Document()
