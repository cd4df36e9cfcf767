"""plan: through the real command, on a store filled as the worker fills it."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluators.core.stats.planning import pairs_needed
from tests.evaluators.cli.conftest import Type
from tests.evaluators.stocked import RULES, configured, pair, stock

GOOD, BAD = "A week in Oslo", "A week at home"
MORE = """  - {name: never, check: oslo, red_line: 1%}
  - {name: golden, check: oslo, max_failures: 0}
  - {name: once, check: oslo, max_regression: 20%, mode: fixed, at: 60}
  - {name: quick, metric: total, within: 60s, red_line: 5%}
"""


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """Forty calls in 39 seconds; the candidate misses the city in ten, live in ten others."""
    file = configured(tmp_path, RULES + MORE)
    stock(file, [pair(n, BAD if n % 4 == 1 else GOOD, BAD if n % 4 == 0 else GOOD) for n in range(40)])
    return file


def test_as_data(typed: Type, filled: Path) -> None:
    """Half of the conversations differ: each gate says what that will take at this pace."""
    done = typed("plan", "-c", filled, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["schema"] == 1
    (mini,) = done.json["candidates"]
    assert (mini["name"], mini["conversations"], mini["per_hour"]) == ("mini", 40, pytest.approx(40 / 39 * 3600))
    gates = {gate["name"]: gate for gate in mini["gates"]}
    city = gates["city"]
    assert (city["seen"]["conversations"], city["seen"]["share"]) == (40, 0.5)
    (step,) = city["steps"]
    half = max(50, pairs_needed(0.5, 0.2))
    assert (step["discordance"], step["half"]) == (0.5, half)
    assert step["half_seconds"] == pytest.approx(half * 39 / 40)
    assert step["likely"] == pairs_needed(0.5, 0.2, power=0.9)
    assert [step["failures"] for step in gates["never"]["steps"]] == [0, 1, 2]
    assert gates["never"]["steps"][0]["half"] == 335
    assert gates["once"]["steps"][0]["chance"] == pytest.approx(0.707, abs=0.01)
    assert (gates["golden"]["steps"], bool(gates["golden"]["note"])) == ([], True)


def test_for_people(typed: Type, filled: Path) -> None:
    """Every gate has its lines, in plain words and without control characters."""
    done = typed("plan", "-c", filled, "--per-hour", "60")
    assert (done.code, done.err) == (0, "")
    first, *lines = done.out.splitlines()
    assert first == "mini: 40 closed conversations so far, 60 an hour"
    assert "  city: max regression 20 points" in lines
    assert any(line.startswith("    so far 50% of 40 differ (35.2% to 64.8%)") for line in lines)
    assert "    with 0 failures:  released at 335 (6 hours)" in lines
    assert any("released with a chance of 70.7% at 60 (1 hour)" in line for line in lines)
    assert "  golden: max failures 0, counts, and passes with its last call" in lines
    assert "\x1b" not in done.out
    assert max(map(len, lines)) <= 100


def test_before_the_first_pair(typed: Type, file: Path) -> None:
    """Nothing is known yet, and shares may be given."""
    assert "nothing seen yet; plan with --discordance" in typed("plan", "-c", file).out
    done = typed("plan", "-c", file, "--discordance", "2%,0.1, 30%", "--json")
    (gate,) = done.json["candidates"][0]["gates"]
    assert [step["discordance"] for step in gate["steps"]] == [0.02, 0.1, 0.3]
    assert {step["half_seconds"] for step in gate["steps"]} == {-1.0}
    shown = typed("plan", "-c", file, "--discordance", "30%").out
    assert "their pace is not known: give --per-hour" in shown
    assert "at 30%:  50% released by" in shown


@pytest.mark.parametrize("share", ["0%", "150%", "many", "2%;3%"])
def test_no_shares(typed: Type, file: Path, share: str) -> None:
    """What is no share is wrong usage, and says so."""
    done = typed("plan", "-c", file, "--discordance", share)
    assert (done.code, done.out) == (2, "")
    assert "--discordance" in done.err


def test_one_candidate(typed: Type, filled: Path) -> None:
    """A name nobody knows is told those that are known."""
    assert typed("plan", "-c", filled, "--candidate", "mini").code == 0
    done = typed("plan", "-c", filled, "--candidate", "maxi")
    assert (done.code, "known: mini" in done.err) == (2, True)


def test_without_gates_or_candidates(typed: Type, tmp_path: Path) -> None:
    """An empty file is told what is missing."""
    assert "No gates are configured" in typed("plan", "-c", configured(tmp_path, "")).out
    alone = tmp_path / "alone.yaml"
    alone.write_text(f"data: {tmp_path}/data\nlive: {{base_url: 'http://127.0.0.1:9'}}\n", encoding="utf-8")
    assert "No candidate is known yet" in typed("plan", "-c", alone).out


def test_longer_than_it_may_take(typed: Type, tmp_path: Path) -> None:
    """A plan beyond max_conversations says that the rule would stay undecided; beyond patience there is no number."""
    rules = RULES.replace("20%, min_conversations: 50", "1%, min_conversations: 50, max_conversations: 500")
    shown = typed("plan", "-c", configured(tmp_path, rules), "--discordance", "10%").out
    assert "too late is after 500 conversations, where max_conversations ends it undecided" in shown
    assert shown.count(" – too late") == 2
    rules = RULES.replace("20%", "0.01%")
    assert (
        "no number that anybody would wait for"
        in typed("plan", "-c", configured(tmp_path, rules), "--discordance", "30%").out
    )


def test_a_service_level_is_counted(typed: Type, filled: Path) -> None:
    """A gate with `within` runs as a check of its name, so plan, gate and report speak of calls that took too long."""
    (mini,) = typed("gate", "-c", filled, "--json").json["candidates"]
    quick = next(rule for rule in mini["decision"]["rules"] if rule["name"] == "quick")
    assert (quick["kind"], quick["subject"], quick["limit"]) == ("red_line", "quick", 0.05)
    assert "mini takes more than 60.00 s (total), or gives no answer, in 0% of 40 conversations" in quick["reason"]
    report = typed("report", "-c", filled, "--json").json["candidates"][0]
    (check,) = [check for check in report["checks"] if check["check"] == "quick"]
    assert (check["type"], check["dimension"], check["arms"]["candidate"]["n"]) == ("latency", "latency", 40)
