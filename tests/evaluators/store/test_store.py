"""Opening a store: what is refused, who may read it, what a kill leaves, and who waits for whom."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event, select, update

from evaluators.store import Store, StoreAway, StoreError, open_store, read, schema, write
from tests.evaluators.made import NOON, observation, recorded
from tests.evaluators.store.recomputed import assert_tallies_are_the_raw_rows

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("postgresql+psycopg://u:secret@h/d", "PostgreSQL is not available yet", id="PostgreSQL"),
        pytest.param("mysql://h/d", "'mysql' is not a store", id="another engine"),
        pytest.param("sqlite://", "has to be a file", id="memory"),
        pytest.param("store.db", "is not understood", id="no URL"),
    ],
)
def test_what_is_no_store_is_refused_with_the_remedy(url: str, reason: str) -> None:
    """A URL that cannot be used is refused before anything is made, without repeating a password."""
    with pytest.raises(StoreError, match=reason) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_the_file_is_for_its_owner_only(store: Store, tmp_path: Path) -> None:
    """Directory 0700, file and side files 0600: they hold what users wrote."""
    write.record(store, [recorded(observation(1))], NOON)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert modes == dict.fromkeys(("store.db", "store.db-wal", "store.db-shm"), 0o600)
    assert "store.db" in repr(store)


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A path below a file is a mistake of configuration."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path}/file/store.db")


def test_a_store_of_a_newer_version_is_refused(store: Store, url: str) -> None:
    """A schema that this version does not know is not guessed at."""
    with store.writing() as connection:
        connection.execute(update(schema.meta).values(value=schema.VERSION + 1))
    with pytest.raises(StoreError, match="use the newer understudy"):
        open_store(url)


def test_a_file_that_is_no_store_is_not_harmed(tmp_path: Path) -> None:
    """A text file in the place of the store stays as it is."""
    path = tmp_path / "store.db"
    path.write_text("my diary, which is longer than the header of a database file" * 20)
    with pytest.raises((StoreError, StoreAway)):
        open_store(f"sqlite:///{path}")
    assert path.read_text().startswith("my diary")


def test_many_processes_may_open_it_first(url: str) -> None:
    """Six openings at once of a store that does not exist make one store."""
    for number in range(10):
        with ThreadPoolExecutor(6) as pool:
            for one in pool.map(open_store, [url.replace("store.db", f"{number}.db")] * 6):
                one.close()
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(open_store, [url] * 6))
    for number, one in enumerate(stores):
        write.record(one, [recorded(observation(number))], NOON)
    assert {tally.pairs for tally in read.tallies(stores[0], 0, 1e11)} == {6}
    for one in stores:
        one.close()


def test_a_reader_sees_one_moment_while_a_writer_writes(store: Store) -> None:
    """A report under way is not changed by what is recorded meanwhile, and does not hold it up."""
    write.record(store, [recorded(observation(1))], NOON)
    with store.reading() as connection:
        before = connection.execute(select(schema.outcomes)).all()
        write.record(store, [recorded(observation(2))], NOON)
        assert connection.execute(select(schema.outcomes)).all() == before
    assert read.tallies(store, 0, 1e11)[0].pairs == 2


def test_a_store_that_does_not_answer_is_away(store: Store, tmp_path: Path) -> None:
    """What the file system does to the file comes out as one error, and passes."""
    with pytest.raises(StoreAway), store.writing() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")
    write.record(store, [recorded(observation(1))], NOON)


def test_a_full_disk_is_away_and_costs_nothing(url: str) -> None:
    """A batch that finds no room leaves nothing; when there is room again everything goes on exactly."""
    store = open_store(url)
    limits = ["max_page_count=40"]
    event.listen(store.engine, "checkout", lambda driver, *_: driver.execute(f"PRAGMA {limits[-1]}"))

    def fill() -> None:
        for number in range(1000):
            write.record(store, [recorded(observation(number))], NOON)

    with pytest.raises(StoreAway, match="full"):
        fill()
    limits.append("max_page_count=100000")
    write.record(store, [recorded(observation(number)) for number in range(1000)], NOON)
    assert read.tallies(store, 0, 1e11)[0].pairs == 1000
    assert_tallies_are_the_raw_rows(store)
    store.close()


WRITER = """
import sys
from evaluators.store import open_store, write
from tests.evaluators.made import NOON, observation, recorded
store = open_store(sys.argv[1])
for start in range(int(sys.argv[2]), 10**6, 8):
    write.record(store, [recorded(observation(number)) for number in range(start, start + 8)], NOON)
    print(start, flush=True)
"""


def killed_while_writing(url: str, start: int, batches: int) -> None:
    command = [sys.executable, "-c", WRITER, url, str(start)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert writer.stdout is not None
    with writer.stdout as lines:
        for _ in range(batches):
            lines.readline()
        writer.kill()
    writer.wait()


def whole(store: Store, url: str) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    plain.close()
    (mini,) = read.tallies(store, 0, 1e11)
    assert mini.pairs % 8 == 0
    assert_tallies_are_the_raw_rows(store)


def test_a_kill_in_the_middle_leaves_whole_batches(store: Store, url: str) -> None:
    """A writer that is killed leaves a sound file with all of a batch or nothing of it."""
    killed_while_writing(url, 0, 5)
    whole(store, url)


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_sixty_kills_in_the_middle_leave_whole_batches(store: Store, url: str) -> None:
    """The same sixty times on one file, each kill after another number of commits."""
    for kill in range(60):
        killed_while_writing(url, kill * 1000, kill % 7 + 1)
    whole(store, url)
