"""Tallies of a window and lists of pairs."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from config.pair import NEVER, Role
from evaluators.core.reply import Kind
from evaluators.store import Ambiguous, Missing, Store, read, write
from evaluators.store.read import Filter
from tests.evaluators.made import NOON, fields, observation, pair, recorded


@pytest.fixture
def filled(store: Store) -> Store:
    """Thirty calls in one hour and thirty in the next, each with candidate and control."""
    for start in (0, 3600):
        numbers = range(start, start + 30)
        pairs = [recorded(observation(number, shadow)) for number in numbers for shadow in ("mini", "control")]
        write.record(store, pairs, NOON + start)
    return store


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


def test_pairs_are_listed_latest_first_in_pages(filled: Store) -> None:
    """A cursor goes on where the last page ended, however many pairs share an instant."""
    seen, after = [], None
    while page := read.pairs(filled, Filter(), limit=7, after=after):
        seen += [(row.arrived, row.call_id, row.shadow) for row in page]
        after = page[-1].cursor
    assert len(seen) == 120
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        pytest.param(Filter(shadow="mini"), 60, id="shadow"),
        pytest.param(Filter(slices=("tenant=t1", "hour=1")), 32, id="slices"),
        pytest.param(Filter(slices=("tenant=t1", "hour=0")), 0, id="slices that exclude each other"),
        pytest.param(Filter(slices=("tenant=t_",)), 0, id="no wildcards"),
        pytest.param(Filter(check="holds", letters=("pf", "px"), shadow="mini"), 20, id="regressions"),
        pytest.param(Filter(check="unknown", letters=("pf",)), 0, id="a check that never ran"),
        pytest.param(Filter(since=NOON + 3600), 60, id="since"),
        pytest.param(Filter(until=NOON + 3600), 60, id="until"),
        pytest.param(Filter(conversation="conversation-2"), 6, id="conversation"),
        pytest.param(Filter(call_id=f"{3:032x}"), 2, id="call"),
        pytest.param(Filter(kind="timeout"), 0, id="kind"),
        pytest.param(Filter(live_kind="ok"), 120, id="live's kind"),
    ],
)
def test_lists_are_restricted(filled: Store, wanted: Filter, count: int) -> None:
    """Each part of a filter restricts, and all of them together."""
    assert len(read.pairs(filled, wanted, limit=1000)) == count


def test_a_row_says_what_was_observed(store: Store) -> None:
    """A listed pair has the facts of its observation."""
    seen = observation(7, kind=Kind.HTTP_5XX)
    write.record(store, [recorded(seen)], NOON)
    (row,) = read.pairs(store, Filter())
    assert (row.call_id, row.shadow, row.role, row.conversation) == (seen.call_id, "mini", seen.role, seen.conversation)
    assert row.joints == {found.check.label: found.joint for found in seen.found}
    assert row.live == seen.live
    assert row.arm.kind is Kind.HTTP_5XX
    assert (row.slices, row.preview) == (seen.slices, seen.preview)


def test_a_pair_is_shown_as_it_was_delivered(filled: Store) -> None:
    """The whole record comes back, with the findings of both arms; the beginning of an id is enough."""
    whole = f"{5:032x}"
    found, findings = read.pair(filled, whole, "control")
    assert found == pair(5, "control")
    assert set(findings) == {("live", "holds"), ("shadow", "holds"), ("shadow", "alike")}


def test_a_beginning_of_an_id_is_enough_where_it_is_clear(store: Store) -> None:
    """One pair is found by the first digits; several are named; none is said."""
    ids = ("1a" + "0" * 30, "2a" + "0" * 30)
    write.record(store, [made(call_id) for call_id in ids], NOON)
    assert read.pair(store, "1")[0].call.id == ids[0]
    write.record(store, [made(ids[0], "control")], NOON)
    with pytest.raises(Ambiguous, match=r"\(control\)"):
        read.pair(store, "1")
    assert read.pair(store, "1", "control")[0].shadow == "control"
    with pytest.raises(Missing, match="no pair '3' of 'mini'"):
        read.pair(store, "3", "mini")


def made(call_id: str, shadow: str = "mini") -> write.Recorded:
    """A recorded pair with an id of one's choice."""
    whole = pair(1, shadow)
    whole = replace(whole, call=replace(whole.call, id=call_id))
    return write.Recorded(replace(observation(1, shadow), call_id=call_id), fields(whole))


def test_reports_do_not_read_pairs(filled: Store) -> None:
    """Reading tallies touches no raw table, so its cost does not grow with traffic."""
    statements: list[str] = []
    from sqlalchemy import event

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(filled.engine, "before_cursor_execute", note)
    begun = time.perf_counter()
    read.tallies(filled, 0, 1e11)
    assert time.perf_counter() - begun < 1
    assert statements
    assert not [text for text in statements if "FROM pairs" in text or "findings" in text or "records" in text]
