"""Templates of checks, as promptfoo has them: `{$ref: "#/templates/NAME"}`. Filled in before settings validates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PLACES = ("#/templates/", "#/assertionTemplates/")  # ours, and promptfoo's


def with_templates(values: Any) -> Any:
    """The file's values with every reference under `checks` replaced; raises ValueError for one that leads nowhere."""
    if not isinstance(values, dict) or not isinstance(values.get("checks"), list):
        return values
    templates = values.get("templates")
    known = templates if isinstance(templates, dict) else {}
    return {**values, "checks": [_filled_in(check, known) for check in values["checks"]]}


def _filled_in(check: Any, templates: Mapping[str, Any]) -> Any:
    """The template, under what is written beside the reference."""
    if not isinstance(check, dict):
        return check
    if isinstance(check.get("assert"), list):
        check = {**check, "assert": [_filled_in(member, templates) for member in check["assert"]]}
    if "$ref" not in check:
        return check
    reference, beside = str(check["$ref"]), {key: value for key, value in check.items() if key != "$ref"}
    name = next((reference.removeprefix(place) for place in _PLACES if reference.startswith(place)), reference)
    if not isinstance(templates.get(name), dict):
        raise ValueError(f"there is no template for $ref {reference!r}; write `templates: {{{name}: {{type: …}}}}`")
    others = {other: one for other, one in templates.items() if other != name}  # a template cannot lead back to itself
    return {**_filled_in(templates[name], others), **beside}
