"""JSON found in answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.core.diff import Block, json_blocks, whole_json
from evaluators.core.diff.embedded_json import MAX_BLOCKS, MAX_STARTS


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param('{"a": 1}', [{"a": 1}], id="whole"),
        pytest.param(" [1]\n", [[1]], id="whole array"),
        pytest.param("42", [], id="a scalar is no block"),
        pytest.param("", [], id="nothing"),
        pytest.param("plain words", [], id="prose"),
        pytest.param('Sure: {"a": {"b": 1}} and {"c": 2}!', [{"a": {"b": 1}}, {"c": 2}], id="two in prose"),
        pytest.param('```json\n[{"a": 1}]\n```', [[{"a": 1}]], id="a fence"),
        pytest.param('list ["a", "b"]', [["a", "b"]], id="an array of texts"),
        pytest.param("see [1] and [2, 3]", [], id="citations"),
        pytest.param("void f() { return {}; }", [{}], id="program text"),
        pytest.param('{"a": {"b": 1}', [{"b": 1}], id="unclosed, with a closed one inside"),
        pytest.param('x {"a": "}"} y', [{"a": "}"}], id="a brace in a text"),
        pytest.param('x {"a": NaN} y {"b": 1}', [{"b": 1}], id="not a number"),
        pytest.param('x {"a": 123456789012345678901234567890} y', [{"a": 1.2345678901234568e29}], id="a huge number"),
    ],
)
def test_blocks(text: str, values: list[Any]) -> None:
    """Objects and arrays are found where they are, in order."""
    assert [block.value for block in json_blocks(text)] == values


def test_a_block_knows_its_size() -> None:
    """How long it is, and whether it is the whole text."""
    assert json_blocks('{"a":1}') == (Block({"a": 1}, 7, True),)
    assert json_blocks('see {"a":1}') == (Block({"a": 1}, 7, False),)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_searched(text: str) -> None:
    """No text raises, and what is JSON as a whole is found as a whole."""
    blocks = json_blocks(text)
    assert all(isinstance(block.value, dict | list) for block in blocks)
    assert len(whole_json(text)) <= 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("x" + "{}" * (MAX_BLOCKS + 9), MAX_BLOCKS, id="more blocks than are kept"),
        pytest.param("{" * (MAX_STARTS + 9) + "{}", 0, id="more brackets than are tried"),
        pytest.param('{"a":' * 300 + "x" * 100 + '{"b": 1}', 0, id="unclosed in each other"),
        pytest.param("x" + "[[" * 5_000 + '"a"' + "]]" * 5_000 + " {}", 0, id="ten thousand levels"),
    ],
)
def test_the_search_gives_up(text: str, found: int) -> None:
    """Texts made to be slow are searched for a bounded time."""
    assert len(json_blocks(text)) == found


@pytest.mark.parametrize(
    "text",
    ["[" * 10_000 + "]" * 10_000, '"\ud800"', "NaN", "{'a': 1}", ""],
    ids=["deep", "surrogate", "nan", "quotes", "nothing"],
)
def test_what_is_no_json(text: str) -> None:
    """Too deep, not encodable, not standard: none of it is JSON."""
    assert whole_json(text) == ()
