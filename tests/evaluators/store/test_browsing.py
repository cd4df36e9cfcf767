"""Lists of pairs and single pairs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluators.core.reply import Kind
from evaluators.store import Ambiguous, Missing, Store, read, write
from evaluators.store.browsing import Filter
from tests.evaluators.made import NOON, fields, observation, pair, recorded


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
