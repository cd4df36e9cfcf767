"""Every tally once more, straight from the raw rows and by the plainest code: the store must agree bit for bit."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from config.pair import Role
from evaluators.core.folding import RATIOS, FoldPair, crossings, fold
from evaluators.core.stats.histogram import bin_of
from evaluators.core.tally import Evidence, ShadowTally, Total
from evaluators.store import Store, read, schema

REGRESSED = {"pf", "px", "ps", "pb", "d", "x"}


def assert_tallies_are_the_raw_rows(store: Store) -> None:
    """Compare every field of every tally with what the pairs, findings and blocks say."""
    with store.reading() as connection:
        rows = [row._mapping for row in connection.execute(select(schema.pairs))]
        findings = {(row.call_id, row.arm, row.check_id): row for row in connection.execute(select(schema.findings))}
        labels = {row.id: row.label for row in connection.execute(select(schema.checks))}
        blocks = [row.id for row in connection.execute(select(schema.blocks).order_by(schema.blocks.c.id))]
    tallies = {tally.shadow: tally for tally in read.tallies(store, 0, 1e11)}
    assert set(tallies) == {row["shadow"] for row in rows}
    folded = [fold([_fold_pair(row, findings) for row in rows if row["block"] == block]) for block in blocks]
    for shadow, tally in tallies.items():
        mine = [row for row in rows if row["shadow"] == shadow]
        _measures(tally, mine)
        for check in tally.checks:
            number = next(number for number, label in labels.items() if label == check.label)
            _letters(check, number, mine, findings)
            _folds(check, number, shadow, folded)
        assert tally.conversations == sum(one.conversations.get(shadow, 0) for one in folded)
        assert _pooled(tally.ratios) == _summed(folded, "ratios", shadow)
        assert tally.unmeasured == {kind: n for (kind,), n in _summed(folded, "unmeasured", shadow).items()}


def _measures(tally: ShadowTally, rows: list[Any]) -> None:
    assert tally.pairs == len(rows) == tally.accounting.evaluated
    assert tally.outcomes == Counter((row["live_kind"], row["shadow_kind"]) for row in rows)
    bins: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        if row["live_kind"] != "ok" or row["shadow_kind"] != "ok":
            continue
        for name in (*schema.TIMINGS, *schema.AMOUNTS):
            both = [row[f"{arm}_{name}"] for arm in schema.ARMS]
            if min(both) < 0:
                continue
            for arm, value in zip(schema.ARMS, both, strict=True):
                if name in schema.TIMINGS:
                    bins[arm, name][bin_of(value)] += 1
                else:
                    sums[arm, name][0] += 1
                    sums[arm, name][1] += value
    assert tally.histograms == bins
    unit = {"cost": schema.PICODOLLARS}
    assert tally.totals == {key: Total(n, total / unit.get(key[1], 1)) for key, (n, total) in sums.items()}


def _letters(check: Any, number: int, rows: list[Any], findings: dict[Any, Any]) -> None:
    joint, slices, paths = Counter[str](), defaultdict[str, Counter[str]](Counter), Counter[str]()
    regressed: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for row in rows:
        letters = orjson.loads(row["letters"])[str(number)]
        finding = findings[row["call_id"], row["shadow"], number]
        assert ((row["call_id"], "live", number) in findings) == (not check.comparison)
        joint[letters] += 1
        paths.update(orjson.loads(finding.paths))
        for text in orjson.loads(row["slices"]):
            slices[text][letters] += 1
        if letters in REGRESSED:
            for text in ("", *orjson.loads(row["slices"])):
                regressed[text].append((row["arrived"], row["call_id"]))
    assert check.joint == joint
    assert check.slices == slices
    assert check.paths == paths
    latest = {text: tuple(call for _, call in sorted(calls, reverse=True)[:5]) for text, calls in regressed.items()}
    assert check.examples == latest


def _folds(check: Any, number: int, shadow: str, folded: list[Any]) -> None:
    def summed(name: str) -> dict[Any, int]:
        counts = Counter[Any]()
        for one in folded:
            for key, n in getattr(one, name).items():
                if key[:2] == (shadow, number):
                    counts[key[2:] if len(key) > 3 else key[2]] += n
        return dict(counts)

    assert check.difference == summed("difference")
    assert check.failing == summed("failing")
    noise = summed("noise")
    assert check.noise == {letters: n for (text, letters), n in noise.items() if not text}
    assert {(text, letters): n for text, leaf in check.slice_noise.items() for letters, n in leaf.items()} == {
        key: n for key, n in noise.items() if key[0]
    }
    evidence: dict[str, Evidence] = {}
    for one in folded:
        for (its_shadow, its_check, text), found in one.evidence.items():
            if (its_shadow, its_check) == (shadow, number):
                evidence[text] = _added(evidence[text], found) if text in evidence else found
    assert check.evidence == evidence
    assert check.energy == summed("energy")
    assert _pooled(check.places) == summed("places")
    _crossings(check, number, shadow, folded)


def _crossings(check: Any, number: int, shadow: str, folded: list[Any]) -> None:
    sums: dict[str, list[float]] = {}
    examples: dict[str, str] = {}
    for one in folded:
        for (its_shadow, its_check, together), found in one.crossed.items():
            if (its_shadow, its_check) == (shadow, number):
                text = " & ".join(together)
                row = [found.conversations, found.worse, found.better, found.others, found.others_worse]
                row += found.log_bets
                sums[text] = [a + b for a, b in zip(sums.get(text, [0.0] * len(row)), row, strict=True)]
                last = one.examples.get((shadow, number, together), "")
                examples[text] = max(examples.get(text, ""), last)
    assert set(check.crossed) == set(sums)
    for text, spans in check.crossed.items():
        assert [sum(column) for column in zip(*spans.values(), strict=True)] == pytest.approx(sums[text])
        assert sorted(check.crossed_examples[text])[-1:] == list(filter(None, [examples[text]]))


def _summed(folded: list[Any], name: str, shadow: str) -> dict[Any, int]:
    counts = Counter[Any]()
    for one in folded:
        counts.update({key[1:]: n for key, n in getattr(one, name).items() if key[0] == shadow})
    return dict(counts)


def _pooled(tree: Any) -> dict[Any, int]:
    return {(first, last): n for first, leaf in tree.items() for last, n in leaf.items()}


def _added(one: Evidence, other: Evidence) -> Evidence:
    return Evidence(
        one.conversations + other.conversations,
        one.worse + other.worse,
        one.better + other.better,
        one.others + other.others,
        one.others_worse + other.others_worse,
        tuple(a + b for a, b in zip(one.log_bets, other.log_bets, strict=True)),
    )


def _fold_pair(row: Any, findings: dict[Any, Any]) -> FoldPair:
    letters = {int(number): joint for number, joint in orjson.loads(row["letters"]).items()}
    slices = tuple(orjson.loads(row["slices"]))

    def paths(arm: str) -> dict[int, frozenset[str]]:
        found = {number: findings.get((row["call_id"], arm, number)) for number in letters}
        return {number: frozenset(orjson.loads(one.paths)) for number, one in found.items() if one}

    known = {arm: row[f"{arm}_kind"] == "ok" for arm in schema.ARMS}
    measured = {
        kind: tuple(row[f"{arm}_{name}"] if known[arm] else -1 for arm in schema.ARMS) for kind, name in RATIOS.items()
    }
    return FoldPair(
        row["call_id"],
        row["shadow"],
        Role(row["role"]),
        row["conversation"],
        slices,
        letters,
        crossings(slices),
        paths(row["shadow"]),
        paths("live"),
        measured,  # type: ignore[arg-type]
    )
