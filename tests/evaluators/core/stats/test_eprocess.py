"""Watched statements: published values, algebra, and simulations of people who look after every few pairs."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.core.stats.cluster import Values, mean
from evaluators.core.stats.eprocess import (
    UNKNOWN,
    bernoulli_sequence,
    best_rho,
    confidence_sequence,
    factors,
    log_mean,
    log_wealth,
    needs,
    needs_below,
    red_line_t_opt,
    release,
    sequential_mcnemar,
    sequential_mcnemar_one_sided,
    stop,
)

ALPHA = 0.05
MARGIN = 0.02
TERNARY = np.array([1.0, 0.0, -1.0])


def ternary(better: int, equal: int, worse: int) -> Values:
    """Conversations of one call each."""
    return {(1, 1): better, (0, 1): equal, (-1, 1): worse}


def failing(k: int, n: int) -> Values:
    """k of n conversations of one call fail."""
    return {(1, 1): k, (0, 1): n - k}


fractions = st.dictionaries(
    st.tuples(st.integers(-6, 6), st.integers(1, 6)).filter(lambda part: abs(part[0]) <= part[1]),
    st.integers(1, 30),
    min_size=1,
    max_size=5,
)


def test_a_single_bet_multiplies_by_hand():
    """Half of a bet at margin .1 on two better, three equal, one worse is 1.55² 1.05³ .55."""
    assert math.exp(log_wealth(ternary(2, 3, 1), 0.1, 0.5)) == pytest.approx(1.529657, abs=5e-7)


def test_a_bet_of_everything_is_ruined_by_one_loss():
    """The largest bet that is allowed loses all on a conversation that is worse throughout."""
    assert log_wealth(ternary(5, 5, 1), 0.0, 1.0) == -math.inf


@pytest.mark.parametrize(
    ("values", "passing", "failing_"),
    [
        pytest.param(ternary(30, 950, 20), 1114.283, 0.0318204, id="better"),
        pytest.param(ternary(0, 207, 43), 0.02410, 2.516e9, id="XSTest refusals"),
        pytest.param({}, 1.0, 1.0, id="nothing yet"),
    ],
)
def test_the_mixture_of_bets_has_its_published_values(values, passing, failing_):
    """Release and stop give the e-values of the fixed grid at a margin of two points."""
    assert math.exp(release(values, MARGIN)) == pytest.approx(passing, rel=2e-4)
    assert math.exp(stop(values, MARGIN)) == pytest.approx(failing_, rel=2e-4)


@pytest.mark.parametrize(
    ("k", "n", "t_opt", "low", "high"),
    [
        pytest.param(700, 1000, 100, 0.651629, 0.745949, id="many"),
        pytest.param(15, 50, 50, 0.129556, 0.511896, id="some"),
        pytest.param(5, 50, 50, 0.013021, 0.269264, id="few"),
        pytest.param(1, 50, 50, 0.0, 0.13489, id="one"),
        pytest.param(100, 200, 1, 0.328923, 0.671076, id="early"),
        pytest.param(0, 0, 100, 0.0, 1.0, id="nothing yet"),
        pytest.param(0, 50, 50, 0.0, 0.076970, id="none"),
        pytest.param(50, 50, 50, 0.923030, 1.0, id="all, mirrored"),
    ],
)
def test_the_sequence_of_a_rate_has_confseqs_limits(k, n, t_opt, low, high):
    """The beta-binomial limits are those of confseq's unit tests."""
    found = bernoulli_sequence(failing(k, n), ALPHA, "both", t_opt)
    assert (found.low, found.high) == (pytest.approx(low, abs=2e-6), pytest.approx(high, abs=2e-6))


def test_the_best_rho_is_confseqs():
    """At v = 100 and alpha .05 the normal mixture is tightest with rho 12.60056."""
    assert best_rho(100, ALPHA) == pytest.approx(12.60056, abs=5e-6)


