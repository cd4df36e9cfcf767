"""How many exchanges each shadow may have in flight. Asked by mirror before it starts one; has no queue."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class Budget:
    """Slots per shadow. What when full: take() says no at once, and the caller counts the drop."""

    def __init__(self, limits: Mapping[str, int], before: Budget | None = None) -> None:
        self._limits = dict(limits)
        # Shared with the budget of the configuration before: a reload must not give a shadow its slots twice.
        self._taken: dict[str, int] = {} if before is None else before._taken
        for name in limits:
            self._taken.setdefault(name, 0)

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
        slots = ", ".join(f"{name} {self._taken[name]}/{limit}" for name, limit in self._limits.items())
        return f"<Budget {slots or 'without shadows'}>"
