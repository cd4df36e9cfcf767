"""Hostile bytes cost us little more than what they weigh: figures with `python -m tests.proofs.amplification`."""

from __future__ import annotations

import pytest

from tests.proofs.amplification import SHAPES, attack, beside_slow_clients, held
from tests.proofs.smuggling import ours

LINE = 100  # bytes held for each byte sent


async def test_large_heads_are_not_multiplied() -> None:
    """A head that is never finished stays far below the line, and the measure sees what it holds."""
    async with ours() as server:
        await attack(server, b"")
        total, rose = await attack(server, SHAPES["fields at their limit"])
        assert 0 < rose < LINE * total


@pytest.mark.proof
@pytest.mark.timeout(180)
async def test_no_shape_is_multiplied() -> None:
    """Of more than 30 shapes on 100 connections each, none makes the proxy hold a hundred times what was sent."""
    async with ours() as server:
        await attack(server, b"")
        ratios = {name: held(*await attack(server, sent)) for name, sent in SHAPES.items() if sent}
    assert len(ratios) > 30
    assert max(ratios.values()) < LINE, sorted(ratios.items(), key=lambda item: -item[1])[:5]


@pytest.mark.proof
@pytest.mark.timeout(60)
async def test_slow_clients_slow_nobody_else() -> None:
    """A normal client's p99 of 500 calls rises by less than 10 ms beside 300 that drip heads, bodies or do not read."""
    async with ours() as server:
        alone, beside = await beside_slow_clients(server, 100, 500)
    at = int(len(alone) * 0.99)
    print(f"p99 of {len(alone)} calls: {alone[at]:.1f} ms alone, {beside[at]:.1f} ms beside 300 slow clients")
    assert beside[at] < alone[at] + 10
