"""The tables: what every tally has in common, and that PostgreSQL could make them."""

from __future__ import annotations

import pytest
from sqlalchemy import Integer, Table, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from evaluators.store import open_store, schema

TALLIES = [table for table in schema.metadata.sorted_tables if "bucket" in table.c and table.name != "dead"]


def test_the_tallies_are_all_here() -> None:
    """The tables that reports are made of."""
    names = {table.name for table in TALLIES}
    assert names == {
        *("joints", "paths", "outcomes", "bins", "totals"),
        *("conversations", "noise", "path_noise", "fractions", "evidence", "crossed", "accounting"),
    }


@pytest.mark.parametrize("table", TALLIES, ids=lambda table: str(table.name))
def test_every_tally_is_found_by_its_hour(table: Table) -> None:
    """The hour is the first part of the key, so that a window is one range of it."""
    assert next(iter(table.primary_key.columns)).name == "bucket"


@pytest.mark.parametrize("table", schema.metadata.sorted_tables, ids=lambda table: str(table.name))
def test_nothing_is_null(table: Table) -> None:
    """Absence is a named state: no column of any table may be NULL."""
    assert not [column.name for column in table.columns if column.nullable]


@pytest.mark.parametrize("table", schema.metadata.sorted_tables, ids=lambda table: str(table.name))
def test_postgresql_could_make_the_table(table: Table) -> None:
    """Definitions and indices compile for PostgreSQL, without sequences for keys that are given."""
    text = str(CreateTable(table).compile(dialect=postgresql.dialect()))
    assert "SERIAL" not in text
    for index in table.indexes:
        assert str(CreateIndex(index).compile(dialect=postgresql.dialect()))


def test_an_arm_has_one_column_per_measure() -> None:
    """Both arms of a pair are described alike."""
    names = [*schema.TIMINGS, *schema.AMOUNTS, "kind", "status"]
    for arm in schema.ARMS:
        assert all(f"{arm}_{name}" in schema.pairs.c for name in names)
    assert isinstance(schema.pairs.c.live_status.type, Integer)


def test_an_older_store_gets_the_new_tables(url: str) -> None:
    """Tables that came later are made when the store is opened, and are empty for the time before."""
    store = open_store(url)
    with store.writing() as connection:
        for table in (schema.crossed, schema.path_noise):
            table.drop(connection)
    store.close()
    store = open_store(url)
    with store.reading() as connection:
        assert connection.execute(select(schema.crossed)).all() == connection.execute(select(schema.path_noise)).all()
    store.close()
