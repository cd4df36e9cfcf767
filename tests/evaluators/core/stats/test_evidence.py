"""Evidence by slice: the bet's mean under its null, who is flagged on labelled data, and simulated error rates."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import hypergeom, nchypergeom_fisher

from evaluators.core.stats.evidence import (
    BLOCK,
    LIFTS,
    bh,
    block_log_bets,
    by,
    e_bh,
    e_bh_closed,
    e_value,
    e_value_alone,
    e_values,
    e_values_alone,
)

ALPHA = 0.05
MUCH = 500  # conversations worse and none better: the slice by itself is beyond doubt
REFUSALS = (12, 10, 9, 6, 3, 2, 1, *(0,) * 11)
"""XSTest, 18 types of 25 prompts: where the candidate refuses and live does not, never the other way round."""

PUBLISHED = (630.077, 186.091, 102.300, 18.143, 3.75, 2.333, 1.5, 1.0, 1.0, 1.0)
BENJAMINI_HOCHBERG = (
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0),
)


def named(values: tuple[float, ...]) -> dict[str, float]:
    """Values under letters, in order."""
    return {chr(ord("a") + place): value for place, value in enumerate(values)}


@pytest.mark.parametrize(
    ("n_in", "n_out", "worse"),
    [
        pytest.param(3, 29, 5, id="small slice"),
        pytest.param(20, 12, 9, id="large slice"),
        pytest.param(1, 1, 1, id="smallest block"),
        pytest.param(30, 34, 60, id="nearly all worse"),
    ],
)
def test_a_block_bets_fishers_law_against_chance(n_in, n_out, worse):
    """Each bet is the ratio of Fisher's noncentral to the central hypergeometric law, with mean 1 under chance."""
    for place, lift in enumerate(LIFTS):
        mean = 0.0
        for inside in range(max(0, worse - n_out), min(n_in, worse) + 1):
            chance = hypergeom.pmf(inside, n_in + n_out, n_in, worse)
            bet = math.exp(block_log_bets(n_in, inside, n_out, worse - inside)[place])
            lifted = nchypergeom_fisher.pmf(inside, n_in + n_out, n_in, worse, lift)
            assert bet == pytest.approx(lifted / chance, rel=1e-7)
            mean += chance * bet
        assert mean == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        pytest.param([0.1] * 4, [0.1] * 6, id="equal"),
        pytest.param([0.0, 0.1, 0.2, 0.2], [0.2, 0.3, 0.6, 0.9, 0.2, 0.5], id="mixed, never likelier inside"),
        pytest.param([0.05] * 4, [0.3] * 6, id="better inside"),
        pytest.param([0.5, 0.5], [0.5] * 7 + [1.0], id="some outside for certain"),
    ],
)
def test_a_block_does_not_gain_where_the_slice_is_not_worse(inside, outside):
    """Summed over all outcomes, every bet has mean at most 1, whatever the mixture of chances."""
    means = np.zeros(len(LIFTS))
    for worse_in, chance_in in enumerate(_law(inside)):
        for worse_out, chance_out in enumerate(_law(outside)):
            bets = block_log_bets(len(inside), worse_in, len(outside), worse_out)
            means += chance_in * chance_out * np.exp(bets)
    assert means.max() <= 1 + 1e-9


@pytest.mark.parametrize(
    "block",
    [
        pytest.param((0, 0, 29, 3), id="nobody inside"),
        pytest.param((29, 3, 0, 0), id="nobody outside"),
        pytest.param((5, 0, 20, 0), id="nobody worse"),
        pytest.param((5, 5, 20, 20), id="everybody worse"),
        pytest.param((0, 0, 0, 0), id="empty"),
    ],
)
def test_a_block_that_says_nothing_bets_nothing(block):
    """Without a comparison the wealth stays."""
    assert block_log_bets(*block) == (0.0,) * len(LIFTS)


@pytest.mark.parametrize(
    ("worse", "better", "least", "most"),
    [
        pytest.param(0, 0, 1.0, 1.001, id="nothing seen"),
        pytest.param(5, 5, 0.0, 1.0, id="as often better"),
        pytest.param(0, 30, 0.0, 0.1, id="only better"),
        pytest.param(20, 0, 1e4, 2.0**20, id="only worse, never above the best bet in hindsight"),
        pytest.param(10_000, 0, 1e298, 1e300, id="fits into JSON"),
    ],
)
def test_a_slice_by_itself(worse, better, least, most):
    """Only the slice's own conversations count, and an honest coin is never far above one."""
    assert least <= e_value_alone(worse, better) <= most


