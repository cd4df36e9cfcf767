"""The rows of one block as folding wants them: bounded words, places of both arms, measures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from config.pair import Role
from evaluators.core.finding import failed
from evaluators.core.folding import FoldPair
from evaluators.core.observation import Found, Observation
from evaluators.core.reply import Kind
from evaluators.store import Store, read, schema, write
from evaluators.store.block import BlockRows
from evaluators.store.vocabulary import CAPS
from tests.evaluators.made import HOLDS, NOON, observation, recorded
from tests.evaluators.store.recomputed import assert_tallies_are_the_raw_rows


def rows_of(store: Store, *seen: Observation) -> list[FoldPair]:
    write.record(store, [recorded(one) for one in seen], NOON)
    with store.writing() as connection:
        rows = connection.execute(select(schema.pairs).order_by(schema.pairs.c.call_id)).all()
        reading = BlockRows(connection, rows, {})
        return [reading.pair(row) for row in rows]


def test_places_of_both_arms(store: Store) -> None:
    """Of an assertion live's own places come too."""
    seen = observation(1, joints=("ff", "d"))
    live = Found(HOLDS, "ff", failed("no", paths=("/live",)), failed("no", paths=("/shadow",)))
    (pair,) = rows_of(store, replace(seen, found=(live, *seen.found[1:])))
    assert pair.paths == {1: {"/shadow"}, 2: {"/items/*/price"}}
    assert pair.live_paths == {1: {"/live"}}


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        pytest.param(Kind.OK, [True], id="answered"),
        pytest.param(Kind.TIMEOUT, [False], id="a lost answer took no known time"),
        pytest.param(Kind.CLIENT_LEFT, [], id="nobody's fault says nothing"),
    ],
)
def test_measures(store: Store, kind: Kind, known: list[bool]) -> None:
    """Of an arm that did not answer nothing is known."""
    (pair,) = rows_of(store, observation(1, kind=kind))
    assert [shadow >= 0 for _, shadow in pair.measured.values()][:1] == known
    assert all(live >= 0 for live, _ in pair.measured.values())


def test_crossings_are_bounded(store: Store) -> None:
    """What comes after the cap of two keys is in no crossing of them, but in both of its slices."""
    many = CAPS["pair"] + 20
    pairs = rows_of(store, *(observation(n, slices=(f"a={n}", "b=1", "c=1")) for n in range(many)))
    assert sum((f"a={n}", "b=1") in pair.crossed for n, pair in enumerate(pairs)) == CAPS["pair"]
    assert all(("b=1", "c=1") in pair.crossed for pair in pairs)
    assert all(set(pair.slices) == {f"a={n}", "b=1", "c=1"} for n, pair in enumerate(pairs))


def test_sums_are_those_of_the_rows(store: Store) -> None:
    """Places, energy, ratios and crossings of a block with controls are what folding its rows gives."""
    seen = [observation(n, conversation=f"c{n}", slices=(f"a={n % 9}", f"b={n % 2}")) for n in range(200)]
    controls = [observation(n, "control", conversation=f"c{n}", slices=one.slices) for n, one in enumerate(seen)]
    write.record(store, [recorded(one) for one in (*seen, *controls)], NOON)
    assert write.fold(store, NOON + 1e5, 600) == 200
    assert_tallies_are_the_raw_rows(store)


def test_a_second_answer_has_no_assertions(store: Store) -> None:
    """Beside the candidate's first answer only comparisons speak, and live's findings stay live's."""
    again = replace(observation(1, joints=("ff", "d")), shadow="mini/again", role=Role.AGAIN)
    pairs = rows_of(store, again, observation(1, joints=("pp", "m")), observation(1, "control", joints=("pp", "m")))
    assert {pair.shadow: len(pair.letters) for pair in pairs} == {"mini/again": 1, "mini": 2, "control": 2}
    _, found = read.pair(store, f"{1:032x}", "mini")
    assert found["live", "holds"].result == "pass"
    write.fold(store, NOON + 1e5, 600)
    tallies = {tally.shadow: tally for tally in read.tallies(store, 0, 1e11)}
    assert {name: tally.role for name, tally in tallies.items()} == {
        "mini": Role.CANDIDATE,
        "mini/again": Role.AGAIN,
        "control": Role.CONTROL,
    }
    alike = next(check for check in tallies["mini"].checks if check.label == "alike")
    assert alike.energy == {(-1, 2): 1}
