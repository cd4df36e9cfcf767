"""The card and the rules."""

from __future__ import annotations

from config.settings import Gate
from evaluators.core.render.verdict import card, navigation, rules
from tests.evaluators.core.render.pages import lively, made, read, silent
from tests.evaluators.core.samples import assertion, shadow


def test_card() -> None:
    """The verdict in words and as a shape, the reason, the findings and the key figures."""
    text = card(lively().candidates[0])
    read(text)
    assert 'class="icon fail"' in text
    assert "1 of 3 blocking rules failed: json." in text
    assert "<dt>Pairs judged</dt><dd>2,000" in text


def test_rules_have_a_picture_and_a_reason() -> None:
    """Each rule shows its limit; a rule without evidence shows no interval."""
    text = rules(lively().candidates[0])
    read(text)
    assert text.count('class="limit"') == 5
    assert "signal only" in text
    assert "100 conversations more" in text
    assert '<strong class="worse">fail</strong>' in text
    assert "100 conversations</small>" not in text


def test_no_rules() -> None:
    """Without gates there is nothing to list."""
    assert rules(silent().candidates[0]) == ""


def test_a_ratio_beyond_the_picture() -> None:
    """An unbounded interval does not stretch the scale."""
    tally = shadow(assertion(), outcomes={("ok", "timeout"): 100})
    gate = Gate(name="speed", metric="total_p95", max_ratio=1.2)
    read(rules(made([tally], gate).candidates[0]))


def test_navigation() -> None:
    """Every candidate with its verdict, when there are several."""
    assert navigation(silent()) == ""
    assert navigation(made([shadow(name="a"), shadow(name="b")])).count("<a ") == 2
