"""Plain language: the numbers, in sentences people can repeat."""

from __future__ import annotations

from dataclasses import replace

from evaluators.core.render.sentences import flagged, headlines, judged, sample, silence
from evaluators.core.report import Report
from evaluators.core.tally import Total
from tests.evaluators.core.render.pages import lively, made, silent
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
            "3 of its 155 are calls without an answer.",
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
    assert [one.slice for one in flagged(lively().candidates[0])] == ["topic=medical", "topic=billing"]


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
    """Pairs, conversations, control; and who did not answer."""
    candidate = made(life(600)).candidates[0]
    assert sample(candidate) == "600 pairs, 460 closed conversations, 200 with live asked twice"
    assert sample(silent().candidates[0]) == "0 pairs, 0 closed conversations, no control"
    assert silence(candidate) == "no answer from mini only: 67; from live only: 18"


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
    assert any("no-competitors" in text and "100 of its 200 are calls without an answer" in text for text in texts)
    assert not any(text.startswith("mini fails is-json") for text in texts)
    assert any("gave no answer to 100 of 1,000 calls" in text and "worse on is-json" in text for text in texts)


def test_checks_that_judged_nothing_are_left_out() -> None:
    """A row of zeros about nothing is no row."""
    report = made([shadow(assertion("a", {"pp": 50}), assertion("b", {}))])
    assert [check.check for check in judged(report.candidates[0])] == ["a"]
