"""Slices of one key and of two, discoveries, and the table of all."""

from __future__ import annotations

from dataclasses import replace

from evaluators.core.render.where import MOST_HEAT, MOST_ROWS, slices
from tests.evaluators.core.render.pages import crossing, discovery, lively, made, read, rich, silent
from tests.evaluators.core.samples import assertion, shadow


def test_nothing_to_show() -> None:
    """Without slices there is no section."""
    assert slices(silent().candidates[0]) == ""


def test_slices() -> None:
    """Flagged slices in a forest, all of them in the table with a frame around what is flagged."""
    text = slices(lively().candidates[0])
    read(text)
    assert text.index("topic=medical") < text.index("All slices and checks")
    assert text.count(' flag"') == 2
    assert '<td class="few">–</td>' in text
    assert "two keys" not in text
    assert "earlier traffic" not in text


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


def test_pairs_and_discoveries() -> None:
    """Single keys, then pairs, then what was found and confirmed; what repeats or is not confirmed is folded away."""
    text = slices(rich().candidates[0])
    read(text)
    parts = [
        "<h3>Where</h3>",
        "topic=medical",
        "Where two keys meet",
        "get_weather/city &amp; turn=first",
        "33 of 80",
        "elsewhere 60 of 1,200",
        "<summary>4 pairs inside the slices above</summary>",
        "confirmed on later</h3>",
        "turn=first &amp; get_weather/city",
        "<td>12 of 40</td><td>31 of 90</td><td>14 of 800</td>",
        "<summary>1 pair that later traffic does not confirm</summary>",
        "All slices and checks",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_only_repeated_pairs() -> None:
    """When every pair repeats a slice, that is said."""
    mini = lively().candidates[0]
    text = slices(replace(mini, crossings=(crossing("topic=medical & turn=first"),)))
    assert "No pair of keys stands out but inside the slices above." in text


def test_nothing_confirmed() -> None:
    """Suspects that later traffic does not bear out are no finding."""
    text = slices(replace(lively().candidates[0], discoveries=(discovery("a=b & c=d", False),)))
    assert "None is confirmed." in text
    assert text.index("None is confirmed.") < text.index("a=b &amp; c=d")
    confirmed = slices(replace(lively().candidates[0], discoveries=(discovery("a=b & c=d"),)))
    assert "None is confirmed." not in confirmed
    assert "does not confirm" not in confirmed


def test_many_pairs() -> None:
    """The worst are shown, and how many there are is said."""
    many = tuple(crossing(f"user={number} & turn=first") for number in range(MOST_ROWS + 1))
    text = slices(replace(lively().candidates[0], crossings=many))
    assert f"The {MOST_ROWS} worst of {MOST_ROWS + 1} are shown." in text


def test_hostile_names() -> None:
    """Pairs are made of what users wrote, and stay text."""
    found = read(slices(rich(hostile=True).candidates[0]))
    assert found.tags.isdisjoint({"script", "img"})
    assert "<script>alert(1)</script> & " in " ".join(found.words)
