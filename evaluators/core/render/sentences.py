"""Plain language: what a report says about one candidate, worst first. Shared by text, markdown and html.

What is worth saying, and in which order, is order's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.core.gate.pace import lasting
from evaluators.core.render.order import Check, apart, flagged, news
from evaluators.core.report.crossings import TOGETHER
from evaluators.core.report.shape import (
    AssertionReport,
    CandidateReport,
    ComparisonReport,
    CrossingReport,
    Decision,
    DiscoveryReport,
    Energy,
    Rule,
    SliceReport,
    Verdict,
)
from evaluators.core.report.words import count, energy, per_thousand, percent, times

MOST_SLICES = 3
"""Headlines about slices, and as many about pairs of keys; the sections below have all of them."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One statement and which way it points: worse, better or even."""

    tone: str
    text: str


def headlines(candidate: CandidateReport) -> tuple[Sentence, ...]:
    """Everything that differs beyond chance, in one sentence each; then what does not."""
    if not candidate.pairs:
        return (Sentence("even", f"No pairs of live and {candidate.name} have been judged yet."),)
    changed = sorted((check for check in candidate.checks if _points(check) != "even"), key=_weight)
    by_silence = [check for check in changed if _by_silence(candidate, check)]
    told = [check for check in changed if check not in by_silence]
    said = [Sentence(_points(check), check_sentence(candidate.name, check)) for check in told]
    said += [Sentence("worse", text) for text in _where(flagged(candidate))[:MOST_SLICES]]
    said += _pairs(candidate)
    said += _silence(candidate, [check.check for check in by_silence])
    said += [*_speed(candidate), *_price(candidate), *_rest(candidate)]
    return tuple(said)


def check_sentence(name: str, check: Check) -> str:
    """One check as one sentence with its interval, per thousand calls."""
    if isinstance(check, ComparisonReport) and apart(check):
        return _apart(name, check)
    if isinstance(check, AssertionReport):
        rates = (
            f"{name} fails {check.check} in {percent(check.candidate.rate)} of calls "
            f"where live fails in {percent(check.live.rate)}"
        )
    else:
        rates = (
            f"{name} differs from live on {check.check} in {percent(check.candidate.rate)} of calls "
            f"where live differs from itself in {percent(check.control.rate)}"
        )
    low, high = sorted(abs(end) * 1000 for end in (check.effect.interval.low, check.effect.interval.high))
    silent = silent_pairs(check)
    beside = f" {silent:,} of its {check.candidate.failed:,} are calls without an answer to judge." if silent else ""
    return f"{rates}: {per_thousand(check.effect.value)}, between {_few(low)} and {_few(high)}.{beside}"


def silent_pairs(check: Check) -> int:
    """Pairs that the candidate fails, or differs in, by giving no answer where live gave one, or none to judge."""
    if isinstance(check, AssertionReport):
        return max(0, check.paired.regressed - check.answered.regressed)
    return check.candidate.failed - check.answered.failed


def only_silent(check: Check) -> bool:
    """Whether what is worse goes away once calls without an answer to judge are left out."""
    if not silent_pairs(check):
        return False
    if isinstance(check, AssertionReport):
        return check.answered.interval.low <= 0
    return check.answered.interval.low <= check.control.interval.high


def slice_sentence(found: SliceReport | CrossingReport, *also: str) -> str:
    """Where it hits harder, in conversations; `also` are checks of which the same is true."""
    inside = f"{found.worse:,} of {count(found.conversations, 'conversation')}"
    hit = f"{', '.join((found.check, *also[:-1]))} and {also[-1]} are" if also else f"{found.check} is"
    return (
        f"{hit} hit harder in {together(found.slice)}: {inside} came out worse there, "
        f"{found.others_worse:,} of {found.others:,} elsewhere."
    )


def discovery_sentence(found: DiscoveryReport) -> str:
    """What earlier traffic pointed to and later traffic bears out, in conversations."""
    return (
        f"{found.check} is hit harder in {together(found.slice)}, found on earlier traffic "
        f"({found.worse:,} of {found.conversations:,} worse) and confirmed on later: {found.later_worse:,} of "
        f"{count(found.later, 'conversation')} came out worse there, {found.later_others_worse:,} of "
        f"{found.later_others:,} elsewhere."
    )


def together(slices: str) -> str:
    """A pair of slices in words."""
    return slices.replace(TOGETHER, " with ")


def energy_note(found: Energy) -> str:
    """The energy of a comparison beside its rates; "" where it was not measured."""
    if not found.n:
        return ""
    return f"energy {energy(found.value)} ({energy(found.interval.low)} to {energy(found.interval.high)})"


def expected(decision: Decision) -> str:
    """When the whole decision is due, if every rule that it waits for knows its time; "" otherwise."""
    waiting = [rule for rule in decision.rules if rule.severity == "blocker" and rule.verdict is Verdict.WAIT]
    if decision.verdict is not Verdict.WAIT or not all(map(missing, waiting)):
        return ""
    due = [rule.expected_in for rule in waiting]
    return f"The decision is expected in {lasting(max(due))} at the present traffic." if min(due) >= 0 else ""


