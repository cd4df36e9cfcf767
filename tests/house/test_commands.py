"""The two commands of the tests and checks themselves: what is left out, and what is never left out."""

import pytest

from tests.commands.check import STEPS
from tests.commands.test import COMPUTING, ROOT, arguments, runs


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


@pytest.mark.parametrize("given", [[], ["--all"]], ids=str)
def test_all_of_it_runs_in_two_parts(given: list[str]) -> None:
    """What one run takes the other leaves out, and nothing that waits shares the cores."""
    together, alone = runs(given)
    assert {one for one in together if one.startswith("tests/")} == set(COMPUTING)
    assert [one for one in alone if "--ignore" in one] == [f"--ignore={room}" for room in COMPUTING]
    assert "-n" in together
    assert "-n" not in alone
    assert ("not proof" in together) is ("not proof" in alone) is (not given)
    assert all((ROOT / room).is_dir() for room in COMPUTING)


def test_anything_chosen_runs_as_it_is() -> None:
    """Who names tests gets one run of these."""
    assert runs(["-q", "tests/config"]) == [["-m", "not proof", "-q", "tests/config"]]


def test_steps() -> None:
    """One command checks format, lint, types and imports, in this order."""
    assert [name for name, _ in STEPS] == ["format", "lint", "types", "imports"]
