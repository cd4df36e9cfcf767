"""When conversations close, and that each pair becomes evidence once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, select

from evaluators.core.stats.evidence import BLOCK
from evaluators.store import Store, open_store, read, schema, write
from evaluators.store.closing import BLOCK_MAX, LONGEST, PATIENCE, fold
from tests.evaluators.made import NOON, observation, recorded
from tests.evaluators.store.recomputed import assert_tallies_are_the_raw_rows

QUIET = 600.0


def talk(store: Store, conversation: str, *numbers: int, now: float, shadow: str = "mini") -> None:
    pairs = [recorded(observation(number, shadow, conversation=conversation)) for number in numbers]
    write.record(store, pairs, now)


def conversations(store: Store) -> int:
    return sum(tally.conversations for tally in read.tallies(store, 0, 1e11))


def test_nobody_waits_a_minute_for_a_full_block() -> None:
    """The patience that is in force, not one written down elsewhere."""
    assert 0 < PATIENCE < 60


def test_a_conversation_closes_when_its_newest_pair_is_old(store: Store) -> None:
    """Closed means that none of its pairs was recorded for so long; the last one counts, of whichever shadow."""
    talk(store, "a", 1, now=NOON)
    talk(store, "a", 2, now=NOON + 500, shadow="control")
    assert fold(store, NOON + 1099, QUIET, patience=0) == 0
    assert fold(store, NOON + 1100, QUIET, patience=0) == 1
    assert fold(store, NOON + 9999, QUIET, patience=0) == 0
    assert_tallies_are_the_raw_rows(store)


def test_an_unfilled_block_waits_for_others(store: Store) -> None:
    """A closed conversation waits at most its patience for a block to fill."""
    talk(store, "a", 1, now=NOON)
    assert fold(store, NOON + QUIET + 4.9, QUIET, patience=5) == 0
    talk(store, "b", 2, now=NOON + 3)
    assert fold(store, NOON + QUIET + 5, QUIET, patience=5) == 2


def test_a_full_block_does_not_wait(store: Store) -> None:
    """As many conversations as fill a block are sealed as soon as they are closed."""
    for number in range(BLOCK - 1):
        talk(store, f"c{number}", number, now=NOON)
    assert fold(store, NOON + QUIET, QUIET) == 0
    talk(store, "last", BLOCK, now=NOON)
    assert fold(store, NOON + QUIET, QUIET) == BLOCK


def test_many_blocks_are_sealed_in_one_go(store: Store) -> None:
    """A backlog is folded completely, in blocks of bounded size, the longest quiet first."""
    count = BLOCK_MAX + 10
    pairs = [recorded(observation(number, conversation=f"c{number}")) for number in range(count)]
    for start in range(0, count, 50):
        write.record(store, pairs[start : start + 50], NOON + start)
    assert fold(store, NOON + 1e5, QUIET) == count
    with store.reading() as connection:
        sizes = [row.conversations for row in connection.execute(select(schema.blocks).order_by(schema.blocks.c.id))]
    assert sizes == [BLOCK_MAX, 10]
    assert_tallies_are_the_raw_rows(store)


def test_a_conversation_that_resumes_is_a_new_one(store: Store) -> None:
    """Pairs after the folding form another conversation; those before are not counted again."""
    talk(store, "a", 1, 2, now=NOON)
    assert fold(store, NOON + 1000, QUIET) == 1
    talk(store, "a", 3, now=NOON + 2000)
    assert fold(store, NOON + 3000, QUIET) == 1
    assert conversations(store) == 2
    assert_tallies_are_the_raw_rows(store)


def test_a_conversation_that_never_goes_quiet_is_closed(store: Store) -> None:
    """One that goes on and on becomes evidence when its first pair is old; what comes later begins the next one."""
    longest = int(LONGEST * QUIET)
    for number, second in enumerate(range(0, longest + 600, 300)):
        talk(store, "endless", number, now=NOON + second)
        assert fold(store, NOON + second, QUIET, patience=0) == (second == longest), second
    assert conversations(store) == 1
    assert fold(store, NOON + longest + 300 + QUIET, QUIET, patience=0) == 1
    assert_tallies_are_the_raw_rows(store)


@pytest.mark.parametrize("joint", ["pf", "pp"])
def test_when_an_endless_conversation_closes_does_not_depend_on_outcomes(store: Store, joint: str) -> None:
    """All right or all wrong, it is closed at the same instant."""
    for number in range(LONGEST + 1):
        made = recorded(observation(number, conversation="endless", joints=(joint, "m")))
        write.record(store, [made], NOON + number * (QUIET - 1))
    assert fold(store, NOON + LONGEST * QUIET - 0.5, QUIET, patience=0) == 0
    assert fold(store, NOON + LONGEST * QUIET, QUIET, patience=0) == 1


def test_the_longest_closed_comes_first(store: Store) -> None:
    """Quiet and endless conversations stand in one row, by the instant at which they were closed."""
    for number in range(LONGEST * 2 + 1):
        talk(store, "endless", number, now=NOON + number * QUIET / 2)  # closed at 6 QUIET by its age
    ends = {"before": LONGEST - 1.5, "after": LONGEST - 0.5}  # closed at 5.5 and 6.5 QUIET, by silence
    pairs = [recorded(observation(100 + n, conversation=f"c{n}")) for n in range(BLOCK_MAX - 1)]
    write.record(store, pairs, NOON + ends["before"] * QUIET)
    late = [recorded(observation(9000 + n, conversation=f"late{n}")) for n in range(3)]
    write.record(store, late, NOON + ends["after"] * QUIET)
    assert fold(store, NOON + 10 * QUIET, QUIET) == BLOCK_MAX + 3
    with store.reading() as connection:
        table = schema.pairs
        rows = connection.execute(select(table.c.conversation, table.c.block)).all()
        blocks = {row.conversation: row.block for row in rows}
    assert (blocks["c0"], blocks["endless"], blocks["late0"]) == (1, 1, 2)


def test_a_pair_delivered_again_does_not_reopen_its_conversation(store: Store) -> None:
    """A duplicate after the folding changes nothing."""
    talk(store, "a", 1, now=NOON)
    assert fold(store, NOON + 1000, QUIET) == 1
    talk(store, "a", 1, now=NOON + 2000)
    assert fold(store, NOON + 9999, QUIET) == 0
    assert conversations(store) == 1


def test_several_workers_fold_each_conversation_once(store: Store, url: str) -> None:
    """Workers that fold at the same time share the blocks among them."""
    pairs = [recorded(observation(number, conversation=f"c{number}")) for number in range(3 * BLOCK_MAX)]
    write.record(store, pairs, NOON)
    stores = [open_store(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        folded = pool.map(lambda one: fold(one, NOON + 1e5, QUIET), stores)
        assert sum(folded) >= 3 * BLOCK_MAX
    for one in stores:
        one.close()
    assert conversations(store) == 3 * BLOCK_MAX
    assert_tallies_are_the_raw_rows(store)


@pytest.mark.parametrize("joint", ["pf", "pp"])
def test_when_a_block_is_sealed_does_not_depend_on_outcomes(store: Store, joint: str) -> None:
    """All right or all wrong, the same conversations are in the same blocks at the same times."""
    pairs = [recorded(observation(n, conversation=f"c{n}", joints=(joint, "m"))) for n in range(BLOCK + 5)]
    write.record(store, pairs[:BLOCK], NOON)
    write.record(store, pairs[BLOCK:], NOON + 10)
    assert fold(store, NOON + QUIET, QUIET) == BLOCK
    assert fold(store, NOON + QUIET + 12, QUIET) == 0
    assert fold(store, NOON + QUIET + 15, QUIET) == 5


def test_evidence_of_two_hours_adds_up(store: Store) -> None:
    """Blocks of one hour share a row, and the hours' sums are added when read."""
    for hour in range(3):
        pairs = [recorded(observation(n, conversation=f"c{n}")) for n in range(hour * 80, hour * 80 + 80)]
        write.record(store, pairs, NOON + hour)
        fold(store, NOON + 3600 + 1800 * hour, QUIET)
    (mini,) = read.tallies(store, 0, 1e11)
    holds = next(check for check in mini.checks if check.label == "holds")
    assert (holds.evidence["hour=0"].conversations, holds.evidence["hour=0"].others) == (80, 120)
    assert_tallies_are_the_raw_rows(store)


def test_folding_does_not_search_all_pairs(store: Store) -> None:
    """Folded pairs cost the next fold nothing: every statement that touches pairs goes through an index."""
    statements: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, given: object, *_: object) -> None:
        if "pairs" in statement:
            statements.append((statement, given))

    talk(store, "a", 1, 2, now=NOON)
    event.listen(store.engine, "before_cursor_execute", note)
    assert fold(store, NOON + 1000, QUIET) == 1
    event.remove(store.engine, "before_cursor_execute", note)
    assert len(statements) == 2
    with store.reading() as connection:
        for statement, given in statements:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)  # type: ignore[arg-type]
            assert "USING INDEX pairs_open" in " ".join(row.detail for row in plan)