def test_the_value_is_the_smaller_of_both_statements():
    """A slice that only scatters, or is only as bad as the rest, has no evidence."""
    rich, poor = (9.0,) * len(LIFTS), (-9.0,) * len(LIFTS)
    assert e_value(rich, 50, 50) < 1
    assert e_value(poor, MUCH, 0) == pytest.approx(math.exp(-9))
    assert e_value(rich, MUCH, 0) == pytest.approx(math.exp(9))
    assert e_value(rich, 9, 0) == pytest.approx(189.858, rel=1e-5)
    assert e_value((1e6,) * len(LIFTS), 10**6, 0) == pytest.approx(math.exp(690))
    assert e_value((0.0,) * len(LIFTS), 0, 0) == 1.0


def test_many_at_once_are_as_one_by_one():
    """The rows of a table have the values that each would have alone, also where all went one way."""
    counts = [(0, 0), (5, 5), (20, 0), (0, 30), (0, 5000), (10_000, 0), (9, 1)]
    worse, better = np.array(counts, dtype=np.float64).T
    bets = np.random.default_rng(1).normal(0, 5, size=(len(counts), len(LIFTS)))
    assert e_values(bets, worse, better) == pytest.approx(
        [e_value(b, *two) for b, two in zip(bets, counts, strict=True)]
    )
    assert e_values_alone(worse, better) == pytest.approx([e_value_alone(*two) for two in counts])
    assert e_values(bets[:0], worse[:0], better[:0]) == []


@pytest.mark.parametrize(
    ("flag", "values", "expected"),
    [
        pytest.param(e_bh, (120, 60, 40, 3, 1), 3, id="e-BH, thresholds 100 50 33.3 25 20"),
        pytest.param(e_bh, PUBLISHED, 3, id="e-BH, XSTest by type"),
        pytest.param(e_bh_closed, (120, 60, 40, 3, 1), 3, id="closed e-BH never fewer"),
        pytest.param(e_bh_closed, (30, 25, 25, 25, 0), 4, id="closed e-BH sees 25 five times"),
        pytest.param(e_bh, (30, 25, 25, 25, 0), 4, id="e-BH at its threshold"),
        pytest.param(e_bh, (60, 30), 2, id="both"),
        pytest.param(e_bh, (39, 19.9), 0, id="e-BH just misses two"),
        pytest.param(e_bh_closed, (39, 19.9), 2, id="closed e-BH, means 19.9 >= 10 and 29.5 >= 20"),
        pytest.param(e_bh_closed, (45, 9.9), 1, id="closed e-BH, 9.9 < 10"),
        pytest.param(bh, BENJAMINI_HOCHBERG, 4, id="BH 1995"),
        pytest.param(by, BENJAMINI_HOCHBERG, 3, id="BY 2001"),
        *(pytest.param(flag, (), 0, id=f"{flag.__name__}, nothing") for flag in (e_bh, e_bh_closed, bh, by)),
    ],
)
def test_flags_have_their_published_numbers(flag, values, expected):
    """Each procedure flags the first so many of its published example."""
    assert flag(named(values), ALPHA) == set(list(named(values))[:expected])


def test_the_exact_p_values_of_the_refusals_flag_four():
    """A report written once, BH on 2^-k for the ten types seen, flags the first four."""
    assert len(bh(named(tuple(2.0**-k for k in REFUSALS[:10])), ALPHA)) == 4


def test_closing_is_what_its_definition_says():
    """Against every subset by brute force, closed e-BH picks the largest admissible set, a superset of e-BH's."""
    rng = np.random.default_rng(2)
    gained = 0
    for _ in range(300):
        values = named(tuple(float(e) for e in np.exp(rng.normal(2.5, 1.2, size=5))))
        closed, plain = e_bh_closed(values, 0.1), e_bh(values, 0.1)
        assert closed == _closed_by_force(values, 0.1)
        assert plain <= closed
        gained += len(closed) > len(plain)
    assert gained > 0


@pytest.mark.parametrize(
    "nonsense",
    [
        pytest.param(lambda: block_log_bets(3, 4, 5, 0), id="more worse than inside"),
        pytest.param(lambda: block_log_bets(3, 1, 5, -1), id="negative outside"),
        pytest.param(lambda: e_value((0.0,), 1, 0), id="sums of another grid"),
        pytest.param(lambda: e_bh({"a": -1.0}), id="negative e-value"),
        pytest.param(lambda: e_bh_closed({"a": math.nan}), id="no number"),
        pytest.param(lambda: e_bh({"a": 1.0}, 0.0), id="alpha zero"),
        pytest.param(lambda: bh({"a": 1.1}), id="p above one"),
        pytest.param(lambda: by({"a": 0.5}, 1.0), id="alpha one"),
    ],
)
def test_nonsense_is_refused(nonsense):
    """What cannot be raises ValueError."""
    with pytest.raises(ValueError, match=r"."):
        nonsense()


