"""Nothing is lost while the configuration changes under load: figures with `python -m tests.proofs.reloads`."""

from __future__ import annotations

import pytest

from tests.proofs.reloads import IN_FORCE, OFF, Reloaded, reload

EARLY = 10
"""Copies that may be dropped at the start: a relay takes calls as soon as it can, its line to the lane comes after."""

PROCESSES = pytest.mark.parametrize("workers", [None, 2], ids=["one process", "workers"])


def _right(result: Reloaded) -> None:
    print(result.row("reloads"))
    assert (result.load.failures.total(), result.code) == (0, 0), result.load.failures
    assert result.slowest < IN_FORCE
    assert result.stale == 0
    assert [result.books[name].total() for name in ("mini", "control")] == [result.load.calls] * 2
    assert {name: book["paired"] for name, book in result.books.items() if book["paired"]} == result.pairs
    for book in result.books.values():
        assert {key for key in book if key.startswith("dropped")} <= {"dropped lane_away"}
        assert book["dropped lane_away"] <= EARLY
    assert (result.left, result.files) == (dict.fromkeys(result.left, 0), 0)
    assert result.off_after < OFF
    assert result.off_copies == 0
    assert result.books["mini"]["skipped switched_off"] > 0


@pytest.mark.timeout(30)
@PROCESSES
async def test_reloads_under_load(workers: int | None) -> None:
    """Every kind of change once at 200 calls a second: 0 failed, each call in one bucket, nothing left behind."""
    _right(await reload(0.0, workers, told=True))


@pytest.mark.proof
@pytest.mark.timeout(200)
@PROCESSES
async def test_a_minute_of_reloads(workers: int | None) -> None:
    """The same for a minute, every 2 s, found by the proxy itself."""
    result = await reload(60.0, workers)
    _right(result)
    assert result.steps.total() > 20
