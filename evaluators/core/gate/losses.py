"""Losses: calls whose answers nobody judged, and what they could have been. Used by decide, watched and fixed.

A candidate may not pass because its worst answers were lost. Each call lost in a way that the candidate can bring
about counts as its worst before a pass is granted; no failure ever rests on one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from evaluators.core.reply import EXCUSED, Kind
from evaluators.core.report.words import count
from evaluators.core.stats.cluster import Value, Values
from evaluators.core.tally import Accounting, ShadowTally

DEAD_LETTERED = "dead_lettered"
"""A pair that no worker could judge: an answer can be what kills a worker."""

CAPPED = "capped"
"""An answer longer than capture.max_body: our limit, and its length."""

EXCLUDED: Mapping[str, str] = {
    "rate": "max_per_second counts calls before they are asked, whatever the answers are like",
    "queue_full": "the queue took nobody's pairs",
    "queue_away": "the queue took nobody's pairs",
    "spool_full": "the queue took nobody's pairs, and the disk's share was used up",
    "first_lost": "it is the second answer to a call whose first is counted already",
}
"""Ways to drop a call that do not look at the candidate. Any other, one of a newer proxy too, may be its doing: an
open breaker, too many calls in flight because it is slow, memory and lanes that its answers fill, an answer that
cannot be written, a crash, and what was unfinished at a shutdown. What is skipped or sampled out was never asked."""

SURELY = 3.0
"""Losses that the control should share and does not: with 3 expected, none at all has a chance below 5 % (e^-3)."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Calls of one candidate without a judged answer, by reason."""

    counted: Mapping[str, int] = field(default_factory=dict)
    excluded: Mapping[str, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Calls that count as the worst."""
        return sum(self.counted.values())

    @property
    def says(self) -> str:
        """3 calls lost in ways that it can bring about (breaker_open 2, memory 1)."""
        return f"{count(self.n, 'call')} lost in ways that it can bring about ({_listed(self.counted)})"

    @property
    def left_out(self) -> str:
        """What is not held against it, and why; "" for nothing."""
        told = (f"{reason} {n:,}: {EXCLUDED[reason]}" for reason, n in sorted(self.excluded.items()))
        return f"Lost, and not held against it: {'; '.join(told)}." if self.excluded else ""


def losses(tally: ShadowTally, control: Accounting) -> Losses:
    """What was lost of a candidate. Losses that the control should have shared, and did not, count as its own."""
    account = tally.accounting
    counted, excluded = Counter({DEAD_LETTERED: account.dead_lettered, CAPPED: _capped(tally)}), Counter[str]()
    share = control.paired / account.paired if account.paired else 0.0
    for reason, n in account.dropped.items():
        alone = n * share >= SURELY and not control.dropped.get(reason)
        (excluded if reason in EXCLUDED and not alone else counted)[reason] += n
    return Losses(dict(+counted), dict(+excluded))


def worst(values: Values, lost: int, end: int, neutral: float) -> dict[Value, int]:
    """The conversations with so many calls lost, each as bad as can be.

    `end` is the worst mean, -1 or 1; a mean of `neutral` speaks neither for a release nor against it. A lost call was
    a conversation of its own, or has made the rest of one look better. So as many of the best conversations as speak
    for a release are taken for the worst, and where there are none left, others are added: whatever the lost answers
    were, every bet on a release is worth at most what it would be with them.
    """
    left, found = lost, Counter(values)
    for value in sorted(values, key=lambda part: part[0] / part[1] * end):
        moved = min(left, found[value]) if (value[0] / value[1] - neutral) * end < 0 else 0
        found[value] -= moved
        left -= moved
    found[end, 1] += lost
    return dict(+found)


def _capped(tally: ShadowTally) -> int:
    """Answers that were cut and not judged: no check has a letter for them, while one that broke off is an x.

    A check that is asked of every call has an x for every other failure; without such a check all that were cut count.
    """
    failed = {kind: pairs for (live, kind), pairs in tally.outcomes.items() if live == Kind.OK != kind}
    cut = failed.get(Kind.TRUNCATED, 0)
    known = max((_unanswered(check.joint) for check in tally.checks), default=0)
    return max(0, min(cut, sum(n for kind, n in failed.items() if kind not in EXCUSED) - known))


def _unanswered(joint: Mapping[str, int]) -> int:
    """Pairs in which live alone answered: the last letter is the shadow's."""
    return sum(pairs for letters, pairs in joint.items() if letters[-1] == "x" and letters != "xx")


def _listed(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {n:,}" for reason, n in sorted(reasons.items()))
