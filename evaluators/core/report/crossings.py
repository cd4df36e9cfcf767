"""Where, one step further: two slices of different keys at once, beside the rest. Used by build; see slices too.

Crossings are counted by closed conversations alone, so their effect is the share of conversations that are worse less
the share that are better, with Tango's interval. One that holds the same conversations as one of its two slices is
that slice, and neither tested nor shown.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluators.core.report.shape import CrossingReport, DiscoveryReport, Estimate
from evaluators.core.report.slices import MIN_SUPPORT, NO_EVIDENCE
from evaluators.core.stats.discovery import Discovery, discover, stacked
from evaluators.core.stats.evidence import e_bh_closed, e_values, e_values_alone
from evaluators.core.stats.interval import quantile_of_normal, tango_paired
from evaluators.core.tally import CheckTally

SHOWN = 20
"""Crossings per check beside the flagged ones: hundreds are looked at, and a page has room for so many."""

TOGETHER = " & "

_N, _WORSE, _BETTER, _OTHERS, _OTHERS_WORSE, _BETS = range(6)


class Crossings:
    """Every crossing of one check with its sums over the whole window."""

    def __init__(self, tally: CheckTally) -> None:
        self._tally = tally
        names = sorted(tally.crossed)
        spans = stacked([tally.crossed[name] for name in names])
        sums = spans.sum(axis=1)
        kept = [at for at, name in enumerate(names) if not self._is_part(name, sums[at, _N], sums[at, _OTHERS])]
        self.names = [names[at] for at in kept]
        self._spans, self._rows = spans[kept], sums[kept]

    @property
    def tested(self) -> list[int]:
        """The rows with enough conversations inside and outside."""
        if not self.names:
            return []
        enough = (self._rows[:, _N] >= MIN_SUPPORT) & (self._rows[:, _OTHERS] >= MIN_SUPPORT)
        return [int(row) for row in np.flatnonzero(enough)]

    def reports(self, alpha: float, level: float) -> tuple[CrossingReport, ...]:
        """The flagged ones, then the worst by the lower end of their interval. Flags are at `level`."""
        tested = self.tested
        if not tested:
            return ()
        rows = self._rows[tested]
        names = [self.names[row] for row in tested]
        against_rest = e_values(rows[:, _BETS:], rows[:, _WORSE], rows[:, _BETTER])
        alone = e_values_alone(rows[:, _WORSE], rows[:, _BETTER])
        flagged = e_bh_closed(dict(zip(names, against_rest, strict=True)), level)
        worse_alone = e_bh_closed(dict(zip(names, alone, strict=True)), level)
        order = np.argsort(-_least(rows, alpha), kind="stable")
        shown = [at for at in order if names[at] in flagged] + [at for at in order if names[at] not in flagged][:SHOWN]
        found = (
            self._report(tested[at], against_rest[at], alone[at], names[at] in flagged, names[at] in worse_alone, alpha)
            for at in shown
        )
        return tuple(sorted(found, key=_rank))

    def discoveries(self, alpha: float) -> tuple[DiscoveryReport, ...]:
        """What past traffic named and later traffic was asked about."""
        return tuple(self._discovery(one) for one in discover(self.names, self._spans, MIN_SUPPORT, alpha))

    def _is_part(self, name: str, *size: float) -> bool:
        evidence = (self._tally.evidence.get(part, NO_EVIDENCE) for part in name.split(TOGETHER))
        return any((one.conversations, one.others) == size for one in evidence)

    def _report(
        self, row: int, e_value: float, alone: float, flagged: bool, worse_alone: bool, alpha: float
    ) -> CrossingReport:
        n, worse, better, others, others_worse = (int(number) for number in self._rows[row, :_BETS])
        effect = Estimate((worse - better) / n, tango_paired(worse, better, n, alpha), n)
        return CrossingReport(
            slice=self.names[row],
            check=self._tally.label,
            comparison=self._tally.comparison,
            conversations=n,
            worse=worse,
            better=better,
            others=others,
            others_worse=others_worse,
            effect=effect,
            e_value=e_value,
            tested=True,
            flagged=flagged,
            direction=effect.direction,
            examples=self._tally.crossed_examples.get(self.names[row], ()),
            e_value_alone=alone,
            worse_alone=worse_alone,
        )

    def _discovery(self, one: Discovery) -> DiscoveryReport:
        return DiscoveryReport(
            one.name, self._tally.label, one.score, *one.found, *one.later, one.e_value, one.confirmed
        )


def _least(rows: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """Roughly how bad each is at least: what decides which ones get an interval. One more of each keeps off zero."""
    worse, better, n = rows[:, _WORSE], rows[:, _BETTER], rows[:, _N]
    least: NDArray[np.float64] = (worse - better) / n - quantile_of_normal(alpha) * np.sqrt(worse + better + 1) / n
    return least


def _rank(found: CrossingReport) -> tuple[bool, float, float, str]:
    return (not found.flagged, -found.effect.interval.low, -found.e_value, found.slice)
