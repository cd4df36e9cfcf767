"""Two slices at once: from closed conversations, with their own share of alpha."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.pair import Role
from evaluators.core.report import ReportRules, build, to_json
from evaluators.core.report.crossings import SHOWN, Crossings
from evaluators.core.report.slices import MIN_SUPPORT
from evaluators.core.stats.discovery import Spans
from evaluators.core.stats.evidence import block_log_bets, e_value
from evaluators.core.stats.interval import tango_paired
from evaluators.core.tally import CheckTally, Evidence
from tests.evaluators.core.samples import WINDOW, assertion, comparison, shadow


def span(n: int, worse: int, better: int, others: int, others_worse: int) -> tuple[float, ...]:
    return (n, worse, better, others, others_worse, *block_log_bets(n, worse, others, others_worse))


def crossed(**names: Spans) -> CheckTally:
    return assertion(crossed={name.replace("_", " & "): spans for name, spans in names.items()})


def test_rows_are_conversations() -> None:
    """The effect is the share that is worse less the share that is better, with Tango's interval."""
    found = Crossings(crossed(a_b={0: span(30, 12, 1, 200, 5), 2: span(30, 10, 1, 200, 5)})).reports(0.05, 0.05)
    (one,) = found
    assert (one.slice, one.conversations, one.worse, one.better, one.others, one.others_worse) == (
        "a & b",
        *(60, 22, 2, 400, 10),
    )
    assert (one.effect.value, one.effect.interval) == (pytest.approx(20 / 60), tango_paired(22, 2, 60))
    bets = tuple(2 * bet for bet in block_log_bets(30, 12, 200, 5))
    assert one.e_value > 1000
    assert one.e_value < e_value(bets, 24, 2)
    assert (one.flagged, one.worse_alone, one.direction) == (True, True, "worse")


@pytest.mark.parametrize(
    ("inside", "others", "tested"),
    [(MIN_SUPPORT, MIN_SUPPORT, True), (MIN_SUPPORT - 1, 200, False), (200, MIN_SUPPORT - 1, False)],
)
def test_support_does_not_look_at_outcomes(inside: int, others: int, tested: bool) -> None:
    """What is too small is neither tested nor shown, however bad."""
    found = Crossings(crossed(a_b={0: span(inside, inside, 0, others, 0)}))
    assert bool(found.tested) is bool(found.reports(0.05, 0.05)) is tested


def test_a_crossing_that_is_its_part_is_left_out() -> None:
    """Where all of a slice is in the other too, the crossing is that slice."""
    tally = crossed(a_b={0: span(40, 9, 0, 100, 1)}, a_c={0: span(30, 9, 0, 110, 1)})
    tally = replace(tally, evidence={"a": Evidence(40, 9, 0, 100, 1, block_log_bets(40, 9, 100, 1))})
    assert [one.slice for one in Crossings(tally).reports(0.05, 0.05)] == ["a & c"]


def test_the_page_is_bounded_and_flags_are_not() -> None:
    """All that is flagged, and of the others the worst."""
    spans = {f"a_{n:03}": {0: span(30, 3 if n else 25, 3 if n else 0, 300, 20)} for n in range(60)}
    found = Crossings(crossed(**spans)).reports(0.05, 0.05)
    assert len(found) == SHOWN + 1
    assert [one.flagged for one in found] == [True] + [False] * SHOWN
    assert [one.effect.interval.low for one in found[1:]] == sorted(
        (o.effect.interval.low for o in found[1:]), reverse=True
    )


def test_two_families_share_alpha() -> None:
    """With crossings to test, a slice whose evidence is enough for alpha but not for half of it is not flagged."""
    seen = Evidence(25, 6, 0, 225, 9, (3.9, 3.9, 3.9, 3.9))  # against the rest 49, itself 29: between 20 and 40
    tally = assertion(slices={"a=1": {"pp": 1}}, evidence={"a=1": seen})
    also = replace(tally, crossed={"x & y": {0: span(30, 1, 1, 300, 10)}})
    for check, flagged in ((tally, True), (also, False)):
        (candidate,) = build([shadow(check)], ReportRules(), WINDOW, 0.0, 0).candidates
        assert 20 < candidate.slices[0].e_value < 40
        assert candidate.slices[0].flagged is flagged


def test_the_published_names() -> None:
    """Crossings and discoveries are in the JSON, excess for a comparison, difference for an assertion."""
    spans = {"x & y": {0: span(30, 20, 1, 300, 10), 1: span(200, 150, 1, 2000, 60)}}
    tallies = [shadow(assertion(crossed=spans), comparison(crossed=spans)), shadow(name="mini/again", role=Role.AGAIN)]
    (found,) = to_json(build(tallies, ReportRules(layers={"is-json": "format"}), WINDOW, 0.0, 0))["candidates"]
    one, two = found["crossings"]
    common = set(
        "slice check conversations worse better others others_worse interval e_value tested flagged alone direction "
        "examples".split()
    )
    assert (set(one), set(two)) == (common | {"difference"}, common | {"excess"})
    assert found["checks"][0]["layer"] == "format"
    discovery = found["discoveries"][0]
    assert set(discovery) == {"slice", "check", "score", "found", "later", "confirmed"}
    assert discovery["found"] == {"conversations": 30, "worse": 20, "rate": 20 / 30}
    assert set(discovery["later"]) == {"conversations", "worse", "better", "others", "others_worse", "e_value"}
    assert (discovery["confirmed"], discovery["later"]["conversations"]) == (True, 200)
