"""The two commands of the tests and checks themselves: what is left out, and what is never left out."""

import pytest

from tests.commands.check import STEPS
from tests.commands.test import arguments


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        ([], ["-m", "not proof"]),
        (["-q", "tests/config"], ["-m", "not proof", "-q", "tests/config"]),
        (["--all", "-q"], ["-q"]),
        (["-m", "proof"], ["-m", "proof"]),
        (["-m=proof"], ["-m=proof"]),
    ],
    ids=str,
)
def test_arguments(given: list[str], passed_on: list[str]) -> None:
    """The proofs are left out unless somebody asks for them."""
    assert arguments(given) == passed_on


def test_steps() -> None:
    """One command checks format, lint, types and imports, in this order."""
    assert [name for name, _ in STEPS] == ["format", "lint", "types", "imports"]
