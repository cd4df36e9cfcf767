"""Planted beside found: what counts as found, as missed, as explained, and as found though nobody planted it."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators.demo.faults import FAULTS, FAULTY, HONEST, Fault, Signal
from evaluators.demo.verdict import Comparison, beyond_chance, compare

JSON = Fault(
    "json", "format", "cut", 0.1, "orders", Signal("check", "is-json"), frozenset({"shadow:text"}), frozenset({"t=o"})
)
RARE = Fault("rare", "service", "429", 0.1, "all", Signal("kind", "http_429"))
SLOW = Fault("slow", "service", "late", 2.0, "all", Signal("latency", "first_byte"), frozenset({"total"}))
TOOL = Fault(
    "tool", "task", "city", 0.1, "all", Signal("path", "shadow:tool-calls w/city"), frozenset({"shadow:tool-calls"})
)
PLACE = Fault("place", "safety", "no", 0.1, "t=o", Signal("check", "refusal", "t=o"), slices=frozenset({"t=o"}))

CITY = {"path": "w/city", "candidate": 0.3, "noise": 0, "n": 100}


def pair(worse: int, better: int = 0) -> dict[str, Any]:
    return {"regressed": worse, "fixed": better, "difference": worse / 100, "interval": [0.0, 1.0], "n": 100}


def assertion(name: str, worse: int, better: int = 0) -> dict[str, Any]:
    return {"check": name, "kind": "assertion", "answered": pair(worse, better), "paths": []}


def comparison(name: str, more: int, less: int = 0, paths: tuple[Any, ...] = ()) -> dict[str, Any]:
    excess = {"value": 0.1, "interval": [0.0, 0.2], "candidate_only": more, "control_only": less}
    return {"check": name, "kind": "comparison", "excess": excess, "answered": {"n": 100}, "paths": list(paths)}


def place(check: str, where: str, flagged: bool = True) -> dict[str, Any]:
    return {"check": check, "slice": where, "flagged": flagged, "answered": {"value": 0.3, "interval": [0.2, 0.4]}}


def ratio(value: float, low: float) -> dict[str, Any]:
    return {"ratio": {"p50": {"value": value, "interval": [low, value * 2]}}}


def candidate(name: str = FAULTY, **more: Any) -> dict[str, Any]:
    kinds = {"live": {}, "candidate": more.pop("kinds", {})}
    return {"name": name, "pairs": 100, "checks": [], "slices": [], "latency": {}, "outcomes": {"kinds": kinds}, **more}


def verdict(*candidates: dict[str, Any], faults: tuple[Fault, ...]) -> Comparison:
    return compare({"candidates": candidates}, faults)


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        pytest.param(JSON, {"checks": [assertion("is-json", 30)]}, id="an assertion"),
        pytest.param(RARE, {"kinds": {"http_429": 20}}, id="a kind of failure"),
        pytest.param(SLOW, {"latency": {"first_byte": ratio(3.0, 2.0)}}, id="latency"),
        pytest.param(
            TOOL,
            {
                "checks": [
                    comparison("shadow:tool-calls", 0, 0, ({"path": "w/city", "candidate": 0.3, "noise": 0, "n": 100},))
                ]
            },
            id="a path",
        ),
        pytest.param(PLACE, {"slices": [place("refusal", "t=o")]}, id="a slice"),
    ],
)
def test_planted_and_found(fault: Fault, shown: dict[str, Any]) -> None:
    """The signal that a fault must show as makes it found, with value and interval; without it, it is missed."""
    found = verdict(candidate(**shown), faults=(fault,))
    assert found.exact
    assert [one["fault"] for one in found.found] == [fault.name]
    assert set(found.found[0]) == {"fault", "candidate", "family", "name", "slice", "value", "interval"}
    missed = verdict(candidate(), faults=(fault,))
    assert (missed.exact, missed.missed, missed.unplanted) == (False, (fault.name,), ())


@pytest.mark.parametrize(
    ("shown", "unplanted"),
    [
        pytest.param({"checks": [assertion("is-json", 30), comparison("shadow:text", 40)]}, 0, id="a consequence"),
        pytest.param({"slices": [place("is-json", "t=o")]}, 0, id="the slice that it strikes"),
        pytest.param({"slices": [place("is-json", "t=x")]}, 1, id="another slice"),
        pytest.param({"slices": [place("is-json", "t=x", flagged=False)]}, 0, id="a slice that is not flagged"),
        pytest.param({"slices": [place("other", "t=o")]}, 1, id="another check in that slice"),
        pytest.param({"checks": [assertion("other", 30)]}, 1, id="another check"),
        pytest.param({"checks": [assertion("other", 3)]}, 0, id="another check, by chance"),
        pytest.param({"checks": [assertion("other", 10, 10)]}, 0, id="as often better"),
        pytest.param({"kinds": {"timeout": 20}}, 1, id="another kind"),
        pytest.param({"latency": {"first_byte": ratio(3.0, 2.0)}}, 1, id="slower"),
        pytest.param({"latency": {"first_byte": ratio(1.3, 1.1)}}, 0, id="hardly slower"),
        pytest.param({"latency": {"gap": ratio(3.0, 2.0)}}, 0, id="gaps are not judged"),
    ],
)
def test_what_nobody_planted(shown: dict[str, Any], unplanted: int) -> None:
    """A signal is explained by a fault that cannot help moving it, where it strikes; anything else stands out."""
    assert len(verdict(candidate(**shown), faults=(JSON,)).unplanted) == unplanted


def test_the_honest_candidate_explains_nothing() -> None:
    """Whatever is found in the candidate without faults was not planted, even by the name of a fault."""
    honest = candidate(HONEST, checks=[assertion("is-json", 30)])
    found = verdict(candidate(checks=[assertion("is-json", 30)]), honest, faults=(JSON,))
    assert [one["candidate"] for one in found.unplanted] == [HONEST]
    assert not found.exact


def test_many_looks_are_paid_for() -> None:
    """The same count that stands alone does not stand among a hundred."""
    alone = {"candidates": [candidate(checks=[assertion("c", 8)])]}
    among = {"candidates": [candidate(checks=[assertion("c", 8), *(assertion(f"c{n}", 0) for n in range(99))])]}
    assert [found.signal.name for found in beyond_chance(alone)] == ["c"]
    assert beyond_chance(among) == []


def test_what_was_planted_is_shown_with_its_rate() -> None:
    """The table says of each fault what it is, how often it strikes and among which calls."""
    planted = verdict(candidate(), faults=FAULTS).planted
    assert [one["fault"] for one in planted] == [fault.name for fault in FAULTS]
    assert all(set(one) == {"fault", "what", "rate", "among", "shows_as"} for one in planted)
    assert all(one["rate"] > 0 for one in planted)
