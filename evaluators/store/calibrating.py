"""Thresholds that come from the control: how far live is from itself on a route. Called by worker; asked by checks.

The first CALIBRATION control pairs of a check and route set its threshold, once; later pairs are judged with it. What
set it is never judged: evidence from the very pairs whose 95 % quantile is the limit would find 5 % of them above it
by construction. That needs no bookkeeping: only a pair whose finding is «calibrating», which counts for nothing, leaves
a distance here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from sqlalchemy import Connection, delete, select, tuple_, union

from config.pair import NEVER, Role
from evaluators.core.finding import Result
from evaluators.core.observation import Observation
from evaluators.core.reply import Kind
from evaluators.store import Store, schema
from evaluators.store.upsert import insert_missing
from evaluators.store.vocabulary import clean

CALIBRATION = 200
"""Control pairs that set a threshold. The share of later control pairs above it is then within 5 ± 3 % (two standard
deviations of Beta(10, 191)), and a control of 5 % of the calls has them after 4,000 calls."""
QUANTILE = 0.95
MOST_ROUTES = 100
"""Per check. Routes are paths of the traffic; those beyond are never calibrated, and stay without findings."""

_KEY = ("label", "version", "route")

Key = tuple[str, str, str]
"""Label and version of the check, and the route."""


@dataclass(frozen=True, slots=True)
class Distance:
    """How far one control pair's answers are apart."""

    key: Key
    call_id: str
    distance: float


def measured(seen: Iterable[Observation]) -> list[Distance]:
    """The distances in a batch's calibrating findings: skips of a control pair that name their route."""
    return [
        Distance(
            (clean(found.check.label), found.check.version, clean(found.shadow.paths[0])),
            one.call_id,
            found.shadow.score,
        )
        for one in seen
        if one.role is Role.CONTROL and one.live.kind is one.arm.kind is Kind.OK
        for found in one.found
        if found.shadow.result is Result.SKIP and found.shadow.paths
    ]


def add(store: Store, distances: Sequence[Distance], now: float) -> None:
    """Keep them, each once, and set the thresholds for which there are enough; one transaction decides."""
    with store.writing() as connection:
        wanted = {one.key for one in distances}
        done = _calibrated(connection, wanted)
        room = _with_room(connection, wanted - done)
        rows = [
            {"call_id": one.call_id, "distance": one.distance} | dict(zip(_KEY, one.key, strict=True))
            for one in distances
            if one.key in room
        ]
        insert_missing(connection, schema.distances, rows)
        for key in room:
            _set(connection, key, now)


def _with_room(connection: Connection, wanted: set[Key]) -> set[Key]:
    """Those keys whose route is known or among the first MOST_ROUTES of its check."""
    kept: set[Key] = set()
    for check in {key[:2] for key in wanted}:
        tables = (schema.distances.c, schema.calibrations.c)
        routes = union(*(select(at.route).where(at.label == check[0], at.version == check[1]) for at in tables))
        known = set(connection.execute(routes).scalars())
        for key in sorted(key for key in wanted if key[:2] == check):
            if key[2] in known or len(known) < MOST_ROUTES:
                known.add(key[2])
                kept.add(key)
    return kept


def _calibrated(connection: Connection, wanted: set[Key]) -> set[Key]:
    at = schema.calibrations.c
    found = select(at.label, at.version, at.route).where(tuple_(at.label, at.version, at.route).in_(wanted))
    return {(row[0], row[1], row[2]) for row in connection.execute(found)}


def _set(connection: Connection, key: Key, now: float) -> None:
    at = schema.distances.c
    its = (at.label == key[0], at.version == key[1], at.route == key[2])
    found = list(connection.execute(select(at.distance).where(*its)).scalars())
    if len(found) < CALIBRATION:
        return
    row = {"threshold": quantile(found), "n": len(found), "at": now}
    insert_missing(connection, schema.calibrations, [row | dict(zip(_KEY, key, strict=True))])
    connection.execute(delete(schema.distances).where(*its))


def quantile(distances: Sequence[float]) -> float:
    """The limit that one more draw from the same source exceeds with at most 1 − QUANTILE: rank ⌈QUANTILE (n + 1)⌉."""
    return sorted(distances)[min(len(distances), ceil(QUANTILE * (len(distances) + 1))) - 1]


class Thresholds:
    """The thresholds in force, as last read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._versions: Mapping[str, str] = {}
        self._known: Mapping[tuple[str, str], float] = {}

    def __repr__(self) -> str:
        return f"<Thresholds of {len(self._known)} routes>"

    def __call__(self, label: str, route: str) -> float:
        """The threshold of a check on a route; NEVER while it is not set."""
        return self._known.get((clean(label), clean(route)), NEVER)

    def use(self, versions: Mapping[str, str]) -> None:
        """Ask for these: a check's version is known when it has been built, and it asks for its threshold then."""
        self._versions = {clean(label): version for label, version in versions.items()}

    def refresh(self) -> None:
        """Read them again; blocks. A threshold never changes, so what is stale is only missing."""
        if not self._versions:
            return
        at = schema.calibrations.c
        with self._store.reading() as connection:
            rows = connection.execute(select(at.label, at.version, at.route, at.threshold)).all()
        self._known = {(row[0], row[2]): row[3] for row in rows if self._versions.get(row[0]) == row[1]}
