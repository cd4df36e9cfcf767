"""The two insertions, and that PostgreSQL would be sent the same."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from evaluators.store import Store, schema
from evaluators.store.upsert import Row, add, insert_missing, insert_new, raise_to, set_to


def noise(letters: str, n: int) -> Row:
    return {"bucket": 0, "shadow": "mini", "check_id": 1, "slice_id": 0, "letters": letters, "n": n}


def stored(connection: Connection) -> dict[str, int]:
    return {row.letters: row.n for row in connection.execute(select(schema.noise))}


def test_only_new_rows_are_named(store: Store) -> None:
    """Rows that were there, from before or from the same batch, are not among the inserted."""
    row = {"name": "a", "value": 1}
    with store.writing() as connection:
        assert insert_new(connection, schema.meta, []) == set()
        assert insert_new(connection, schema.meta, [row, row, {"name": "b", "value": 1}]) == {("a",), ("b",)}
        assert insert_new(connection, schema.meta, [row, {"name": "c", "value": 1}]) == {("c",)}
        insert_missing(connection, schema.meta, [{"name": "a", "value": 9}])
        insert_missing(connection, schema.meta, [])
        value = select(schema.meta.c.value).where(schema.meta.c.name == "a")
        assert connection.execute(value).scalar_one() == 1


def test_numbers_are_added_or_raised(store: Store) -> None:
    """Adding makes what is missing and sums the rest; raising keeps the higher, setting the given."""
    with store.writing() as connection:
        add(connection, schema.noise, [noise("dd", 1), noise("dm", 2)])
        add(connection, schema.noise, [noise("dd", 4), noise("mm", 1)])
        add(connection, schema.noise, [])
        assert stored(connection) == {"dd": 5, "dm": 2, "mm": 1}
        raise_to(connection, schema.noise, [noise("dd", 3), noise("dm", 3)], "n")
        assert stored(connection) == {"dd": 5, "dm": 3, "mm": 1}
        set_to(connection, schema.noise, [noise("dd", 3), noise("md", 2)], "n")
        assert stored(connection) == {"dd": 3, "dm": 3, "mm": 1, "md": 2}


@pytest.mark.parametrize("table", schema.metadata.sorted_tables, ids=lambda table: str(table.name))
def test_both_dialects_understand_the_statements(table: Table) -> None:
    """Every table's insertions compile for SQLite and for PostgreSQL alike."""
    keys = list(table.primary_key.columns)
    for dialect, insert in ((sqlite.dialect(), sqlite.insert), (postgresql.dialect(), postgresql.insert)):
        new = insert(table).on_conflict_do_nothing().returning(*keys)
        text = str(new.compile(dialect=dialect))
        assert "ON CONFLICT DO NOTHING RETURNING" in text
