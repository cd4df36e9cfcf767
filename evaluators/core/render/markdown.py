"""markdown: a Report for a pull request: verdict, rules, and the rest folded away. Used by the CLI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from evaluators.core.render.safe import line
from evaluators.core.render.sentences import flagged, headlines, judged, sample
from evaluators.core.report.shape import AssertionReport, CandidateReport, ComparisonReport, Report
from evaluators.core.report.words import between, percent, points, seconds, times, usd

ICONS = {"pass": "✅", "fail": "❌", "wait": "⏳", "inconclusive": "❔"}
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
    yield f"{escaped(decision.reason)} Based on {escaped(sample(candidate))}."
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
        yield from _folded("Where", _slices(candidate))
        yield from _folded("Latency, tokens, cost", _resources(candidate))


def _checks(candidate: CandidateReport) -> Iterable[str]:
    rows = (
        (
            f"{MARKS[check.effect.direction]} {escaped(check.check)}",
            *_rates(check),
            points(check.effect.value) if check.effect.n else "unknown",
            between((check.effect.interval.low, check.effect.interval.high)),
            between((check.sequence.low, check.sequence.high)),
        )
        for check in judged(candidate)
    )
    return _table(("Check", "Live (~ noise)", "Candidate", "Points", "Interval", "Watched"), rows)


def _rates(check: AssertionReport | ComparisonReport) -> tuple[str, str]:
    if isinstance(check, AssertionReport):
        return percent(check.live.rate), percent(check.candidate.rate)
    return f"~ {percent(check.control.rate)}" if check.control.n else "unknown", percent(check.candidate.rate)


def _slices(candidate: CandidateReport) -> Iterable[str]:
    found = flagged(candidate)
    if not found:
        return ["No slice is hit harder than the rest beyond chance."]
    rows = (
        (
            escaped(one.slice),
            escaped(one.check),
            points(one.effect.value),
            between((one.effect.interval.low, one.effect.interval.high)),
            f"{one.worse:,} of {one.conversations:,}; elsewhere {one.others_worse:,} of {one.others:,}",
        )
        for one in found
    )
    return _table(("Slice", "Check", "Points", "Interval", "Conversations worse"), rows)


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
