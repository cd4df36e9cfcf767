"""text: a Report for terminals, at most 100 columns, the verdict first. Used by the CLI."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from evaluators.core.render.order import (
    Check,
    accounts,
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
    Rule,
    SliceReport,
)
from evaluators.core.report.words import between, count, percent, points, seconds, times, usd
from evaluators.core.tally import Accounting

WIDTH = 100

MOST_SLICES = 10
MOST_PLACES = 5

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
        part for shadow, what, account in accounts(report) for part in _wrapped(_account(shadow, what, account), "  ")
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
    yield from _places(candidate, paint)
    yield from _slices(candidate, paint)
    yield from _discoveries(candidate, paint)
    yield from _latency(candidate)
    cost = candidate.cost
    yield f"  cost per answer      live {usd(cost.live.mean)}, {line(candidate.name)} {usd(cost.candidate.mean)}"


def _decision(candidate: CandidateReport, paint: _Paint) -> Iterator[str]:
    decision = candidate.decision
    verdict = paint(decision.verdict.value.upper(), decision.verdict.value)
    yield f"{verdict}  {paint(line(candidate.name), 'bold')}: {line(decision.reason, 300)}"
    if due := expected(decision):
        yield f"  {due}"
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
    for layer, checks in layered(judged(candidate)).items():
        yield f"  {paint(line(layer, 40), 'bold')}"
        for check in checks:
            yield from _check(check, paint)


def _check(check: Check, paint: _Paint) -> Iterator[str]:
    watched = between((check.sequence.low, check.sequence.high))
    interval = between((check.effect.interval.low, check.effect.interval.high))
    change = points(check.effect.value) if check.effect.n else "–"
    first, second = _rates(check)
    name = f"  {line(check.check, 27):<28}"
    yield f"{_mark(tone(check), paint)} {name}{first:>9}{second:>11}{change:>9}  {interval:<17}{watched}"
    if isinstance(check, ComparisonReport) and check.energy.n:
        steadier = f": {check.steadier}" if check.steadier else ""
        yield f"      {energy_note(check.energy)}{steadier}"


def _mark(kind: str, paint: _Paint) -> str:
    return paint(MARKS[kind], kind)


def _rates(check: Check) -> tuple[str, str]:
    """Live's failing rate, or the noise floor; then the candidate's."""
    if isinstance(check, AssertionReport):
        return percent(check.live.rate), percent(check.candidate.rate)
    return f"~{percent(check.control.rate)}" if check.control.n else "?", percent(check.candidate.rate)


def _places(candidate: CandidateReport, paint: _Paint) -> Iterator[str]:
    """Only what is flagged; the JSON and the page have the rest."""
    found = [(check, *places_and_kinds(check)) for check in judged(candidate)]
    yield from _paths("where in the answer, beyond chance", [(check, places) for check, places, _ in found], paint)
    yield from _paths("kinds of error, beyond chance", [(check, kinds) for check, _, kinds in found], paint)


def _paths(title: str, found: Sequence[tuple[Check, Sequence[PathRate]]], paint: _Paint) -> Iterator[str]:
    known = [(check, beyond) for check, paths in found if (beyond := [path for path in paths if path.flagged])]
    if not known:
        return
    yield ""
    yield f"  {title:<46}{'live':>7}{'candidate':>11}{'points':>9}  interval"
    for check, paths in known:
        for path in paths[:MOST_PLACES]:
            where = line(f"{line(check.check, 24)} {path.path}", 45)
            interval = between((path.interval.low, path.interval.high))
            other = percent(path.noise) if isinstance(check, AssertionReport) else f"~{percent(path.noise)}"
            rates = f"{other:>7}{percent(path.candidate):>11}{points(path.excess):>9}"
            yield f"{_mark('worse', paint)} {where:<46}{rates}  {interval}"
        if len(paths) > MOST_PLACES:
            yield f"    {line(check.check, 24)}: {len(paths) - MOST_PLACES} more"


def _slices(candidate: CandidateReport, paint: _Paint) -> Iterator[str]:
    found = flagged(candidate)
    if found:
        yield from ("", "  hit harder than the rest")
        for one in found[:MOST_SLICES]:
            yield from _slice(one, paint)
    own, inside = crossed(candidate)
    if inside:
        yield f"    {count(len(inside), 'pair')} of keys inside these slices left out"
    if own:
        yield from ("", "  two keys at once, where neither stands out alone")
        for pair in own[:MOST_SLICES]:
            yield from _slice(pair, paint)


def _slice(one: SliceReport | CrossingReport, paint: _Paint) -> Iterator[str]:
    inside = f"{one.worse:,} of {one.conversations:,} worse, elsewhere {one.others_worse:,} of {one.others:,}"
    yield f"{_mark('worse', paint)} {line(one.slice, 96)}"
    yield f"    {line(one.check, 30)}: {points(one.effect.value)} points; {inside}"


def _discoveries(candidate: CandidateReport, paint: _Paint) -> Iterator[str]:
    confirmed, others = discovered(candidate)
    if confirmed:
        yield from ("", "  found on earlier traffic, confirmed on later")
    for one in confirmed[:MOST_SLICES]:
        earlier, later = f"{one.worse:,} of {one.conversations:,}", f"{one.later_worse:,} of {one.later:,}"
        elsewhere = f"elsewhere {one.later_others_worse:,} of {one.later_others:,}"
        yield f"{_mark('worse', paint)} {line(one.slice, 96)}"
        yield f"    {line(one.check, 30)}: earlier {earlier} worse, later {later}, {elsewhere}"
    if others:
        yield from (() if confirmed else ("",))
        yield f"    {count(len(others), 'pair')} of keys found on earlier traffic, not confirmed on later"


def _latency(candidate: CandidateReport) -> Iterator[str]:
    yield ""
    for name, metric in candidate.latency.items():
        arms = (("live", metric.live), (line(candidate.name, 20), metric.candidate))
        shown = {arm: " / ".join(map(seconds, (found.p50, found.p95, found.p99))) for arm, found in arms}
        beside = "; ".join(f"{arm} {quantiles}" for arm, quantiles in shown.items())
        yield f"  {name.replace('_', ' ') + ' 50/95/99':<21}{beside}; p95 {times(metric.ratio['p95'].value)}"


def _account(shadow: str, what: str, account: Accounting) -> str:
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
    name = f"{line(shadow)} ({line(what)})" if what else line(shadow)
    return f"{name}: {account.calls:,} calls = {calls}; of these {waiting}{warning}"


def _wrapped(words: str, indent: str) -> list[str]:
    return textwrap.wrap(words, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False) or [""]
