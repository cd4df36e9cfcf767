"""Discovery: SliceLine's score, doubling cuts, and that confirmations are true as often as promised."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluators.core.stats.discovery import MOST, Discovery, Spans, cuts, discover, level, score, stacked
from evaluators.core.stats.evidence import block_log_bets

ALPHA = 0.05
HOUR = 3600


def span(n: int, worse: int, better: int, others: int, others_worse: int) -> tuple[float, ...]:
    return (n, worse, better, others, others_worse, *block_log_bets(n, worse, others, others_worse))


def found(support: int = 20, **names: Spans) -> list[Discovery]:
    return discover(sorted(names), stacked([names[name] for name in sorted(names)]), support, ALPHA)


def test_score_of_the_worked_example() -> None:
    """n = 1000, error .10, a slice of 100 with .30: .95 x 2 - .05 x 9 = 1.45; the whole scores nothing."""
    assert score(1000.0, 0.10, 100.0, 0.30) == pytest.approx(1.45)
    assert score(1000.0, 0.10, 1000.0, 0.10) == 0


def test_cuts_double() -> None:
    """After the first hour, the next, the next two, the next four; something is left behind each."""
    assert [(cut - 7 * HOUR) // HOUR for cut in cuts(7 * HOUR, 7 * HOUR + 9 * HOUR, HOUR)] == [1, 2, 4, 8]
    assert cuts(0, 0, HOUR) == []


def test_levels_add_up_to_alpha() -> None:
    """All cuts there will ever be spend alpha, and not more."""
    spent = math.fsum(level(ALPHA, cut) for cut in range(1, 100_000))
    assert ALPHA * 0.9999 < spent <= ALPHA


def test_later_traffic_decides() -> None:
    """A slice found in the first hour is confirmed by what came afterwards, or not."""
    true = {0: span(40, 20, 0, 400, 20), 1: span(400, 200, 2, 4000, 200)}
    luck = {0: span(40, 20, 0, 400, 20), 1: span(400, 20, 20, 4000, 200)}
    one, two = found(true=true, luck={**luck, 0: span(40, 19, 0, 400, 21)})
    assert (one.name, one.confirmed, one.found, one.later) == ("true", True, (40, 20), (400, 200, 2, 4000, 200))
    assert (two.name, two.confirmed) == ("luck", False)
    assert two.e_value < 1


def test_what_is_found_is_never_what_confirms() -> None:
    """Without later conversations nothing is confirmed, however bad the past."""
    assert found(a={0: span(400, 390, 0, 4000, 10)}) == []
    (one,) = found(a={0: span(400, 390, 0, 4000, 10)}, b={1: span(9, 0, 0, 9, 0)})
    assert (one.name, one.e_value, one.confirmed) == ("a", 1.0, False)


@pytest.mark.parametrize(
    "past",
    [
        pytest.param(span(19, 19, 0, 400, 0), id="too small"),
        pytest.param(span(400, 300, 0, 19, 0), id="no rest"),
        pytest.param(span(400, 0, 0, 4000, 0), id="nothing is worse"),
        pytest.param(span(400, 40, 0, 4000, 400), id="no worse than the whole"),
    ],
)
def test_what_is_not_named(past: tuple[float, ...]) -> None:
    """Support, and a score above the whole's."""
    assert found(a={0: past, 1: span(100, 90, 0, 100, 1)}) == []


def test_few_are_named_and_each_group_once() -> None:
    """Slices with the same numbers are one; of the others the highest scores."""
    many = {f"s{n:02}": {0: span(40 + n, 20, 0, 400, 20), 1: span(40, 4, 4, 400, 20)} for n in range(20)}
    assert [one.name for one in found(**many)] == [f"s{n:02}" for n in range(MOST)]
    same = {name: many["s00"] for name in "abc"}
    assert [one.name for one in found(**same)] == ["a"]


def test_nothing_at_all() -> None:
    """No slices, no discoveries."""
    assert found() == []


def test_false_confirmations_are_rare() -> None:
    """45 overlapping crossings, none worse than the rest: at most 5 % of runs ever confirm one, looked at each hour."""
    runs = 30
    false = sum(confirmed_ever(seed, 0.0)[0] for seed in range(runs))
    print(f"\nfalse confirmations {false} of N={runs} runs, nominal {ALPHA:.0%}")
    assert false / runs <= ALPHA


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_discovery_at_length() -> None:
    """The false discovery rate stays below 5 % with and without something to find, and what is there is found."""
    print("\nplanted   runs  ever a false one  mean false share  planted confirmed")
    for lift in (0.0, 0.15, 0.30):
        runs = 400
        seen = [confirmed_ever(seed, lift) for seed in range(runs)]
        ever, share, hit = (float(np.mean([one[at] for one in seen])) for at in range(3))
        print(f"{lift:7.0%}  {runs:5}  {ever:16.2%}  {share:16.2%}  {hit:17.1%}")
        assert share <= ALPHA
        if not lift:
            assert ever <= ALPHA


def confirmed_ever(seed: int, lift: float) -> tuple[bool, float, bool]:
    """One run of 16 hours of 320 conversations: ever a false one, the highest false share at any look, planted found.

    Ten features cross to 45 slices; the planted one is worse by `lift`, those that share a feature with it are
    worse than their rest too, so only slices apart from it can be false.
    """
    rng = np.random.default_rng(seed)
    pairs = [(a, b) for a in range(10) for b in range(a + 1, 10)]
    spans: list[dict[int, np.ndarray]] = [{} for _ in pairs]
    false, share, hit, hours = False, 0.0, False, 16
    bounds = cuts(0, (hours - 1) * HOUR, HOUR)
    for hour in range(hours):
        features = rng.random((320, 10)) < 0.4
        members = features[:, [a for a, _ in pairs]] & features[:, [b for _, b in pairs]]
        worse = rng.random(320) < 0.08 + lift * members[:, 0]
        better = ~worse & (rng.random(320) < 0.08)
        at = sum(bound <= hour * HOUR for bound in bounds)
        for one, inside in zip(spans, members.T, strict=True):
            n, bad, n_bad = int(inside.sum()), int(worse.sum()), int((inside & worse).sum())
            counts = (n, n_bad, int((inside & better).sum()), 320 - n, bad - n_bad)
            row = np.array([*counts, *block_log_bets(n, n_bad, 320 - n, bad - n_bad)])
            one[at] = one.get(at, 0) + row
        names = [f"{a},{b}" for a, b in pairs]
        standing = {
            one.name for one in discover(names, stacked([to_rows(s) for s in spans]), 20, ALPHA) if one.confirmed
        }
        wrong = {name for name in standing if not lift or not {"0", "1"} & set(name.split(","))}
        false, hit = false or bool(wrong), hit or "0,1" in standing
        share = max(share, len(wrong) / max(1, len(standing)))
    return false, share, hit


def to_rows(spans: dict[int, np.ndarray]) -> Spans:
    return {at: tuple(map(float, row)) for at, row in spans.items()}
