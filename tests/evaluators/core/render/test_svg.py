"""Pictures: well-formed, inside their frame, and the same meaning in words."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from evaluators.core.render.svg import (
    Dot,
    Scale,
    axis,
    bar_row,
    dot_row,
    icon,
    log_scale_of,
    scale_of,
    strip_row,
)

LINE = Scale(-1.0, 1.0)


def parsed(picture: Markup) -> ElementTree.Element:
    """The picture as XML; every position is inside the frame."""
    root = ElementTree.fromstring(picture)
    for mark in root.iter():
        for name in ("x", "x1", "x2", "cx"):
            if mark.get(name, "").endswith("%"):
                assert 0 <= float(mark.get(name, "")[:-1]) <= 100
        assert "style" not in mark.attrib
    return root


@pytest.mark.parametrize(("value", "at"), [(-1.0, 3.0), (0.0, 50.0), (1.0, 97.0), (-9.0, 3.0), (9.0, 97.0)])
def test_places(value: float, at: float) -> None:
    """Values map to percent; what is outside stops at the ends."""
    assert LINE.at(value) == at


def test_logarithmic_places() -> None:
    """Equal ratios are equal distances, and nothing is below the lowest."""
    scale = Scale(0.1, 10.0, log=True)
    assert (scale.at(0.1), scale.at(1.0), scale.at(10.0), scale.at(0.0)) == (3.0, 50.0, 97.0, 3.0)
    assert scale.ticks() == (0.1, 1.0, 10.0)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0)),
        (-0.03, 0.055, (-0.025, 0.0, 0.025, 0.05)),
        (0.0, 0.8, (0.0, 0.2, 0.4, 0.6, 0.8)),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: tuple[float, ...]) -> None:
    """A few round values."""
    assert Scale(low, high).ticks() == pytest.approx(ticks)


@pytest.mark.parametrize("values", [(), (0.0,), (0.3,), (-0.3, 0.1), (-0.001,), (1e-9,)])
def test_scale_holds_zero_and_all(values: tuple[float, ...]) -> None:
    """Zero and every value fit, and the scale has a width."""
    scale = scale_of(values)
    assert scale.low <= min(0.0, *values, 0.0) <= max(0.0, *values, 0.0) <= scale.high
    assert scale.high - scale.low >= 0.01 - 1e-12


@pytest.mark.parametrize("values", [(), (-1.0,), (0.2,), (0.01, 100.0)])
def test_log_scale(values: tuple[float, ...]) -> None:
    """Durations that never came are left out; one alone still has a scale."""
    scale = log_scale_of(values)
    assert scale.high / scale.low >= 4
    assert all(scale.low < value < scale.high for value in values if value > 0)


def test_a_full_dot() -> None:
    """Every layer is there, the dot last."""
    dot = Dot(0.5, (0.4, 0.6), "worse", watched=(0.3, 0.7), noise=(0.1, 0.2), floor=(0.15,), limit=(0.25,))
    root = parsed(dot_row(LINE, dot, "is <worse> & more"))
    assert root[0].text == "is <worse> & more"
    kinds = [mark.get("class") for mark in root[1:]]
    assert kinds == ["zero", "noise", "floor", "watched", "watched", "watched", "span worse", "limit", "dot worse"]


def test_a_bare_dot() -> None:
    """What is not known is not drawn."""
    assert [mark.get("class") for mark in parsed(dot_row(LINE, Dot(0.5, ()), ""))[1:]] == ["zero", "dot even"]


@pytest.mark.parametrize(
    ("quantiles", "marks"),
    [((0.1, 0.2, 0.4), 4), ((0.1, 0.2, -1.0), 3), ((0.1, -1.0, -1.0), 2), ((-1.0, -1.0, -1.0), 0)],
)
def test_strip(quantiles: tuple[float, ...], marks: int) -> None:
    """A line, a dot, and a bar for every further quantile that exists."""
    root = parsed(strip_row(Scale(0.05, 1.0, log=True), quantiles, "live", "t"))
    assert len(root) - 1 == marks


def test_bars() -> None:
    """A bar can be seen however short; an empty one is a line."""
    scale = Scale(0.0, 1e6)
    assert float(parsed(bar_row(scale, 0, 1, "kept", "t"))[1].get("width", "")[:-1]) == 0.4
    assert parsed(bar_row(scale, 5, 5, "kept", "t"))[1].get("class") == "empty"


def test_axis_labels_stay_inside() -> None:
    """The first label starts and the last one ends at its tick."""
    labels = [mark.get("text-anchor") for mark in parsed(axis(Scale(0, 1), list("abcde"))) if mark.tag == "text"]
    assert labels == ["start", "middle", "middle", "middle", "end"]


@pytest.mark.parametrize("verdict", ["pass", "fail", "wait", "inconclusive"])
def test_verdicts_have_shapes(verdict: str) -> None:
    """Four shapes, so that no verdict depends on colour."""
    assert len(parsed(icon(verdict))) == 2


def test_no_dot_without_an_estimate() -> None:
    """What is not known is not drawn at zero: only the limit stays."""
    drawn = dot_row(Scale(0.0, 2.0), Dot(-1.0, (0.5, 1.0), "worse", limit=(1.3,), known=False), "no ratio")
    assert "circle" not in drawn
    assert "span" not in drawn
    assert "limit" in drawn
