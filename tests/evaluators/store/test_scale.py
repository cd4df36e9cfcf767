"""What a report costs when its store holds ten million findings: it reads tallies, so hours and slices decide.

The tallies are written as the worker would have left them, row by row of every table that a report reads.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import combinations
from math import gcd
from statistics import median

import numpy as np
import orjson
import pytest
from sqlalchemy import insert

from config.settings import Gate
from evaluators.core.gate import decided
from evaluators.core.report import ReportRules, build, to_json
from evaluators.store import Store, read, schema
from evaluators.store.summing import packed
from evaluators.store.upsert import Row
from tests.evaluators.made import NOON

FINDINGS = 10_000_000
KEYS = {"route": 2, "model": 2, "turn": 4, "topic": 4, "tools": 2, "prompt_length": 5, "stream": 2, "tag:tenant": 20}
CHECKS = (*(f"assertion-{n}" for n in range(4)), *(f"shadow:{n}" for n in range(4)))
PER_CALL = 4 * 3 + 4 * 2  # assertions on live, candidate and control, comparisons on the latter two
PATHS = 20
ARMS = {"mini": "candidate", "control": "control"}


class Stock:
    """Numbers for words, then the rows of one hour after the other."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        words: dict[tuple[str, str], int] = {}
        slices = [f"{key}={n}" for key, values in KEYS.items() for n in range(values)]
        self.slices = [words.setdefault((f"slice:{text.split('=')[0]}", text), len(words) + 1) for text in slices]
        crossed = [two for two in combinations(slices, 2) if two[0].split("=")[0] != two[1].split("=")[0]]
        self.crossed = [words.setdefault(("pair:x", " & ".join(two)), len(words) + 1) for two in crossed[:400]]
        self.paths = {
            check: [words.setdefault((f"path:{check}", f"/{n}"), len(words) + 1) for n in range(PATHS)]
            for check, _ in enumerate(CHECKS, 1)
        }
        self.words = [{"id": n, "family": family, "word": text} for (family, text), n in words.items()]

    def hour(self, bucket: int) -> Iterator[tuple[object, list[Row]]]:
        for shadow, role in ARMS.items():
            at: Row = {"bucket": bucket, "shadow": shadow}
            yield schema.outcomes, [{**at, "role": role, "live_kind": "ok", "shadow_kind": "ok", "n": self.calls}]
            yield schema.conversations, [{**at, "n": self.calls // 3}]
            bins = [(arm, name, n) for arm in schema.ARMS for name in schema.TIMINGS for n in range(40, 140)]
            yield schema.bins, [{**at, "arm": arm, "metric": name, "bin": n, "n": 9} for arm, name, n in bins]
            for check, label in enumerate(CHECKS, 1):
                yield from self.check({**at, "check_id": check}, label.startswith("shadow"), shadow == "mini")

    def check(self, at: Row, comparison: bool, candidate: bool) -> Iterator[tuple[object, list[Row]]]:
        n, groups = self.calls, [(0, 1), *((one, 8) for one in self.slices)]
        joint = {"m": 0.7, "d": 0.29, "x": 0.01} if comparison else {"pp": 0.96, "pf": 0.02, "fp": 0.01, "ff": 0.01}
        letters = [(s, part, name, share) for s, part in groups for name, share in joint.items()]
        yield schema.joints, [{**at, "slice_id": s, "letters": x, "n": int(n * q / part)} for s, part, x, q in letters]
        paths = self.paths[at["check_id"]]
        yield schema.paths, [{**at, "path_id": path, "n": n // 50} for path in paths]
        values = [(over, under) for under in (1, 2, 3, 4) for over in range(-under, under + 1) if gcd(over, under) == 1]
        for kind in ("difference", "failing"):
            some = [value for value in values if value[0] >= 0 or kind == "difference"]
            yield schema.fractions, [{**at, "kind": kind, "over": a, "under": b, "n": 50} for a, b in some]
        if not candidate:
            return
        if comparison:
            both = [(s, x) for s, _ in groups for x in ("dd", "dm", "md", "mm")]
            yield schema.noise, [{**at, "slice_id": s, "letters": x, "n": n // 40} for s, x in both]
        where = [(0, x) for x in ("dd", "dm", "md", "mm")] + [
            (p, x) for p in paths for x in ("dd", "dm", "md", "w", "b")
        ]
        yield schema.path_noise, [{**at, "path_id": p, "letters": x, "n": n // 4 if not p else 7} for p, x in where]
        counts = dict(zip(schema.COUNTS, (n // 30, n // 1000, n // 1000, n // 4, n // 100), strict=True))
        bets = {"log_bets": orjson.dumps([0.1, 0.05, -0.2, -0.4]).decode()}
        yield schema.evidence, [{**at, "slice_id": s, **counts, **bets} for s in self.slices]
        sums = np.array([(s, *counts.values(), 0.1, 0.05, -0.2, -0.4) for s in self.crossed])
        examples = orjson.dumps({str(s): f"{s:032x}" for s in self.crossed}).decode()
        yield schema.crossed, [{**at, "sums": packed(sums), "examples": examples}]


def stock(store: Store, hours: int) -> None:
    made = Stock(FINDINGS // PER_CALL // hours)
    facts = {"version": "1", "dimension": "d", "severity": "blocker", "used": 1.0}
    with store.writing() as connection:
        connection.execute(insert(schema.words), made.words)
        checks = [{"id": n, "label": x, "type": x, "comparison": int("shadow" in x)} for n, x in enumerate(CHECKS, 1)]
        connection.execute(insert(schema.checks), [{**check, **facts} for check in checks])
        for hour in range(hours):
            for table, rows in made.hour(int(NOON) + 3600 * hour):
                connection.execute(insert(table), rows)  # type: ignore[call-overload]


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize("hours", [3, 24])
def test_a_report_over_ten_million_findings(store: Store, hours: int) -> None:
    """Reading, report, gate and JSON, in seconds of this process: the busier the hours, the less they cost."""
    stock(store, hours)
    rules = ReportRules(gates=(Gate(name="a", check="assertion-0", max_regression=0.05),))
    seconds, findings = [], 0
    for _ in range(5):
        begun = time.process_time()
        tallies = read.tallies(store, 0, 1e11)
        report = decided(build(tallies, rules, read.window(store, 0, 1e11), NOON, 0), tallies, rules)
        to_json(report)
        seconds.append(time.process_time() - begun)
        arms = {True: 1, False: 2}
        (mini,) = (tally for tally in tallies if tally.shadow == "mini")
        findings = sum(sum(check.joint.values()) * arms[check.comparison] for check in mini.checks)
    print(f"\n{hours} hours, {findings:,} findings of the candidate: {median(seconds) * 1000:.0f} ms")
    assert findings > 5_000_000
    assert median(seconds) < 0.3 if hours == 3 else median(seconds) < 1.0
