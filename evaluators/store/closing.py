"""Closing conversations: blocks of those that went quiet become evidence, each pair exactly once. Called by worker.

Which conversations share a block, and when it is sealed, depends on when their pairs were recorded and on nothing
that the checks found: evidence that waits for a look at the outcomes would be worth nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, case, delete, func, literal_column, select, update

from evaluators.core import folding
from evaluators.core.folding import Folded
from evaluators.core.folding.shape import Together
from evaluators.core.stats.evidence import BLOCK
from evaluators.core.tally import Evidence, Value
from evaluators.store import Store, schema
from evaluators.store.block import BlockRows
from evaluators.store.counting import bucket_of
from evaluators.store.summing import added, packed, unpacked
from evaluators.store.upsert import add, insert_missing, set_to
from evaluators.store.vocabulary import Word

PATIENCE = 5.0
"""Seconds that the oldest closed conversation waits for a full block: fuller blocks bet better, later ones annoy."""

BLOCK_MAX = 8 * BLOCK
"""Conversations in one transaction: larger blocks bet no worse, and this one holds the write lock for about 0.1 s."""

LONGEST = 6
"""A conversation that never goes quiet is closed when this many times `closes_after` has passed since its first pair.

Otherwise an application that gives all its calls one conversation key would never be judged: with the default of ten
minutes it is after an hour. What is recorded later is the next conversation; that both are the same people's makes
them less independent than two, which is why this is several times the ordinary wait and no shorter. Time alone decides,
as it does above, so the evidence stays valid.
"""

_COUNTS = schema.COUNTS


def fold(store: Store, now: float, closes_after: float, patience: float = PATIENCE) -> int:
    """Fold every block that is ready at the Unix time `now`; returns how many conversations that closed.

    A conversation is closed when none of its pairs was recorded for `closes_after` seconds, or when its first one was
    recorded LONGEST times as long ago; one that resumes later counts as a new one. Raises StoreAway when the store
    does not take it; what was sealed before stays sealed.
    """
    folded = 0
    while closed := _fold_block(store, now, closes_after, patience):
        folded += closed
        if closed < BLOCK_MAX:
            break
    return folded


def unfolded(store: Store) -> int:
    """Pairs whose conversation has not been closed yet; raises StoreAway."""
    with store.reading() as connection:
        return int(connection.execute(select(func.count()).where(schema.pairs.c.block == 0)).scalar_one())


def _fold_block(store: Store, now: float, closes_after: float, patience: float) -> int:
    with store.reading() as connection:  # most ticks find nothing: they should not ask for the write lock
        if not _ready(connection, now, closes_after, patience):
            return 0
    with store.writing() as connection:
        block = _ready(connection, now, closes_after, patience)  # another worker may have been faster
        if block:
            words = _seal(connection, block, now, store.known.words)
            store.known.learn(words, {})
    return len(block)


def _ready(connection: Connection, now: float, closes_after: float, patience: float) -> list[str]:
    """The conversations of the next block: the longest closed first; none while it may still fill up."""
    table = schema.sessions.c
    longest = LONGEST * closes_after
    quiet = table.newest - table.began <= longest - closes_after
    closed_at = case((quiet, table.newest + closes_after), else_=table.began + longest).label("closed_at")
    closed = (table.newest <= now - closes_after) | (table.began <= now - longest)
    query = select(table.conversation, closed_at).where(closed)
    rows = connection.execute(query.order_by(closed_at, table.conversation).limit(BLOCK_MAX)).all()
    if not rows or (len(rows) < BLOCK and rows[0].closed_at > now - patience):
        return []
    return [row.conversation for row in rows]


def _seal(connection: Connection, block: Sequence[str], now: float, known: dict[Word, int]) -> dict[Word, int]:
    table = schema.pairs
    # A literal 0: SQLite uses a partial index only where it can see its condition, which a parameter hides.
    unfolded = table.c.conversation.in_(block) & (table.c.block == literal_column("0"))
    number = connection.execute(select(func.coalesce(func.max(schema.blocks.c.id), 0) + 1)).scalar_one()
    rows = connection.execute(select(table).where(unfolded).order_by(table.c.call_id, table.c.shadow)).all()
    reading = BlockRows(connection, rows, known)
    pairs = [reading.pair(row) for row in rows]
    _add(connection, folding.fold(pairs), bucket_of(now), reading)
    insert_missing(connection, schema.blocks, [{"id": number, "sealed": now, "conversations": len(block)}])
    connection.execute(update(table).where(unfolded).values(block=number))
    connection.execute(delete(schema.sessions).where(schema.sessions.c.conversation.in_(block)))
    return reading.words


def _add(connection: Connection, folded: Folded, bucket: int, reading: BlockRows) -> None:
    at = {"bucket": bucket}
    counted = folded.conversations.items()
    add(connection, schema.conversations, [{**at, "shadow": shadow, "n": n} for shadow, n in counted])
    noise = [
        {**at, "shadow": shadow, "check_id": check, "slice_id": reading.slice_id(text), "letters": letters, "n": n}
        for (shadow, check, text, letters), n in folded.noise.items()
    ]
    add(connection, schema.noise, noise)
    places = [
        {**at, "shadow": shadow, "check_id": check, "path_id": reading.path_id(check, path), "letters": letters, "n": n}
        for (shadow, check, path, letters), n in folded.places.items()
    ]
    add(connection, schema.path_noise, places)
    fractions = [
        {**at, "shadow": shadow, "check_id": check, "kind": kind, "over": over, "under": under, "n": n}
        for shadow, check, kind, (over, under), n in _fractions(folded)
    ]
    add(connection, schema.fractions, fractions)
    found = {(bucket, *key[:2], reading.slice_id(key[2])): one for key, one in folded.evidence.items()}
    _add_evidence(connection, found, bucket)
    _add_crossed(connection, folded, bucket, reading.crossing)


def _fractions(folded: Folded) -> Iterator[tuple[str, int, str, Value, int]]:
    for kind, counts in (("difference", folded.difference), ("failing", folded.failing), ("energy", folded.energy)):
        for (shadow, check, value), n in counts.items():
            yield shadow, check, kind, value, n
    for (shadow, kind, value), n in folded.ratios.items():
        yield shadow, schema.NO_CHECK, kind, value, n
    for (shadow, kind), n in folded.unmeasured.items():
        yield shadow, schema.NO_CHECK, schema.UNMEASURED + kind, (0, 1), n


def _add_evidence(connection: Connection, found: Mapping[tuple[Any, ...], Evidence], bucket: int) -> None:
    """Add counts and log bets; the bets are read and written here, where no other writer can come between."""
    table = schema.evidence
    keys = [column.name for column in table.primary_key.columns]
    before = select(table).where(table.c.bucket == bucket)
    bets = {tuple(row[:4]): orjson.loads(row.log_bets) for row in connection.execute(before)} if found else {}
    rows = []
    for key, one in found.items():
        old = bets.get(key, [0.0] * len(one.log_bets))
        summed = [a + b for a, b in zip(old, one.log_bets, strict=True)]
        counts = {name: getattr(one, name) for name in _COUNTS}
        rows.append({**dict(zip(keys, key, strict=True)), **counts, "log_bets": orjson.dumps(summed).decode()})
    add(connection, table, rows, *_COUNTS, latest=("log_bets",))


def _add_crossed(connection: Connection, folded: Folded, bucket: int, numbers: Mapping[Together, int]) -> None:
    """Add the crossings of every shadow and check to the hour's; read and written here, as in _add_evidence."""
    found: dict[tuple[str, int], list[tuple[float, ...]]] = {}
    examples: dict[tuple[str, int], dict[str, str]] = {}
    for (shadow, check, one), seen in folded.crossed.items():
        counts = [getattr(seen, name) for name in _COUNTS]
        found.setdefault((shadow, check), []).append((numbers[one], *counts, *seen.log_bets))
    for (shadow, check, one), call_id in folded.examples.items():
        examples.setdefault((shadow, check), {})[str(numbers[one])] = call_id
    table, rows = schema.crossed, []
    before = {tuple(row[1:3]): row for row in connection.execute(select(table).where(table.c.bucket == bucket))}
    for key, sums in found.items():
        old = before.get(key)
        kept = orjson.loads(old.examples) if old else {}
        rows.append(
            {
                **dict(zip(("bucket", "shadow", "check_id"), (bucket, *key), strict=True)),
                "sums": packed(added([unpacked(old.sums)] if old else [], sums)),
                "examples": orjson.dumps(_latest(kept, examples.get(key, {}))).decode(),
            }
        )
    set_to(connection, table, rows, "sums", "examples")


def _latest(kept: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    return {**kept, **{number: max(call_id, kept.get(number, "")) for number, call_id in new.items()}}