def test_one_end_alone_is_tighter():
    """Spending all of alpha on one end brings that end closer, and leaves the other open."""
    both = bernoulli_sequence(failing(15, 50), ALPHA, "both", 50)
    upper, lower = (bernoulli_sequence(failing(15, 50), ALPHA, side, 50) for side in ("upper", "lower"))
    assert (upper.low, lower.high) == (0.0, 1.0)
    assert both.low < lower.low < 0.3 < upper.high < both.high


def test_fractions_of_a_rate_count_by_their_sum():
    """A mean in [0, 1] is sub-Bernoulli: ten halves are treated as five failures in ten."""
    assert bernoulli_sequence({(1, 2): 10}) == bernoulli_sequence(failing(5, 10))


@pytest.mark.parametrize("t_opt", [1.0, 50.0, 2000.0])
@pytest.mark.parametrize("side", ["both", "upper"])
@pytest.mark.parametrize(("k", "n"), [(0, 50), (3, 50), (1, 3000), (40, 50)])
def test_the_upper_end_is_the_last_rate_not_rejected(k, n, side, t_opt):
    """No rate above the upper end would be kept: the sequences of two alphas are nested and the end is a crossing."""
    wide, narrow = (bernoulli_sequence(failing(k, n), alpha, side, t_opt) for alpha in (0.01, 0.2))
    assert narrow.high <= wide.high
    assert k / n <= narrow.high


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(16, 6, 2.44409, id="4194304/(23·74613)"),
        pytest.param(25, 5, 243.055, id="clear"),
        pytest.param(121, 59, 4730.99, id="many"),
        pytest.param(0, 0, 1.0, id="nothing yet"),
    ],
)
def test_sequential_mcnemar_has_its_published_values(one, other, expected):
    """The Beta(1, 1) mixture is 2^(b+c) B(1+b, 1+c)."""
    assert math.exp(sequential_mcnemar(one, other)) == pytest.approx(expected, rel=5e-6)


@pytest.mark.parametrize(
    ("worse", "better", "expected"),
    [
        pytest.param(16, 6, 4.80340, id="mixed"),
        *(
            pytest.param(k, 0, e, id=f"{k} one way")
            for k, e in ((12, 630.077), (10, 186.091), (9, 102.3), (6, 18.1429), (3, 3.75), (2, 2.33333), (1, 1.5))
        ),
    ],
)
def test_one_sided_mcnemar_has_its_published_values(worse, better, expected):
    """With all one way the e-value is 2^(k+1) (1 - 2^-(k+1)) / (k + 1)."""
    assert math.exp(sequential_mcnemar_one_sided(worse, better)) == pytest.approx(expected, rel=2e-5)


def test_one_sided_mcnemar_with_a_leaning_prior():
    """The arcsine prior gives nine worse and none better 190, where the uniform one gives 102."""
    assert math.exp(sequential_mcnemar_one_sided(9, 0, prior=0.5)) == pytest.approx(189.858, rel=1e-5)
    assert sequential_mcnemar_one_sided(0, 5000) < 0


@pytest.mark.parametrize("prior", [1.0, 0.5])
def test_one_sided_mcnemar_has_mean_one(prior):
    """Exactly: over twelve fair discordant pairs its mean is 1."""
    chances = [math.comb(12, k) / 2**12 for k in range(13)]
    average = sum(chance * math.exp(sequential_mcnemar_one_sided(k, 12 - k, prior)) for k, chance in enumerate(chances))
    assert average == pytest.approx(1.0, abs=1e-9)


def test_the_betting_sequence_is_near_the_published_one():
    """On 60 of 100 confseq's betting sequence is .446 to .755; the fixed grid of bets comes within .01."""
    found = confidence_sequence(ternary(60, 0, 40))
    assert (found.low + 1) / 2 == pytest.approx(0.446, abs=0.01)
    assert (found.high + 1) / 2 == pytest.approx(0.755, abs=0.01)


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        pytest.param({}, -1.0, 1.0, id="nothing yet"),
        pytest.param(ternary(100, 0, 0), 0.8936829, 1.0, id="all better"),
        pytest.param(ternary(0, 0, 100), -1.0, -0.8936829, id="all worse"),
        pytest.param(ternary(0, 100, 0), -0.0531586, 0.0531586, id="none differ"),
    ],
)
def test_the_betting_sequence_at_its_edges(values, low, high):
    """The ends stay in [-1, 1], and certainty is never claimed."""
    found = confidence_sequence(values)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))


