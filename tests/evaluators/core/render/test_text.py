"""The report for terminals."""

from __future__ import annotations

import re

import pytest

from evaluators.core.render.text import WIDTH, gate_text, text
from evaluators.core.report import Report
from evaluators.core.tally import Accounting
from tests.evaluators.core.render.pages import lively, made, silent
from tests.evaluators.core.samples import comparison, shadow


@pytest.mark.parametrize(
    "report", [lively(), lively(hostile=True), silent(), made([])], ids=["life", "hostile", "silent", "none"]
)
def test_width(report: Report) -> None:
    """No line is wider than a terminal, and none can command it."""
    for shown in (text(report), gate_text(report)):
        assert max(map(len, shown.splitlines())) <= WIDTH
        assert "\x1b" not in shown
        assert shown.endswith("\n")


def test_the_verdict_comes_first() -> None:
    """The first word is the answer."""
    first, second, *rest = text(lively()).splitlines()
    assert first == "FAIL  mini: 1 of 3 blocking rules failed: json."
    assert second == "  2,000 pairs, 1,860 closed conversations, 2,000 with live asked twice".replace(
        "2,000 with", "666 with"
    )
    assert rest[0].startswith("  fail         json: mini fails is-json")


def test_table() -> None:
    """Each check on one line: live or noise, candidate, difference, interval, sequence."""
    found = next(one for one in text(lively()).splitlines() if one.startswith("▲ is-json"))
    assert re.fullmatch(r"▲ is-json +[\d.]+% +[\d.]+% +\+[\d.]+  \+[\d.]+ to \+[\d.]+ +\+[\d.]+ to \+[\d.]+", found)
    assert re.search(r"shadow:text +~\d", text(lively()))


def test_unknown_noise() -> None:
    """Without a control the floor is a question mark."""
    shown = text(made([shadow(comparison(noise={}, joint={"d": 5, "m": 5}))]))
    assert re.search(r"shadow:text +\? +50% +–", shown)
    assert "hit harder" not in shown


def test_accounting() -> None:
    """The identity, written out."""
    assert "mini: 3 calls = 2 sampled out + 1 paired; of these 1 judged, 0 waiting, 0 given up" in text(
        made([shadow(accounting=Accounting(calls=3, sampled_out=2, paired=1, evaluated=1))])
    )
    assert "mini: 0 calls = 0;" in text(silent())
    assert "THE COUNTS DO NOT ADD UP" in text(made([shadow(accounting=Accounting(calls=1))])).replace("\n  ", " ")


def test_colour_changes_no_word() -> None:
    """Colour is paint on the same words."""
    painted = text(lively(), colour=True)
    assert painted != text(lively())
    assert re.sub(r"\x1b\[\d*m", "", painted) == text(lively())
    assert re.sub(r"\x1b\[\d*m", "", gate_text(lively(), colour=True)) == gate_text(lively())


def test_no_candidate() -> None:
    """What to do next."""
    assert "Name one under `candidates:`" in text(made([]))
