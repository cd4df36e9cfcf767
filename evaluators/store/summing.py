"""Sums over the hour buckets of a window, made by the database where it can. Used by read, on its transaction."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Connection, Table, func, select

from evaluators.core.stats.discovery import Rows, cuts
from evaluators.core.stats.evidence import LIFTS
from evaluators.core.tally import BUCKET, Evidence
from evaluators.store import schema

Nested = dict[Any, Any]

MOST_EXAMPLES = 5
"""Hours that give an example of a crossing; each keeps one."""


@dataclass(frozen=True, slots=True)
class Span:
    """The buckets asked for, on one connection."""

    connection: Connection
    start: int
    until: float

    def sums(self, table: Table, keys: Iterable[str], *values: str) -> Iterable[Any]:
        """Rows of keys and summed values over the buckets."""
        columns = [table.c[key] for key in keys]
        numbers = [func.sum(table.c[value]) for value in values or ("n",)]
        query = select(*columns, *numbers).where(self.inside(table)).group_by(*columns)
        return self.connection.execute(query).all()  # one by one each row would pass through five functions

    def nested(self, table: Table, *keys: str) -> Nested:
        """The sums of n as a tree of dictionaries, one level per key."""
        tree: Nested = {}
        for *path, n in self.sums(table, keys):
            leaf(tree, path[:-1])[path[-1]] = int(n)
        return tree

    def inside(self, table: Table) -> Any:
        return (table.c.bucket >= self.start) & (table.c.bucket < self.until)


def evidence(span: Span, words: Mapping[int, str]) -> Nested:
    """The evidence of slices: check id, slice, Evidence. The bets are added here, in the order of their hours."""
    table, tree = schema.evidence, Nested()
    counts = (table.c[name] for name in schema.COUNTS)
    query = select(table.c.shadow, table.c.check_id, table.c.slice_id, table.c.log_bets, *counts)
    rows = [
        tuple(row) for row in span.connection.execute(query.where(span.inside(table)).order_by(table.c.bucket)).all()
    ]
    places: dict[tuple[str, int, int], int] = {}
    place = np.array([places.setdefault(row[:3], len(places)) for row in rows], dtype=np.int64)
    sums = np.zeros((len(places), len(schema.COUNTS)), dtype=np.int64)
    bets = np.zeros((len(places), len(LIFTS)))
    if rows:
        np.add.at(sums, place, np.array([row[4:] for row in rows], dtype=np.int64))
        np.add.at(bets, place, np.array(orjson.loads(f"[{','.join(row[3] for row in rows)}]")))
    for (shadow, check, number), numbers, logs in zip(places, sums.tolist(), bets.tolist(), strict=True):
        n, worse, better, others, others_worse = numbers
        leaf(tree, (shadow, check))[words[number]] = Evidence(n, worse, better, others, others_worse, tuple(logs))
    return tree


def crossed(span: Span, words: Mapping[int, str]) -> Nested:
    """Of every shadow, check and crossing the evidence between the cuts of stats.discovery, and its latest examples."""
    table = schema.crossed
    rows = span.connection.execute(select(table).where(span.inside(table)).order_by(table.c.bucket)).all()
    bounds = cuts(rows[0].bucket, rows[-1].bucket, BUCKET) if rows else []
    groups: dict[tuple[str, int], dict[int, list[Any]]] = {}
    for row in rows:
        spans = groups.setdefault((row.shadow, row.check_id), {})
        spans.setdefault(bisect_right(bounds, row.bucket), []).append(row)
    tree: Nested = {}
    for (shadow, check), spans in groups.items():
        crossings = leaf(tree, (shadow, check))
        for at, hours in spans.items():
            sums = added([unpacked(hour.sums) for hour in hours])
            for number, *numbers in sums.tolist():
                text = words[number]  # a float is found as the number it equals
                found = crossings.get(text)
                if found is None:
                    found = crossings[text] = _nothing()
                found[0][at] = tuple(numbers)
        _show(crossings, [hour.examples for hours in spans.values() for hour in hours][-MOST_EXAMPLES:], words)
    return tree


def _nothing() -> tuple[dict[int, tuple[float, ...]], list[str]]:
    """Of one crossing: sums by span, and examples."""
    return {}, []


def added(parts: Sequence[Rows], new: Sequence[tuple[float, ...]] = ()) -> Rows:
    """The sums of crossings, by their number in the first column."""
    fresh = np.array(new, dtype=np.float64).reshape(-1, schema.CROSSED_FIELDS)
    whole = np.concatenate([*parts, fresh])
    whole = whole[np.argsort(whole[:, 0], kind="stable")]
    starts = np.flatnonzero(np.diff(whole[:, 0], prepend=-1))
    sums = np.add.reduceat(whole, starts, axis=0)
    sums[:, 0] = whole[starts, 0]
    return sums


def packed(sums: Rows) -> bytes:
    """As they are stored."""
    return sums.astype("<f8").tobytes()


def unpacked(stored: bytes) -> Rows:
    """As they are added."""
    return np.frombuffer(stored, dtype="<f8").reshape(-1, schema.CROSSED_FIELDS)


def leaf(tree: Nested, path: Iterable[Any]) -> Nested:
    """The branch at the end of a path, made as needed."""
    for key in path:
        tree = tree.setdefault(key, {})
    return tree


def _show(crossings: Nested, hours: Sequence[str], words: Mapping[int, str]) -> None:
    """One example of each of the last hours, the latest first."""
    for examples in reversed(hours):
        for number, call_id in orjson.loads(examples).items():
            crossings[words[int(number)]][1].append(call_id)
