"""What the gates promise, simulated from fixed seeds: false releases under watching, coverage, and time to a decision.

`./run bench statistics` prints it as Markdown; the tests of the gate hold short runs of it against alpha. Conversations
have one call each, and people look after every 25 of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from config.gating import Gate
from evaluators.core.gate.losses import Losses
from evaluators.core.gate.reading import Case
from evaluators.core.gate.watched import difference, red_line
from evaluators.core.report import ReportRules, build
from evaluators.core.stats.eprocess import best_rho, factors
from evaluators.core.stats.interval import Interval, newcombe_paired, tango_paired
from evaluators.core.stats.planning import chance_at, pairs_needed, red_line_needed
from evaluators.core.tally import Window
from tests.bench.figures import markdown
from tests.evaluators.core.samples import assertion, shadow

ALPHA, MARGIN, LOOK, LONGEST = 0.05, 0.02, 25, 4000
DISCORDANCES = (0.02, 0.10, 0.30)
LINES = (0.005, 0.01, 0.02)
SPREADS = (0.2, 0.5, 1.0)
RATIO, AT = 1.2, 1000
TERNARY = np.array([1.0, 0.0, -1.0])
HUNDREDTHS = np.arange(-100, 101) / 100
RUNS = 4000

Found = NDArray[np.float64]


def chances(discordance: float, worse_by: float) -> tuple[float, float, float]:
    """Of better, equal and worse."""
    return (discordance - worse_by) / 2, 1 - discordance, (discordance + worse_by) / 2


def watched_releases(discordance: float, runs: int, worse_by: float = MARGIN, longest: int = LONGEST) -> Found:
    """Pairs at which each run is released by max_regression 2 %, infinite where it never is."""
    dice = np.random.default_rng(5)
    released = []
    for _ in range(0, runs, 250):
        counts = dice.multinomial(LOOK, chances(discordance, worse_by), size=(250, longest // LOOK)).cumsum(axis=1)
        released.append(_first(_log_mean(counts @ factors(TERNARY, -MARGIN))))
    return np.concatenate(released)


def z_test_releases(discordance: float, runs: int) -> Found:
    """The same for people who look at the usual test every time."""
    counts = np.random.default_rng(5).multinomial(LOOK, chances(discordance, MARGIN), size=(runs, LONGEST // LOOK))
    better, _, worse = np.moveaxis(counts.cumsum(axis=1), -1, 0).astype(float)
    n = np.arange(1, LONGEST // LOOK + 1) * LOOK
    mean = (better - worse) / n
    error = np.sqrt(np.maximum((better + worse) / n - mean**2, 1e-12) / n)
    return _first(np.where(better + worse > 0, (mean + MARGIN) / error, 0.0), float(ndtri(1 - ALPHA)))


def asymptotic_releases(discordance: float, runs: int) -> Found:
    """The same for people who look at an asymptotic confidence sequence, each end at alpha, tightest near 1,000 pairs.

    One discordant pair is added to the variance, or those who have not seen any would be released at once.
    """
    counts = np.random.default_rng(5).multinomial(LOOK, chances(discordance, MARGIN), size=(runs, LONGEST // LOOK))
    better, _, worse = np.moveaxis(counts.cumsum(axis=1), -1, 0).astype(float)
    n = np.arange(1, LONGEST // LOOK + 1) * LOOK
    mean = (better - worse) / n
    variance = (better + worse + 1) / (n + 1) - mean**2
    return _first(mean + MARGIN - asymptotic_width(n, variance, best_rho(AT * discordance, ALPHA)), 0.0)


def asymptotic_width(n: Found | NDArray[np.int64], variance: Found, rho: float) -> Found:
    """Half of an asymptotic confidence sequence: the normal mixture's boundary at v = n times the variance, over n."""
    v = n * variance
    width: Found = np.sqrt((v + rho) * (np.log1p(v / rho) + 2 * math.log(1 / ALPHA))) / n
    return width


