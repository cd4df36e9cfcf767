"""How many calls a second a shadow may get. Asked by mirror before each call; has no queue.

Conversations are sampled whole, and this cap tears them: it refuses by the clock, whoever comes when the bucket is
empty, so a conversation keeps some of its turns and loses others. Each pair stands alone and stays true (a call
carries its history), but the prompt cache is colder than after a switch and conversations have fewer pairs. So the
cap is for peaks: to ask less in all, lower `sample`, which leaves out whole conversations and always the same ones.
The allowance of a full second lets a burst of turns through before the first is refused.
"""

from __future__ import annotations


class Rate:
    """A bucket of tokens, full at the start: `per_second` flow in, at most a second's worth (or one) is kept."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._burst = max(1.0, per_second)
        self._tokens = self._burst
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Take one call's token, or say that there is none. What when empty: the caller counts the drop."""
        if self._at is not None:
            self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def __repr__(self) -> str:
        return f"<Rate {self._per_second:g}/s, {self._tokens:.1f} of {self._burst:g} tokens>"
