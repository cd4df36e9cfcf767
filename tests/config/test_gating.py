"""Gates: one limit each, what it limits, and contradictions told with the remedy."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from config.gating import Gate
from config.settings import Settings

WITHIN = {"metric": "total", "within": "1500ms"}


@pytest.mark.parametrize(
    ("given", "kind", "limit", "label"),
    [
        pytest.param({"check": "x", "max_regression": "0.5%"}, "max_regression", 0.005, "x", id="paired"),
        pytest.param({"check": "x", "max_excess": 0.05}, "max_excess", 0.05, "x", id="excess"),
        pytest.param({"check": "x", "red_line": 0.0}, "red_line", 0.0, "x", id="zero-is-a-limit"),
        pytest.param(
            {"check": "golden", "max_failures": 0, "min_calls": 9}, "max_failures", 0.0, "golden", id="golden"
        ),
        pytest.param({"metric": "cost", "max_ratio": 1.2}, "max_ratio", 1.2, "", id="ratio"),
        pytest.param({"metric": "cost", "max_ratio": 0.5}, "max_ratio", 0.5, "", id="half-the-cost"),
        pytest.param({"metric": "total_p95", "max_ratio": 4}, "max_ratio", 4.0, "", id="quantiles-are-not-clipped"),
        pytest.param({**WITHIN, "red_line": "5%"}, "red_line", 0.05, "g", id="service-level"),
        pytest.param({"check": "x", "max_excess": 0.1, "mode": "fixed", "at": 9}, "max_excess", 0.1, "x", id="fixed"),
    ],
)
def test_kinds(given: dict[str, Any], kind: str, limit: float, label: str) -> None:
    """Each limit goes with its subject, and a gate knows whose tallies it judges."""
    gate = Gate.model_validate({"name": "g", **given})
    assert (gate.kind, gate.limit, gate.label) == (kind, limit, label)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"check": "x"}, "(found: none)"),
        ({"check": "x", "max_excess": 0.1, "red_line": 0.1}, "(found: max_excess and red_line)"),
        ({"metric": "cost", "red_line": 0.1}, "red_line limits a check"),
        ({"check": "x", "max_ratio": 1.1}, "max_ratio limits a metric"),
        ({"check": "x", "metric": "cost", "max_ratio": 1.1}, "leave out `check:`"),
        ({"max_excess": 0.1}, "give `check:`"),
        ({"metric": "cost", "max_ratio": 3.0}, "max_ratio of cost lies between 0.37 and 2.71"),
        ({"metric": "cost", "max_ratio": 0.3}, "clipped there"),
        ({"metric": "cost", "within": "1s", "red_line": 0.1}, "`within:` makes a service level"),
        ({**WITHIN, "max_ratio": 1.1}, "red_line or max_regression"),
        ({**WITHIN, "check": "x", "red_line": 0.1}, "`within:` makes a service level"),
        ({"check": "x", "red_line": 0.1, "when": {"topic": "a"}}, "give one key with one value"),
        ({"check": "x", "max_excess": 0.1, "when": {"topic": ["a", "b"]}}, "give one key with one value"),
        ({"check": "x", "max_excess": 0.1, "when": {"topic": "a", "turn": 1}}, "give one key with one value"),
        ({"check": "x", "max_excess": 0.1, "mode": "fixed"}, "`mode: fixed` and `at:` belong together"),
        ({"check": "x", "max_excess": 0.1, "at": 9}, "`mode: fixed` and `at:` belong together"),
        ({"metric": "cost", "max_ratio": 1.1, "mode": "fixed", "at": 9}, "leave it out for max_ratio"),
        ({"check": "x", "red_line": 0.1, "min_calls": 9}, "belongs to max_failures"),
        ({"check": "x", "max_failures": 1, "alpha": 0.1}, "leave out `alpha:`"),
        ({"check": "x", "red_line": 0.1, "min_conversations": 9, "max_conversations": 8}, "min_conversations is above"),
    ],
    ids=str,
)
def test_contradictions(given: dict[str, Any], said: str) -> None:
    """A gate that contradicts itself is refused with the remedy."""
    with pytest.raises(ValidationError, match=r"^1 validation error") as caught:
        Gate.model_validate({"name": "g", **given})
    assert said in str(caught.value)


@pytest.mark.parametrize("value", ["billing", ["billing"]])
def test_a_slice(value: Any) -> None:
    """`when` names one slice; of a service level it says which calls are counted at all."""
    assert Gate(name="g", check="x", max_regression=0.1, when={"topic": value}).slice == "topic=billing"
    assert Gate(name="g", red_line=0.1, when={"topic": value}, **WITHIN).slice == ""
    assert Gate(name="g", check="x", max_regression=0.1).slice == ""


@pytest.mark.parametrize(("metric", "kind"), [("total", "latency"), ("first_byte", "first-byte")])
def test_a_service_level_is_a_check(metric: str, kind: str) -> None:
    """Settings measure it under the gate's name, in milliseconds, where the gate says."""
    gate = {"name": "quick", "metric": metric, "within": "1500ms", "red_line": "5%", "when": {"topic": "billing"}}
    cost = {"name": "cost", "metric": "cost", "max_ratio": 1.2}
    settings = Settings.model_validate({"live": {"base_url": "http://live"}, "checks": [], "gates": [gate, cost]})
    (check,) = settings.measured
    assert (check.type, check.label, check.threshold, check.severity) == (kind, "quick", 1500.0, "blocker")
    assert check.when == {"topic": "billing"}
    assert settings.checks == []
