"""Which findings are shown, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluators.checks import compare_tools
from evaluators.core.render.order import (
    ERROR_KINDS,
    TOOL_CALLS,
    accounts,
    apart,
    crossed,
    discovered,
    flagged,
    judged,
    layered,
    news,
    places_and_kinds,
    tone,
)
from evaluators.core.report.shape import ComparisonReport, Energy, Estimate
from evaluators.core.stats.interval import Interval
from evaluators.core.tally import Accounting
from tests.evaluators.core.render.pages import crossing, discovery, lively, made, place, silent
from tests.evaluators.core.samples import assertion, comparison, shadow


def compared(excess: tuple[float, float], energy: tuple[float, float]) -> ComparisonReport:
    """A comparison with these intervals."""
    (check,) = made([shadow(comparison())]).candidates[0].checks
    assert isinstance(check, ComparisonReport)
    beyond = Estimate(sum(excess) / 2, Interval(*excess), 100)
    return replace(check, excess=beyond, energy=Energy(0.1, Interval(*energy), Interval(-2, 2), 100))


def test_checks_that_judged_nothing_are_left_out() -> None:
    """A row of zeros about nothing is no row."""
    report = made([shadow(assertion("a", {"pp": 50}), assertion("b", {}))])
    assert [check.check for check in judged(report.candidates[0])] == ["a"]


def test_layers_and_blockers() -> None:
    """From the outside in, layers nobody named after those; inside a layer blockers first, then as configured."""
    base = made([shadow(assertion())]).candidates[0]
    (check,) = base.checks
    given = [
        ("tone", "signal", "kind"),
        ("grounding", "blocker", "figures"),
        ("safety", "signal", "polite"),
        ("safety", "blocker", "leaks"),
        ("task", "signal", "two"),
        ("task", "signal", "one"),
        ("format", "signal", "json"),
    ]
    checks = tuple(replace(check, layer=layer, severity=severity, check=name) for layer, severity, name in given)
    found = layered(judged(replace(base, checks=checks)))
    assert {layer: [one.check for one in inside] for layer, inside in found.items()} == {
        "format": ["json"],
        "task": ["two", "one"],
        "safety": ["leaks", "polite"],
        "grounding": ["figures"],
        "tone": ["kind"],
    }
    assert list(found) == ["format", "task", "safety", "grounding", "tone"]


@pytest.mark.parametrize(
    ("excess", "energy", "further", "shown"),
    [
        pytest.param((-0.06, -0.01), (0.1, 0.3), True, "even", id="steadier"),
        pytest.param((-0.01, 0.01), (0.1, 0.3), True, "even", id="as-often"),
        pytest.param((0.01, 0.06), (0.1, 0.3), False, "worse", id="more-often"),
        pytest.param((-0.06, -0.01), (-0.1, 0.3), False, "better", id="closer"),
    ],
)
def test_apart(excess: tuple[float, float], energy: tuple[float, float], further: bool, shown: str) -> None:
    """Differing seldom is no good news from a model that is further away than live from itself."""
    check = compared(excess, energy)
    assert (apart(check), tone(check)) == (further, shown)


def test_assertions_are_not_apart() -> None:
    """Only comparisons have an energy."""
    (check,) = made([shadow(assertion(joint={"pp": 50, "pf": 50}))]).candidates[0].checks
    assert (apart(check), tone(check)) == (False, "worse")


def test_kinds_of_error() -> None:
    """Of tool calls kinds are told apart from places; of another check such a name is a place."""
    (check,) = made([shadow(assertion())]).candidates[0].checks
    both = (place("get_weather/city"), place("value_error"))
    assert places_and_kinds(replace(check, paths=both)) == (both, ())
    assert places_and_kinds(replace(check, paths=both, type=TOOL_CALLS)) == (both[:1], both[1:])


def test_the_kinds_are_those_of_the_check() -> None:
    """A kind that the comparison adds has to be told apart here too."""
    (kind,) = compare_tools.TYPES
    assert kind.name == TOOL_CALLS
    assert frozenset(compare_tools._LABELS) == ERROR_KINDS


def test_flagged() -> None:
    """The worst at least comes first."""
    assert [one.slice for one in flagged(lively().candidates[0])] == ["topic=medical", "topic=billing"]


def test_pairs_of_keys() -> None:
    """A pair inside a flagged slice repeats it, on the same check; what is not flagged is left out."""
    worst, other = crossing("a=b & c=d"), crossing("a=b & topic=medical", check="is-json")
    weak = replace(crossing("e=f & c=d"), effect=Estimate(0.1, Interval(0.05, 0.2), 80))
    inside = crossing("topic=medical & turn=first")
    candidate = replace(
        lively().candidates[0], crossings=(weak, inside, other, worst, crossing("g=h & c=d", flagged=False))
    )
    assert crossed(candidate) == ([worst, other, weak], [inside])
    assert crossed(silent().candidates[0]) == ([], [])


def test_news() -> None:
    """Each pair is told once, confirmed ones first, and none that a flagged slice has told."""
    said = (discovery("a=b & c=d"), discovery("topic=medical & c=d"), discovery("e=f & c=d", False))
    candidate = replace(
        lively().candidates[0], discoveries=said, crossings=(crossing("a=b & c=d"), crossing("i=j & c=d"))
    )
    assert discovered(candidate) == (list(said[:2]), [said[2]])
    confirmed, others = news(candidate)
    assert [one.slice for one in confirmed] == ["a=b & c=d"]
    assert [one.slice for one in others] == ["i=j & c=d"]


def test_accounts() -> None:
    """A candidate's second answers come after it, and what is no candidate is said to be none."""
    names = ("mini/again", "mini", "control", "control/api", "maxi")
    report = replace(lively(), accounting={name: Accounting(calls=n) for n, name in enumerate(names)})
    assert [(name, what) for name, what, _ in accounts(report)] == [
        ("mini", ""),
        ("mini/again", "mini asked again"),
        ("control", "live asked again"),
        ("control/api", "live asked again"),
        ("maxi", ""),
    ]
    alone = replace(report, accounting={"gone/again": Accounting()})
    assert [(name, what) for name, what, _ in accounts(alone)] == [("gone/again", "")]
