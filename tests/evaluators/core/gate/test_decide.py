"""decide: tables of verdicts, and that silence never helps a candidate."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.gating import Gate
from config.pair import NEVER, Role
from evaluators.core.gate import decide, decided, exit_code
from evaluators.core.report import Decision, ReportRules, Verdict, build
from evaluators.core.stats.histogram import bin_of
from evaluators.core.tally import Accounting, ShadowTally, Window
from tests.evaluators.core.gate.cases import dropped
from tests.evaluators.core.samples import WINDOW, assertion, comparison, latencies, shadow

GOOD = {"pp": 2000}
BAD = {"pp": 400, "pf": 100}
OPEN = {"pp": 180, "pf": 4, "fp": 2}
RANK = {Verdict.FAIL: 0, Verdict.WAIT: 1, Verdict.INCONCLUSIVE: 1, Verdict.PASS: 2}


def gate(**more: Any) -> Gate:
    """A rule on is-json."""
    return Gate(**{"name": "json", "check": "is-json", "max_regression": "2%", **more})


def verdict(tally: ShadowTally, *gates: Gate, window: Window | None = None) -> Decision:
    """The decision on one candidate; without a window nobody knows how fast conversations come in."""
    (candidate,) = build([tally], ReportRules(), WINDOW, 0.0, 0).candidates
    return decide(candidate, tally, gates, 0.05, **({"window": window} if window else {}))


@pytest.mark.parametrize(
    ("joint", "rule", "expected", "why"),
    [
        pytest.param(GOOD, gate(), "pass", "within the limit.", id="pass"),
        pytest.param(BAD, gate(), "fail", "above the limit.", id="fail"),
        pytest.param(OPEN, gate(), "wait", "more conversations.", id="wait"),
        pytest.param(GOOD, gate(min_conversations=3000), "wait", "at least 1,000 more conversations.", id="minimum"),
        pytest.param(BAD, gate(min_conversations=3000), "fail", "above the limit.", id="failing-does-not-wait"),
        pytest.param(OPEN, gate(max_conversations=150), "inconclusive", "after the 150 it may use.", id="maximum"),
        pytest.param({"pp": 100, "pf": 9}, gate(), "wait", "not enough evidence either way yet.", id="no-end-in-sight"),
        pytest.param({"pp": 2000, "bp": 500}, gate(), "wait", "so it may not pass.", id="broken-check"),
        pytest.param(
            {"pp": 2000, "bp": 500}, gate(max_conversations=2000), "inconclusive", "so it may not pass.", id="broken"
        ),
        pytest.param({}, gate(), "wait", "at least 100 more conversations.", id="nothing-yet"),
        pytest.param(GOOD, gate(max_regression=None, red_line="1%"), "pass", "within the limit.", id="red-line"),
        pytest.param(
            GOOD, gate(max_regression=None, max_failures=0), "pass", "(limit 0): within the limit.", id="count"
        ),
        pytest.param(
            {"pp": 30}, gate(max_regression=None, max_failures=0), "wait", "at least 20 more calls.", id="more-calls"
        ),
        pytest.param(OPEN, gate(mode="fixed", at=186), "inconclusive", "undecided at its one look.", id="one-look"),
        pytest.param(BAD, gate(mode="fixed", at=501), "wait", "at least 1 more conversation.", id="no-look-before"),
        pytest.param(BAD, gate(mode="fixed", at=500), "fail", "above the limit.", id="first-look"),
    ],
)
def test_one_rule(joint: dict[str, int], rule: Gate, expected: str, why: str) -> None:
    """Each rule has a verdict and a sentence that says why."""
    decision = verdict(shadow(assertion(joint=joint)), rule)
    assert decision.verdict == decision.rules[0].verdict == expected
    assert decision.rules[0].reason.endswith(why)


def test_fixed_rules_are_silent_before_the_minimum() -> None:
    """A latency rule says nothing before `min_conversations`, not even that it failed."""
    slow = shadow(pairs=1000, conversations=99, histograms=latencies(0.2, 0.9), outcomes={("ok", "ok"): 1000})
    rule = Gate(name="speed", metric="total_p95", max_ratio=1.2)
    assert verdict(slow, rule).verdict is Verdict.WAIT
    assert verdict(slow, rule.model_copy(update={"min_conversations": 50})).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("joints", "severities", "expected", "why"),
    [
        pytest.param([GOOD, GOOD], "bb", "pass", "All blocking rules passed (2).", id="all-pass"),
        pytest.param(
            [GOOD, OPEN], "bb", "wait", "Nothing failed, 1 of 2 blocking rules not decided yet: r1.", id="one-waits"
        ),
        pytest.param([OPEN, BAD], "bb", "fail", "1 of 2 blocking rules failed: r1.", id="one-fails"),
        pytest.param([GOOD, BAD], "bs", "pass", "All blocking rules passed (1).", id="signals-never-block"),
        pytest.param([GOOD], "s", "inconclusive", "Only signals", id="only-signals"),
        pytest.param([], "", "inconclusive", "No gates are configured", id="no-gates"),
    ],
)
def test_together(joints: list[dict[str, int]], severities: str, expected: str, why: str) -> None:
    """All blockers must pass; a pass never comes from nothing."""
    checks = [assertion(f"c{number}", joint) for number, joint in enumerate(joints)]
    names = {"b": "blocker", "s": "signal"}
    rules = [
        gate(name=f"r{number}", check=f"c{number}", severity=names[letter]) for number, letter in enumerate(severities)
    ]
    decision = verdict(shadow(*checks), *rules)
    assert decision.verdict == expected
    assert decision.reason.startswith(why)
    assert len(decision.rules) == len(rules)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [((), 4), (("pass",), 0), (("pass", "wait"), 4), (("inconclusive",), 4), (("wait", "fail"), 3)],
)
def test_exit_code(verdicts: tuple[str, ...], code: int) -> None:
    """0 only when everything passes; nothing at all does not pass."""
    assert exit_code(Decision(Verdict(one), "") for one in verdicts) == code


def test_every_candidate_is_decided() -> None:
    """Each candidate is judged by its own tally."""
    tallies = [shadow(assertion(joint=GOOD), name="a"), shadow(assertion(joint=BAD), name="b")]
    rules = ReportRules(gates=(gate(),))
    found = decided(build(tallies, rules, WINDOW, 0.0, 0), tallies, rules)
    assert [candidate.decision.verdict for candidate in found.candidates] == ["pass", "fail"]


def test_needs_only_while_waiting() -> None:
    """What is missing is told by rules that wait, -1 where nobody knows."""
    assert verdict(shadow(assertion(joint=BAD)), gate()).rules[0].needs == 0
    assert verdict(shadow(assertion(joint={"pp": 100, "pf": 9})), gate()).rules[0].needs == -1


def test_a_gate_may_have_an_error_level_of_its_own() -> None:
    """With a stricter alpha the same evidence is not enough yet."""
    tally = shadow(assertion(joint={"pp": 260}))
    assert verdict(tally, gate()).verdict is Verdict.PASS
    assert verdict(tally, gate(alpha="0.1%")).verdict is Verdict.WAIT


def test_how_long_it_will_take() -> None:
    """What is missing, over the conversations that came in between the first and the last arrival."""
    tally, hour = shadow(assertion(joint={"pp": 60})), Window(0.0, 9000.0, 1000.0, 4600.0)
    (rule,) = verdict(tally, gate(), window=hour).rules
    assert (rule.needs, rule.expected_in) == (168, 168 * 60.0)
    assert rule.reason.endswith("at least 168 more conversations, 3 hours at the present traffic.")
    (rule,) = verdict(tally, gate()).rules
    assert (rule.expected_in, rule.reason.endswith("at least 168 more conversations.")) == (NEVER, True)
    assert verdict(shadow(assertion(joint=GOOD)), gate(), window=hour).rules[0].expected_in == 0.0


def test_losses_are_named_where_they_decide() -> None:
    """A pass is withheld for what the candidate may have lost, and the rest is told with its reason."""
    lost = dropped(breaker_open=60, queue_away=7)
    decision = verdict(shadow(assertion(joint={"pp": 1200}), accounting=lost), gate())
    assert decision.verdict is Verdict.WAIT
    assert "with 60 calls lost in ways that it can bring about (breaker_open 60) at their worst." in (
        decision.rules[0].reason
    )
    assert decision.reason.endswith("Lost, and not held against it: queue_away 7: the queue took nobody's pairs.")
    everybody = verdict(shadow(assertion(joint={"pp": 1200}), accounting=dropped(queue_away=60)), gate())
    assert everybody.verdict is Verdict.PASS


def test_the_control_tells_whose_losses_they_are() -> None:
    """Pairs that only the candidate lost to the queue count as its own; decided knows which control is asked."""
    rules = ReportRules(gates=(gate(),), controls={"mini": "second"})
    mini = shadow(assertion(joint={"pp": 1200}), accounting=dropped(queue_full=60))
    for name, losing, expected in (
        ("second", {}, "wait"),
        ("second", {"queue_full": 5}, "pass"),
        ("other", {}, "pass"),
    ):
        asked = Accounting(paired=100, dropped=losing)
        tallies = [mini, shadow(assertion(), name=name, role=Role.CONTROL, accounting=asked)]
        found = decided(build(tallies, rules, WINDOW, 0.0, 0), tallies, rules)
        assert found.candidates[0].decision.verdict == expected


RULES = (
    gate(max_regression="5%"),
    gate(max_regression=None, red_line="10%"),
    gate(max_regression=None, max_failures=3, min_calls=20),
    gate(max_regression="5%", mode="fixed", at=100),
    gate(max_regression=None, red_line="10%", mode="fixed", at=100),
    Gate(name="cost", metric="cost", max_ratio=1.2),
    Gate(name="speed", metric="total_p95", max_ratio=1.5),
)
TWO = ("pp", "pf", "fp", "ff", "px", "pb", "bp", "ps")
JOINTS = st.fixed_dictionaries({"pp": st.integers(0, 900), **{two: st.integers(0, 12) for two in TWO[1:]}})


@given(JOINTS, st.sampled_from(TWO), st.integers(1, 12), st.sampled_from(RULES), st.integers(-100, 100))
@settings(max_examples=100, deadline=None)
def test_a_lost_pair_never_makes_a_pass(joint: dict[str, int], which: str, lost: int, rule: Gate, log: int) -> None:
    """Whatever pairs are lost behind an open breaker instead of judged: what did not pass does not pass for it."""
    gone = min(lost, joint[which])
    before = verdict(_tally(joint, 0, which, log), rule)
    after = verdict(_tally({**joint, which: joint[which] - gone}, gone, which, log), rule)
    if before.verdict is not Verdict.PASS:
        assert after.verdict is not Verdict.PASS
    if after.verdict is Verdict.FAIL:
        without = _tally({**joint, which: joint[which] - gone}, 0, which, log)
        assert verdict(without, rule).verdict is Verdict.FAIL


def _tally(joint: dict[str, int], lost: int, which: str, log: int) -> ShadowTally:
    """Pairs under a check; those of kind `which` have a cost and a latency of their own, all others are as live's."""
    odd, rest = joint[which], sum(joint.values()) - joint[which]
    bins = {
        (arm, "total"): dict(Counter({bin_of(1.0): rest}) + Counter({bin_of(middle): odd}))
        for arm, middle in (("live", 1.0), ("shadow", 2.718 ** (-log / 100)))
    }
    return shadow(
        assertion(joint=joint),
        histograms=bins,
        ratios={"log_cost": dict(Counter({(0, 1): rest}) + Counter({(log, 100): odd}))},
        accounting=dropped(breaker_open=lost),
    )


