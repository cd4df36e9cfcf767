"""Another installed distribution that owns `config`, `proxy` or `evaluators`: installers say nothing about it.

Such a pair overwrites each other's files, and removing one breaks the other. Asked at start-up and by doctor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import packages_distributions

OURS = "understudy"
NAMES = ("config", "proxy", "evaluators")


def intruders() -> list[str]:
    """One sentence with the remedy for every foreign distribution that owns a name of ours; empty when all is well."""
    return named(packages_distributions())


def named(owners: Mapping[str, Sequence[str | None]]) -> list[str]:
    """The sentences for a map from top-level import names to distributions; None is one without a name."""
    claims: dict[str, list[str]] = {}
    for name in NAMES:
        for distribution in sorted({_normal(owner) for owner in owners.get(name, ())} - {OURS}):
            claims.setdefault(distribution, []).append(f"`{name}`")
    return [
        f"the installed distribution {distribution} also owns {' and '.join(claimed)}, and one of us has overwritten "
        f"the other: install Understudy into a virtual environment of its own (./run, pipx or uv tool do)"
        for distribution, claimed in claims.items()
    ]


def _normal(name: str | None) -> str:
    return re.sub(r"[-_.]+", "-", name or "(without a name)").lower()
