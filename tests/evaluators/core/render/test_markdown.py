"""The report for pull requests."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.settings import Gate
from evaluators.core.render.markdown import escaped, gate_markdown, markdown
from tests.evaluators.core.render.pages import discovery, lively, made, rich, silent
from tests.evaluators.core.samples import HOSTILE, assertion, comparison, shadow


def test_report() -> None:
    """Verdict, rules, sentences, and the rest folded away."""
    shown = markdown(lively())
    assert shown.startswith("### ❌ mini: fail\n\n1 of 3 blocking rules failed: json. Based on 2,000 pairs,")
    assert "| ❌ fail | json | mini fails is-json" in shown
    assert "| speed (signal) |" in shown
    assert shown.count("<details>") == shown.count("</details>") == 4
    assert "| topic=medical | not-is-refusal |" in shown
    assert "| cost per answer | $0.0043 | $0.00074 | 0.17× |" in shown


def test_tables_have_their_columns() -> None:
    """Hostile names do not add a column or a row."""
    for block in (markdown(lively(hostile=True)) + markdown(rich(hostile=True))).split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in rows}) <= 1


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text(name: str) -> None:
    """No markup, no link, no mention."""
    shown = escaped(f"{name} @all #1 https://x.y www.x.y")
    assert not set("<>|`*_[]@\n\x00\x1b\u202e") & set(shown)
    assert "://" not in shown
    assert "www." not in shown
    assert "&#64;all &#35;1" in shown


def test_quiet_report() -> None:
    """Nothing flagged, nothing known of tokens or of the floor."""
    shown = markdown(made([shadow(assertion(), comparison(noise={}, joint={"m": 5}))]))
    assert "No slice is hit harder" in shown
    assert "| output tokens | – | – | – |" in shown
    assert "| unknown | 0% | unknown |" in shown


def test_decision_alone() -> None:
    """The gate's comment has no folded parts; without gates it says so."""
    assert "<details>" not in gate_markdown(lively())
    assert "❔ mini: inconclusive" in gate_markdown(silent())
    assert "<details>" not in markdown(silent())
    assert markdown(made([])) == gate_markdown(made([])) == "No candidate is known yet.\n"


def test_layers_and_energy() -> None:
    """Each check with its layer and dimension, none averaged; energy below the table."""
    shown = markdown(rich())
    assert "| task | ▲ is-json | correctness |" in shown
    assert "| task | · shadow:length | difference |" in shown
    assert "- shadow:length: energy 0.21 (0.08 to 0.34): steadier, still different" in shown


def test_places() -> None:
    """What is flagged with both sides; the kinds of error apart."""
    shown = markdown(rich())
    assert "| is-json | get&#95;weather/city | 1% | 8.7% | +7.7 | +5.7 to +12.4 |" in shown
    kinds = shown[shown.index("| Check | Kind of error |") :]
    assert "| shadow:tool-calls | value&#95;error | ~ 1% | 8.7% |" in kinds[: kinds.index("\n\n")]
    assert "within" not in shown[shown.index("Where in the answers") : shown.index("Where in the traffic")]
    assert "Nothing differs in one place beyond chance." in markdown(made([shadow(assertion())]))


def test_pairs_and_discoveries() -> None:
    """Pairs of their own, then discoveries; the rest is counted."""
    shown = markdown(rich())
    assert (
        "| get&#95;weather/city &#38; turn=first | not-is-refusal | +38.8 | +27 to +49 | 33 of 80; elsewhere" in shown
    )
    assert "\n4 pairs of keys inside these slices left out.\n" in shown
    assert "| turn=first &#38; get&#95;weather/city | not-is-refusal | 12 of 40 | 31 of 90 | 14 of 800 |" in shown
    assert "\n1 pair of keys found on earlier traffic, not confirmed on later.\n" in shown
    mini = replace(rich().candidates[0], discoveries=(discovery("a=b & c=d", False),))
    assert "Found on earlier traffic |" not in markdown(replace(rich(), candidates=(mini,)))


def test_when() -> None:
    """A decision that waits says when it is due."""
    gate = Gate(name="json", check="is-json", max_regression=0.02)
    report = made([shadow(assertion(joint={"pp": 60}))], gate)
    assert "The decision is expected in 8 hours at the present traffic. Based on 60 pairs" in gate_markdown(report)
