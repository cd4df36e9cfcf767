"""Assertions on SQL: is-sql, contains-sql, through the optional package sqlglot (extra `sql`). Built by the registry.

promptfoo reads SQL with node-sql-parser; the two agree on everyday statements and differ on rare ones. Names that WITH
gives are no tables here, and what belongs to another database (generate_series in MySQL) is only a function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import regex

from evaluators.core.finding import (
    TOO_SLOW,
    Assert,
    BadCheck,
    BadPattern,
    CheckType,
    Finding,
    Params,
    assertion,
    broken,
    failed,
    passed,
    pattern,
)
from evaluators.core.on_text import on_text

MAX_SQL = 20_000
"""Characters of a statement: the parser takes about 0.3 s for these at its slowest."""

_DIALECTS = {
    **{"mysql": "mysql", "mariadb": "mysql", "postgresql": "postgres", "postgres": "postgres", "sqlite": "sqlite"},
    **{"transactsql": "tsql", "bigquery": "bigquery", "snowflake": "snowflake", "redshift": "redshift"},
    **{"athena": "athena", "hive": "hive", "trino": "trino", "db2": "", "flinksql": "", "noql": ""},
}
_FENCE = regex.compile(
    r"^[ \t]{0,3}(`{3,}|~{3,})[ \t]*(\w*)[^\n]*\n(.*?)(?:^[ \t]{0,3}\1[`~]*[ \t]*$|\Z)", regex.M | regex.S
)
_STARTS = frozenset(
    """Alter Create Delete Drop Insert Merge Select Union Intersect Except Update Set Describe Show TruncateTable
    Transaction Commit Rollback Grant Subquery""".split()
)
_UNNAMED = frozenset({"Command", "Show", "Describe"})
_COMMANDS = frozenset({"SHOW", "CALL", "EXPLAIN"})  # read as a whole, without their parts

_Allowed = Sequence[Callable[[str], bool]]


@assertion("is-sql", dimension="correctness", takes=("value",), layer="format")
def is_sql(params: Params) -> Assert:
    """The whole answer is SQL, by `databaseType` (MySQL); `allowedTables` and `allowedColumns` limit what it names.

    As in promptfoo these are patterns of select::DATABASE::TABLE and select::TABLE::COLUMN, with null for what the
    statement leaves out and (.*) for a star. A code fence is not SQL.
    """
    judge = _judge(params)
    return on_text(lambda text: judge(text.strip()))


@assertion("contains-sql", dimension="correctness", takes=("value",), layer="format")
def contains_sql(params: Params) -> Assert:
    """A code block of the answer (`sql` or no language) is SQL as in is-sql; the whole answer where it has none."""
    judge = _judge(params)

    def any_of(text: str) -> Finding:
        blocks = [found[3].strip() for found in _FENCE.finditer(text[: 2 * MAX_SQL]) if found[2].lower() in ("", "sql")]
        found = [judge(block) for block in blocks if block] if blocks else [judge(text.strip())]
        return next((one for one in found if one.score == 1), found[-1] if found else failed("has no SQL in it"))

    return on_text(any_of)


TYPES: tuple[CheckType, ...] = (is_sql, contains_sql)


def _judge(params: Params) -> Callable[[str], Finding]:
    try:
        import sqlglot
    except ImportError as error:
        raise BadCheck(f"{params.type} needs sqlglot; install the extra `sql`") from error
    sqlglot.parser.logger.disabled = True  # it writes what it cannot read, and answers are not for logs
    value: Any = {} if params.value is None else params.value
    if not isinstance(value, dict) or value.keys() - {"databaseType", "allowedTables", "allowedColumns"}:
        raise BadCheck(f"{params.type} takes `value: {{databaseType: MySQL, allowedTables: […], allowedColumns: […]}}`")
    name = str(value.get("databaseType", "MySQL"))
    if name.lower() not in _DIALECTS:
        raise BadCheck(f"{params.type} knows no databaseType {name!r}; write MySQL, PostgreSQL, SQLite, TransactSQL, …")
    tables, columns = _allowed(params, value, "allowedTables"), _allowed(params, value, "allowedColumns")

    def judge(text: str) -> Finding:
        if len(text) > MAX_SQL:
            return failed(f"is longer than {MAX_SQL} characters")
        try:
            statements = [one for one in sqlglot.parse(text, read=_DIALECTS[name.lower()]) if one is not None]
            if not statements or text.count("`") % 2 or not all(map(_statement, statements)):
                return failed(f"is not {name}")
            wrong = [*_beyond(_tables(statements), tables), *_beyond(_columns(statements), columns)]
        except (sqlglot.errors.SqlglotError, RecursionError, ValueError):
            return failed(f"is not {name}")
        except TimeoutError:
            return broken(TOO_SLOW)
        return failed(f"may not name {', '.join(wrong)}", paths=tuple(wrong)) if wrong else passed()

    return judge


def _statement(parsed: Any) -> bool:
    kind = type(parsed).__name__
    if kind == "Update":
        return bool(parsed.expressions)
    return kind in _STARTS or (kind == "Command" and str(parsed.name).upper() in _COMMANDS)


def _allowed(params: Params, value: Mapping[str, Any], key: str) -> _Allowed | None:
    if value.get(key) is None:
        return None
    sources = Params(params.type, value[key]).texts()
    if key == "allowedColumns":  # a column whose table is not written is one of any allowed table
        parts = [source.split("::") for source in sources]
        sources += tuple(f"{one[0]}::null::{one[2]}" for one in parts if len(one) == 3)
    try:
        return [pattern(rf"\A(?:{source})\Z", fold=True) for source in sources]
    except BadPattern as error:
        raise BadCheck(f"{params.type} has an entry in {key} that is no regular expression: {error}") from error


def _beyond(named: Sequence[str], allowed: _Allowed | None) -> list[str]:
    if allowed is None:
        return []
    return [one for one in named if not any(search(one[:200]) for search in allowed)]


def _verb(statement: Any) -> str:
    """What is done to the tables that are named in it: a select inside an insert selects, a merge merges."""
    name = ""
    while statement is not None:
        name = type(statement).__name__.lower()
        if name in ("select", "insert", "update", "delete", "create", "drop", "alter", "truncatetable"):
            return name.removesuffix("table")
        statement = statement.parent
    return name


def _named(statements: Sequence[Any], kind: str) -> Iterator[tuple[Any, str]]:
    for statement in statements:
        hidden = {str(each.alias).lower() for each in statement.walk() if type(each).__name__ == "CTE"}
        for each in statement.walk():
            if type(each).__name__ == kind and str(each.name).lower() not in (hidden if kind == "Table" else ()):
                yield each, _verb(each)


def _tables(statements: Sequence[Any]) -> list[str]:
    found = (f"{verb}::{each.db or 'null'}::{each.name}" for each, verb in _named(statements, "Table"))
    unknown = (f"{type(one).__name__.lower()}::null::null" for one in statements if type(one).__name__ in _UNNAMED)
    return list(dict.fromkeys([*found, *unknown]))


def _columns(statements: Sequence[Any]) -> list[str]:
    aliases = {each.alias_or_name: each.name for each, _ in _named(statements, "Table")}
    found = [
        f"{verb}::{aliases.get(each.table, each.table) or 'null'}::{'(.*)' if each.name == '*' else each.name}"
        for each, verb in _named(statements, "Column")
    ]
    for each, verb in _named(statements, "Delete"):
        found.append(f"{verb}::{each.this.name}::(.*)")
    for each, verb in _named(statements, "Insert"):
        found += [f"{verb}::{each.this.this.name}::{column.name}" for column in each.this.expressions]
    found += [f"create::null::{each.name}" for each, _ in _named(statements, "ColumnDef")]
    stars = (
        f"{verb}::null::(.*)" for each, verb in _named(statements, "Star") if type(each.parent).__name__ == "Select"
    )
    return list(dict.fromkeys([*found, *stars]))
