"""The forests of checks, by layer, and where in the answers."""

from __future__ import annotations

from dataclasses import replace

from evaluators.core.render.findings import assertions, comparisons
from evaluators.core.report.shape import EVERYTHING
from tests.evaluators.core.render.pages import made, place, read, rich, silent
from tests.evaluators.core.samples import assertion, comparison, shadow


def test_nothing_to_show() -> None:
    """Without checks there are no sections."""
    candidate = silent().candidates[0]
    assert assertions(candidate) == comparisons(candidate) == ""


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
    assert "<code><bdi>/a/&lt;b&gt;</bdi></code>" in text


def test_comparison_without_control() -> None:
    """An unknown floor is said, not drawn."""
    text = comparisons(made([shadow(comparison(noise={}, joint={"d": 5, "m": 5}))]).candidates[0])
    assert "noise unknown" in text
    assert 'class="noise"' not in text


def test_layers() -> None:
    """Rows stand under their layers, which have a name and a meaning."""
    mini = made([shadow(assertion(), assertion("figures"))]).candidates[0]
    figures, json = mini.checks
    text = assertions(replace(mini, checks=(figures, replace(json, layer="format"))))
    read(text)
    parts = ["<strong>Format</strong> whether it can be read", ">is-json<", "<strong>Task</strong>", ">figures<"]
    assert [text.index(part) for part in parts] == sorted(text.index(part) for part in parts)


def test_places() -> None:
    """Each place with both sides, the difference, its interval and conversations; a mark beyond chance only."""
    mini = made([shadow(assertion())]).candidates[0]
    shown = (place("/a/<b>"), replace(place("/quiet"), flagged=False, interval=EVERYTHING, worse=0, better=0))
    text = assertions(replace(mini, checks=(replace(mini.checks[0], paths=shown),)))
    read(text)
    assert "<summary>Where in the answer: 1 of 2 beyond chance</summary>" in text
    assert text.count('title="beyond chance">▲</span>') == 1
    assert "<th>Live</th>" in text
    assert "<td>8.7%</td><td>1%</td><td>+7.7</td><td>+5.7 to +12.4</td><td>25 worse, 1 better</td>" in text
    assert "<code><bdi>/quiet</bdi></code></th><td>8.7%</td><td>1%</td><td>+7.7</td><td>–</td><td>–</td>" in text


def test_kinds_of_error() -> None:
    """Kinds of error of tool calls have a table of their own."""
    text = comparisons(rich().candidates[0])
    read(text)
    calls = text[text.index(">shadow:tool-calls<") :]
    assert calls.index("<th>Place</th>") < calls.index("get_weather/city") < calls.index("<th>Kind of error</th>")
    assert calls.index("<th>Kind of error</th>") < calls.index("value_error")


def test_energy() -> None:
    """What is further apart than it differs more often says so, and its dot is not good news."""
    text = comparisons(rich().candidates[0])
    row = text[text.index(">shadow:length<") :]
    assert "<small>energy 0.21 (0.08 to 0.34)</small><small>steadier, still different</small>" in row
    assert row.index('class="dot even"') < row.index("energy")
    assert text.count("energy ") == 1


def test_hostile_places() -> None:
    """Paths are what models wrote, and stay text."""
    for part in (assertions, comparisons):
        found = read(part(rich(hostile=True).candidates[0]))
        assert found.tags.isdisjoint({"script", "img"})
        assert "<script>alert(1)</script>" in found.words
