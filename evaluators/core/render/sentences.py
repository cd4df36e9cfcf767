"""Plain language: what a report says about one candidate, worst first. Shared by text, markdown and html."""

from __future__ import annotations

from dataclasses import dataclass

from evaluators.core.report.shape import AssertionReport, CandidateReport, ComparisonReport, SliceReport
from evaluators.core.report.words import count, per_thousand, percent, times

MOST_SLICES = 3


@dataclass(frozen=True, slots=True)
class Sentence:
    """One statement and which way it points: worse, better or even."""

    tone: str
    text: str


def headlines(candidate: CandidateReport) -> tuple[Sentence, ...]:
    """Everything that differs beyond chance, in one sentence each; then what does not."""
    if not candidate.pairs:
        return (Sentence("even", f"No pairs of live and {candidate.name} have been judged yet."),)
    changed = sorted((check for check in candidate.checks if check.effect.direction != "even"), key=_weight)
    by_silence = [check for check in changed if check.effect.direction == "worse" and only_silent(check)]
    told = [check for check in changed if check not in by_silence]
    said = [Sentence(check.effect.direction, check_sentence(candidate.name, check)) for check in told]
    said += [Sentence("worse", slice_sentence(found)) for found in flagged(candidate)[:MOST_SLICES]]
    said += _silence(candidate, [check.check for check in by_silence])
    said += [*_speed(candidate), *_price(candidate), *_rest(candidate)]
    return tuple(said)


def flagged(candidate: CandidateReport) -> list[SliceReport]:
    """Slices that survive the correction for many looks, the worst at least first."""
    found = [found for found in candidate.slices if found.flagged]
    return sorted(found, key=lambda found: (-found.effect.interval.low, found.slice, found.check))


def check_sentence(name: str, check: AssertionReport | ComparisonReport) -> str:
    """One check as one sentence with its interval, per thousand calls."""
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
    beside = f" {silent:,} of its {check.candidate.failed:,} are calls without an answer." if silent else ""
    return f"{rates}: {per_thousand(check.effect.value)}, between {_few(low)} and {_few(high)}.{beside}"


def silent_pairs(check: AssertionReport | ComparisonReport) -> int:
    """Pairs that the candidate fails, or differs in, by giving no answer where live gave one."""
    if isinstance(check, AssertionReport):
        return max(0, check.paired.regressed - check.answered.regressed)
    return check.candidate.failed - check.answered.failed


def only_silent(check: AssertionReport | ComparisonReport) -> bool:
    """Whether what is worse goes away once calls without an answer are left out."""
    if not silent_pairs(check):
        return False
    if isinstance(check, AssertionReport):
        return check.answered.interval.low <= 0
    return check.answered.interval.low <= check.control.interval.high


def slice_sentence(found: SliceReport) -> str:
    """Where it hits harder, in conversations."""
    inside = f"{found.worse:,} of {count(found.conversations, 'conversation')}"
    return (
        f"{found.check} is hit harder in {found.slice}: {inside} came out worse there, "
        f"{found.others_worse:,} of {found.others:,} elsewhere."
    )


def sample(candidate: CandidateReport) -> str:
    """What the numbers rest on."""
    control = f"{candidate.control_pairs:,} with live asked twice" if candidate.control_pairs else "no control"
    closed = count(candidate.conversations, "closed conversation")
    return f"{count(candidate.pairs, 'pair')}, {closed}, {control}"


def silence(candidate: CandidateReport) -> str:
    """How often exactly one side did not answer."""
    table = candidate.outcomes
    return f"no answer from {candidate.name} only: {table.candidate_failed:,}; from live only: {table.live_failed:,}"


def _few(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}".removesuffix(".0")


def _silence(candidate: CandidateReport, fails: list[str]) -> list[Sentence]:
    table = candidate.outcomes
    if not table.candidate_failed:
        return []
    answered = table.both_ok + table.candidate_failed
    kinds = sorted(((pairs, kind) for kind, pairs in table.kinds["candidate"].items() if pairs), reverse=True)
    listed = ", ".join(f"{kind.replace('_', ' ')} {pairs:,}" for pairs, kind in kinds[:3])
    lost = f"{table.candidate_failed:,} of {answered:,}"
    so = f"; by that alone it is worse on {', '.join(fails)}" if fails else ""
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
    even = [check.check for check in candidate.checks if check.effect.direction == "even" and check.effect.n]
    idle = [check.check for check in candidate.checks if not check.candidate.n]
    said = [("No difference beyond chance", even), ("Nothing in this traffic to judge", idle)]
    return [Sentence("even", f"{what}: {', '.join(names)}.") for what, names in said if names]


def judged(candidate: CandidateReport) -> list[AssertionReport | ComparisonReport]:
    """The checks that apply to at least one pair: a row of zeros about nothing would look like good news."""
    return [check for check in candidate.checks if check.candidate.n]


def _weight(check: AssertionReport | ComparisonReport) -> tuple[bool, bool, float]:
    """Blockers first, then what got worse, then by how much at least."""
    effect = check.effect
    surely = max(effect.interval.low, -effect.interval.high)
    return (check.severity != "blocker", effect.direction != "worse", -surely)