def test_blocks_have_a_size():
    """Blocks are large enough to hold a slice of one in twenty."""
    assert BLOCK >= 40


def test_the_refusals_are_found_where_they_are():
    """On the XSTest counts in random order the first two types are flagged always, the third nearly, others never."""
    shares = _flagged_types(30, BLOCK, e_bh)
    assert shares[:2].min() == 1.0
    assert shares[2] >= 0.8
    assert shares[3:].max() == 0.0


def test_optional_stopping_under_the_null_is_safe():
    """With trickling blocks and drifting rates the evidence against the rest passes 1/alpha in at most 5 % of runs."""
    assert _false_alarms(400, worse_inside=1.0) <= ALPHA


def test_a_slice_that_only_scatters_is_not_flagged():
    """Ten per cent worse and ten better in the slice, nothing elsewhere: flagged in at most 5 % of runs."""
    assert _noisy_alarms(300) <= ALPHA


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_slice_errors_at_length():
    """False alarms of every kind stay at or below 5 % in 4 000 runs, and the rate of false discoveries too."""
    same, better, noisy = _false_alarms(4000, 1.0), _false_alarms(2000, 0.5), _noisy_alarms(4000)
    rows = {flag.__name__: _false_discoveries(150, flag) for flag in (e_bh, e_bh_closed)}
    print(f"\nfalse alarms: same {same:.2%}, better inside {better:.2%}, only noisy {noisy:.2%}")
    for name, (fdr, found) in rows.items():
        print(f"{name}: false discovery rate {fdr:.2%}, share of planted slices found {found:.1%}")
    assert max(same, better, noisy) <= ALPHA
    assert max(fdr for fdr, _ in rows.values()) <= ALPHA


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_power_table():
    """Which XSTest types are flagged in 200 random orders, by block size; and how soon a planted slice is."""
    print("\nblock  procedure    12    10     9     6  others")
    for size in (16, 32, 64, 128):
        for flag in (e_bh, e_bh_closed):
            shares = _flagged_types(200, size, flag)
            print(f"{size:>5}  {flag.__name__:<11}", *(f"{s:5.2f}" for s in shares[:4]), f"{shares[4:].max():6.2f}")
            if size == BLOCK:
                assert shares[:2].min() == 1.0
                assert shares[2] >= 0.9
                assert shares[4:].max() == 0.0
    print("rest  slice  share  median conversations to e >= 400 (one of 20 slices)")
    for rest, slice_, share in (
        (0.01, 0.1, 0.1),
        (0.02, 0.3, 0.1),
        (0.05, 0.15, 0.2),
        (0.0, 1.0, 0.05),
        (0.1, 0.2, 0.3),
    ):
        print(f"{rest:4.0%}  {slice_:5.0%}  {share:5.0%}  {_conversations_until(rest, slice_, share):>12.0f}")


def _law(chances: list[float]) -> np.ndarray:
    """Distribution of the number of successes of independent trials."""
    law = np.ones(1)
    for chance in chances:
        law = np.convolve(law, [1 - chance, chance])
    return law


def _closed_by_force(values: dict[str, float], alpha: float) -> set[str]:
    names = sorted(values, key=lambda name: -values[name])
    subsets = [[n for place, n in enumerate(names) if code >> place & 1] for code in range(1, 2 ** len(names))]
    for k in range(len(names), 0, -1):
        picked = set(names[:k])
        if all(
            sum(values[n] for n in subset) / len(subset) >= len(picked & set(subset)) / (alpha * k)
            for subset in subsets
        ):
            return picked
    return set()


def _sums(inside: np.ndarray, worse: np.ndarray, size: int) -> np.ndarray:
    """Running sums of log bets after every block of `size` conversations: blocks x bets."""
    blocks = [
        block_log_bets(int(i.sum()), int((i & w).sum()), int((~i).sum()), int((~i & w).sum()))
        for i, w in ((inside[at : at + size], worse[at : at + size]) for at in range(0, len(inside), size))
    ]
    return np.cumsum(blocks, axis=0)


