"""Cases for the tests of the gate's rooms: one gate in front of one tally."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from config.gating import Gate
from evaluators.core.gate.losses import Losses
from evaluators.core.gate.reading import Case
from evaluators.core.report import ReportRules, build
from evaluators.core.stats.evidence import LIFTS
from evaluators.core.tally import Accounting, CheckTally, Evidence, ShadowTally
from tests.evaluators.core.samples import WINDOW, assertion, shadow


def case(gate: Gate, tally: ShadowTally, lost: int = 0, alpha: float = 0.05) -> Case:
    """The gate before the tally; `lost` calls went behind an open breaker."""
    (candidate,) = build([tally], ReportRules(), WINDOW, 0.0, 0).candidates
    return Case(gate, candidate, tally, alpha, Losses({"breaker_open": lost} if lost else {}))


def sliced(worse: int, better: int, conversations: int, name: str = "topic=billing") -> CheckTally:
    """An assertion of 2,000 calls that agree, and of one slice that has evidence of its own."""
    whole = assertion(joint={"pp": 2000})
    seen = Evidence(conversations, worse, better, 2000 - conversations, 0, (0.0,) * len(LIFTS))
    letters = {"pf": worse, "fp": better, "pp": conversations - worse - better}
    return replace(whole, evidence={name: seen}, slices={name: letters})


def dropped(**reasons: int) -> Accounting:
    """A thousand pairs, and calls dropped for these reasons."""
    return Accounting(calls=1000 + sum(reasons.values()), dropped=reasons, paired=1000, evaluated=1000)


def timed(**ratios: Mapping[tuple[int, int], int]) -> ShadowTally:
    """A candidate with these log ratios per conversation."""
    n = max(sum(values.values()) for values in ratios.values())
    return shadow(pairs=n, conversations=n, ratios=ratios)
