"""markdown: a Report for a pull request: verdict, rules, and the rest folded away. Used by the CLI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from evaluators.core.render.order import (
    Check,
    crossed,
    discovered,
    flagged,
    judged,
    layered,
    places_and_kinds,
    tone,
)
from evaluators.core.render.safe import line
from evaluators.core.render.sentences import energy_note, expected, headlines, sample
from evaluators.core.report.shape import (
    AssertionReport,
    CandidateReport,
    ComparisonReport,
    CrossingReport,
    PathRate,
    Report,
    SliceReport,
)
from evaluators.core.report.words import between, count, percent, points, seconds, times, usd

ICONS = {"pass": "✅", "fail": "❌", "wait": "⏳", "inconclusive": "❔"}
MOST_ROWS = 20

MARKS = {"worse": "▲", "better": "▼", "even": "·"}

_SPECIAL = re.compile(r"[\\`*_\[\]<>#|~@&]|(?<=:)/|(?<=www)\.")
"""Markup, tables, HTML, mentions, issue numbers, and what makes an address a link."""


def markdown(report: Report) -> str:
    """The whole report."""
    parts = [part for candidate in report.candidates for part in _candidate(candidate)]
    return "\n".join(parts or ["No candidate is known yet."]) + "\n"


def gate_markdown(report: Report) -> str:
    """Only the decisions."""
    parts = [part for candidate in report.candidates for part in _decision(candidate)]
    return "\n".join(parts or ["No candidate is known yet."]) + "\n"


def escaped(words: str) -> str:
    """One line that Markdown and the HTML inside it show as it is; no mention, no link."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", line(words, 400))


def _decision(candidate: CandidateReport) -> Iterable[str]:
    decision = candidate.decision
    yield f"### {ICONS[decision.verdict]} {escaped(candidate.name)}: {decision.verdict.value}"
    yield ""
    due = f" {expected(decision)}".rstrip()
    yield f"{escaped(decision.reason)}{due} Based on {escaped(sample(candidate))}."
    yield ""
    if decision.rules:
        rows = (
            (
                f"{ICONS[rule.verdict]} {rule.verdict.value}",
                escaped(rule.name) + ("" if rule.severity == "blocker" else " (signal)"),
                escaped(rule.reason),
            )
            for rule in decision.rules
        )
        yield from _table(("Verdict", "Rule", "Why"), rows)


def _candidate(candidate: CandidateReport) -> Iterable[str]:
    yield from _decision(candidate)
    yield from (f"- {MARKS[sentence.tone]} {escaped(sentence.text)}" for sentence in headlines(candidate))
    yield ""
    if candidate.pairs:
        yield from _folded("Every check", _checks(candidate))
        yield from _folded("Where in the answers", _places(candidate))
        yield from _folded("Where in the traffic", [*_slices(candidate), *_pairs(candidate), *_discoveries(candidate)])
        yield from _folded("Latency, tokens, cost", _resources(candidate))


def _checks(candidate: CandidateReport) -> Iterable[str]:
    checks = judged(candidate)
    rows = (
        (
            escaped(layer),
            f"{MARKS[tone(check)]} {escaped(check.check)}",
            escaped(check.dimension),
            *_rates(check),
            points(check.effect.value) if check.effect.n else "unknown",
            between((check.effect.interval.low, check.effect.interval.high)),
            between((check.sequence.low, check.sequence.high)),
        )
        for layer, found in layered(checks).items()
        for check in found
    )
    head = ("Layer", "Check", "Dimension", "Live (~ noise)", "Candidate", "Points", "Interval", "Watched")
    yield from _table(head, rows)
    for check in checks:
        if isinstance(check, ComparisonReport) and check.energy.n:
            steadier = f": {check.steadier}" if check.steadier else ""
            yield f"- {escaped(check.check)}: {energy_note(check.energy)}{steadier}"
    yield ""


