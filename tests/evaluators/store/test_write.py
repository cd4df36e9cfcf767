"""Recording: once per pair whoever records, tallies that are the raw rows, and text that databases refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from evaluators.core.finding import Check, Finding, Result, passed
from evaluators.core.observation import Found, Observation
from evaluators.core.reply import Kind, Usage
from evaluators.core.tally import ShadowTally
from evaluators.store import Store, open_store, read, schema, write
from evaluators.store.write import DeadLetter, Written
from tests.evaluators.made import HOLDS, NOON, observation, recorded
from tests.evaluators.store.recomputed import assert_tallies_are_the_raw_rows


def batch(numbers: Sequence[int], *shadows: str) -> list[write.Recorded]:
    return [recorded(observation(number, shadow)) for number in numbers for shadow in shadows or ("mini", "control")]


def only(store: Store) -> ShadowTally:
    (tally,) = read.tallies(store, 0, 1e11)
    return tally


def rows(store: Store, table: str) -> int:
    with store.reading() as connection:
        query = select(func.count()).select_from(schema.metadata.tables[table])
        return int(connection.execute(query).scalar_one())


def test_tallies_are_what_the_raw_rows_say(store: Store) -> None:
    """Batches of several hours and shadows, some repeated, leave the tallies that the rows themselves give."""
    for start in range(0, 240, 40):
        write.record(store, batch(range(start, start + 40)), NOON + start)
    assert write.record(store, batch(range(20, 60)), NOON) == Written(0, 80)
    assert write.record(store, batch(range(230, 250)), NOON) == Written(20, 20)
    assert_tallies_are_the_raw_rows(store)
    write.fold(store, NOON + 1e6, 600)
    assert_tallies_are_the_raw_rows(store)


def test_a_pair_twice_in_one_batch_counts_once(store: Store) -> None:
    """The queue may deliver a producer's repeated write in the same batch."""
    assert write.record(store, batch([1, 2, 1], "mini"), NOON) == Written(2, 1)
    assert only(store).pairs == 2


def test_nothing_to_record_is_nothing(store: Store) -> None:
    """An empty batch changes nothing."""
    assert write.record(store, [], NOON) == Written(0, 0)
    assert read.tallies(store, 0, 1e11) == ()


