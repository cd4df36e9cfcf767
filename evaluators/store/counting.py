"""What one batch of new pairs adds to the tallies. Pure; used by write, and by the tests that recompute tallies.

All increments of a batch are summed here first, so that the database sees each key once per batch.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Table

from evaluators.core.observation import REGRESSED, ArmFacts, Found, Observation
from evaluators.core.stats.histogram import bin_of
from evaluators.core.tally import BUCKET
from evaluators.store import schema
from evaluators.store.vocabulary import ALL, CheckKey, Word, key_of, path_word, slice_word

MOST_TOKENS = 10**9
MOST_USD = 10**6
"""A usage report beyond these is an upstream's joke: it is treated as unknown, lest one answer own every sum."""

KEPT_EXAMPLES = 5

_WORSE_THAN_LIVE = frozenset({"pf", "px", "ff", "xf", "d"})
"""Letters whose shadow finding says where: it failed, or differs."""

Increments = dict[Table, Counter[tuple[Any, ...]]]


def bucket_of(instant: float) -> int:
    """The hour bucket of a Unix time: its first second, as the proxies count too."""
    return int(instant // BUCKET) * BUCKET


def words_of(observations: Iterable[Observation], check_id: Mapping[CheckKey, int]) -> Iterator[Word]:
    """Every slice and path that the batch needs a number for, in order of appearance."""
    for seen in observations:
        yield from map(slice_word, seen.slices)
        for found in seen.found:
            if found.joint in _WORSE_THAN_LIVE:
                yield from (path_word(check_id[key_of(found.check)], path) for path in found.shadow.paths)


def count(
    observations: Iterable[Observation], check_id: Mapping[CheckKey, int], word_id: Mapping[Word, int]
) -> tuple[Increments, Counter[tuple[Any, ...]]]:
    """Increments per tally table and key; and beside them the sums of `totals`, which has two numbers per key."""
    adds: Increments = defaultdict(Counter)
    sums: Counter[tuple[Any, ...]] = Counter()
    for seen in observations:
        at = (bucket_of(seen.arrived), seen.shadow)
        adds[schema.outcomes][(*at, seen.role.value, seen.live.kind.value, seen.arm.kind.value)] += 1
        slices = _slices(seen, word_id)
        joints, paths = adds[schema.joints], adds[schema.paths]
        for found in seen.found:
            check = check_id[key_of(found.check)]
            for slice_id in slices:
                joints[(*at, check, slice_id, found.joint)] += 1
            for path_id in _paths(found, check, word_id):
                paths[(*at, check, path_id)] += 1
        _measures(adds[schema.bins], adds[schema.totals], sums, at, seen)
    return adds, sums


def examples(
    observations: Iterable[Observation], check_id: Mapping[CheckKey, int], word_id: Mapping[Word, int]
) -> dict[tuple[str, int, int], list[str]]:
    """The latest few regressed calls of the batch per (shadow, check, slice), as ranks whose order is time order."""
    ranks: dict[tuple[str, int, int], set[str]] = defaultdict(set)
    for seen in observations:
        regressed = [check_id[key_of(found.check)] for found in seen.found if found.joint in REGRESSED]
        slices = _slices(seen, word_id) if regressed else ()
        for check in regressed:
            for slice_id in slices:
                ranks[seen.shadow, check, slice_id].add(rank(seen.arrived, seen.call_id))
    return {key: sorted(found)[-KEPT_EXAMPLES:] for key, found in ranks.items()}


def rank(arrived: float, call_id: str) -> str:
    """A text that sorts by arrival, then id."""
    return f"{arrived:018.6f} {call_id}"


def tokens(count: int) -> int:
    """A believable token count, else UNKNOWN (-1)."""
    return count if 0 <= count <= MOST_TOKENS else -1


def picodollars(usd: float) -> int:
    """A believable cost as a whole number of 1e-12 USD, else UNKNOWN (-1)."""
    return round(usd * schema.PICODOLLARS) if 0 <= usd <= MOST_USD else -1


def measured(facts: ArmFacts) -> dict[str, float | int]:
    """What is measured of an arm by name; negative where it is not known."""
    timing = facts.timing
    return {
        "first_byte": timing.first_byte,
        "total": timing.total,
        "longest_gap": timing.longest_gap,
        "input_tokens": tokens(facts.usage.input),
        "output_tokens": tokens(facts.usage.output),
        "cost": picodollars(facts.cost),
    }


def _slices(seen: Observation, word_id: Mapping[Word, int]) -> tuple[int, ...]:
    # Unique once more: two values past the cap share one word, and the pair is in it once.
    return (ALL, *dict.fromkeys(word_id[slice_word(text)] for text in seen.slices))


def _paths(found: Found, check: int, word_id: Mapping[Word, int]) -> Iterable[int]:
    if found.joint not in _WORSE_THAN_LIVE:
        return ()
    return {word_id[path_word(check, path)] for path in found.shadow.paths}


def _measures(
    bins: Counter[tuple[Any, ...]],
    counts: Counter[tuple[Any, ...]],
    sums: Counter[tuple[Any, ...]],
    at: tuple[int, str],
    seen: Observation,
) -> None:
    """Latency, tokens and cost, only where both arms answered and both are known.

    An arm that fails fast would otherwise look fast, and one that times out would leave its slowest calls out of its
    own percentiles but not out of live's; failures are counted as outcomes.
    """
    if seen.live.kind.value != "ok" or seen.arm.kind.value != "ok":
        return
    arms = tuple(zip(schema.ARMS, (measured(seen.live), measured(seen.arm)), strict=True))
    for name in arms[0][1]:
        if any(values[name] < 0 for _, values in arms):
            continue
        for arm, values in arms:
            if name in schema.TIMINGS:
                bins[(*at, arm, name, bin_of(values[name]))] += 1
            else:
                counts[(*at, arm, name)] += 1
                sums[(*at, arm, name)] += int(values[name])
