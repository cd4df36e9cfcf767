"""The rows of one block of closed conversations, read as folding wants them. Used by closing, in its transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, select

from config.pair import Role
from evaluators.core.folding import RATIOS, FoldPair, crossings
from evaluators.core.reply import EXCUSED, Kind
from evaluators.store import schema
from evaluators.store.vocabulary import ALL, Word, crossing_word, path_word, shared_ids, slice_word, word_ids

_PER_QUERY = 500

_NO_PATHS = "[]"

Paths = dict[tuple[str, str], dict[int, list[str]]]
"""By call and arm, then check: where that arm fails or differs."""


class BlockRows:
    """The rows of one block as folding wants them: slices, paths and crossings by the words the store has for them.

    Values past a cap are one slice or path, and folding must see them as one: each number has one text. Crossings past
    theirs are left out: «(other)» of two keys is a group nobody could act on, and both its slices are looked at anyway.
    """

    def __init__(self, connection: Connection, rows: Sequence[Any], known: dict[Word, int]) -> None:
        self._paths = _paths(connection, rows)
        slices = {row.slices: tuple(orjson.loads(row.slices)) for row in rows}
        crossed = {one: crossing_word(one) for texts in slices.values() for one in crossings(texts)}
        wanted = {slice_word(text) for texts in slices.values() for text in texts}
        wanted |= {path_word(check, path) for found in self._paths.values() for check, path in _flat(found)}
        self.words = word_ids(connection, known, [*sorted(wanted), *crossed.values()])
        self._names = _names({word: self.words[word] for word in sorted(wanted)})
        shared = shared_ids(connection, crossed.values())
        self.crossing = {one: self.words[word] for one, word in crossed.items() if self.words[word] not in shared}
        self._slices = {
            text: tuple(dict.fromkeys(self._names[slice_word(one)] for one in texts)) for text, texts in slices.items()
        }
        self._crossed = {
            text: tuple(one for one in crossings(texts) if one in self.crossing) for text, texts in slices.items()
        }

    def pair(self, row: Any) -> FoldPair:
        """One pair."""
        return FoldPair(
            call_id=row.call_id,
            shadow=row.shadow,
            role=Role(row.role),
            conversation=row.conversation,
            slices=self._slices[row.slices],
            letters={int(check): joint for check, joint in orjson.loads(row.letters).items()},
            crossed=self._crossed[row.slices],
            paths=self._named(row.call_id, row.shadow),
            live_paths=self._named(row.call_id, "live"),
            measured=_measured(row._mapping),
        )

    def slice_id(self, text: str) -> int:
        """The number of a slice as folding saw it."""
        return self.words[slice_word(text)] if text else ALL

    def path_id(self, check: int, path: str) -> int:
        """The number of a path as folding saw it."""
        return self.words[path_word(check, path)] if path else ALL

    def _named(self, call_id: str, arm: str) -> dict[int, frozenset[str]]:
        found = self._paths.get((call_id, arm), {})
        return {
            check: frozenset(self._names[path_word(check, path)] for path in paths) for check, paths in found.items()
        }


def _names(words: Mapping[Word, int]) -> dict[Word, str]:
    """One text per number."""
    first: dict[int, str] = {}
    return {word: first.setdefault(number, word[1]) for word, number in words.items()}


def _paths(connection: Connection, rows: Sequence[Any]) -> Paths:
    """Of the findings of these pairs those that say where."""
    table, found = schema.findings.c, defaultdict[tuple[str, str], dict[int, list[str]]](dict)
    calls = list(dict.fromkeys(row.call_id for row in rows))
    for start in range(0, len(calls), _PER_QUERY):
        query = select(table.call_id, table.arm, table.check_id, table.paths)
        inside = table.call_id.in_(calls[start : start + _PER_QUERY])
        for call_id, arm, check, paths in connection.execute(query.where(inside, table.paths != _NO_PATHS)):
            found[call_id, arm][check] = orjson.loads(paths)
    return found


def _flat(found: Mapping[int, Sequence[str]]) -> Iterator[tuple[int, str]]:
    return ((check, path) for check, paths in found.items() for path in paths)


def _measured(row: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """What both arms took; unknown of an arm that did not answer, nothing at all where the client hung up."""
    kinds = (Kind(row["live_kind"]), Kind(row["shadow_kind"]))
    if not EXCUSED.isdisjoint(kinds):
        return {}
    live, shadow = (
        {name: row[f"{arm}_{name}"] if kind is Kind.OK else -1 for name in RATIOS.values()}
        for arm, kind in zip(schema.ARMS, kinds, strict=True)
    )
    return {kind: (live[name], shadow[name]) for kind, name in RATIOS.items()}
