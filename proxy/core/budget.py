"""How many exchanges each shadow may have in flight. Asked by mirror before it starts one; has no queue."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class Budget:
    """Slots per shadow. What when full: take() says no at once, and the caller counts the drop."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._limits = dict(limits)
        self._taken = dict.fromkeys(limits, 0)

    @property
    def in_flight(self) -> Mapping[str, int]:
        """Slots taken now, by shadow; a live view that cannot be written to."""
        return MappingProxyType(self._taken)

    def take(self, name: str) -> bool:
        """Takes one slot, or says that there is none. An unknown name is our bug: KeyError."""
        if self._taken[name] >= self._limits[name]:
            return False
        self._taken[name] += 1
        return True

    def give(self, name: str) -> None:
        """Returns one slot. A slot that was never taken is our bug: ValueError."""
        if self._taken[name] == 0:
            raise ValueError(f"no slot of {name!r} is taken")
        self._taken[name] -= 1

    def __repr__(self) -> str:
        slots = ", ".join(f"{name} {taken}/{self._limits[name]}" for name, taken in self._taken.items())
        return f"<Budget {slots or 'without shadows'}>"
