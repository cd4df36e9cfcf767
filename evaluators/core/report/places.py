"""Where inside the answers: every path of one check with its own noise, and closed e-BH over the paths. Used by checks.

Shares and their interval count calls, bets count conversations (folding.places says which are worse). A path is tested
when enough conversations are not even there, which says nothing about their direction; its null is stated given those.
"""

from __future__ import annotations

from collections.abc import Mapping

from evaluators.core.report.cells import Cells, arm_rate, differing, excess, paired
from evaluators.core.report.shape import EVERYTHING, ArmRate, Estimate, PathRate
from evaluators.core.stats.evidence import e_bh_closed, e_value_alone
from evaluators.core.tally import CheckTally

SHOWN_PATHS = 20

MIN_UNEVEN = 6
"""Conversations worse or better at a path: five that are all worse have an e-value of 16, which 5 % never flags."""


def path_rates(tally: CheckTally, control: CheckTally | None, noise: ArmRate, alpha: float) -> tuple[PathRate, ...]:
    """The flagged ones, then the worst by the lower end of their interval. `noise` is the control's own rate."""
    uneven = {path: (letters.get("w", 0), letters.get("b", 0)) for path, letters in tally.places.items() if path}
    e_values = {path: e_value_alone(*two) for path, two in uneven.items() if sum(two) >= MIN_UNEVEN}
    flagged = e_bh_closed(e_values, alpha)
    again = control.paths if control else {}
    rates = []
    for path in dict.fromkeys((*tally.paths, *uneven)):
        share, floor, effect = _shares(tally, path, noise, again, alpha)
        worse, better = uneven.get(path, (0, 0))
        e_value = e_values.get(path, 1.0)
        rates.append(
            PathRate(
                path, share.rate, floor, share.n, effect.value, effect.interval, e_value, path in flagged, worse, better
            )
        )
    return tuple(sorted(rates, key=_rank)[:SHOWN_PATHS])


def _rank(rate: PathRate) -> tuple[bool, float, float, str]:
    return (not rate.flagged, -rate.interval.low, -rate.excess, rate.path)


def _shares(
    tally: CheckTally, path: str, noise: ArmRate, again: Mapping[str, int], alpha: float
) -> tuple[ArmRate, float, Estimate]:
    """The candidate's share, the other side's, and the difference; before anything was folded what each shows alone."""
    cells = _cells(tally.places, path)
    share = _candidate(tally, path, alpha)
    if cells.n and tally.comparison:
        return share, cells.other / cells.n, excess(share, cells, alpha)
    if cells.n:
        both = paired(cells, alpha)
        own = arm_rate(cells.candidate, cells.n, alpha)
        return own, cells.other / cells.n, Estimate(both.difference, both.interval, both.n)
    floor = 0.0 if not noise.n else again.get(path, 0) / noise.n
    return share, floor, Estimate(share.rate - floor, EVERYTHING, 0)


def _cells(places: Mapping[str, Mapping[str, int]], path: str) -> Cells:
    """Calls with both sides by who differs at the path; those where neither does are the rest."""
    found, whole = places.get(path, {}), places.get("", {})
    both, mine, other = (found.get(letters, 0) for letters in ("dd", "dm", "md"))
    n = sum(whole.get(letters, 0) for letters in ("dd", "dm", "md", "mm"))
    return Cells(both, mine, other, max(0, n - both - mine - other)) if n else Cells()


def _candidate(tally: CheckTally, path: str, alpha: float) -> ArmRate:
    """How often the candidate differs (or fails) at the path, of its judged answers."""
    if tally.comparison:
        n = differing(tally.joint, alpha, answered=True).n
    else:
        n = sum(pairs for letters, pairs in tally.joint.items() if letters[1] in "pf")
    return arm_rate(min(tally.paths.get(path, 0), n), n, alpha)
