"""Plain language: the numbers, in sentences people can repeat."""

from __future__ import annotations

from dataclasses import replace

from evaluators.core.render.sentences import energy_note, expected, headlines, missing, sample
from evaluators.core.report import Report
from evaluators.core.report.shape import ComparisonReport, Decision, Energy, Estimate, Rule, Verdict
from evaluators.core.stats.interval import Interval
from evaluators.core.tally import Total
from tests.evaluators.core.render.pages import lively, made, rich, silent
from tests.evaluators.core.samples import assertion, comparison, latencies, life, shadow


def said(report: Report) -> list[tuple[str, str]]:
    """Tone and text."""
    return [(sentence.tone, sentence.text) for sentence in headlines(report.candidates[0])]


def test_an_assertion_and_a_comparison() -> None:
    """Rates of both arms, and how many more per thousand."""
    tally = shadow(assertion(joint={"pp": 2343, "pf": 149, "fp": 2, "ff": 3, "px": 3}), comparison())
    assert said(made([tally])) == [
        (
            "worse",
            "mini fails is-json in 6.2% of calls where live fails in 0.2%: 60 more per 1,000, between 51 and 70. "
            "3 of its 155 are calls without an answer to judge.",
        ),
        (
            "worse",
            "mini differs from live on shadow:text in 18% of calls where live differs from itself in 12%: "
            "60 more per 1,000, between 35 and 85.",
        ),
    ]


def test_better_reads_as_fewer() -> None:
    """A fix is told with a positive number."""
    ((tone, text),) = said(made([shadow(assertion(joint={"pp": 900, "fp": 9, "pf": 1, "ff": 90}))]))
    assert tone == "better"
    assert text.endswith(": 8 fewer per 1,000, between 1.1 and 15.")


def test_no_difference() -> None:
    """Checks within chance share one sentence, and so do those that had nothing to judge."""
    found = said(made([shadow(assertion("a", {"pp": 50}), assertion("b", {"pp": 50}), assertion("c", {}))]))
    assert found == [
        ("even", "No difference beyond chance: a, b."),
        ("even", "Nothing in this traffic to judge: c."),
    ]


def test_blockers_come_first() -> None:
    """Severity before size, worse before better."""
    texts = [text for _, text in said(lively())]
    assert texts[0].startswith("mini fails is-json")
    assert texts.index(next(text for text in texts if "fewer per" in text)) > 1


def test_where() -> None:
    """A flagged slice is told in conversations, inside and elsewhere."""
    found = [text for _, text in said(lively()) if "hit harder" in text]
    assert found[0].startswith("not-is-refusal is hit harder in topic=medical: ")
    assert found[1].startswith("is-json is hit harder in topic=billing: ")


def test_checks_that_see_the_same_share_a_sentence() -> None:
    """The same conversations in the same slice are told once, with the names of all checks."""
    mini = lively().candidates[0]
    again = [replace(found, check=check) for found in mini.slices if found.flagged for check in ("two", "three")]
    texts = [text for _, text in said(replace(lively(), candidates=(replace(mini, slices=(*mini.slices, *again)),)))]
    found = [text for text in texts if "hit harder" in text]
    assert found[0].startswith("not-is-refusal, three and two are hit harder in topic=medical: ")
    assert found[1].startswith("is-json, three and two are hit harder in topic=billing: ")
    assert len(found) == 2


def test_silence_speed_and_price() -> None:
    """No answers, slower answers and cheaper answers each have a sentence."""
    tally = shadow(
        pairs=1000,
        outcomes={("ok", "ok"): 990, ("ok", "http_429"): 7, ("ok", "timeout"): 3},
        histograms=latencies(0.2, 0.5, 990),
        totals={("live", "cost"): Total(990, 99.0), ("shadow", "cost"): Total(990, 9.9)},
    )
    found = dict((text.split(" ")[0], (tone, text)) for tone, text in said(made([tally])))
    assert found["mini"] == (
        "worse",
        "mini gave no answer to 10 of 1,000 calls that live answered (http 429 7, timeout 3).",
    )
    assert found["It"][1].startswith("It is slower: its 95th percentile until the last byte is 2.")
    assert found["An"] == ("better", "An answer costs 0.10× live's on average.")


def test_faster_dearer_and_the_same() -> None:
    """The other direction, and no direction."""
    same = {("live", "cost"): Total(9, 9.0), ("shadow", "cost"): Total(9, 9.0)}
    dear = {("live", "cost"): Total(9, 9.0), ("shadow", "cost"): Total(9, 18.0)}
    fast = made([shadow(pairs=9, histograms=latencies(0.5, 0.2), totals=dear)])
    assert [tone for tone, _ in said(fast)] == ["better", "worse"]
    even = made([shadow(pairs=9, histograms=latencies(0.2, 0.2), totals=same)])
    assert said(even) == [("even", "An answer costs 1.00× live's on average.")]


def test_nothing_yet() -> None:
    """An empty report says that it is empty."""
    assert said(silent()) == [("even", "No pairs of live and mini have been judged yet.")]


def test_what_it_rests_on() -> None:
    """Pairs, conversations, control."""
    candidate = made(life(600)).candidates[0]
    assert sample(candidate) == "600 pairs, 460 closed conversations, 200 with live asked twice"
    assert sample(silent().candidates[0]) == "0 pairs, 0 closed conversations, no control"


