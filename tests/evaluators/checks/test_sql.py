"""is-sql and contains-sql, as node-sql-parser decides everyday statements, and bounded on hostile ones."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from evaluators.core.finding import BadCheck, Result
from evaluators.core.reply import ToolCall
from tests.evaluators.checks.arms import arm, check, judge

PASS, FAIL = Result.PASS, Result.FAIL
TABLES = {"allowedTables": ["(select|update|insert|delete)::null::users"]}
COLUMNS = {"allowedColumns": ["select::users::name", "select::null::id"]}


@pytest.mark.parametrize(
    ("text", "free", "tables", "columns"),
    [
        ("SELECT name FROM users", PASS, PASS, PASS),
        ("select id, name from users where id = 3;", PASS, PASS, PASS),
        ("SELECT u.name FROM users u", PASS, PASS, PASS),
        ("SELECT name FROM orders", PASS, FAIL, PASS),
        ("SELECT name FROM db.users", PASS, FAIL, PASS),
        ("SELECT * FROM users", PASS, PASS, FAIL),
        ("SELECT age FROM users", PASS, PASS, FAIL),
        ("SELECT COUNT(*) FROM users", PASS, PASS, PASS),
        ("UPDATE users SET name='x' WHERE id=1", PASS, PASS, FAIL),
        ("DELETE FROM users", PASS, PASS, FAIL),
        ("INSERT INTO users (name) VALUES ('a')", PASS, PASS, FAIL),
        ("CREATE TABLE t (a INT)", PASS, FAIL, FAIL),
        ("DROP TABLE users", PASS, FAIL, PASS),
        ("SELECT name FROM users WHERE id IN (SELECT id FROM orders)", PASS, FAIL, PASS),
        ("SHOW TABLES", PASS, FAIL, PASS),
        ("SELECT FROM", FAIL, FAIL, FAIL),
        ("SELECT name age city FROM users", FAIL, FAIL, FAIL),
        ("UPDATE users", FAIL, FAIL, FAIL),
        ("SELECT `name FROM users", FAIL, FAIL, FAIL),
        ("hello world", FAIL, FAIL, FAIL),
        ("Use SELECT name FROM users", FAIL, FAIL, FAIL),
        ("", FAIL, FAIL, FAIL),
        ("42", FAIL, FAIL, FAIL),
        ("```sql\nSELECT name FROM users\n```", FAIL, FAIL, FAIL),
    ],
)
def test_statements(text: str, free: Result, tables: Result, columns: Result) -> None:
    """A statement is SQL, and names nothing beyond what is allowed."""
    found = [judge("is-sql", arm(text), value=value).result for value in (None, TABLES, COLUMNS)]
    assert found == [free, tables, columns]


def test_what_may_not_be_named_is_said() -> None:
    """The path is the table or column with what is done to it."""
    assert judge("is-sql", arm("DELETE FROM orders"), value=TABLES).paths == ("delete::null::orders",)


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("DESCRIBE users", "describe"),
        ("GRANT SELECT ON users TO bob", "grant"),
        ("MERGE INTO users USING t ON a = b WHEN MATCHED THEN UPDATE SET a = 1", "merge"),
    ],
)
def test_what_is_no_select_does_not_pass_for_one(text: str, verb: str) -> None:
    """Where only reading is allowed, a statement that does something else with the table is refused under its name."""
    rules = {"databaseType": "PostgreSQL", "allowedTables": ["select::null::(users|t)"]}
    assert f"{verb}::null::users" in judge("is-sql", arm(text), value=rules).paths


def test_a_rule_without_end_is_broken() -> None:
    """An entry that backtracks for ever says nothing about the answer."""
    found = judge("is-sql", arm(f"SELECT a FROM {'a' * 50}"), value={"allowedTables": ["select::null::(a|aa)+b"]})
    assert (found.result, found.detail) == (Result.BROKEN, "the pattern took longer than 0.25 s")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("Here:\n```sql\nSELECT 1\n```\ndone", PASS),
        ("Here:\n```\nSELECT 1\n```", PASS),
        ("```sql\nno\n```\nor\n```sql\nSELECT 1\n```", PASS),
        ("```python\nx = 1\n```", FAIL),
        ("```sql\n\n```", FAIL),
        ("SELECT 1", PASS),
        ("Use SELECT 1", FAIL),
    ],
)
def test_blocks(text: str, result: Result) -> None:
    """One block that is SQL is enough; without a block the whole answer has to be."""
    assert judge("contains-sql", arm(text)).result is result


def test_the_database_decides() -> None:
    """A statement may be SQL of one database only."""
    text = "SELECT a::text FROM t LIMIT 1"
    assert judge("is-sql", arm(text), value={"databaseType": "PostgreSQL"}).result is PASS
    assert judge("is-sql", arm("SELECT TOP 5 a FROM [t]"), value={"databaseType": "TransactSQL"}).result is PASS


@pytest.mark.parametrize(
    "value",
    ["SELECT", {"database": "x"}, {"databaseType": "dBase"}, {"allowedTables": ["("]}, {"allowedTables": []}],
)
def test_a_value_that_makes_no_sense_stops_the_start(value: Any) -> None:
    """Unknown databases, keys and patterns are mistakes."""
    with pytest.raises(BadCheck):
        check("is-sql", value)


@pytest.mark.parametrize("text", ["(" * 19_000, "SELECT (" * 2_400, "SELECT " + "NOT " * 4_900, "SELECT 1" * 9_999])
def test_hostile_statements_end(text: str) -> None:
    """Nesting without end, and length, fail."""
    assert judge("is-sql", arm(text)).result is FAIL


def test_without_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package is not installed the message names the extra; an answer of calls is skipped."""
    assert judge("is-sql", arm("", tool_calls=(ToolCall("a", "{}"),))).result is Result.SKIP
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    with pytest.raises(BadCheck, match="install the extra `sql`"):
        check("is-sql")
