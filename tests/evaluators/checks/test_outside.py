"""Check types of installed packages; the registry's own tests install some."""

from __future__ import annotations

from evaluators.checks import outside


def test_nothing_comes_from_outside_where_nothing_is_installed() -> None:
    """This environment has no package of the group."""
    assert list(outside.found()) == []