def missing(rule: Rule) -> tuple[str, ...]:
    """What a rule waits for, and how long that takes: "1,204 more conversations", "3 hours"; only what is known."""
    if rule.needs <= 0:
        return ()
    more = count(rule.needs, "call" if rule.kind == "max_failures" else "conversation").replace(" ", " more ", 1)
    time = lasting(rule.expected_in)
    return (more, time) if time else (more,)


def sample(candidate: CandidateReport) -> str:
    """What the numbers rest on."""
    control = f"{candidate.control_pairs:,} with live asked twice" if candidate.control_pairs else "no control"
    closed = count(candidate.conversations, "closed conversation")
    return f"{count(candidate.pairs, 'pair')}, {closed}, {control}"


def _by_silence(candidate: CandidateReport, check: Check) -> bool:
    """Whether missing answers may be all that is behind it: an answer that escapes the check is told as its own."""
    lost = silent_pairs(check) <= candidate.outcomes.candidate_failed
    return lost and check.effect.direction == "worse" and only_silent(check)


def _few(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}".removesuffix(".0")


def _points(check: Check) -> str:
    """Another model is never good news by differing seldom."""
    return "worse" if apart(check) else check.effect.direction


def _apart(name: str, check: ComparisonReport) -> str:
    what = f"{check.steadier} on" if check.steadier else "no more often different, still different on"
    return (
        f"{name} is {what} {check.check}: it differs from live in {percent(check.candidate.rate)} of calls where live "
        f"differs from itself in {percent(check.control.rate)}, and yet the two are further apart than each is from "
        f"itself: {energy_note(check.energy)}."
    )


def _where(found: Sequence[SliceReport]) -> list[str]:
    """One sentence per slice and numbers: two checks that see the same calls fail are one finding."""
    alike: dict[tuple[str, int, int, int, int], list[SliceReport]] = {}
    for one in found:
        key = (one.slice, one.worse, one.conversations, one.others_worse, one.others)
        alike.setdefault(key, []).append(one)
    return [slice_sentence(first, *(one.check for one in rest)) for first, *rest in alike.values()]


def _pairs(candidate: CandidateReport) -> list[Sentence]:
    confirmed, others = news(candidate)
    texts = [*map(discovery_sentence, confirmed), *map(slice_sentence, others)]
    return [Sentence("worse", text) for text in texts[:MOST_SLICES]]


def _silence(candidate: CandidateReport, fails: list[str]) -> list[Sentence]:
    table = candidate.outcomes
    if not table.candidate_failed:
        return []
    answered = table.both_ok + table.candidate_failed
    kinds = sorted(((pairs, kind) for kind, pairs in table.kinds["candidate"].items() if pairs), reverse=True)
    listed = ", ".join(f"{kind.replace('_', ' ')} {pairs:,}" for pairs, kind in kinds[:3])
    lost = f"{table.candidate_failed:,} of {answered:,}"
    so = f"; where there is an answer to judge, it is no worse on {', '.join(fails)}" if fails else ""
    return [Sentence("worse", f"{candidate.name} gave no answer to {lost} calls that live answered ({listed}){so}.")]


def _speed(candidate: CandidateReport) -> list[Sentence]:
    ratio = candidate.latency["total"].ratio["p95"]
    if ratio.value < 0 or ratio.interval[0] <= 1 <= ratio.interval[1]:
        return []
    tone, word = ("worse", "slower") if ratio.value > 1 else ("better", "faster")
    ends = f"{times(ratio.interval[0])} to {times(ratio.interval[1])}"
    return [
        Sentence(
            tone, f"It is {word}: its 95th percentile until the last byte is {times(ratio.value)} live's ({ends})."
        )
    ]


def _price(candidate: CandidateReport) -> list[Sentence]:
    ratio = candidate.cost.ratio
    if ratio < 0:
        return []
    tone = "worse" if ratio > 1 else "better" if ratio < 1 else "even"
    return [Sentence(tone, f"An answer costs {times(ratio)} live's on average.")]


def _rest(candidate: CandidateReport) -> list[Sentence]:
    even = [check.check for check in candidate.checks if _points(check) == "even" and check.effect.n]
    idle = [check.check for check in candidate.checks if not check.candidate.n]
    said = [("No difference beyond chance", even), ("Nothing in this traffic to judge", idle)]
    return [Sentence("even", f"{what}: {', '.join(names)}.") for what, names in said if names]


def _weight(check: Check) -> tuple[bool, bool, float]:
    """Blockers first, then what got worse, then by how much at least."""
    effect = check.effect
    surely = max(effect.interval.low, -effect.interval.high)
    return (check.severity != "blocker", _points(check) != "worse", -surely)
