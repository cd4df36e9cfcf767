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
    assert "<small>100 more conversations</small>" in text
    assert '<strong class="worse">fail</strong>' in text


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


def test_what_is_missing_has_a_time() -> None:
    """Conversations still missing, and how long they take as they come in now."""
    gate = Gate(name="json", check="is-json", max_regression=0.02)
    text = rules(made([shadow(assertion(joint={"pp": 60}))], gate).candidates[0])
    read(text)
    assert "<small>168 more conversations</small><small>8 hours</small>" in text


def test_a_count_has_a_picture() -> None:
    """Golden sets fail by number."""
    gate = Gate(name="golden", check="is-json", max_failures=2)
    text = rules(made([shadow(assertion(joint={"pp": 20, "pf": 1}))], gate).candidates[0])
    read(text)
    assert "1 failed with the limit at 2" in text
    assert "<small>29 more calls</small>" in text


def test_the_card_says_when() -> None:
    """A decision that waits is due when its slowest rule is."""
    gate = Gate(name="json", check="is-json", max_regression=0.02)
    candidate = made([shadow(assertion(joint={"pp": 60}))], gate).candidates[0]
    assert "not decided yet: json. The decision is expected in 8 hours at the present traffic.</p>" in card(candidate)
    assert "expected in" not in card(lively().candidates[0])