COUNTS = st.fixed_dictionaries({two: st.integers(0, 400) for two in ("pp", "pf", "fp", "ff")})


@given(COUNTS, st.floats(0, 1), st.sampled_from(["max_regression", "red_line"]))
@settings(max_examples=60, deadline=None)
def test_silence_never_improves_an_assertion(joint: dict[str, int], share: float, kind: str) -> None:
    """Losing the candidate's worst answers, or any others, to timeouts is never a better verdict."""
    lost = {**joint}
    for letters in ("pf", "ff", "pp", "fp"):  # the worst first
        gone = int(joint[letters] * share)
        lost[letters] -= gone
        lost[letters[0] + "x"] = lost.get(letters[0] + "x", 0) + gone
    rule = gate(**{"max_regression": None, kind: "5%"})
    before, after = (verdict(shadow(assertion(joint=counts)), rule) for counts in (joint, lost))
    assert RANK[after.verdict] <= RANK[before.verdict]


@given(st.fixed_dictionaries({two: st.integers(0, 300) for two in ("dd", "dm", "md", "mm")}), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_silence_never_improves_a_comparison(noise: dict[str, int], share: float) -> None:
    """An answer that agreed and is lost counts as differing."""
    lost = {**noise}
    for agreed, differs in (("md", "dd"), ("mm", "dm")):
        gone = int(noise[agreed] * share)
        lost[agreed], lost[differs] = lost[agreed] - gone, lost[differs] + gone
    rule = Gate(name="g", check="shadow:text", max_excess="5%")
    before, after = (verdict(shadow(comparison(noise=cells)), rule) for cells in (noise, lost))
    assert RANK[after.verdict] <= RANK[before.verdict]


@pytest.mark.parametrize("middle", [0.1, 0.2, 0.23, 0.25, 0.4])
@pytest.mark.parametrize("lost", [1, 20, 60, 300, 1000])
def test_silence_never_makes_faster(middle: float, lost: int) -> None:
    """Losing the slowest answers to timeouts is never a better verdict on latency."""
    rule = Gate(name="speed", metric="total_p95", max_ratio=1.2)
    whole = latencies(0.2, middle)
    cut = {key: _without(bins, lost if key[0] == "shadow" else 0) for key, bins in whole.items()}
    before = shadow(pairs=1000, conversations=1000, histograms=whole, outcomes={("ok", "ok"): 1000})
    after = shadow(
        pairs=1000,
        conversations=1000,
        histograms=cut,
        outcomes={("ok", "ok"): 1000 - lost, ("ok", "timeout"): lost},
    )
    assert RANK[verdict(after, rule).verdict] <= RANK[verdict(before, rule).verdict]


def _without(bins: dict[int, int], lost: int) -> dict[int, int]:
    """The histogram without its slowest calls."""
    kept = {}
    for number in sorted(bins, reverse=True):
        gone = min(bins[number], lost)
        lost -= gone
        kept[number] = bins[number] - gone
    return {number: n for number, n in kept.items() if n}