def _flagged_types(orders: int, size: int, flag: Callable[[dict[str, float], float], set[str]]) -> np.ndarray:
    """Share of random orders in which each XSTest type is flagged in the end."""
    rng = np.random.default_rng(1)
    types = np.repeat(np.arange(len(REFUSALS)), 25)
    refused = np.concatenate([np.arange(25) < count for count in REFUSALS])
    flagged = np.zeros(len(REFUSALS))
    for _ in range(orders):
        order = rng.permutation(len(types))
        values = {}
        for place, count in enumerate(REFUSALS):
            sums = _sums(types[order] == place, refused[order], size)[-1]
            values[str(place)] = e_value(tuple(map(float, sums)), count, 0)
        for name in flag(values, ALPHA):
            flagged[int(name)] += 1
    return flagged / orders


def _false_alarms(runs: int, worse_inside: float) -> float:
    """Share of runs in which a slice no worse than the rest ever passes 1/alpha; blocks of any size, drifting rates."""
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(runs):
        sums = np.zeros(len(LIFTS))
        share, rate = rng.uniform(0.05, 0.5), rng.uniform(0.02, 0.4)
        for _ in range(30):
            size = int(rng.integers(1, BLOCK + 1))
            n_in = int(rng.binomial(size, share))
            rate = min(0.9, max(0.01, rate * math.exp(rng.normal(0, 0.3))))
            worse_in, worse_out = rng.binomial(n_in, rate * worse_inside), rng.binomial(size - n_in, rate)
            sums += block_log_bets(n_in, int(worse_in), size - n_in, int(worse_out))
            if e_value(tuple(map(float, sums)), MUCH, 0) >= 1 / ALPHA:
                alarms += 1
                break
    return alarms / runs


def _noisy_alarms(runs: int) -> float:
    """Share of runs in which a slice with as many worse as better ever passes 1/alpha; nothing differs elsewhere."""
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(runs):
        sums, worse, better = np.zeros(len(LIFTS)), 0, 0
        for _ in range(60):
            n_in = int(rng.binomial(BLOCK, 0.2))
            here = rng.multinomial(n_in, (0.1, 0.1, 0.8))
            sums += block_log_bets(n_in, int(here[0]), BLOCK - n_in, 0)
            worse, better = worse + int(here[0]), better + int(here[1])
            if e_value(tuple(map(float, sums)), worse, better) >= 1 / ALPHA:
                alarms += 1
                break
    return alarms / runs


def _false_discoveries(runs: int, flag: Callable[[dict[str, float], float], set[str]]) -> tuple[float, float]:
    """Mean share of false flags, and of planted slices found, over 200 overlapping slices when most are flagged.

    Twenty independent features and their pairs; conversations with the first feature are worse more often, so the
    slices that ask for it are truly worse and all the others are not. The reader stops at the block that flags most.
    """
    rng = np.random.default_rng(5)
    pairs = [(a, b) for a in range(20) for b in range(a, 20)]
    pairs = [pair for pair in pairs if pair[0] == 0 or pair[0] != pair[1]][:200]
    false, found = [], []
    for _ in range(runs):
        features = rng.random((1280, 20)) < 0.35
        worse = rng.random(1280) < np.where(features[:, 0], 0.18, 0.05)
        better = ~worse & (rng.random(1280) < 0.03)
        members = {f"{a},{b}": features[:, a] & features[:, b] for a, b in pairs}
        paths = {name: _sums(inside, worse, BLOCK) for name, inside in members.items()}
        best: set[str] = set()
        for block in range(4, 1280 // BLOCK, 3):
            until = (block + 1) * BLOCK
            values = {
                name: e_value(
                    tuple(map(float, paths[name][block])),
                    int((inside & worse)[:until].sum()),
                    int((inside & better)[:until].sum()),
                )
                for name, inside in members.items()
            }
            flags = flag(values, ALPHA)
            best = flags if len(flags) >= len(best) else best
        planted = {name for name in members if name.startswith("0,")}
        false.append(len(best - planted) / max(1, len(best)))
        found.append(len(best & planted) / len(planted))
    return float(np.mean(false)), float(np.mean(found))


def _conversations_until(rest: float, slice_: float, share: float) -> float:
    """Median conversations, all slices together, until the e-value reaches 400; candidate is never better."""
    rng = np.random.default_rng(6)
    reached = []
    for _ in range(60):
        inside = rng.random(6400) < share
        worse = rng.random(6400) < np.where(inside, slice_, rest)
        counts = np.cumsum(inside & worse)[BLOCK - 1 :: BLOCK]
        values = [
            e_value(tuple(map(float, sums)), int(count), 0)
            for sums, count in zip(_sums(inside, worse, BLOCK), counts, strict=True)
        ]
        at = next((place for place, value in enumerate(values) if value >= 400), 10**6)
        reached.append((at + 1) * BLOCK)
    return float(np.median(reached))
