"""The two insertions that exactly-once effect is made of, the same on SQLite and PostgreSQL. Used by write, closing.

`insert_new` says which rows are really new; `add` adds to the numbers of a tally.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table, case
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_new(connection: Connection, table: Table, rows: Sequence[Row]) -> set[tuple[Any, ...]]:
    """Insert the rows whose key is not there yet; returns the keys of those that were inserted."""
    if not rows:
        return set()
    keys = tuple(table.primary_key.columns)
    statement = _insert(connection, table).on_conflict_do_nothing().returning(*keys)
    return {tuple(row) for row in connection.execute(statement, list(rows))}


def insert_missing(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """The same without asking which: faster, for rows that nothing is counted from."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), list(rows))


def add(connection: Connection, table: Table, rows: Iterable[Row], *sums: str, latest: Sequence[str] = ()) -> None:
    """Add to the columns `sums` ("n" when none is named) of the rows with these keys, making rows as needed.

    The columns `latest` take the new value as it is.
    """
    changes: dict[str, Any] = {name: lambda old, new: old + new for name in sums or ("n",)}
    _resolve(connection, table, rows, changes | dict.fromkeys(latest, _new))


def raise_to(connection: Connection, table: Table, rows: Iterable[Row], column: str) -> None:
    """Keep the higher of the stored and the given number."""
    _resolve(connection, table, rows, {column: _greater})


def set_to(connection: Connection, table: Table, rows: Iterable[Row], *columns: str) -> None:
    """Keep what is given."""
    _resolve(connection, table, rows, dict.fromkeys(columns, _new))


def _resolve(connection: Connection, table: Table, rows: Iterable[Row], columns: dict[str, Any]) -> None:
    given = list(rows)
    if not given:
        return
    statement = _insert(connection, table)
    changes = {name: merge(table.c[name], statement.excluded[name]) for name, merge in columns.items()}
    keys = list(table.primary_key.columns)
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), given)


def _new(_: Any, new: Any) -> Any:
    return new


def _greater(old: Any, new: Any) -> Any:
    # CASE instead of max(): PostgreSQL calls the two-argument maximum GREATEST.
    return case((new > old, new), else_=old)


def _insert(connection: Connection, table: Table) -> Any:
    return _INSERT[connection.dialect.name](table)
