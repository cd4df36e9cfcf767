"""Lists of pairs and single pairs, for people. Neighbours: read has the numbers, this has the raw rows."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Select, or_, select, tuple_

from config import wire
from config.pair import Pair, Role
from evaluators.core.finding import Finding, Result, Timing
from evaluators.core.observation import ArmFacts
from evaluators.core.reply import Kind, Usage
from evaluators.store import Ambiguous, Missing, Store, schema

Cursor = tuple[float, str, str]
"""Arrival, call id and shadow of the last row seen."""

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Filter:
    """Which pairs; what is left empty does not restrict."""

    shadow: str = ""
    slices: tuple[str, ...] = ()  # "topic=billing"; the pair is in all of them
    check: str = ""  # a label, together with letters
    letters: tuple[str, ...] = ()  # any of these joint letters, e.g. ("pf", "px") for regressions
    live_kind: str = ""
    kind: str = ""  # of the shadow's answer
    conversation: str = ""
    call_id: str = ""  # or the beginning of one
    since: float = 0.0
    until: float = float("inf")


@dataclass(frozen=True, slots=True)
class PairRow:
    """One pair as lists show it."""

    call_id: str
    shadow: str
    role: Role
    conversation: str
    arrived: float
    slices: tuple[str, ...]
    joints: Mapping[str, str]  # check label -> letters
    live: ArmFacts
    arm: ArmFacts  # the shadow's
    preview: str

    @property
    def cursor(self) -> Cursor:
        """What to give as `after` for the rows that follow."""
        return self.arrived, self.call_id, self.shadow


def pairs(store: Store, wanted: Filter, limit: int = 50, after: Cursor | None = None) -> list[PairRow]:
    """Up to `limit` pairs, latest first; raises StoreAway."""
    table = schema.pairs
    order = (table.c.arrived, table.c.call_id, table.c.shadow)
    with store.reading() as connection:
        checks = _labels(connection)
        query = _restricted(select(table), wanted, checks)
        if after is not None:
            query = query.where(tuple_(*order) < after)
        rows = connection.execute(query.order_by(*(column.desc() for column in order)).limit(limit)).all()
    return [_row(row, checks) for row in rows]


def pair(store: Store, call_id: str, shadow: str = "") -> tuple[Pair, dict[tuple[str, str], Finding]]:
    """One pair as it was delivered, and its findings by (arm, check label), arm being "live" or "shadow".

    `call_id` may be the beginning of one. Raises Missing, Ambiguous, StoreAway, and WireError when the record is of a
    newer version.
    """
    found = pairs(store, Filter(call_id=call_id, shadow=shadow), limit=MOST_NAMED + 1)
    if not found:
        raise Missing(f"no pair {call_id!r}" + (f" of {shadow!r}" if shadow else ""))
    if len(found) > 1:
        names = ", ".join(f"{row.call_id} ({row.shadow})" for row in found[:MOST_NAMED])
        raise Ambiguous(f"{call_id!r} could be {names}" + (" …" if len(found) > MOST_NAMED else ""))
    row = found[0]
    with store.reading() as connection:
        return _delivered(connection, row), _findings(connection, row)


def _restricted(query: Select[Any], wanted: Filter, checks: Mapping[int, str]) -> Select[Any]:
    columns = schema.pairs.c
    equal = {"shadow": wanted.shadow, "live_kind": wanted.live_kind, "shadow_kind": wanted.kind}
    equal["conversation"] = wanted.conversation
    conditions: list[ColumnElement[bool]] = [columns[name] == value for name, value in equal.items() if value]
    conditions += [columns.slices.contains(_quoted(text), autoescape=True) for text in wanted.slices]
    if wanted.call_id:
        # A range and not LIKE, which would read every row: ids are hexadecimal, and "~" comes after all of ASCII.
        conditions.append(columns.call_id.between(wanted.call_id, wanted.call_id + "~"))
    if wanted.check:
        entries = [
            f'"{number}":"{letters}"'
            for number, label in checks.items()
            if label == wanted.check
            for letters in wanted.letters
        ]
        conditions.append(or_(False, *(columns.letters.contains(entry, autoescape=True) for entry in entries)))
    if wanted.since > 0:
        conditions.append(columns.arrived >= wanted.since)
    if wanted.until != float("inf"):
        conditions.append(columns.arrived < wanted.until)
    return query.where(*conditions)


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _labels(connection: Connection) -> dict[int, str]:
    return {number: label for number, label in connection.execute(select(schema.checks.c.id, schema.checks.c.label))}


def _row(row: Any, checks: Mapping[int, str]) -> PairRow:
    return PairRow(
        call_id=row.call_id,
        shadow=row.shadow,
        role=Role(row.role),
        conversation=row.conversation,
        arrived=row.arrived,
        slices=tuple(orjson.loads(row.slices)),
        joints={checks[int(number)]: letters for number, letters in orjson.loads(row.letters).items()},
        live=_facts(row._mapping, "live"),
        arm=_facts(row._mapping, "shadow"),
        preview=row.preview,
    )


def _facts(row: Mapping[str, Any], arm: str) -> ArmFacts:
    cost = row[f"{arm}_cost"]
    return ArmFacts(
        kind=Kind(row[f"{arm}_kind"]),
        status=row[f"{arm}_status"],
        timing=Timing(*(row[f"{arm}_{name}"] for name in schema.TIMINGS)),
        usage=Usage(input=row[f"{arm}_input_tokens"], output=row[f"{arm}_output_tokens"]),
        cost=cost / schema.PICODOLLARS if cost >= 0 else -1.0,
    )


def _delivered(connection: Connection, row: PairRow) -> Pair:
    table = schema.records
    same = (table.c.call_id == row.call_id) & (table.c.shadow == row.shadow)
    record = connection.execute(select(table).where(same)).one()
    fields = {
        b"schema": record.schema.encode(),
        b"id": f"{row.call_id}:{row.shadow}".encode(),
        b"shadow": row.shadow.encode(),
        b"head": zlib.decompress(record.head),
        b"request": record.request,
        b"live": record.live,
        b"outcome": record.outcome,
    }
    return wire.decode(fields)


def _findings(connection: Connection, row: PairRow) -> dict[tuple[str, str], Finding]:
    table, names = schema.findings, schema.checks
    arms: Sequence[str] = ("live", row.shadow)
    query = (
        select(table, names.c.label)
        .join(names, names.c.id == table.c.check_id)
        .where(table.c.call_id == row.call_id, table.c.arm.in_(arms))
        .order_by(table.c.check_id)
    )
    return {
        ("live" if one.arm == "live" else "shadow", one.label): Finding(
            Result(one.result), one.score, one.detail, tuple(orjson.loads(one.paths))
        )
        for one in connection.execute(query)
    }
