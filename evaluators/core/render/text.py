"""text: a Report for terminals, at most 100 columns, the verdict first. Used by the CLI."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from evaluators.core.render.safe import line
from evaluators.core.render.sentences import flagged, headlines, judged, sample
from evaluators.core.report.shape import AssertionReport, CandidateReport, ComparisonReport, Report, Rule
from evaluators.core.report.words import between, percent, points, seconds, times, usd
from evaluators.core.tally import Accounting

WIDTH = 100

MARKS = {"worse": "▲", "better": "▼", "even": "·"}

COLOURS = {"worse": "33", "better": "36", "pass": "36", "fail": "33", "wait": "2", "inconclusive": "2", "bold": "1"}
"""SGR codes: amber and cyan, which colour-blind readers tell apart; never without a word or a mark beside them."""

NOTHING = "No candidate is known yet. Name one under `candidates:` and send traffic through the proxy."


def text(report: Report, *, colour: bool = False) -> str:
    """The whole report; `colour` adds ANSI codes, the words are the same."""
    paint = _Paint(colour)
    lines: list[str] = []
    for candidate in report.candidates:
        lines += [*_candidate(candidate, paint), ""]
    if not report.candidates:
        lines += [NOTHING, ""]
    lines += [
        part for shadow, account in report.accounting.items() for part in _wrapped(_account(shadow, account), "  ")
    ]
    return "\n".join(lines).rstrip() + "\n"


def gate_text(report: Report, *, colour: bool = False) -> str:
    """Only the decisions, rule by rule."""
    paint = _Paint(colour)
    lines = [part for candidate in report.candidates for part in (*_decision(candidate, paint), "")]
    return "\n".join(lines or [NOTHING]).rstrip() + "\n"


class _Paint:
    """Colours words, or leaves them alone."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, words: str, kind: str) -> str:
        code = COLOURS.get(kind, "") if self._colour else ""
        return f"\x1b[{code}m{words}\x1b[0m" if code else words


def _candidate(candidate: CandidateReport, paint: _Paint) -> Iterator[str]:
    yield from _decision(candidate, paint)
    yield ""
    for sentence in headlines(candidate):
        first, *rest = _wrapped(line(sentence.text, 400), "    ")
        yield f"  {paint(MARKS[sentence.tone], sentence.tone)} {first.strip()}"
        yield from rest
    if not candidate.pairs:
        return
    yield ""
    yield from _checks(candidate, paint)
    yield from _slices(candidate)
    yield from _latency(candidate)
    cost = candidate.cost
    yield f"  cost per answer      live {usd(cost.live.mean)}, {line(candidate.name)} {usd(cost.candidate.mean)}"


def _decision(candidate: CandidateReport, paint: _Paint) -> Iterator[str]:
    decision = candidate.decision
    verdict = paint(decision.verdict.value.upper(), decision.verdict.value)
    yield f"{verdict}  {paint(line(candidate.name), 'bold')}: {line(decision.reason, 300)}"
    yield f"  {line(sample(candidate))}"
    for rule in decision.rules:
        yield from _rule(rule, paint)


def _rule(rule: Rule, paint: _Paint) -> Iterator[str]:
    kind = "" if rule.severity == "blocker" else "signal only; "
    verdict = f"{rule.verdict.value:<12}"
    first, *rest = _wrapped(f"{line(rule.name)}: {kind}{line(rule.reason, 400)}", " " * 15)
    yield f"  {paint(verdict, rule.verdict.value)} {first.strip()}"
    yield from rest


def _checks(candidate: CandidateReport, paint: _Paint) -> Iterator[str]:
    yield f"  {'check':<30}{'live':>9}{'candidate':>11}{'points':>9}  {'interval':<17}watched"
    for check in judged(candidate):
        watched = between((check.sequence.low, check.sequence.high))
        interval = between((check.effect.interval.low, check.effect.interval.high))
        mark = paint(MARKS[check.effect.direction], check.effect.direction)
        change = points(check.effect.value) if check.effect.n else "–"
        first, second = _rates(check)
        name = f"{line(check.check, 29):<30}"
        yield f"{mark} {name}{first:>9}{second:>11}{change:>9}  {interval:<17}{watched}"


def _rates(check: AssertionReport | ComparisonReport) -> tuple[str, str]:
    """Live's failing rate, or the noise floor; then the candidate's."""
    if isinstance(check, AssertionReport):
        return percent(check.live.rate), percent(check.candidate.rate)
    return f"~{percent(check.control.rate)}" if check.control.n else "?", percent(check.candidate.rate)


def _slices(candidate: CandidateReport) -> Iterator[str]:
    found = flagged(candidate)
    if not found:
        return
    yield ""
    yield "  hit harder than the rest"
    for one in found[:10]:
        where = f"{line(one.slice, 40)}, {line(one.check, 30)}"
        inside = f"{one.worse:,} of {one.conversations:,} worse, elsewhere {one.others_worse:,} of {one.others:,}"
        yield f"▲ {where:<40.72} {points(one.effect.value):>6} points"
        yield f"    {inside}"


def _latency(candidate: CandidateReport) -> Iterator[str]:
    yield ""
    for name, metric in candidate.latency.items():
        arms = (("live", metric.live), (line(candidate.name, 20), metric.candidate))
        shown = {arm: " / ".join(map(seconds, (found.p50, found.p95, found.p99))) for arm, found in arms}
        beside = "; ".join(f"{arm} {quantiles}" for arm, quantiles in shown.items())
        yield f"  {name.replace('_', ' ') + ' 50/95/99':<21}{beside}; p95 {times(metric.ratio['p95'].value)}"


def _account(shadow: str, account: Accounting) -> str:
    parts = [
        *((f"not eligible ({reason})", n) for reason, n in account.ineligible.items()),
        ("sampled out", account.sampled_out),
        *((f"skipped ({reason})", n) for reason, n in account.skipped.items()),
        *((f"dropped ({reason})", n) for reason, n in account.dropped.items()),
        ("paired", account.paired),
    ]
    calls = " + ".join(f"{n:,} {line(name, 40)}" for name, n in parts if n) or "0"
    waiting = f"{account.evaluated:,} judged, {account.waiting:,} waiting, {account.dead_lettered:,} given up"
    warning = "" if account.balanced else "; THE COUNTS DO NOT ADD UP"
    return f"{line(shadow)}: {account.calls:,} calls = {calls}; of these {waiting}{warning}"


def _wrapped(words: str, indent: str) -> list[str]:
    return textwrap.wrap(words, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False) or [""]
