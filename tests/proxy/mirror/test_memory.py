"""The bound on what open shadow calls hold."""

from __future__ import annotations

import pytest

from proxy.mirror.memory import Memory, MemoryFull


def test_gives_out_as_much_as_there_is() -> None:
    """What does not fit is refused whole, and what came back can be held again."""
    memory = Memory(10)
    memory.take(6)
    with pytest.raises(MemoryFull):
        memory.take(5)
    memory.take(4)
    assert memory.held == 10
    memory.give(6)
    memory.take(5)
    assert repr(memory) == "<Memory 9 of 10 bytes>"
