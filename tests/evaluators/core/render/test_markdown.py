"""The report for pull requests."""

from __future__ import annotations

import pytest

from evaluators.core.render.markdown import escaped, gate_markdown, markdown
from tests.evaluators.core.render.pages import lively, made, silent
from tests.evaluators.core.samples import HOSTILE, assertion, comparison, shadow


def test_report() -> None:
    """Verdict, rules, sentences, and the rest folded away."""
    shown = markdown(lively())
    assert shown.startswith("### ❌ mini: fail\n\n1 of 3 blocking rules failed: json. Based on 2,000 pairs,")
    assert "| ❌ fail | json | mini fails is-json" in shown
    assert "| speed (signal) |" in shown
    assert shown.count("<details>") == shown.count("</details>") == 3
    assert "| topic=medical | not-is-refusal |" in shown
    assert "| cost per answer | $0.0043 | $0.00074 | 0.17× |" in shown


def test_tables_have_their_columns() -> None:
    """Hostile names do not add a column or a row."""
    for block in markdown(lively(hostile=True)).split("\n\n"):
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