@settings(max_examples=40, deadline=None)
@given(values=fractions)
def test_the_sequence_holds_what_the_tests_do_not_reject(values):
    """The mean is inside; the ends are where release and stop reach 2/alpha; mirrored values mirror the interval."""
    found, mirrored = confidence_sequence(values), confidence_sequence({(-a, b): n for (a, b), n in values.items()})
    assert found.low <= mean(values) + 1e-12
    assert mean(values) - 1e-12 <= found.high
    assert (found.low, found.high) == (pytest.approx(-mirrored.high, abs=1e-9), pytest.approx(-mirrored.low, abs=1e-9))
    limit = math.log(2 / ALPHA)
    if -1 < found.low <= 0:
        assert release(values, -found.low) == pytest.approx(limit, abs=1e-6)
    if -1 < found.high <= 0:
        assert stop(values, -found.high) == pytest.approx(limit, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(values=fractions)
def test_order_does_not_matter(values):
    """Merged in another order, the same counts give the same bits."""
    turned = dict(reversed(list(values.items())))
    assert release(values, MARGIN) == release(turned, MARGIN)
    assert stop(values, MARGIN) == stop(turned, MARGIN)
    assert confidence_sequence(values) == confidence_sequence(turned)


def test_a_negative_margin_asks_for_better():
    """Half a point better on average proves «better by .3», not «better by .7»."""
    values = {(1, 2): 400}
    assert release(values, -0.3) >= math.log(1 / ALPHA) > release(values, -0.7)
    assert stop(values, -0.7) >= math.log(1 / ALPHA) > stop(values, -0.3)


@settings(max_examples=40, deadline=None)
@given(values=fractions)
def test_a_wider_margin_is_never_harder_to_release(values):
    """Evidence against «worse by 1 point» is at least as much evidence against «worse by 5 points»."""
    assert release(values, 0.01) <= release(values, 0.05) + 1e-9
    assert stop(values, 0.05) <= stop(values, 0.01) + 1e-9


def test_the_missing_conversations_bring_the_release():
    """With as many more at the same rates the gate releases, with one less it does not."""
    missing = needs(ternary(5, 190, 5), MARGIN)
    grown = 200 + missing
    assert release(ternary(0, grown, 0), MARGIN) > release(ternary(5, 190, 5), MARGIN)
    at = np.array([0.025, 0.95, 0.025]) * grown
    assert log_mean(at @ factors(TERNARY, -MARGIN)) >= math.log(1 / ALPHA)
    before = at * (grown - 1) / grown
    assert log_mean(before @ factors(TERNARY, -MARGIN)) < math.log(1 / ALPHA)


@pytest.mark.parametrize(
    ("values", "margin", "expected"),
    [
        pytest.param({}, MARGIN, UNKNOWN, id="nothing to go by"),
        pytest.param(ternary(5, 190, 20), MARGIN, UNKNOWN, id="getting worse"),
        pytest.param(ternary(30, 950, 20), MARGIN, 0, id="reached"),
        pytest.param(ternary(0, 100, 0), MARGIN, 128, id="nothing differs"),
        pytest.param(ternary(0, 100, 0), 1e-12, UNKNOWN, id="longer than anybody waits"),
    ],
)
def test_what_is_missing_to_a_release(values, margin, expected):
    """Needs is 0 when released, and UNKNOWN when these rates never lead there."""
    assert needs(values, margin) == expected


@pytest.mark.parametrize(
    ("values", "t_opt", "expected"),
    [
        pytest.param({}, 100, 3014, id="before the first"),
        pytest.param({}, red_line_t_opt(0.001), 3370, id="before the first, tuned"),
        pytest.param(failing(0, 3000), 100, 14, id="soon"),
        pytest.param(failing(0, 4000), 100, 0, id="reached"),
        pytest.param(failing(10, 3000), 100, UNKNOWN, id="too often"),
        pytest.param({(1, 10**10): 10, (0, 1): 10**6}, 100, 0, id="fractions"),
    ],
)
def test_what_is_missing_below_a_red_line(values, t_opt, expected):
    """A red line at .1 % needs about 3/p clean conversations; the sequence agrees with the estimate."""
    missing = needs_below(values, 0.001, ALPHA, t_opt)
    assert missing == expected
    if missing >= 0 and (0, 1) in values:
        grown = {**values, (0, 1): values[0, 1] + missing}
        assert bernoulli_sequence(grown, ALPHA, "upper", t_opt).high <= 0.001


@pytest.mark.parametrize(
    "nonsense",
    [
        pytest.param(lambda: release(ternary(1, 1, 1), 1.0), id="margin one"),
        pytest.param(lambda: stop(ternary(1, 1, 1), -1.0), id="margin minus one"),
        pytest.param(lambda: release({(3, 2): 1}, 0.1), id="value above one"),
        pytest.param(lambda: release({(1, 1): -1}, 0.1), id="negative count"),
        pytest.param(lambda: log_wealth({}, 0.5, 2.1), id="bet beyond ruin"),
        pytest.param(lambda: confidence_sequence({}, 0.0), id="alpha zero"),
        pytest.param(lambda: bernoulli_sequence({(-1, 2): 1}), id="negative share"),
        pytest.param(lambda: bernoulli_sequence({}, 0.05, "both", 0.0), id="no horizon"),
        pytest.param(lambda: needs_below({}, 1.0), id="red line at one"),
        pytest.param(lambda: red_line_t_opt(0.0), id="red line at zero"),
        pytest.param(lambda: sequential_mcnemar(-1, 2), id="negative discordant"),
    ],
)
def test_nonsense_is_refused(nonsense):
    """What cannot be raises ValueError."""
    with pytest.raises(ValueError, match=r"."):
        nonsense()


def _looks(rng: np.random.Generator, runs: int, chances: tuple[float, float, float], pairs: int) -> np.ndarray:
    """Counts of better, equal, worse after every 25 pairs: runs x looks x 3."""
    return rng.multinomial(25, chances, size=(runs, pairs // 25)).cumsum(axis=1)


def _paths(counts: np.ndarray, outcomes: np.ndarray, hypothesis: float) -> np.ndarray:
    """Log wealth of the mixture at every look: runs x looks."""
    wealth = counts @ factors(outcomes, hypothesis)
    top = wealth.max(axis=-1, keepdims=True)
    mixed: np.ndarray = top[..., 0] + np.log(np.exp(wealth - top).mean(axis=-1))
    return mixed


def _at_margin(discordance: float) -> tuple[float, float, float]:
    """Chances of better, equal, worse when the candidate is exactly the margin worse."""
    return (discordance - MARGIN) / 2, 1 - discordance, (discordance + MARGIN) / 2


def _false_releases(discordance: float, runs: int) -> float:
    counts = _looks(np.random.default_rng(5), runs, _at_margin(discordance), 4000)
    return float((_paths(counts, TERNARY, -MARGIN).max(axis=1) >= math.log(1 / ALPHA)).mean())


def _uncovered(discordance: float, runs: int) -> float:
    counts = _looks(np.random.default_rng(6), runs, _at_margin(discordance), 4000)
    below, above = _paths(counts, TERNARY, -MARGIN), _paths(counts, -TERNARY, MARGIN)
    return float((np.maximum(below, above).max(axis=1) >= math.log(2 / ALPHA)).mean())


@pytest.mark.parametrize("discordance", [0.02, 0.10, 0.30])
def test_looking_every_25_pairs_does_not_release_a_worse_candidate(discordance):
    """A candidate exactly the margin worse is released in at most 5 % of runs, although everybody watches."""
    assert _false_releases(discordance, 300) <= ALPHA


@pytest.mark.parametrize("discordance", [0.02, 0.10, 0.30])
def test_the_betting_sequence_covers_at_all_looks_at_once(discordance):
    """The truth is outside at any look in at most 5 % of runs."""
    assert _uncovered(discordance, 300) <= ALPHA


def test_the_simulated_paths_are_those_of_the_doors():
    """What the simulations compute in bulk is what release and stop say."""
    counts = _looks(np.random.default_rng(1), 2, (0.1, 0.8, 0.1), 100)
    for run, path, other in zip(
        counts, _paths(counts, TERNARY, -MARGIN), _paths(counts, -TERNARY, MARGIN), strict=True
    ):
        for seen, up, down in zip(run, path, other, strict=True):
            better, equal, worse = map(int, seen)
            assert up == pytest.approx(release(ternary(better, equal, worse), MARGIN), abs=1e-9)
            assert down == pytest.approx(stop(ternary(better, equal, worse), MARGIN), abs=1e-9)


def _red_line_misses(runs: int, rate: float, t_opt: float) -> tuple[float, float]:
    """Share of runs where the upper, or the lower, end passes the true mean at any look; fractional conversations."""
    rng = np.random.default_rng(8)
    looks = np.unique(np.geomspace(20, 4000, 12).astype(int))
    low = high = 0
    for _ in range(runs):
        calls = rng.integers(1, 4, size=4000)
        bad = rng.binomial(calls, rate)
        seen = [Counter(zip(map(int, bad[:n]), map(int, calls[:n]), strict=True)) for n in looks]
        high += any(bernoulli_sequence(values, ALPHA, "upper", t_opt).high < rate for values in seen)
        low += any(bernoulli_sequence(values, ALPHA, "lower", t_opt).low > rate for values in seen)
    return high / runs, low / runs


@pytest.mark.parametrize("rate", [0.005, 0.1])
def test_the_sequence_of_a_rate_covers_at_all_looks(rate):
    """Neither one-sided end passes the true mean of fractional conversations in more than 5 % of runs."""
    assert max(_red_line_misses(40, rate, red_line_t_opt(rate))) <= ALPHA


@pytest.mark.proof
@pytest.mark.timeout(120)
def test_watching_is_safe_at_length():
    """4 000 runs per discordance: false releases, uncovered runs and red lines all stay at or below 5 %."""
    print("\ndiscordance  false releases  sequence misses")
    for discordance in (0.02, 0.10, 0.30):
        released, missed = _false_releases(discordance, 4000), _uncovered(discordance, 4000)
        print(f"{discordance:>10.0%}  {released:>14.2%}  {missed:>15.2%}")
        assert max(released, missed) <= ALPHA
    print("rate  upper end misses  lower end misses")
    for rate in (0.005, 0.02, 0.1):
        high, low = _red_line_misses(400, rate, red_line_t_opt(rate))
        print(f"{rate:>4.1%}  {high:>16.2%}  {low:>16.2%}")
        assert max(high, low) <= ALPHA


@pytest.mark.proof
@pytest.mark.timeout(120)
def test_equal_models_are_released_about_when_published():
    """Median pairs to a release of equal models at two points: 825 at 5 % discordance, 1 775 at 10 %."""
    print("\ndiscordance  median pairs")
    for discordance, published in ((0.05, 825), (0.10, 1775)):
        counts = _looks(np.random.default_rng(9), 1500, (discordance / 2, 1 - discordance, discordance / 2), 16000)
        reached = _paths(counts, TERNARY, -MARGIN) >= math.log(1 / ALPHA)
        first = np.where(reached.any(axis=1), (reached.argmax(axis=1) + 1) * 25, 10**6)
        print(f"{discordance:>10.0%}  {np.median(first):>12.0f}")
        assert np.median(first) == pytest.approx(published, rel=0.05)
