"""What becomes of references to templates."""

from __future__ import annotations

from typing import Any

import pytest

from config.templates import with_templates

TEMPLATES = {
    "brand": {"type": "icontains", "value": "Harbour", "severity": "blocker"},
    "both": {"type": "assert-set", "assert": ["is-json", {"$ref": "brand"}]},
    "round": {"$ref": "round"},
}


def filled(check: Any) -> Any:
    """One check, filled in."""
    return with_templates({"templates": TEMPLATES, "checks": [check]})["checks"][0]


@pytest.mark.parametrize("reference", ["#/templates/brand", "#/assertionTemplates/brand", "brand"])
def test_a_reference_becomes_its_template(reference: str) -> None:
    """In our spelling, in promptfoo's, or by the bare name."""
    assert filled({"$ref": reference}) == TEMPLATES["brand"]


def test_what_is_written_beside_it_wins() -> None:
    """A template is what several checks have in common, not all they are."""
    assert filled({"$ref": "brand", "value": "Globex", "name": "x"}) == {
        **TEMPLATES["brand"],
        "value": "Globex",
        "name": "x",
    }


def test_members_of_a_set_may_refer_too() -> None:
    """At any depth."""
    inner = {"type": "assert-set", "assert": ["is-json", {"$ref": "brand"}]}
    assert filled({"type": "assert-set", "assert": [inner]})["assert"][0]["assert"] == ["is-json", TEMPLATES["brand"]]


def test_a_template_may_refer_to_another() -> None:
    """But not to itself, by whatever way."""
    assert filled({"$ref": "both"})["assert"][1] == TEMPLATES["brand"]
    with pytest.raises(ValueError, match="no template"):
        filled({"$ref": "round"})


def test_a_reference_that_leads_nowhere_is_a_mistake() -> None:
    """It says what to write."""
    with pytest.raises(ValueError, match=r"no template for \$ref '#/templates/brond'; write `templates: \{brond:"):
        filled({"$ref": "#/templates/brond"})


@pytest.mark.parametrize("values", [None, [], {}, {"checks": "x"}, {"checks": ["is-json", 1]}])
def test_anything_else_is_left_to_validation(values: Any) -> None:
    """What is no list of checks, or no table, comes out as it went in."""
    assert with_templates(values) == values


def test_templates_that_are_no_table_hold_nothing() -> None:
    """The mistake is named at `templates`; the reference is one as well."""
    with pytest.raises(ValueError, match="no template"):
        with_templates({"templates": 1, "checks": [{"$ref": "brand"}]})
