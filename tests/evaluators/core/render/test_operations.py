"""Who answered, how fast, for how much, and where every call went."""

from __future__ import annotations

from dataclasses import replace

from evaluators.core.render.operations import accounting, latency, outcomes, spending
from evaluators.core.tally import Accounting
from tests.evaluators.core.render.pages import lively, made, read, rich, silent
from tests.evaluators.core.samples import assertion, shadow


def test_outcomes() -> None:
    """The table and the ways of failing, those that happened."""
    text = outcomes(lively().candidates[0])
    read(text)
    assert "<th>Only mini failed</th><td>67</td><td>3.4%</td>" in text
    assert "<th>http 429</th><td>6</td><td>19</td>" in text
    assert "malformed" not in text


def test_everybody_answered() -> None:
    """Without failures there is no table of them."""
    assert "answered on both sides" in outcomes(made([shadow(assertion())]).candidates[0])
    assert "0%" in outcomes(silent().candidates[0])


def test_latency() -> None:
    """Both arms per metric, unanswered calls beside them, a ratio where there is one."""
    text = latency(lively().candidates[0])
    read(text)
    assert text.count('class="row"') == 6
    assert "67 unanswered" in text
    assert "live&#39;s</small>" in text
    assert "p95" not in latency(silent().candidates[0])


def test_spending() -> None:
    """Tokens, cost, and the cost of a thousand; a dash where nothing is known."""
    text = spending(lively().candidates[0])
    read(text)
    assert "<th>Cost of a thousand</th><td>$4.33</td><td>$0.74</td><td>0.17×</td>" in text
    assert "<td>–</td>" in spending(silent().candidates[0])


def test_accounting() -> None:
    """Every bucket with its reasons, largest first."""
    text = accounting(lively())
    read(text)
    assert "path 2,300, stateful 410, body too large 12" in text
    assert "34 pairs in the queue." in text
    assert "<summary><bdi>control</bdi> – live asked again</summary>" in text


def test_second_answers_come_after_the_first() -> None:
    """A candidate asked again stands behind it and is said to be that."""
    text = accounting(rich())
    assert text.index("<bdi>mini</bdi></summary>") < text.index("<bdi>mini/again</bdi> – mini asked again</summary>")
    assert text.index("mini asked again") < text.index("live asked again")


def test_counts_that_do_not_add_up() -> None:
    """A broken identity is said aloud."""
    report = made([shadow(accounting=Accounting(calls=9))])
    assert "The counts do not add up." in accounting(report)
    assert "in the queue" not in accounting(replace(report, queue_waiting=-1))
