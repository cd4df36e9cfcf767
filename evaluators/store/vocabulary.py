"""Small numbers for what tallies are keyed by: checks, slices and paths. Used by write and closing, inside their
transaction, so that numbers are given out by one writer at a time.

Slices and paths come from traffic, so a family of them is bounded: what comes after the cap shares one word,
"(other)". Nothing is ever taken out, so a word means the same number at every later time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select, update

from evaluators.core.finding import Check
from evaluators.store import schema
from evaluators.store.upsert import insert_missing

Word = tuple[str, str]
"""A family ("slice:topic" or "path:17") and the text."""

CheckKey = tuple[str, str]
"""Label and version."""

Numbered = tuple[Check, int]

ALL = 0
"""The slice that every pair is in."""

CAPS = {"slice": 200, "path": 300, "pair": 24}
"""Different texts per slice key, per check, and per pair of slice keys; a report shows the worst dozen of each.

Nine keys have 36 pairs, so at most 864 crossings are looked at, in each of which every check may add one row per hour.
"""

_PER_QUERY = 500
_REMEMBERED = 50_000
_LONGEST = 400


@dataclass(slots=True)
class Known:
    """What this process has already seen committed. Nothing in it is ever wrong later, so forgetting is free."""

    words: dict[Word, int] = field(default_factory=dict)
    checks: dict[str, Numbered] = field(default_factory=dict)  # label -> the one in use

    def learn(self, words: Mapping[Word, int], checks: Mapping[str, Numbered]) -> None:
        """Remember what a transaction used, after its commit."""
        if len(self.words) > _REMEMBERED:  # traffic may send ever new texts that all mean "(other)"
            self.words.clear()
        self.words.update(words)
        self.checks.update(checks)


def slice_word(text: str) -> Word:
    """The word of a slice like "topic=billing"."""
    word = clean(text)
    return f"slice:{word.partition('=')[0]}", word


def path_word(check_id: int, path: str) -> Word:
    """The word of a place where one check found something."""
    return f"path:{check_id}", clean(path)


def word_ids(connection: Connection, known: Mapping[Word, int], wanted: Iterable[Word]) -> dict[Word, int]:
    """The number of every wanted word, in order of appearance; new ones are given out while the family has room."""
    words = dict.fromkeys(wanted)
    ids = {word: known[word] for word in words if word in known}
    ids |= _stored(connection, [word for word in words if word not in ids])
    missing = [word for word in words if word not in ids]
    return ids | _given(connection, missing) if missing else ids


def crossing_word(together: tuple[str, str]) -> Word:
    """The word of two slices of different keys: who is in both."""
    keys = "&".join(text.partition("=")[0] for text in together)
    return clean(f"pair:{keys}"), clean(" & ".join(together))


def shared_ids(connection: Connection, words: Iterable[Word]) -> set[int]:
    """The numbers that stand for what came after the cap, of the families of these words."""
    return set(_stored(connection, list({(family, _other(family)): 0 for family, _ in words})).values())


def check_ids(
    connection: Connection, known: Mapping[str, Numbered], wanted: Iterable[Check], now: float
) -> tuple[dict[CheckKey, int], dict[str, Numbered]]:
    """The number of every wanted check, and what is to be remembered as each label's current one.

    A check that differs from the label's current one is registered anew, and is the current one from then on.
    """
    ids, current = dict[CheckKey, int](), dict(known)
    for check in wanted:
        if key_of(check) in ids:
            continue
        numbered = current.get(check.label)
        if numbered is None or not _alike(numbered[0], check):
            numbered = current[check.label] = (check, _register(connection, check, now))
        ids[key_of(check)] = numbered[1]
    return ids, current


def key_of(check: Check) -> CheckKey:
    """What tells one check from another: a changed check is another check."""
    return check.label, check.version


def clean(text: str) -> str:
    """Text that every database takes: no lone surrogates, no NUL, not longer than a list can show."""
    return text[:_LONGEST].encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _alike(one: Check, other: Check) -> bool:
    return one is other or _facts(one) == _facts(other)


def _facts(check: Check) -> dict[str, str | int]:
    return {
        "label": check.label,
        "version": check.version,
        "type": check.type,
        "comparison": int(check.comparison),
        "dimension": check.dimension,
        "severity": check.severity,
    }


def _register(connection: Connection, check: Check, now: float) -> int:
    table = schema.checks
    same = (table.c.label == check.label) & (table.c.version == check.version)
    number = connection.execute(select(table.c.id).where(same)).scalar()
    facts = {**_facts(check), "used": now}
    if number is None:
        number = _next_id(connection, table.c.id)
        insert_missing(connection, table, [{"id": number, **facts}])
    else:
        connection.execute(update(table).where(same).values(facts))
    return int(number)


def _stored(connection: Connection, words: list[Word]) -> dict[Word, int]:
    table, found = schema.words, dict[Word, int]()
    for start in range(0, len(words), _PER_QUERY):
        part = words[start : start + _PER_QUERY]
        families, texts = {family for family, _ in part}, {text for _, text in part}
        query = select(table.c.family, table.c.word, table.c.id).where(
            table.c.family.in_(families), table.c.word.in_(texts)
        )
        found |= {(family, text): number for family, text, number in connection.execute(query)}
    return {word: found[word] for word in words if word in found}


def _given(connection: Connection, missing: list[Word]) -> dict[Word, int]:
    table = schema.words
    families = {family for family, _ in missing}
    counted = select(table.c.family, func.count()).where(table.c.family.in_(families)).group_by(table.c.family)
    used = dict.fromkeys(families, 0) | {family: n for family, n in connection.execute(counted)}
    number, ids, rows = _next_id(connection, table.c.id), dict[Word, int](), []
    overflow = _stored(connection, [(family, _other(family)) for family in families])
    for word in missing:
        family = word[0]
        full = used[family] >= CAPS[family.partition(":")[0]]
        home = (family, _other(family)) if full else word
        if home not in overflow:
            overflow[home] = number
            rows.append({"id": number, "family": family, "word": home[1]})
            number, used[family] = number + 1, used[family] + 1
        ids[word] = overflow[home]
    insert_missing(connection, table, rows)
    return ids


def _other(family: str) -> str:
    kind, _, name = family.partition(":")
    return f"{name}=(other)" if kind == "slice" else "(other)"


def _next_id(connection: Connection, column: Any) -> int:
    return int(connection.execute(select(func.coalesce(func.max(column), 0) + 1)).scalar_one())
