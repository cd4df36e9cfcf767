"""The report for terminals."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from config.settings import Gate
from evaluators.core.render.text import WIDTH, gate_text, text
from evaluators.core.report import Report
from evaluators.core.tally import Accounting
from tests.evaluators.core.render.pages import discovery, lively, made, rich, silent
from tests.evaluators.core.samples import assertion, comparison, shadow


@pytest.mark.parametrize(
    "report",
    [lively(), lively(hostile=True), rich(), rich(hostile=True), silent(), made([])],
    ids=["life", "hostile", "rich", "rich-hostile", "silent", "none"],
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
    found = next(one for one in text(lively()).splitlines() if one.startswith("▲   is-json"))
    assert re.fullmatch(r"▲   is-json +[\d.]+% +[\d.]+% +\+[\d.]+  \+[\d.]+ to \+[\d.]+ +\+[\d.]+ to \+[\d.]+", found)
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


def after(shown: str, heading: str) -> list[str]:
    """The lines under a heading."""
    lines = shown.split(f"\n  {heading}")[1].splitlines()[1:]
    return lines[: lines.index("")]


def test_layers() -> None:
    """Checks stand under their layers; a note of energy under its check, whose mark is not good news."""
    lines = text(rich()).splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("·   shadow:length"))
    assert lines[at + 1] == "      energy 0.21 (0.08 to 0.34): steadier, still different"
    assert lines[lines.index("  task") - 1].startswith("  check")


def test_places() -> None:
    """What is flagged, the kinds of error apart; what is cut is counted."""
    shown = text(rich())
    places, kinds = after(shown, "where in the answer, beyond chance"), after(shown, "kinds of error, beyond chance")
    assert re.fullmatch(r"▲ is-json get_weather/city +1% +8\.7% +\+7\.7  \+5\.7 to \+12\.4", places[0])
    assert "    is-json: 1 more" in places
    assert any(re.match(r"▲ shadow:tool-calls get_weather/city +~1% ", line) for line in places)
    assert not any("within" in line or "tool-calls value_error" in line for line in places)
    assert [line.split()[1:3] for line in kinds] == [["shadow:tool-calls", "value_error"]]


def test_slices() -> None:
    """Single keys, then pairs, then discoveries; what repeats or is not confirmed is counted."""
    shown = text(rich())
    single, pairs = after(shown, "hit harder than the rest"), after(shown, "two keys at once")
    assert single[0] == "▲ topic=medical"
    assert re.fullmatch(r"    not-is-refusal: \+[\d.]+ points; \d+ of \d+ worse, elsewhere \d+ of [\d,]+", single[1])
    assert single[-1] == "    4 pairs of keys inside these slices left out"
    assert pairs == [
        "▲ get_weather/city & turn=first",
        "    not-is-refusal: +38.8 points; 33 of 80 worse, elsewhere 60 of 1,200",
    ]
    found = after(shown, "found on earlier traffic, confirmed on later")
    assert found[:2] == [
        "▲ turn=first & get_weather/city",
        "    not-is-refusal: earlier 12 of 40 worse, later 31 of 90, elsewhere 14 of 800",
    ]
    assert found[-1] == "    1 pair of keys found on earlier traffic, not confirmed on later"


def test_nothing_confirmed() -> None:
    """Suspects alone have no heading."""
    mini = replace(rich().candidates[0], discoveries=(discovery("a=b & c=d", False),))
    shown = text(replace(rich(), candidates=(mini,)))
    assert "confirmed on later\n▲" not in shown
    assert "\n\n    1 pair of keys found on earlier traffic, not confirmed on later\n" in shown


def test_second_answers() -> None:
    """A candidate asked again is no candidate."""
    assert "\n  mini/again (mini asked again): " in text(rich())
    assert "\n  control (live asked again): " in text(rich())


def test_when() -> None:
    """A decision that waits says when it is due."""
    gate = Gate(name="json", check="is-json", max_regression=0.02)
    report = made([shadow(assertion(joint={"pp": 60}))], gate)
    assert gate_text(report).splitlines()[1] == "  The decision is expected in 8 hours at the present traffic."
