"""Tallies of a window: hours add up, and their cost does not grow with traffic."""

from __future__ import annotations

import time

from sqlalchemy import event

from config.pair import NEVER, Role
from evaluators.store import Store, read, write
from tests.evaluators.made import NOON


def test_hours_add_up(filled: Store) -> None:
    """A window has its hours, and two windows together have what the whole has."""
    (_, whole) = read.tallies(filled, 0, 1e11)
    (_, first) = read.tallies(filled, 0, NOON + 3600)
    (_, second) = read.tallies(filled, NOON + 3600, NOON + 7200)
    assert (whole.pairs, first.pairs, second.pairs) == (60, 30, 30)
    for before, after, both in zip(first.checks, second.checks, whole.checks, strict=True):
        assert {key: before.joint.get(key, 0) + after.joint.get(key, 0) for key in both.joint} == both.joint
    assert read.tallies(filled, 0, NOON) == ()


def test_a_window_begins_with_its_hour(filled: Store) -> None:
    """The bucket that holds the beginning is in the window."""
    (_, mini) = read.tallies(filled, NOON + 3600 + 1800, 1e11)
    assert mini.pairs == 30


def test_the_window_knows_its_first_and_last_arrival(filled: Store) -> None:
    """Instants of the first and last call in the window, and never where there is none."""
    found = read.window(filled, 0, 1e11)
    assert (found.first_arrival, found.last_arrival) == (NOON, NOON + 3629)
    found = read.window(filled, 0, NOON)
    assert (found.first_arrival, found.last_arrival) == (NEVER, NEVER)


def test_roles_come_with_the_shadows(filled: Store) -> None:
    """Control is the control, candidates are candidates, also before the first pair."""
    write.accounting(filled, [("a", int(NOON), "new", "sampled_out", "", 1)])
    assert {tally.shadow: tally.role for tally in read.tallies(filled, 0, 1e11)} == {
        "control": Role.CONTROL,
        "mini": Role.CANDIDATE,
        "new": Role.CANDIDATE,
    }


def test_conversations_are_counted_in_the_hour_they_are_folded(filled: Store) -> None:
    """Evidence belongs to the time of folding: an hour that has passed does not change any more."""
    assert write.fold(filled, NOON + 7200, 600) == 20
    (_, early) = read.tallies(filled, 0, NOON + 7200)
    (_, late) = read.tallies(filled, NOON + 7200, 1e11) or (None, None)
    assert early.conversations == 0
    assert late is None
    (_, whole) = read.tallies(filled, 0, 1e11)
    assert whole.conversations == 20


def test_reports_do_not_read_pairs(filled: Store) -> None:
    """Reading tallies touches no raw table, so its cost does not grow with traffic."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(filled.engine, "before_cursor_execute", note)
    begun = time.perf_counter()
    read.tallies(filled, 0, 1e11)
    assert time.perf_counter() - begun < 1
    assert statements
    assert not [text for text in statements if "FROM pairs" in text or "findings" in text or "records" in text]
