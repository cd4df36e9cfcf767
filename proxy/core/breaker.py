"""Whether a shadow that does not answer is asked again. Asked by mirror before each call and told how each ended.

A dead candidate would otherwise hold slots and memory, call after call, until each of them runs into its limit.
"""

from __future__ import annotations

from config.pair import Failure

_UNWELL = frozenset({Failure.CONNECT, Failure.TIMEOUT, Failure.RESET, Failure.MALFORMED})
"""No answer. A truncated one began well, and what we stopped ourselves says nothing."""


def unwell(failure: Failure, status: int) -> bool:
    """Whether an exchange counts against its upstream: no answer, or one that asks to be left alone."""
    return failure in _UNWELL or status == 429 or status >= 500


class Breaker:
    """One shadow's. Opens after `failures` in a row (0: never), then lets one probe through every `probe` seconds.

    One success closes it, of a probe or of a call that was open already. Instants are seconds of any clock.
    """

    def __init__(self, failures: int, probe: float) -> None:
        self._limit = failures
        self._probe = probe
        self._failures = 0
        self._next = 0.0

    @property
    def open(self) -> bool:
        """Whether the shadow is being left alone."""
        return 0 < self._limit <= self._failures

    def lets(self, now: float) -> bool:
        """Whether a call may go out now; while open, a yes takes the probe of this stretch of time."""
        if not self.open:
            return True
        if now < self._next:
            return False
        self._next = now + self._probe
        return True

    def ended(self, well: bool, now: float) -> None:
        """A call is over. Failures of calls that were out when it opened do not put the next probe off."""
        if well:
            self._failures = 0
            return
        self._failures += 1
        if self._failures == self._limit:
            self._next = now + self._probe

    def __repr__(self) -> str:
        return f"<Breaker {'open' if self.open else 'closed'}, {self._failures} failures in a row, limit {self._limit}>"
