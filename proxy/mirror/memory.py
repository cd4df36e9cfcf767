"""What open shadow calls hold together, with a bound. Asked by shadowing for each body and each piece of an answer."""

from __future__ import annotations


class MemoryFull(Exception):
    """One more piece would go over the bound."""


class Memory:
    """Bytes held by all open shadow calls. What when full: the call that asks for more is dropped and counted."""

    def __init__(self, limit: int) -> None:
        self.held = 0
        self.limit = limit

    def take(self, size: int) -> None:
        """Hold `size` more bytes; raises MemoryFull, holding nothing more, when that is over the bound."""
        if self.held + size > self.limit:
            raise MemoryFull
        self.held += size

    def give(self, size: int) -> None:
        """Hold `size` bytes less."""
        self.held -= size

    def __repr__(self) -> str:
        return f"<Memory {self.held} of {self.limit} bytes>"
