"""The forests and the table of slices."""

from __future__ import annotations

from evaluators.core.render.findings import MOST_HEAT, assertions, comparisons, slices
from tests.evaluators.core.render.pages import lively, made, read, silent
from tests.evaluators.core.samples import assertion, comparison, shadow


def test_nothing_to_show() -> None:
    """Without checks there are no sections."""
    candidate = silent().candidates[0]
    assert assertions(candidate) == comparisons(candidate) == slices(candidate) == ""


def test_assertions() -> None:
    """Both rates, what regressed and what was fixed; the watched interval once it says something."""
    text = assertions(made([shadow(assertion(), assertion("new", {"pp": 1, "pb": 2}))]).candidates[0])
    read(text)
    assert "4% → 9%" in text
    assert "6 regressed, 1 fixed of 100" in text
    assert "broke on 2 pairs" in text
    assert text.count('class="watched"') == 3


def test_comparisons() -> None:
    """The excess over the floor, and places in the answer."""
    text = comparisons(made([shadow(comparison(paths={"/a/<b>": 10}))]).candidates[0])
    read(text)
    assert "+6 points" in text
    assert 'class="noise"' in text
    assert "<code>/a/&lt;b&gt;</code>" in text


def test_comparison_without_control() -> None:
    """An unknown floor is said, not drawn."""
    text = comparisons(made([shadow(comparison(noise={}, joint={"d": 5, "m": 5}))]).candidates[0])
    assert "noise unknown" in text
    assert 'class="noise"' not in text


def test_slices() -> None:
    """Flagged slices in a forest, all of them in the table with a frame around what is flagged."""
    text = slices(lively().candidates[0])
    read(text)
    assert text.index("topic=medical") < text.index("All slices and checks")
    assert text.count(' flag"') == 2
    assert '<td class="few">–</td>' in text


def test_nothing_stands_out() -> None:
    """Calm traffic is said to be calm; unequal sides have colour."""
    quiet = {"a=b": {"pp": 50}, "a=c": {"fp": 9, "pp": 1}, "a=d": {}}
    text = slices(made([shadow(assertion(slices=quiet))]).candidates[0])
    assert "No slice stands out" in text
    assert 'class="b3"' in text


def test_many_slices_are_folded_away() -> None:
    """The table shows the most telling and says how many there are."""
    many = {f"user={number}": {"pp": 9} for number in range(MOST_HEAT + 5)}
    text = slices(made([shadow(assertion(slices=many))]).candidates[0])
    assert f"The {MOST_HEAT} most telling of {MOST_HEAT + 5} are shown." in text
    assert "<details>" in text
