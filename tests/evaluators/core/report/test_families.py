"""Slices and crossings together, as a report flags them: false discoveries under peeking, power, and coverage."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from evaluators.core.report import ReportRules, build
from evaluators.core.stats.cluster import difference_interval
from evaluators.core.stats.evidence import block_log_bets
from evaluators.core.stats.excess import excess_partial
from evaluators.core.stats.interval import Interval, newcombe_paired, tango_paired, wilson
from evaluators.core.tally import Evidence, ShadowTally
from tests.evaluators.core.samples import WINDOW, assertion, shadow

ALPHA = 0.05
KEYS = 20
BLOCK = 64


class Traffic:
    """Conversations with twenty binary keys: 20 slices and their 190 crossings, 210 overlapping groups in all."""

    def __init__(self, seed: int, rest: float, inside: float) -> None:
        self._dice = np.random.default_rng(seed)
        self._rest, self._inside = rest, inside
        pairs = [(a, b) for a in range(KEYS) for b in range(a + 1, KEYS)]
        self._first, self._second = np.array(pairs).T
        self.names = [f"k{a}=1" for a in range(KEYS)] + [f"k{a}=1 & k{b}=1" for a, b in pairs]
        self.sums = np.zeros((len(self.names), 9))

    def block(self) -> None:
        """One more block; a conversation with the first key is worse with another chance than the others."""
        features = self._dice.random((BLOCK, KEYS)) < 0.35
        members = np.hstack([features, features[:, self._first] & features[:, self._second]])
        worse = self._dice.random(BLOCK) < np.where(features[:, 0], self._inside, self._rest)
        better = ~worse & (self._dice.random(BLOCK) < self._rest)
        n, bad, good = members.sum(0), members[worse].sum(0), members[better].sum(0)
        others, others_bad = BLOCK - n, worse.sum() - bad
        bets = [block_log_bets(*map(int, row)) for row in zip(n, bad, others, others_bad, strict=True)]
        self.sums += np.column_stack([n, bad, good, others, others_bad, bets])

    def tally(self) -> ShadowTally:
        """What the store would say."""
        rows = {name: tuple(map(float, row)) for name, row in zip(self.names, self.sums, strict=True)}
        evidence = {name: _evidence(row) for name, row in rows.items() if "&" not in name}
        crossed = {name: {0: row} for name, row in rows.items() if "&" in name}
        slices = {name: {"pf": found.worse, "pp": found.conversations} for name, found in evidence.items()}
        return shadow(assertion(slices=slices, evidence=evidence, crossed=crossed))


def _evidence(row: tuple[float, ...]) -> Evidence:
    n, worse, better, others, others_worse = map(int, row[:5])
    return Evidence(n, worse, better, others, others_worse, row[5:])


def flags(tally: ShadowTally) -> set[str]:
    """Everything that a report flags against the rest."""
    (candidate,) = build([tally], ReportRules(alpha=ALPHA), WINDOW, 0.0, 0).candidates
    return {one.slice for one in (*candidate.slices, *candidate.crossings) if one.flagged}


def watched(seed: int, rest: float, inside: float, blocks: int, every: int) -> tuple[float, float]:
    """The false share at the look that flags most falsely, and the share of planted groups at the last look."""
    traffic, worst, found = Traffic(seed, rest, inside), 0.0, set[str]()
    planted = {name for name in traffic.names if "k0=1" in name.split(" & ")} if inside > rest else set[str]()
    for block in range(blocks):
        traffic.block()
        if block % every == every - 1:
            found = flags(traffic.tally())
            worst = max(worst, len(found - planted) / max(1, len(found)))
    return worst, len(found & planted) / max(1, len(planted))


def test_nothing_is_flagged_where_nothing_is_worse() -> None:
    """210 overlapping groups looked at again and again: whoever stops at the worst look still sees less than 5 %."""
    runs = [watched(seed, 0.08, 0.08, 12, 4)[0] for seed in range(12)]
    print(f"\nfalse discovery rate {np.mean(runs):.2%} over N={len(runs)} runs")
    assert np.mean(runs) <= ALPHA


def test_a_planted_key_is_flagged() -> None:
    """Three times as bad as the rest, and nothing else is flagged on the way."""
    false, found = watched(3, 0.05, 0.25, 24, 12)
    assert found > 0.5
    assert false <= ALPHA


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_families_at_length() -> None:
    """The false discovery rate at the worst of 20 looks, and what of the planted groups is found in the end."""
    print("\nrest  slice  runs  false discovery rate  planted found")
    for rest, inside in ((0.02, 0.02), (0.08, 0.08), (0.05, 0.18), (0.05, 0.30)):
        runs = [watched(seed, rest, inside, 40, 2) for seed in range(100)]
        fdr, power = (float(np.mean([one[at] for one in runs])) for at in (0, 1))
        print(f"{rest:4.0%}  {inside:5.0%}  {len(runs):4}  {fdr:20.2%}  {power:13.1%}")
        assert fdr <= ALPHA


def paired(dice: np.random.Generator, n: int, both: float, only: float, other: float) -> list[int]:
    return [int(k) for k in dice.multinomial(n, [both, only, other, 1 - both - only - other])]


def covered(kind: str, n: int, runs: int) -> float:
    """How often an interval holds the truth: a rate of 4 %, differences of 3 points."""
    dice, hits = np.random.default_rng(11), 0
    for _ in range(runs):
        dd, dm, md, mm = paired(dice, n, 0.05, 0.06, 0.03)
        truth, interval = 0.03, Interval(0.0, 0.0)
        if kind == "wilson":
            truth, interval = 0.04, wilson(int(dice.binomial(n, 0.04)), n)
        elif kind == "newcombe":
            interval = newcombe_paired(dd, dm, md, mm)
        elif kind == "tango":
            interval = tango_paired(dm, md, n)
        elif kind == "partial control":
            more = paired(dice, 3 * n, 0.05, 0.06, 0.03)
            interval = excess_partial(dd + dm + more[0] + more[1], 4 * n, dd, dm, md, mm).interval
        elif kind == "conversations":
            truth, interval = -0.03, difference_interval(talks(dice, n))
        elif kind == "energy":
            truth, interval = 0.09, difference_interval(halves(dice, n))
        hits += interval.low <= truth <= interval.high
    return hits / runs


def talks(dice: np.random.Generator, n: int) -> Counter[tuple[int, int]]:
    """Conversations of three calls that share their luck half of the time: mean D is -.03."""
    shared = dice.choice([-1, 0, 1], size=n, p=[0.06, 0.91, 0.03])
    own = dice.choice([-1, 0, 1], size=(n, 3), p=[0.06, 0.91, 0.03])
    d = np.where(dice.random((n, 1)) < 0.5, shared[:, None], own).sum(axis=1)
    return Counter((int(one) // 3, 1) if one % 3 == 0 else (int(one), 3) for one in d)


def halves(dice: np.random.Generator, n: int) -> Counter[tuple[int, int]]:
    """Half energies of p = (.7, .3) beside q = (1, 0): mean .09."""
    live, again = dice.random((2, n)) < 0.3
    e = 2 * live - (live != again) * 1
    return Counter((int(one) // 2, 1) if one % 2 == 0 else (int(one), 2) for one in e)


KINDS = ("wilson", "newcombe", "tango", "partial control", "conversations", "energy")


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_cover(kind: str) -> None:
    """Each interval of the report holds the truth about as often as it says."""
    assert covered(kind, 400, 300) >= 0.92


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_coverage_at_length() -> None:
    """Coverage of every interval at several sizes."""
    print("\nnominal 95 %       " + "".join(f"{n:>8}" for n in (50, 200, 1000)))
    for kind in KINDS:
        shares = [covered(kind, n, 4000) for n in (50, 200, 1000)]
        print(f"{kind:<18}" + "".join(f"{share:8.1%}" for share in shares))
        assert min(shares[1:]) >= 0.93