def test_what_silence_alone_explains_is_one_sentence() -> None:
    """Checks that are worse only because the candidate gave no answer are named behind the missing answers."""
    tally = replace(
        shadow(
            assertion(joint={"pp": 900, "px": 100}),
            assertion(label="no-competitors", joint={"pp": 800, "pf": 100, "px": 100}),
            comparison(joint={"m": 800, "d": 100, "x": 100}, noise={"dm": 100, "md": 0, "dd": 90, "mm": 810}),
        ),
        outcomes={("ok", "ok"): 900, ("ok", "timeout"): 100},
    )
    texts = [text for _, text in said(made([tally]))]
    assert any(
        "no-competitors" in text and "100 of its 200 are calls without an answer to judge" in text for text in texts
    )
    assert not any(text.startswith("mini fails is-json") for text in texts)
    assert any("gave no answer to 100 of 1,000 calls" in text and "no worse on is-json" in text for text in texts)


def test_answers_that_escape_a_check_are_told() -> None:
    """What no check could judge is no missing answer: such a check has a sentence of its own."""
    texts = [text for _, text in said(made([shadow(assertion(joint={"pp": 900, "ps": 100}))]))]
    assert texts[0].startswith("mini fails is-json in 10% of calls where live fails in 0%")
    assert texts[0].endswith("100 of its 100 are calls without an answer to judge.")


def test_steadier_and_still_different() -> None:
    """A model that differs less often than live from itself, and yet says something else, is told with its energy."""
    texts = [(tone, text) for tone, text in said(rich()) if "shadow:length" in text]
    assert texts[0][0] == "worse"
    assert texts[0][1].startswith("mini is steadier, still different on shadow:length: it differs from live in ")
    assert texts[0][1].endswith(
        "and yet the two are further apart than each is from itself: energy 0.21 (0.08 to 0.34)."
    )
    assert len(texts) == 1


def test_no_more_often_and_still_different() -> None:
    """As often as live from itself is not the same as live: such a check is not listed among those without one."""
    mini = rich().candidates[0]
    checks = tuple(
        replace(check, excess=Estimate(0.001, Interval(-0.01, 0.012), 1500), steadier="")
        if isinstance(check, ComparisonReport) and check.check == "shadow:length"
        else check
        for check in mini.checks
    )
    texts = [text for _, text in said(replace(rich(), candidates=(replace(mini, checks=checks),)))]
    assert any(text.startswith("mini is no more often different, still different on shadow:length") for text in texts)
    assert not any("No difference" in text and "shadow:length" in text for text in texts)


def test_pairs_of_keys_and_discoveries() -> None:
    """What was confirmed is told in both traffics; a pair inside a slice that is told already is not."""
    texts = [text for _, text in said(rich()) if " with " in text]
    assert texts == [
        "not-is-refusal is hit harder in turn=first with get_weather/city, found on earlier traffic (12 of 40 worse) "
        "and confirmed on later: 31 of 90 conversations came out worse there, 14 of 800 elsewhere.",
        "not-is-refusal is hit harder in get_weather/city with turn=first: 33 of 80 conversations came out worse "
        "there, 60 of 1,200 elsewhere.",
    ]


def waiting(*rules: tuple[str, Verdict, int, float]) -> Decision:
    """A decision over rules of this severity and verdict, with what they need and how long that takes."""
    made_of = tuple(
        Rule("r", "red_line", "c", severity, verdict, "", 0.1, 0.1, (), needs, time)
        for severity, verdict, needs, time in rules
    )
    return Decision(Verdict.WAIT, "", made_of)


def test_when_the_decision_is_due() -> None:
    """The slowest of the blocking rules decides; one that does not know its time leaves all unknown."""
    fast, slow = ("blocker", Verdict.WAIT, 10, 600.0), ("blocker", Verdict.WAIT, 99, 10800.0)
    signal, passed = ("signal", Verdict.WAIT, -1, -1.0), ("blocker", Verdict.PASS, 0, 0.0)
    due = "The decision is expected in 3 hours at the present traffic."
    assert expected(waiting(fast, slow, signal, passed)) == due
    assert expected(waiting(slow, ("blocker", Verdict.WAIT, 10, -1.0))) == ""
    assert expected(waiting(slow, ("blocker", Verdict.WAIT, -1, -1.0))) == ""
    assert expected(waiting(slow, ("blocker", Verdict.WAIT, 0, 0.0))) == ""
    assert expected(replace(waiting(slow), verdict=Verdict.FAIL)) == ""


def test_what_a_rule_waits_for() -> None:
    """Conversations or calls, and the time where it is known."""
    (rule,) = waiting(("blocker", Verdict.WAIT, 1204, 10800.0)).rules
    assert missing(rule) == ("1,204 more conversations", "3 hours")
    assert missing(replace(rule, needs=1, kind="max_failures", expected_in=-1.0)) == ("1 more call",)
    assert missing(replace(rule, needs=-1)) == missing(replace(rule, needs=0)) == ()


def test_energy_that_nobody_measured() -> None:
    """Without second answers there is no note."""
    assert energy_note(Energy(0.0, Interval(-2, 2), Interval(-2, 2), 0)) == ""
