"""Small numbers for checks, slices and paths: given once, bounded per family, the same for every process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluators.store import Store
from evaluators.store.vocabulary import (
    CAPS,
    Known,
    check_ids,
    clean,
    crossing_word,
    key_of,
    path_word,
    shared_ids,
    slice_word,
    word_ids,
)
from tests.evaluators.made import ALIKE, HOLDS


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param(slice_word("topic=billing"), ("slice:topic", "topic=billing"), id="slice"),
        pytest.param(slice_word("tag:tenant=a=b"), ("slice:tag:tenant", "tag:tenant=a=b"), id="the first = parts"),
        pytest.param(slice_word("bare"), ("slice:bare", "bare"), id="no value"),
        pytest.param(path_word(7, "/a/b"), ("path:7", "/a/b"), id="path"),
        pytest.param(crossing_word(("a=1", "b=2")), ("pair:a&b", "a=1 & b=2"), id="crossing"),
    ],
)
def test_words_have_families(word: tuple[str, str], expected: tuple[str, str]) -> None:
    """Slices belong to their key, paths to their check."""
    assert word == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("grüße 🙂", "grüße 🙂", id="any language"),
        pytest.param("\ud83d", "?", id="half a surrogate"),
        pytest.param("a\0b", "a\ufffdb", id="NUL"),
        pytest.param("x" * 1000, "x" * 400, id="endless"),
    ],
)
def test_text_is_made_storable(text: str, expected: str) -> None:
    """What a database may refuse is replaced, and nothing else."""
    assert clean(text) == expected


def test_a_word_keeps_its_number(store: Store) -> None:
    """The same word has the same number at every later time, known to the process or not."""
    words = [slice_word("a=1"), slice_word("b=1"), path_word(1, "/x")]
    with store.writing() as connection:
        first = word_ids(connection, {}, words)
    assert sorted(first.values()) == [1, 2, 3]
    with store.writing() as connection:
        assert word_ids(connection, {}, [slice_word("c=1"), *words]) == {**first, slice_word("c=1"): 4}
        assert word_ids(connection, first, words) == first
        assert word_ids(connection, {}, []) == {}


@pytest.mark.parametrize(
    ("kind", "make", "other"),
    [
        pytest.param("slice", lambda n: slice_word(f"k={n}"), ("slice:k", "k=(other)"), id="slices"),
        pytest.param("path", lambda n: path_word(1, f"/{n}"), ("path:1", "(other)"), id="paths"),
        pytest.param("pair", lambda n: crossing_word(("a=1", f"b={n}")), ("pair:a&b", "(other)"), id="crossings"),
    ],
)
def test_what_comes_after_the_cap_shares_a_word(store: Store, kind: str, make: object, other: tuple[str, str]) -> None:
    """A full family gives one number to all that is new; other families do not notice."""
    assert callable(make)
    cap = CAPS[kind]
    with store.writing() as connection:
        kept = word_ids(connection, {}, [make(n) for n in range(cap - 1)])
        late = word_ids(connection, {}, [make(n) for n in range(cap + 5)])
        free = word_ids(connection, {}, [slice_word("free=1")])
        said = word_ids(connection, {}, [other])
        assert shared_ids(connection, [make(0), slice_word("free=1")]) == set(said.values())
    assert len(set(kept.values())) == cap - 1
    assert {late[make(n)] for n in range(cap, cap + 5)} == set(said.values())
    assert late[make(cap - 1)] not in said.values()
    assert free[slice_word("free=1")] not in late.values()


def test_a_changed_check_is_another_check(store: Store) -> None:
    """Label and version together are the check; what else changes, changes on the same number."""
    louder = replace(HOLDS, severity="signal")
    changed = replace(HOLDS, version="2")
    with store.writing() as connection:
        ids, current = check_ids(connection, {}, [HOLDS, ALIKE, HOLDS], 1.0)
        again, _ = check_ids(connection, current, [HOLDS, ALIKE], 2.0)
        other, newest = check_ids(connection, current, [louder, changed], 3.0)
    assert ids == again == {key_of(HOLDS): 1, key_of(ALIKE): 2}
    assert other == {key_of(HOLDS): 1, key_of(changed): 3}
    assert newest["holds"] == (changed, 3)


def test_what_is_known_stays_bounded() -> None:
    """Ever new words do not fill the memory of a worker."""
    known = Known()
    for start in range(0, 200_000, 20_000):
        known.learn({("slice:k", f"k={n}"): 1 for n in range(start, start + 20_000)}, {})
    assert len(known.words) <= 80_000
