"""A store in a file of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluators.store import Store, open_store, write
from tests.evaluators.made import NOON, observation, recorded


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/data/store.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def filled(store: Store) -> Store:
    """Thirty calls in one hour and thirty in the next, each with candidate and control."""
    for start in (0, 3600):
        numbers = range(start, start + 30)
        pairs = [recorded(observation(number, shadow)) for number in numbers for shadow in ("mini", "control")]
        write.record(store, pairs, NOON + start)
    return store
