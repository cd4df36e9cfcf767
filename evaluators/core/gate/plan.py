"""plan: how many conversations each gate will want, should candidate and live be equally good. Used by `plan`.

The answer depends on how often the two disagree at all: that is seen in the traffic so far, or given. Nothing here
looks at which of the two was better, so planning is no look at the result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from config.gating import Gate
from evaluators.core.gate.losses import Losses
from evaluators.core.gate.reading import UNKNOWN, Case, difference_of
from evaluators.core.report.shape import CandidateReport
from evaluators.core.stats import cluster
from evaluators.core.stats.cluster import Values
from evaluators.core.stats.interval import Interval, wilson
from evaluators.core.stats.planning import chance_at, pairs_needed, red_line_needed
from evaluators.core.tally import ShadowTally

FAILURES = (0, 1, 2)
HALF, LIKELY = 0.5, 0.9


@dataclass(frozen=True, slots=True)
class Seen:
    """How often candidate and live disagreed so far; `spread` is the mean square of D, which counts halves less."""

    conversations: int
    share: float
    interval: Interval
    spread: float

    @property
    def used(self) -> float:
        """What to plan with: where nothing differed yet, the most that may still be true."""
        return self.spread if self.spread > 0 else self.interval.high


@dataclass(frozen=True, slots=True)
class Step:
    """One way it may go, and the conversations after which a release has a chance of 50 % and 90 %; -1 unknown."""

    discordance: float  # planned with; for a red line NEVER
    failures: int  # of a red line; -1 for others
    half: int
    likely: int
    chance: float = -1.0  # of a fixed look alone: that it releases


@dataclass(frozen=True, slots=True)
class Planned:
    """One gate, looked at beforehand."""

    name: str
    kind: str
    limit: float
    margin: float
    minimum: int
    maximum: int
    seen: Seen | None
    steps: tuple[Step, ...]
    note: str  # why there are no steps


def plan(
    candidate: CandidateReport, tally: ShadowTally, gates: Sequence[Gate], alpha: float, shares: Sequence[float] = ()
) -> tuple[Planned, ...]:
    """Every gate of one candidate; `shares` are discordances to plan with in place of what was seen."""
    cases = (Case(gate, candidate, tally, gate.alpha or alpha, Losses()) for gate in gates)
    return tuple(_planned(case, shares) for case in cases)


def _planned(case: Case, shares: Sequence[float]) -> Planned:
    gate, margin = case.gate, _margin(case.gate)
    seen: Seen | None = None
    steps: tuple[Step, ...] = ()
    if gate.kind == "red_line" and 0 < gate.limit < 1:
        steps = tuple(_clean(case, failures) for failures in FAILURES)
    elif 0 < margin < 1:
        seen = _seen(_values(case))
        known = shares or ([seen.used] if seen else ())
        steps = tuple(_step(case, margin, share) for share in known)
    note = "" if steps else _why(case, margin)
    return Planned(gate.name, gate.kind, gate.limit, margin, case.opens, case.closes, seen, steps, note)


def _margin(gate: Gate) -> float:
    """What a difference may be; for a ratio its logarithm, 0 for gates without one."""
    if gate.kind in ("max_regression", "max_excess"):
        return gate.limit
    return math.log(gate.limit) if gate.kind == "max_ratio" and not _of_a_quantile(gate) else 0.0


def _of_a_quantile(gate: Gate) -> bool:
    return (gate.metric or "").endswith(("_p50", "_p95"))


def _values(case: Case) -> Values:
    if case.gate.kind == "max_ratio":
        return case.tally.ratios.get(f"log_{case.gate.metric}", {})
    return difference_of(case.check, case.gate.slice) if case.check else {}


def _seen(values: Values) -> Seen | None:
    n = cluster.count(values)
    if not n:
        return None
    differing = sum(times for (top, _), times in values.items() if top)
    spread = sum((top / bottom) ** 2 * times for (top, bottom), times in values.items()) / n
    return Seen(n, differing / n, wilson(differing, n), spread)


def _step(case: Case, margin: float, share: float) -> Step:
    if case.gate.at is not None:
        return Step(share, UNKNOWN, case.gate.at, case.gate.at, chance_at(case.gate.at, share, margin, case.alpha))
    half, likely = (pairs_needed(share, margin, case.alpha, power) for power in (HALF, LIKELY))
    return Step(share, UNKNOWN, *(n if n == UNKNOWN else max(n, case.opens) for n in (half, likely)))


def _clean(case: Case, failures: int) -> Step:
    needed = max(case.opens, red_line_needed(case.gate.limit, failures, case.alpha))
    return Step(-1.0, failures, needed, needed)


def _why(case: Case, margin: float) -> str:
    gate = case.gate
    if gate.kind == "max_failures":
        return "counts, and passes with its last call"
    if gate.kind == "max_ratio" and _of_a_quantile(gate):
        return f"is decided by its interval, from {case.opens:,} conversations on"
    if gate.kind == "red_line" or margin <= 0:
        return "leaves no room: an equally good candidate is never released"
    return "nothing seen yet; plan with --discordance 2%,10%,30%"
