"""Templates filled from variables."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators.importing.filling import Unfilled, filled, has_template, names

VARIABLES: dict[str, Any] = {"a": "x", "n": 5, "o": {"k": ["p", {"q r": 1}]}, "in": "<{{ a }}>", "loop": "{{ loop }}"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain {x}", "plain {x}"),
        ("{{a}} {{ a }} {{- a -}}", "x x x"),
        ("{{n}}", "5"),
        ("{{o.k[0]}} {{o['k'][1]}} {{ o.k[1]['q r'] }}", 'p {"q r":1} 1'),
        ("{{in | upper}}", "<X>"),
        ("{{ o | dump | lower }}{# gone #}", '{"k":["p",{"q r":1}]}'),
        ("{{ o.k }}", '["p",{"q r":1}]'),
    ],
)
def test_templates_are_filled(text: str, found: str) -> None:
    """Texts as they are, everything else as JSON."""
    assert filled(text, VARIABLES) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{b}}", "{{b}} has no value"),
        ("{{o.z}}", "no value"),
        ("{{o.k[7]}}", "no value"),
        ("{{a.b}}", "no value"),
        ("{{ a | reverse }}", "goes beyond a variable"),
        ("{{ a + n }}", "goes beyond a variable"),
        ("{% if a %}", "statement of the template language"),
        ("{{ loop }}", "have no end"),
    ],
)
def test_what_stays_unfilled_is_named(text: str, why: str) -> None:
    """With the remedy."""
    with pytest.raises(Unfilled, match=why):
        filled(text, VARIABLES)


def test_names_are_those_of_variables() -> None:
    """Filters and members are none; lists are looked through."""
    assert names(["{{ a.b | trim }} {{c[0]}}", 5]) == {"a", "c"}
    assert names(None) == frozenset()
    assert has_template(["x", "{{a}}"])
    assert not has_template({"a": "{{a}}"})


def test_a_text_has_a_limit() -> None:
    """Variables cannot make it endless."""
    with pytest.raises(Unfilled, match="longer than"):
        filled("{{big}}" * 20, {"big": "x" * 100_000})