def test_writers_at_the_same_time_count_each_pair_once(store: Store, url: str) -> None:
    """Four writers with a store each record the same pairs at once: every pair is new exactly once."""
    stores = [open_store(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        done = pool.map(
            lambda one: sum(write.record(one, batch(range(n, n + 10)), NOON).new for n in range(0, 100, 10)), stores
        )
        assert sum(done) == 200
    for one in stores:
        one.close()
    assert_tallies_are_the_raw_rows(store)


def test_a_batch_that_fails_leaves_nothing(store: Store) -> None:
    """What the database cannot hold in the middle of a batch undoes all of it, vocabulary and tallies included."""
    impossible = recorded(replace(observation(3), arrived=1e300))
    with pytest.raises(OverflowError):
        write.record(store, [*batch([1, 2]), impossible], NOON)
    assert {table: rows(store, table) for table in ("pairs", "findings", "joints", "words", "checks")} == {
        "pairs": 0,
        "findings": 0,
        "joints": 0,
        "words": 0,
        "checks": 0,
    }
    assert write.record(store, batch([1, 2]), NOON).new == 4
    assert_tallies_are_the_raw_rows(store)


def test_lives_findings_are_kept_once_per_call(store: Store) -> None:
    """Two shadows of one call share live's finding; each has its own."""
    write.record(store, batch([0]), NOON)
    with store.reading() as connection:
        found = {(row.arm, row.check_id) for row in connection.execute(select(schema.findings))}
    assert found == {("live", 1), ("mini", 1), ("control", 1), ("mini", 2), ("control", 2)}


def test_a_changed_check_starts_anew_and_the_newest_is_shown(store: Store) -> None:
    """Pairs under the old version stay in the store; the report counts the version in use last, even an older one."""

    def under(check: Check, number: int) -> write.Recorded:
        found = (Found(check, "pp", passed(), passed()),)
        return recorded(replace(observation(number), found=found))

    changed = replace(HOLDS, version="2-a", severity="signal")
    write.record(store, [under(HOLDS, 1), under(HOLDS, 2)], NOON)
    write.record(store, [under(changed, 3)], NOON + 1)
    (check,) = only(store).checks
    assert (check.version, check.severity, check.joint) == ("2-a", "signal", {"pp": 1})
    write.record(store, [under(HOLDS, 4)], NOON + 2)
    (check,) = only(store).checks
    assert (check.version, check.severity, check.joint) == ("1-a", "blocker", {"pp": 3})


def test_both_versions_may_be_in_one_batch(store: Store) -> None:
    """A reload in the middle of a batch does not mix the letters of two versions."""
    changed = replace(HOLDS, version="2-a")
    pairs = [
        replace(observation(number), found=(Found(check, joint, passed(), passed()),))
        for number, check, joint in ((1, HOLDS, "pp"), (2, changed, "ff"), (3, changed, "ff"))
    ]
    write.record(store, [recorded(one) for one in pairs], NOON)
    (check,) = only(store).checks
    assert (check.version, check.joint) == ("2-a", {"ff": 2})


def test_measures_are_counted_where_both_arms_have_them(store: Store) -> None:
    """Latency, tokens and cost compare the same calls: a failed arm, or an unknown number, leaves both out."""
    whole, failed, unknown = observation(1), observation(2, kind=Kind.TIMEOUT), observation(3)
    unknown = replace(unknown, arm=replace(unknown.arm, usage=Usage(input=5), cost=-1.0))
    hostile = observation(6)
    hostile = replace(hostile, arm=replace(hostile.arm, usage=Usage(input=10**30, output=10**30), cost=1e30))
    write.record(store, [recorded(one) for one in (whole, failed, unknown, hostile)], NOON)
    tally = only(store)
    assert sum(tally.histograms["live", "first_byte"].values()) == 3
    assert sum(tally.histograms["shadow", "first_byte"].values()) == 3
    assert {key: total.n for key, total in tally.totals.items()} == {
        ("live", "input_tokens"): 2,
        ("shadow", "input_tokens"): 2,
        ("live", "output_tokens"): 1,
        ("shadow", "output_tokens"): 1,
        ("live", "cost"): 1,
        ("shadow", "cost"): 1,
    }
    assert tally.totals["live", "cost"].sum == whole.live.cost
    assert tally.outcomes == {("ok", "ok"): 3, ("ok", "timeout"): 1}


def test_values_of_a_slice_past_the_cap_share_one(store: Store) -> None:
    """The first 200 tenants keep their names, all later ones are «(other)», also when folded and after reopening."""
    tenants = [
        observation(number, slices=(f"tenant=t{number}", "route=/v1"), joints=("pf", "d")) for number in range(230)
    ]
    for start in range(0, 230, 23):
        write.record(store, [recorded(one) for one in tenants[start : start + 23]], NOON)
    store.known.words.clear()
    again = [replace(one, call_id=f"{number + 1000:032x}") for number, one in enumerate(tenants)]
    write.record(store, [recorded(one) for one in again], NOON)
    write.fold(store, NOON + 1e6, 600)
    holds = next(check for check in only(store).checks if check.label == "holds")
    others = [text for text in holds.slices if text.startswith("tenant=")]
    assert len(others) == 201
    assert holds.slices["tenant=t3"] == {"pf": 2}
    assert holds.slices["tenant=(other)"] == {"pf": 60}
    assert holds.slices["route=/v1"] == {"pf": 460}
    assert holds.evidence["tenant=(other)"].conversations == 11  # calls 200 to 229, of which 200 shares one with 199


def test_hostile_text_is_made_storable(store: Store) -> None:
    """Lone surrogates, NULs and endless words in whatever comes from traffic neither raise nor grow without bound."""
    nasty = "a\ud800b\0" + "x" * 5000
    finding = Finding(Result.FAIL, 0.0, nasty, (nasty,))
    seen = observation(1, slices=(f"tenant={nasty}",), conversation=nasty)
    seen = replace(seen, preview=nasty, found=(Found(HOLDS, "pf", passed(), finding),))
    write.record(store, [recorded(seen)], NOON)
    write.fold(store, NOON + 1e6, 600)
    assert_tallies_are_the_raw_rows(store)
    (row,) = read.pairs(store, read.Filter())
    assert row.preview.startswith("a?b\ufffdxxx")
    assert len(row.slices[0]) <= 400


def test_the_latest_five_regressions_are_kept_per_slice(store: Store) -> None:
    """Examples are the latest by arrival, whatever order they are recorded in."""
    numbers = [*range(10, 20), *range(10), 30]
    for number in numbers:
        write.record(store, [recorded(observation(number, joints=("pf", "m"), slices=("a=1",)))], NOON)
    holds = next(check for check in only(store).checks if check.label == "holds")
    latest = tuple(f"{number:032x}" for number in (30, 19, 18, 17, 16))
    assert holds.examples == {"": latest, "a=1": latest}
    assert rows(store, "examples") == 10


def test_a_dead_letter_counts_once_and_not_if_judged(store: Store) -> None:
    """Burying twice counts once; a judged pair is not buried; one that is judged after all is dead no more."""
    letter = DeadLetter(f"{1:032x}", "mini", int(NOON), "wire")
    assert write.bury(store, letter)
    assert not write.bury(store, letter)
    assert only(store).accounting.dead_lettered == 1
    write.record(store, batch([1], "mini"), NOON)
    assert only(store).accounting.dead_lettered == 0
    assert not write.bury(store, letter)
    assert (only(store).accounting.evaluated, only(store).accounting.dead_lettered) == (1, 0)


def test_proxies_numbers_only_rise(store: Store) -> None:
    """The latest snapshot of every proxy counts, an older one that arrives later changes nothing, proxies add up."""
    hour = int(NOON)
    write.accounting(store, [("a", hour, "mini", "paired", "", 5), ("b", hour, "mini", "paired", "", 2)])
    write.accounting(store, [("a", hour, "mini", "paired", "", 3), ("a", hour, "mini", "dropped", "memory", 1)])
    write.accounting(store, [("a", hour, "mini", "sampled_out", "", 9), ("a", hour, "mini", "skipped", "upgrade", 1)])
    write.accounting(store, [("a", hour, "mini", "ineligible", "path", 4)])
    write.accounting(store, [])
    found = only(store).accounting
    assert (found.paired, found.sampled_out, found.calls, found.waiting) == (7, 9, 22, 7)
    assert (found.dropped, found.skipped, found.ineligible) == ({"memory": 1}, {"upgrade": 1}, {"path": 4})
    assert found.balanced


def test_what_turns_up_is_no_longer_away(store: Store) -> None:
    """Pairs that a dead lane left on the disk move from lane_away to paired: each call stays in one bucket."""
    hour = int(NOON)
    write.accounting(store, [("a", hour, "mini", "dropped", "lane_away", 3), ("a", hour, "mini", "paired", "", 1)])
    assert only(store).accounting.calls == 4
    write.accounting(store, [("a", hour, "mini", "dropped", "lane_away", 1), ("a", hour, "mini", "paired", "", 3)])
    found = only(store).accounting
    assert (found.calls, found.paired, found.dropped) == (4, 3, {"lane_away": 1})


def test_numbers_do_not_depend_on_the_order_of_recording(tmp_path: Path) -> None:
    """The same pairs in another order and in other batches give equal tallies, sums of money included."""

    def told(name: str, order: Callable[[list[write.Recorded]], list[write.Recorded]], size: int) -> object:
        store = open_store(f"sqlite:///{tmp_path}/{name}.db")
        everything = order(batch(range(150)))
        for start in range(0, len(everything), size):
            write.record(store, everything[start : start + size], NOON)
        tallies = read.tallies(store, 0, 1e11)
        store.close()
        return tallies

    assert told("forward", list, 64) == told("backward", lambda all_: all_[::-1], 17)


def test_recording_needs_one_transaction(store: Store) -> None:
    """A batch is one commit: nothing of it can be seen, or survive a kill, without the rest."""
    commits: list[object] = []
    event.listen(store.engine, "commit", commits.append)
    write.record(store, batch(range(64)), NOON)
    assert len(commits) == 1


def test_an_observation_without_checks_is_counted(store: Store) -> None:
    """A pair on which no check ran is a pair all the same."""
    seen: Observation = replace(observation(1), found=(), slices=())
    write.record(store, [recorded(seen)], NOON)
    assert (only(store).pairs, only(store).checks) == (1, ())