def red_line_releases(line: float, runs: int, rate: float = -1.0) -> Found:
    """Pairs at which each run passes a red line, failing at the line itself unless a rate is given."""
    dice, looks = np.random.default_rng(7), np.arange(1, LONGEST // LOOK + 1) * LOOK
    failed = dice.binomial(LOOK, line if rate < 0 else rate, size=(runs, len(looks))).cumsum(axis=1)
    needed: list[int] = []
    while len(needed) <= failed.max() and (not needed or needed[-1] <= LONGEST):
        needed.append(red_line_needed(line, len(needed), ALPHA))
    return _first(looks - np.array(needed)[np.minimum(failed, len(needed) - 1)], 0.0)


def ratio_releases(spread: float, runs: int, mean: float = -math.log(RATIO)) -> Found:
    """Pairs at which each run passes max_ratio 1.2, where the clipped log ratios have this mean; by hundredths."""
    weights, dice = _log_ratios(spread, mean), np.random.default_rng(11)
    steps = factors(HUNDREDTHS, -math.log(RATIO))
    released = []
    for _ in range(0, runs, 100):
        counts = dice.multinomial(LOOK, weights, size=(100, LONGEST // LOOK)).astype(np.float32)
        released.append(_first(_log_mean((counts @ steps.astype(np.float32)).cumsum(axis=1, dtype=np.float64))))
    return np.concatenate(released)


def fixed_share(discordance: float, runs: int, worse_by: float = MARGIN) -> float:
    """Share of runs that the gate itself passes at its one look, at 1,000 pairs."""
    gate = Gate(name="g", check="c", max_regression=MARGIN, mode="fixed", at=AT)
    drawn = np.random.default_rng(13).multinomial(AT, chances(discordance, worse_by), size=runs)
    return _share(drawn, lambda b, e, w: difference(_case(gate, {"fp": b, "pp": e, "pf": w})).good)


def fixed_line_share(line: float, runs: int) -> float:
    """Share of runs, failing at the line itself, that the gate passes at its one look."""
    gate = Gate(name="g", check="c", red_line=line, mode="fixed", at=AT)
    failed = np.random.default_rng(17).binomial(AT, line, size=(runs, 1))
    return _share(failed, lambda k: red_line(_case(gate, {"pf": k, "pp": AT - k})).good)


def covered(interval: Callable[[int, int, int], Interval], discordance: float, runs: int, pairs: int = 300) -> float:
    """Share of runs whose interval of the difference, at one look, holds the truth: two points."""
    drawn = np.random.default_rng(19).multinomial(pairs, chances(discordance, MARGIN), size=runs)

    def holds(better: int, equal: int, worse: int) -> bool:
        found = interval(better, equal, worse)
        return found.low <= MARGIN <= found.high

    return _share(drawn, holds)


def sequence_covers(discordance: float, runs: int) -> float:
    """Share of runs whose confidence sequence holds the truth at every look up to 4,000 pairs."""
    counts = np.random.default_rng(6).multinomial(LOOK, chances(discordance, MARGIN), size=(runs, LONGEST // LOOK))
    below, above = (_log_mean(counts.cumsum(axis=1) @ factors(s * TERNARY, -s * MARGIN)) for s in (1, -1))
    return float((np.maximum(below, above).max(axis=1) < math.log(2 / ALPHA)).mean())


def table(runs: int = RUNS) -> str:
    """Everything as Markdown."""
    return "\n\n".join(_parts(runs))


def _parts(runs: int) -> Iterator[str]:
    yield (
        f"False releases at α = 5 % where the truth lies exactly on the limit: {runs:,} runs of {LONGEST:,} "
        f"conversations ({runs // 4:,} runs for ratios), looked at after every {LOOK}; a fixed look at {AT:,}."
    )
    rows = [
        ["max_regression 2 points, discordant", *map(_percent, DISCORDANCES)],
        ["watched", *(_rate(watched_releases(d, runs)) for d in DISCORDANCES)],
        ["fixed", *(_percent(fixed_share(d, runs)) for d in DISCORDANCES)],
        ["(the usual test, at every look)", *(_rate(z_test_releases(d, runs)) for d in DISCORDANCES)],
        ["(an asymptotic sequence)", *(_rate(asymptotic_releases(d, runs)) for d in DISCORDANCES)],
        ["red_line, at", *map(_percent, LINES)],
        ["watched", *(_rate(red_line_releases(line, runs)) for line in LINES)],
        ["fixed", *(_percent(fixed_line_share(line, runs)) for line in LINES)],
        ["max_ratio 1.2 of the cost, spread of log ratios", *map(str, SPREADS)],
        ["watched", *(_rate(ratio_releases(spread, runs // 4)) for spread in SPREADS)],
    ]
    yield markdown(["", "easy", "middle", "hard"], rows)
    yield f"Coverage of 95 % intervals of a difference of two points, {runs:,} runs; one look at 300 conversations."
    rows = [
        ["Newcombe", *(_percent(covered(_newcombe, d, runs)) for d in DISCORDANCES)],
        ["Tango", *(_percent(covered(_tango, d, runs)) for d in DISCORDANCES)],
        ["confidence sequence, at all looks", *(_percent(sequence_covers(d, runs)) for d in DISCORDANCES)],
    ]
    yield markdown(["discordant", *map(_percent, DISCORDANCES)], rows)
    yield "Conversations to a release when candidate and live are equally good, beside what `understudy plan` says."
    yield markdown(["gate", "median", "planned", "within 90 %", "planned"], _power(runs // 4))


def _power(runs: int) -> Iterator[list[str]]:
    for discordance in (0.05, 0.10, 0.30):
        found = watched_releases(discordance, runs, 0.0, 24_000)
        planned = [f"{pairs_needed(discordance, MARGIN, power=power):,}" for power in (0.5, 0.9)]
        yield _beside(f"2 points, {_percent(discordance)} discordant", found, planned)
    for spread in SPREADS:
        square = float(_log_ratios(spread, 0.0) @ HUNDREDTHS**2)
        planned = [f"{pairs_needed(square, math.log(RATIO), power=power):,}" for power in (0.5, 0.9)]
        yield _beside(f"ratio 1.2, spread {spread}", ratio_releases(spread, runs, 0.0), planned)
    passed = fixed_share(0.10, runs, 0.0)
    planned_chance = _percent(chance_at(AT, 0.10, MARGIN))
    yield [f"2 points, fixed at {AT:,}, 10% discordant", f"passes {_percent(passed)}", planned_chance, "", ""]


def _beside(name: str, found: Found, planned: list[str]) -> list[str]:
    half, likely = (
        f"{q:,.0f}" if math.isfinite(q := float(np.quantile(found, p, method="lower"))) else "–" for p in (0.5, 0.9)
    )
    return [name, half, planned[0], likely, planned[1]]


def _case(gate: Gate, joint: dict[str, int]) -> Case:
    tally = shadow(assertion("c", joint))
    (candidate,) = build([tally], ReportRules(), Window(0.0, 1.0, 0.0, 1.0), 0.0, 0).candidates
    return Case(gate, candidate, tally, ALPHA, Losses())


def _log_ratios(spread: float, mean: float) -> Found:
    """Chances of each hundredth of a normal log ratio clipped to [-1, 1], moved until its mean is exactly this."""

    def weights(middle: float) -> Found:
        edges = ndtr((HUNDREDTHS[:-1] + 0.005 - middle) / spread)
        found: Found = np.diff(np.concatenate([[0.0], edges, [1.0]]))
        return found

    low, high = -3.0, 3.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if weights(middle) @ HUNDREDTHS < mean else (low, middle)
    return weights(low)


def _log_mean(wealth: Found) -> Found:
    top = wealth.max(axis=-1, keepdims=True)
    mixed: Found = top[..., 0] + np.log(np.exp(wealth - top).mean(axis=-1))
    return mixed


def _first(path: Found, level: float = math.log(1 / ALPHA)) -> Found:
    """The pairs at the first look that reaches the level."""
    reached = path >= level
    return np.where(reached.any(axis=1), (reached.argmax(axis=1) + 1.0) * LOOK, math.inf)


def _share(drawn: NDArray[np.int64], holds: Callable[..., bool]) -> float:
    """How often something holds; equal draws are asked once."""
    kinds, times = np.unique(drawn, axis=0, return_counts=True)
    return float(sum(n for kind, n in zip(kinds, times, strict=True) if holds(*map(int, kind))) / len(drawn))


def _newcombe(better: int, equal: int, worse: int) -> Interval:
    return newcombe_paired(0, worse, better, equal, ALPHA)


def _tango(better: int, equal: int, worse: int) -> Interval:
    return tango_paired(worse, better, better + equal + worse, ALPHA)


def _rate(found: Found) -> str:
    return _percent(float(np.isfinite(found).mean()))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") + " %"
