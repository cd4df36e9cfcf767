"""Tables, goals and the picture, from samples that are written down here."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from tests.bench.chart import draw
from tests.bench.figures import Figures, share
from tests.commands.bench import report


def sample(rate: float, **other: Any) -> dict[str, Any]:
    """One round of a system that answers so many calls a second."""
    marks = {"n": 100, "p50": 10.0, "p99": 12.0}
    return {
        "rate": rate,
        "cpu_us": 1e6 / rate,
        "live_cpu_us": 1e6 / rate,
        "core": 1.0,
        "bad": 0,
        "whole": None,
        "pairs": None,
        "foreign": 0.0,
        "model_late_us": 10,
        "latency_ms": marks,
        "first_ms": marks,
        "late_ms": marks,
        **other,
    }


def data(**saturation: list[dict[str, Any]]) -> dict[str, Any]:
    """What `--json` writes."""
    results = {label.replace("_", ":"): found for label, found in saturation.items()}
    return {
        "machine": {"cpu": "CPU <1>", "cores": "2 cores", "kernel": "Linux 6", "python": "Python 3"},
        "versions": {"nginx": "1.22.1"},
        "options": {"rounds": 3, "seconds": 3, "quick": False},
        "absent": {"portkey": "needs Node"},
        "scenarios": {"saturation": results, "slow": results},
    }


@pytest.mark.parametrize(
    ("own", "measured", "met"),
    [
        pytest.param({}, "1.20 ×", "yes", id="as it should be"),
        pytest.param({"pairs": 0.97}, "1.20 ×; understudy:1 kept 97.0% of its pairs", "**no**", id="lost pairs"),
        pytest.param({"bad": 2}, "1.20 ×; understudy:1 gave 6 bad answers", "**no**", id="bad answers"),
    ],
)
def test_a_goal_is_not_met_by_losing_pairs_or_calls(own: dict[str, Any], measured: str, met: str) -> None:
    """Faster than the peer counts only with every answer good and every pair kept."""
    found = report(data(nginx_1=[sample(10_000.0)] * 3, understudy_1=[sample(12_000.0, **own)] * 3))
    assert f"| calls per second, understudy:1 beside nginx:1 | ≥ 1 × | {measured} | {met} |" in found


def test_a_peer_that_answered_nothing_meets_no_goal() -> None:
    """A ratio to nothing is not a number, and no goal is met by it."""
    figures = Figures({"a:0": [{"rate": 5.0}], "b:0": [{"rate": 0.0}]})
    assert not figures.times("a:0", "b:0", "rate") >= 1


def test_medians_are_shown_with_their_range() -> None:
    """The lowest and the highest round stand beside the median."""
    figures = Figures({"a:0": [{"m": {"p50": value}} for value in (3.0, 1.0, 9.0)]})
    assert figures.show("a:0", "m.p50", ".1f") == "3.0 (1.0–9.0)"


def test_almost_all_is_not_all() -> None:
    """A share just below one is not rounded up to it."""
    assert [share(1.0), share(0.99999), share(0.5), share(float("nan"))] == ["100%", "99.9%", "50.0%", "–"]


def test_what_is_left_out_is_said_with_the_way_to_get_it() -> None:
    """A missing system is a line of the report."""
    assert "Left out: portkey: needs Node" in report(data(nginx_1=[sample(10_000.0)]))


def test_the_picture_is_well_formed_and_names_every_system() -> None:
    """It can be parsed, shows each system measured, and escapes what the machine calls itself."""
    picture = draw(
        data(
            nginx_0=[sample(70_000.0)],
            understudy_0=[sample(20_000.0)],
            litellm_0=[sample(100.0)],
            direct_0=[sample(1e5)],
        )
    )
    words = " ".join(
        text.text or "" for text in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
    )
    for expected in ("nginx mirror 70,000", "Understudy 20,000", "LiteLLM silent model 100", "CPU <1>"):
        assert expected in words