def _rates(check: Check) -> tuple[str, str]:
    if isinstance(check, AssertionReport):
        return percent(check.live.rate), percent(check.candidate.rate)
    return f"~ {percent(check.control.rate)}" if check.control.n else "unknown", percent(check.candidate.rate)


def _places(candidate: CandidateReport) -> Iterable[str]:
    """Only what is flagged; the page has the rest."""
    found = [(check, *places_and_kinds(check)) for check in judged(candidate)]
    tables = (
        ("Place", [(check, path) for check, places, _ in found for path in places if path.flagged]),
        ("Kind of error", [(check, path) for check, _, kinds in found for path in kinds if path.flagged]),
    )
    if not any(rows for _, rows in tables):
        return ["Nothing differs in one place beyond chance."]
    heads = ("Live (~ noise)", "Candidate", "Points", "Interval")
    return [
        part
        for title, rows in tables
        if rows
        for part in _table(("Check", title, *heads), [_path(check, path) for check, path in rows[:MOST_ROWS]])
    ]


def _path(check: Check, path: PathRate) -> Sequence[str]:
    noise = percent(path.noise) if isinstance(check, AssertionReport) else f"~ {percent(path.noise)}"
    interval = between((path.interval.low, path.interval.high))
    return (escaped(check.check), escaped(path.path), noise, percent(path.candidate), points(path.excess), interval)


def _slices(candidate: CandidateReport) -> Iterable[str]:
    found = flagged(candidate)
    return _hit("Slice", found) if found else ["No slice is hit harder than the rest beyond chance.", ""]


def _pairs(candidate: CandidateReport) -> Iterable[str]:
    own, inside = crossed(candidate)
    if own:
        yield from _hit("Pair of keys", own)
    if inside:
        yield from (f"{count(len(inside), 'pair')} of keys inside these slices left out.", "")


def _hit(title: str, found: Sequence[SliceReport | CrossingReport]) -> Iterable[str]:
    rows = (
        (
            escaped(one.slice),
            escaped(one.check),
            points(one.effect.value),
            between((one.effect.interval.low, one.effect.interval.high)),
            f"{one.worse:,} of {one.conversations:,}; elsewhere {one.others_worse:,} of {one.others:,}",
        )
        for one in found[:MOST_ROWS]
    )
    return _table((title, "Check", "Points", "Interval", "Conversations worse"), rows)


def _discoveries(candidate: CandidateReport) -> Iterable[str]:
    confirmed, others = discovered(candidate)
    rows = (
        (
            escaped(one.slice),
            escaped(one.check),
            f"{one.worse:,} of {one.conversations:,}",
            f"{one.later_worse:,} of {one.later:,}",
            f"{one.later_others_worse:,} of {one.later_others:,}",
        )
        for one in confirmed[:MOST_ROWS]
    )
    if confirmed:
        head = ("Found on earlier traffic", "Check", "Worse then", "Confirmed on later", "Elsewhere later")
        yield from _table(head, rows)
    if others:
        yield from (f"{count(len(others), 'pair')} of keys found on earlier traffic, not confirmed on later.", "")


def _resources(candidate: CandidateReport) -> Iterable[str]:
    rows = [
        (
            f"{name.replace('_', ' ')} p95",
            seconds(metric.live.p95),
            seconds(metric.candidate.p95),
            times(metric.ratio["p95"].value),
        )
        for name, metric in candidate.latency.items()
    ]
    rows += [
        (f"{name} tokens", _mean(spent.live.mean), _mean(spent.candidate.mean), times(spent.ratio))
        for name, spent in candidate.tokens.items()
    ]
    cost = candidate.cost
    rows.append(("cost per answer", usd(cost.live.mean), usd(cost.candidate.mean), times(cost.ratio)))
    return _table(("", "Live", "Candidate", "Ratio"), rows)


def _mean(value: float) -> str:
    return f"{value:,.0f}" if value >= 0 else "–"


def _folded(title: str, lines: Iterable[str]) -> Iterable[str]:
    yield from (f"<details><summary>{title}</summary>", "", *lines, "</details>", "")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""
