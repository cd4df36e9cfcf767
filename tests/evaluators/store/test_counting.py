"""What a batch adds: by tables of one observation."""

from __future__ import annotations

import pytest

from evaluators.core.stats.histogram import bin_of
from evaluators.store import counting, schema
from evaluators.store.vocabulary import key_of
from tests.evaluators.made import ALIKE, HOLDS, NOON, observation

CHECKS = {key_of(HOLDS): 1, key_of(ALIKE): 2}
WORDS = {
    ("slice:a", "a=1"): 10,
    ("slice:a", "a=2"): 10,  # past the cap both are "(other)"
    ("path:1", "/a"): 20,
    ("path:1", "/b"): 20,
    ("path:2", "/items/*/price"): 21,
}


@pytest.mark.parametrize(("instant", "bucket"), [(0.0, 0), (3599.9, 0), (3600.0, 3600), (NOON + 1, int(NOON))], ids=str)
def test_a_bucket_is_the_first_second_of_its_hour(instant: float, bucket: int) -> None:
    """Pairs and the proxies' accounting are counted in the same hours."""
    assert counting.bucket_of(instant) == bucket


def test_a_pair_is_counted_once_in_each_of_its_slices() -> None:
    """Every check's letters count for all pairs and for each slice, a shared slice once, a shared path once."""
    seen = observation(1, joints=("pf", "d"), slices=("a=1", "a=2"))
    adds, _ = counting.count([seen], CHECKS, WORDS)
    at = (int(NOON), "mini")
    assert adds[schema.joints] == {
        (*at, check, text, joint): 1 for check, joint in ((1, "pf"), (2, "d")) for text in (0, 10)
    }
    assert adds[schema.paths] == {(*at, 1, 20): 1, (*at, 2, 21): 1}
    assert adds[schema.outcomes] == {(*at, "candidate", "ok", "ok"): 1}
    assert adds[schema.bins][(*at, "live", "first_byte", bin_of(seen.live.timing.first_byte))] == 1


@pytest.mark.parametrize(
    ("joints", "paths"),
    [
        pytest.param(("pf", "m"), 1, id="a failure has a place"),
        pytest.param(("ff", "m"), 1, id="also where live fails too"),
        pytest.param(("pp", "d"), 1, id="a difference has a place"),
        pytest.param(("px", "x"), 0, id="no answer has none"),
        pytest.param(("pp", "m"), 0, id="nothing is wrong"),
    ],
)
def test_paths_say_where_the_shadow_fails_or_differs(joints: tuple[str, str], paths: int) -> None:
    """Places are counted for what the shadow did, once per pair and place."""
    adds, _ = counting.count([observation(1, joints=joints, slices=())], CHECKS, WORDS)
    assert len(adds[schema.paths]) == paths


def test_words_come_in_order_of_appearance() -> None:
    """What needs a number: slices of all, paths of what went wrong."""
    seen = [observation(1, joints=("pf", "d"), slices=("a=1",)), observation(2, joints=("pp", "m"), slices=("a=2",))]
    assert list(counting.words_of(seen, CHECKS)) == [
        ("slice:a", "a=1"),
        ("path:1", "/a"),
        ("path:1", "/b"),
        ("path:2", "/items/*/price"),
        ("slice:a", "a=2"),
    ]


def test_examples_are_the_latest_of_the_batch() -> None:
    """At most five calls per check and slice, by arrival; what went well is no example."""
    seen = [observation(number, joints=("pf", "m"), slices=("a=1",)) for number in (8, 3, 9, 1, 7, 5, 6)]
    found = counting.examples([*seen, observation(99, joints=("pp", "s"), slices=("a=1",))], CHECKS, WORDS)
    ranks = [counting.rank(NOON + number, f"{number:032x}") for number in (5, 6, 7, 8, 9)]
    assert found == {("mini", 1, 0): ranks, ("mini", 1, 10): ranks}


def test_ranks_sort_by_time() -> None:
    """Text order is time order, fractions and digits included."""
    instants = [0.5, 9.0, 10.25, 1.7e9, 1.7e9 + 0.001]
    ranks = [counting.rank(instant, "x") for instant in instants]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    ("tokens", "usd", "expected"),
    [
        pytest.param(0, 0.0, (0, 0), id="nothing is a number"),
        pytest.param(7, 1.5e-7, (7, 150_000), id="exact"),
        pytest.param(-1, -1.0, (-1, -1), id="unknown"),
        pytest.param(10**9 + 1, 1e6 + 1, (-1, -1), id="a joke"),
        pytest.param(5, float("nan"), (5, -1), id="not a number"),
    ],
)
def test_amounts_are_believable_or_unknown(tokens: int, usd: float, expected: tuple[int, int]) -> None:
    """Whole tokens and whole picodollars; what no provider could mean is not known."""
    assert (counting.tokens(tokens), counting.picodollars(usd)) == expected
