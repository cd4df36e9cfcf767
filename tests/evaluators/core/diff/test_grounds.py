"""Amounts looked for in another text."""

from __future__ import annotations

import pytest

from evaluators.core.diff import Grounds, amounts


@pytest.mark.parametrize(
    ("claim", "known", "expected"),
    [
        pytest.param("1,000", "1000", True, id="a thousand"),
        pytest.param("1000", "1.000", True, id="a thousand in German"),
        pytest.param("1001", "1000", False, id="another number"),
        pytest.param("5 %", "0.05", True, id="a percentage as a share"),
        pytest.param("0.05", "5 percent", True, id="a share as a percentage"),
        pytest.param("5 %", "Rate (%): 5", True, id="a percentage without its sign"),
        pytest.param("5 %", "$5", False, id="a percentage is no money"),
        pytest.param("$5", "price: 5", True, id="money without its sign"),
        pytest.param("$5", "€5", False, id="another currency"),
        pytest.param("5", "$5 each", True, id="a number with its sign left out"),
        pytest.param("5 km", "5000 m", True, id="converted"),
        pytest.param("8 km", "5 miles", True, id="converted and rounded"),
        pytest.param("8 km", "8.04 km", False, id="rounded within one unit by more than it may"),
        pytest.param("7 km", "5 miles", False, id="converted wrongly"),
        pytest.param("7 km", "5 kg", False, id="another family"),
        pytest.param("3", "three men", True, id="a word"),
        pytest.param("$5 million", "$5,000,000", True, id="a magnitude"),
        pytest.param("5 million", "5 apples", False, id="a magnitude that is not there"),
        pytest.param("3 May 2024", "2024-05-03", True, id="a date"),
        pytest.param("May 2024", "2024-05-03", True, id="a month of a known date"),
        pytest.param("May 3", "2024-05-03", True, id="a day of a known date"),
        pytest.param("May 4", "2024-05-03", False, id="another day"),
        pytest.param("4/3/2024", "3 April 2024", True, id="either reading of a date"),
        pytest.param("2 pm", "14:00", True, id="a time"),
        pytest.param("3 pm", "14:00", False, id="another time"),
        pytest.param("1.2.3", "release 1.2.3", True, id="a version"),
        pytest.param("1e-25 %", "1e-25", True, id="too small to be taken apart"),
    ],
)
def test_holding(claim: str, known: str, expected: bool) -> None:
    """An amount is there in any format, without its unit, or converted."""
    assert Grounds(known).hold(amounts(claim)[0]) is expected


def test_it_says_how_much_it_knows() -> None:
    """Its repr has the number of amounts."""
    assert repr(Grounds("1 and 2")) == "Grounds(2 amounts)"
