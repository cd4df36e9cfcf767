"""The store's door: open_store, the two kinds of transaction, and the errors. Neighbours: schema, write, read.

SQLite in WAL mode. Everything here blocks: call it in a worker thread. Instants come in as arguments.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, ProgrammingError

from evaluators.store import schema
from evaluators.store.upsert import insert_new
from evaluators.store.vocabulary import Known

BUSY_SECONDS = 15.0
"""How long a writer waits for another: batches commit in tens of milliseconds, so this is hundreds of them."""

CACHE_KIB = 32 * 1024
"""Pages that one connection keeps."""

_WRITING = "understudy_writing"


class StoreError(Exception):
    """The store cannot be used as configured; the text names the remedy."""


class StoreAway(Exception):
    """The store did not take or give data now (busy, disk full, gone); trying again later is right."""


class Missing(LookupError):
    """No such pair."""


class Ambiguous(LookupError):
    """More than one pair fits; the text names them."""


class Store:
    """One open store. Safe to use from several threads and, the file being shared, from several processes."""

    def __init__(self, engine: Engine, describe: str) -> None:
        self.engine = engine
        self.known = Known()
        self._describe = describe

    def __repr__(self) -> str:
        return f"<Store {self._describe}>"

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that holds the write lock from its first statement; commits unless the body raises."""
        with _mapped(), self.engine.connect().execution_options(**{_WRITING: True}) as connection, connection.begin():
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that sees a single moment of the store and blocks nobody."""
        with _mapped(), self.engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close every connection; the store cannot be used afterwards."""
        self.engine.dispose()


def open_store(url: str) -> Store:
    """Open (and create) the store at an SQLAlchemy URL such as `sqlite:////var/lib/understudy/store.db`.

    Raises StoreError for what this version cannot use, StoreAway when the file cannot be reached.
    """
    parsed = _checked(url)
    path = Path(parsed.database or "")
    engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    store = Store(engine, str(path))
    try:
        with _private(path):
            _prepare(store)
    except BaseException:
        store.close()
        raise
    return store


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("store.url is not understood; write it like sqlite:////path/to/store.db") from None
    name = parsed.get_backend_name()
    if name == "postgresql":
        raise StoreError("store.url: PostgreSQL is not available yet; leave it out for the SQLite store in `data`")
    if name != "sqlite":
        raise StoreError(f"store.url: {name!r} is not a store; leave it out for the SQLite store in `data`")
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError("store.url: workers and reports share the store, so it has to be a file")
    return parsed


@contextmanager
def _private(path: Path) -> Iterator[None]:
    """Make directory and file for the owner only, and hold the directory: who opens a store prepares it alone.

    SQLite answers «locked» at once, without its usual patience, to two who switch a new file to WAL together. The file
    itself is opened once in its life: closing any handle on it would drop the locks that SQLite holds in this process.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(f"store: {path} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        _touch(path)
        yield
    finally:
        os.close(directory)


def _touch(path: Path) -> None:
    """SQLite gives its side files the mode of the main file."""
    try:
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        elif not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise StoreError(f"store: {path} cannot be opened: {error.strerror}") from error


def _prepare(store: Store) -> None:
    with _mapped(), store.engine.connect() as connection:
        # Outside a transaction, as SQLite demands; it stays with the file, so doing it again changes nothing.
        driver: Any = connection.connection.driver_connection
        # Records of 2 to 3 KiB leave a third of SQLite's own 4 KiB pages unused. Only a new file takes this up.
        driver.execute("PRAGMA page_size=8192")
        driver.execute("PRAGMA journal_mode=WAL").fetchone()
    with store.writing() as connection:
        schema.metadata.create_all(connection)
        insert_new(connection, schema.meta, [{"name": "schema", "value": schema.VERSION}])
        found = connection.execute(select(schema.meta.c.value).where(schema.meta.c.name == "schema")).scalar_one()
    if found != schema.VERSION:
        raise StoreError(f"the store has schema {found}, this version reads {schema.VERSION}; use the newer understudy")


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except (DataError, IntegrityError, ProgrammingError):
        raise  # about what was written, not about the store
    except DatabaseError as error:
        raise StoreAway(f"store: {str(error.orig)[:200]}") from error


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    # None: sqlite3 must not open transactions by itself, or readers would become writers half-way and fail as busy.
    connection.isolation_level = None
    # NORMAL: in WAL mode a process kill loses nothing, a power cut at most the last commits, and those pairs' entries
    # may by then be acknowledged; FULL costs one fsync per batch.
    connection.execute("PRAGMA synchronous=NORMAL")
    # A report groups some 100 000 tally rows: with SQLite's own 2 MB the groups go through a file.
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")


def _on_begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
