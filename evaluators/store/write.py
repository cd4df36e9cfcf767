"""Recording pairs: one transaction per batch, exactly-once effect. Called by worker in a thread; see also closing.

A pair that is already there adds nothing anywhere, whoever records it again and however late: what the tallies count
is decided by which pair rows this very transaction inserted.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, select, tuple_

from config.pair import Role
from evaluators.core.finding import Finding
from evaluators.core.observation import ArmFacts, Observation
from evaluators.store import Store, counting, schema
from evaluators.store.closing import fold
from evaluators.store.upsert import Row, add, insert_missing, insert_new, raise_to, set_to
from evaluators.store.vocabulary import CheckKey, Word, check_ids, clean, key_of, word_ids

__all__ = ["AccountingRow", "DeadLetter", "Recorded", "Written", "accounting", "bury", "fold", "record"]

AccountingRow = tuple[str, int, str, str, str, int]
"""Proxy instance, hour bucket, shadow, name of the bucket of calls, reason, cumulative number."""

Ids = Mapping[CheckKey, int]

_FALLING = "lane_away"
"""The one reason whose number may fall: pairs of a process that died may turn up later, and are then paired."""

_BODIES = ("request", "live", "outcome")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One pair ready to be recorded: what was learned, and the stream fields it was learned from."""

    observation: Observation
    fields: Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Written:
    """How many pairs were new, and how many were there before."""

    new: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A published pair that cannot be judged."""

    call_id: str
    shadow: str
    bucket: int  # the hour bucket of the call's arrival
    reason: str


def record(store: Store, recorded: Sequence[Recorded], now: float) -> Written:
    """Record a batch and add it to the tallies, all or nothing; raises StoreAway when the store does not take it."""
    batch = {(one.observation.call_id, one.observation.shadow): _told(one) for one in recorded}
    with store.writing() as connection:
        used = (found.check for one in batch.values() for found in one.observation.found)
        ids, checks = check_ids(connection, store.known.checks, used, now)
        inserted = insert_new(connection, schema.pairs, [_pair(one.observation, ids, now) for one in batch.values()])
        fresh = [batch[key] for key in batch if key in inserted]
        words = _record_new(connection, fresh, ids, store.known.words, now) if fresh else {}
    store.known.learn(words, checks)
    return Written(len(fresh), len(recorded) - len(fresh))


def bury(store: Store, letter: DeadLetter) -> bool:
    """Count a pair as dead, once; False when it was counted or has been judged before."""
    key = (clean(letter.call_id), clean(letter.shadow))
    row = dict(zip(("call_id", "shadow"), key, strict=True)) | {"bucket": letter.bucket, "reason": clean(letter.reason)}
    judged = select(schema.pairs.c.call_id).where(tuple_(schema.pairs.c.call_id, schema.pairs.c.shadow) == key)
    with store.writing() as connection:
        if connection.execute(judged).first() is not None:
            return False
        return bool(insert_new(connection, schema.dead, [row]))


def accounting(store: Store, rows: Iterable[AccountingRow]) -> None:
    """Keep the proxies' latest cumulative numbers; an older snapshot than the stored one changes nothing.

    But for what may fall: there it changes something until the next one comes, some seconds later.
    """
    names = ("instance", "bucket", "shadow", "name", "reason", "n")
    given = [dict(zip(names, row, strict=True)) for row in rows]
    with store.writing() as connection:
        raise_to(connection, schema.accounting, [row for row in given if row["reason"] != _FALLING], "n")
        set_to(connection, schema.accounting, [row for row in given if row["reason"] == _FALLING], "n")


def _told(one: Recorded) -> Recorded:
    """A candidate's second answer stands beside its first, not beside live: nothing but comparisons says anything.

    What an assertion says of the first is known from the candidate's own pair; here it would be taken for live's.
    """
    if one.observation.role is not Role.AGAIN:
        return one
    found = tuple(found for found in one.observation.found if found.check.comparison)
    return replace(one, observation=replace(one.observation, found=found))


def _record_new(
    connection: Connection,
    fresh: Sequence[Recorded],
    ids: Ids,
    known: Mapping[Word, int],
    now: float,
) -> dict[Word, int]:
    insert_missing(connection, schema.records, [_record(one) for one in fresh])
    seen = [one.observation for one in fresh]
    insert_missing(connection, schema.findings, [row for one in seen for row in _findings(one, ids)])
    keys = [{"a_call": one.call_id, "a_shadow": one.shadow} for one in seen]
    dead = schema.dead.c
    connection.execute(
        delete(schema.dead).where(dead.call_id == bindparam("a_call"), dead.shadow == bindparam("a_shadow")), keys
    )
    names = dict.fromkeys(clean(one.conversation) for one in seen)
    raise_to(
        connection, schema.sessions, [{"conversation": name, "began": now, "newest": now} for name in names], "newest"
    )
    words = word_ids(connection, known, counting.words_of(seen, ids))
    _add_tallies(connection, seen, ids, words)
    _keep_examples(connection, seen, ids, words)
    return words


def _add_tallies(connection: Connection, seen: Sequence[Observation], ids: Ids, words: Mapping[Word, int]) -> None:
    adds, sums = counting.count(seen, ids, words)
    for table, counts in adds.items():
        names = [column.name for column in table.primary_key.columns]
        rows: list[Row] = [{**dict(zip(names, key, strict=True)), "n": n} for key, n in counts.items()]
        if table is schema.totals:
            summed = [{**row, "sum": sums[tuple(row[name] for name in names)]} for row in rows]
            add(connection, table, summed, "n", "sum")
        else:
            add(connection, table, rows)


def _keep_examples(connection: Connection, seen: Sequence[Observation], ids: Ids, words: Mapping[Word, int]) -> None:
    table, latest = schema.examples, counting.examples(seen, ids, words)
    if not latest:
        return
    keys = [{"a_shadow": key[0], "a_check": key[1], "a_slice": key[2]} for key in latest]
    insert_missing(
        connection,
        table,
        [
            {"shadow": shadow, "check_id": check, "slice_id": slice_id, "rank": rank}
            for (shadow, check, slice_id), ranks in latest.items()
            for rank in ranks
        ],
    )
    same = (
        (table.c.shadow == bindparam("a_shadow"))
        & (table.c.check_id == bindparam("a_check"))
        & (table.c.slice_id == bindparam("a_slice"))
    )
    newest = select(table.c.rank).where(same).order_by(table.c.rank.desc()).offset(counting.KEPT_EXAMPLES - 1).limit(1)
    connection.execute(delete(table).where(same, table.c.rank < newest.correlate(None).scalar_subquery()), keys)


def _pair(seen: Observation, ids: Ids, now: float) -> Row:
    return {
        "call_id": seen.call_id,
        "shadow": seen.shadow,
        "role": seen.role.value,
        "conversation": clean(seen.conversation),
        "arrived": seen.arrived,
        "recorded": now,
        "block": 0,
        "slices": orjson.dumps([clean(text) for text in seen.slices]).decode(),
        "letters": orjson.dumps({str(ids[key_of(found.check)]): found.joint for found in seen.found}).decode(),
        "preview": clean(seen.preview),
        **_arm("live", seen.live),
        **_arm("shadow", seen.arm),
    }


def _arm(arm: str, facts: ArmFacts) -> Row:
    row: Row = {f"{arm}_kind": facts.kind.value, f"{arm}_status": facts.status}
    return row | {f"{arm}_{name}": value for name, value in counting.measured(facts).items()}


def _record(one: Recorded) -> Row:
    fields = one.fields
    return {
        "call_id": one.observation.call_id,
        "shadow": one.observation.shadow,
        "schema": fields[b"schema"].decode(),
        "head": zlib.compress(fields[b"head"]),
        **{name: fields[name.encode()] for name in _BODIES},
    }


def _findings(seen: Observation, ids: Ids) -> list[Row]:
    rows = []
    for found in seen.found:
        check = ids[key_of(found.check)]
        if not found.check.comparison:  # a comparison says nothing of live alone
            rows.append(_finding(seen.call_id, "live", check, found.live))
        rows.append(_finding(seen.call_id, seen.shadow, check, found.shadow))
    return rows


def _finding(call_id: str, arm: str, check: int, finding: Finding) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "arm": arm,
        "check_id": check,
        "result": finding.result.value,
        "score": finding.score,
        "detail": clean(finding.detail),
        "paths": orjson.dumps([clean(path) for path in finding.paths]).decode(),
    }
