"""Case and Reading: what a rule is given, and what it sees, before it is settled.

Cases are made by decide; readings by watched, fixed and counted, and settled by decide.
"""

from __future__ import annotations

from dataclasses import dataclass

from config.gating import Gate
from evaluators.core.gate.losses import Losses
from evaluators.core.report.shape import CandidateReport, Span
from evaluators.core.report.words import count
from evaluators.core.stats import cluster
from evaluators.core.stats.cluster import Values
from evaluators.core.tally import CheckTally, ShadowTally

UNKNOWN = -1
"""Nobody can say how many conversations are still missing."""

MIN_SCORED = 0.95
"""A rule may not pass when more than 5% of what it should look at could not be judged: what nobody saw is not good."""


@dataclass(frozen=True, slots=True)
class Case:
    """One candidate in front of one gate."""

    gate: Gate
    candidate: CandidateReport
    tally: ShadowTally
    alpha: float  # of this gate
    losses: Losses

    @property
    def check(self) -> CheckTally | None:
        """The tallies of the check that is judged, in its latest version; None before the first."""
        found = [check for check in self.tally.checks if check.label == self.gate.label]
        return found[-1] if found else None

    @property
    def opens(self) -> int:
        """Conversations before which it does not pass, or with `mode: fixed` is not looked at."""
        return self.gate.at or self.gate.min_conversations

    @property
    def closes(self) -> int:
        """Conversations after which it stays undecided; a fixed look is the only one."""
        return self.gate.at or self.gate.max_conversations


@dataclass(frozen=True, slots=True)
class Reading:
    """The numbers of one rule, and which way they point."""

    seen: int  # conversations, or calls
    value: float
    interval: Span
    good: bool  # evidence that the limit holds, whatever the lost answers were
    bad: bool  # evidence that it does not, from what was seen alone
    says: str  # the numbers, as the beginning of a sentence
    needs: int  # conversations (or calls) still missing
    watched: bool = True  # the evidence is valid at every look, so a failure need not wait
    doubt: str = ""  # why it may not pass, whatever the numbers say
    noun: str = "conversation"


def missing(case: Case, n: int, estimated: int = UNKNOWN) -> int:
    """Conversations still missing: up to the minimum at least, and what the evidence asks for where that is known."""
    short = max(case.opens - n, 0)
    return max(short, estimated) if short or estimated >= 0 else UNKNOWN


def nothing(case: Case, arms: str) -> Reading:
    """Before the first conversation."""
    says = f"No closed conversation{_where(case)} has a {arms} answer judged by {case.gate.label} yet"
    return Reading(0, 0.0, (), False, False, says, case.opens, watched=case.gate.mode == "watched")


def unjudged(case: Case, judged: int, unknown: int, what: str) -> str:
    """Fails closed when too much was not judged: a gate is not passed by breaking its instrument. "" otherwise."""
    lost, total = case.losses.n, judged + unknown + case.losses.n
    if unknown + lost <= (1 - MIN_SCORED) * total:
        return ""
    if not lost:
        return f"{what} {unknown:,} of {count(total, 'pair')}, so it may not pass"
    also = f"{what} {count(unknown, 'pair')}, and " if unknown else ""
    return f"{also}{case.losses.says}: too many of {total:,} for a pass"


def hidden(case: Case, seen_good: bool, good: bool, unknown: int = 0) -> str:
    """What is said when a rule does not pass only for the answers that nobody saw, or could measure; "" otherwise."""
    if good or not seen_good:
        return ""
    unseen = [f"{count(unknown, 'call')} not measured"] * bool(unknown) + [case.losses.says] * bool(case.losses.n)
    return f"within the limit on what was seen, but no longer with {' and '.join(unseen)} at their worst"


def broken(check: CheckTally, slice: str) -> tuple[int, int]:
    """Pairs that the check could judge, and those on which it broke."""
    letters = check.slices.get(slice, {}) if slice else check.joint
    unable = sum(pairs for two, pairs in letters.items() if "b" in two)
    return sum(pairs for two, pairs in letters.items() if not set("bs") & set(two)), unable


def blamed(check: CheckTally, slice: str) -> int:
    """Pairs that the candidate's answer alone may have broken the check on. Where it broke on live's too, neither did.

    Each counts as its worst before a pass: an answer that stops what judges it shall not be better than a wrong one.
    """
    letters = check.slices.get(slice, {}) if slice else check.joint
    return sum(pairs for two, pairs in letters.items() if two[-1] == "b" and two != "bb")


def difference_of(check: CheckTally, slice: str) -> Values:
    """Conversations by D, negative is worse: all of them, or those that touch a slice, by their sign there alone."""
    if not slice:
        return check.difference
    seen = check.evidence.get(slice)
    if seen is None:
        return {}
    signs = {(1, 1): seen.better, (0, 1): seen.conversations - seen.worse - seen.better, (-1, 1): seen.worse}
    return {value: n for value, n in signs.items() if n}


def sample(case: Case, values: Values) -> str:
    """In 1,204 conversations with topic=billing, looked at once, at 400 or after."""
    once = f", looked at once, at {case.gate.at:,} or the first look after" if case.gate.at else ""
    return f"in {count(cluster.count(values), 'conversation')}{_where(case)}{once}"


def _where(case: Case) -> str:
    return f" with {case.gate.slice}" if case.gate.slice else ""
