"""The published JSON: every name as documented, plain values only."""

from __future__ import annotations

import json

import orjson
import pytest

from config.settings import Gate
from evaluators.core.gate import decided
from evaluators.core.report import Decision, Report, ReportRules, Verdict, build, gate_json, overall, to_json
from tests.evaluators.core.samples import WINDOW, life

GATES = (Gate(name="json", check="is-json", max_regression=0.005),)


@pytest.fixture(scope="module")
def report() -> Report:
    """A life-like report with one rule."""
    rules, tallies = ReportRules(gates=GATES), life(1500)
    return decided(build(tallies, rules, WINDOW, 9.0, 1), tallies, rules)


KEYS = {
    "": "schema generated_at window alpha accounting queue_waiting candidates",
    "window": "start end first_arrival last_arrival",
    "accounting.mini": ("calls ineligible sampled_out skipped dropped paired evaluated waiting dead_lettered balanced"),
    "candidates.0": (
        "name pairs conversations control_pairs outcomes checks slices crossings discoveries latency tokens cost "
        "decision"
    ),
    "candidates.0.outcomes": "both_ok candidate_failed live_failed both_failed excused kinds",
    "candidates.0.outcomes.kinds": "live candidate",
    "candidates.0.outcomes.kinds.live": (
        "timeout connect reset http_4xx http_429 http_5xx truncated malformed blank refused_by_provider client_left"
    ),
    "candidates.0.checks.0": (
        "check kind type layer dimension severity version skipped broken clustered sequence conversations paths "
        "examples arms n regressed fixed difference interval p answered"
    ),
    "candidates.0.checks.0.arms": "live candidate control",
    "candidates.0.checks.0.arms.live": "n failed rate interval",
    "candidates.0.checks.0.answered": "n regressed fixed difference interval",
    "candidates.0.checks.4": (
        "check kind type layer dimension severity version skipped broken clustered sequence conversations paths "
        "examples arms rate noise excess answered energy steadier"
    ),
    "candidates.0.checks.4.energy": "value interval sequence n",
    "candidates.0.checks.4.arms": "candidate control",
    "candidates.0.checks.4.excess": "value interval n candidate_only control_only",
    "candidates.0.checks.4.noise": "value interval n",
    "candidates.0.checks.4.paths.0": "path candidate noise n excess interval e_value flagged worse better",
    "candidates.0.latency": "first_byte total gap",
    "candidates.0.latency.gap": "live candidate ratio",
    "candidates.0.latency.gap.live": "n missing p50 p95 p99",
    "candidates.0.latency.gap.ratio": "p50 p95 p99",
    "candidates.0.latency.gap.ratio.p95": "value interval",
    "candidates.0.tokens": "input output",
    "candidates.0.cost": "live candidate ratio",
    "candidates.0.cost.live": "n sum mean",
    "candidates.0.decision": "verdict reason rules",
    "candidates.0.decision.rules.0": "name kind subject severity verdict reason limit value interval needs expected_in",
}


@pytest.mark.parametrize("path", KEYS)
def test_names(report: Report, path: str) -> None:
    """The names are a promise to every reader of the file."""
    checks = sorted(to_json(report)["candidates"][0]["checks"], key=lambda check: (check["kind"], check["check"]))
    found = to_json(report)
    found["candidates"][0]["checks"] = checks
    for step in filter(None, path.split(".")):
        found = found[int(step)] if step.isdigit() else found[step]
    assert set(found) == set(KEYS[path].split())


@pytest.mark.parametrize(("kind", "measure"), [("is-json", "difference"), ("shadow:text", "excess")])
def test_slices(report: Report, kind: str, measure: str) -> None:
    """A slice carries a difference or an excess, by the kind of its check."""
    found = next(one for one in to_json(report)["candidates"][0]["slices"] if one["check"] == kind)
    names = "slice check n arms interval conversations worse others others_worse e_value tested flagged direction"
    assert set(found) == {measure, "alone", "answered", "examples", *names.split()}
    assert set(found["arms"]) == {"candidate", "live" if measure == "difference" else "control"}


def test_plain_values(report: Report) -> None:
    """orjson and the standard library both write it, and no number is NaN or infinite."""
    text = orjson.dumps(to_json(report))
    assert json.loads(text) == json.loads(json.dumps(to_json(report), allow_nan=False))


def test_gate_json(report: Report) -> None:
    """The decisions alone, with one verdict over all."""
    found = gate_json(report)
    assert found["verdict"] == "fail"
    assert found["candidates"][0]["decision"] == to_json(report)["candidates"][0]["decision"]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((), "inconclusive"),
        (("pass", "pass"), "pass"),
        (("pass", "inconclusive"), "inconclusive"),
        (("inconclusive", "wait"), "wait"),
        (("wait", "fail", "pass"), "fail"),
    ],
)
def test_overall(verdicts: tuple[str, ...], expected: str) -> None:
    """The worst verdict is everybody's."""
    assert overall(Decision(Verdict(verdict), "") for verdict in verdicts) == expected
