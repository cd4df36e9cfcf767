"""A bounded copy of one exchange, fed by handler (live) and mirror (shadows), ending in an Outcome.

It has no clock: every instant is an argument, in seconds after the call's arrival on a monotonic clock.
"""

from __future__ import annotations

from config.pair import NEVER, Failure, Fields, Outcome


class Capture:
    """Fed with what happened, in order; keeps the first `cap` bytes of the body and counts all of them."""

    __slots__ = (
        "_cap",
        "_chunks",
        "_first",
        "_headers",
        "_held",
        "_latest",
        "_longest_gap",
        "_outcome",
        "_parts",
        "_received",
        "_sent",
        "_status",
    )

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._parts: list[bytes] = []
        self._held = 0
        self._received = 0
        self._chunks = 0
        self._status = 0
        self._headers: Fields = ()
        self._sent = NEVER
        self._first = NEVER
        self._latest = NEVER
        self._longest_gap = 0.0
        self._outcome: Outcome | None = None

    @property
    def held(self) -> int:
        """Body bytes kept in memory now."""
        return self._held

    def sent(self, at: float) -> None:
        """The request left for the upstream."""
        self._sent = at

    def head(self, status: int, headers: Fields, at: float) -> None:
        """The status line and headers came. Their instant is not part of an Outcome: first_byte is the body's."""
        self._status = status
        self._headers = headers

    def chunk(self, data: bytes, at: float) -> None:
        """A body chunk came. Nothing is copied unless the cap falls inside it; after the end it is not heard."""
        if not data or self._outcome is not None:
            return
        if self._chunks == 0:
            self._first = at
        else:
            self._longest_gap = max(self._longest_gap, at - self._latest)
        self._latest = at
        self._chunks += 1
        self._received += len(data)
        room = self._cap - self._held
        if room > 0:
            kept = data if len(data) <= room else data[:room]
            self._parts.append(kept)
            self._held += len(kept)

    def end(self, failure: Failure, detail: str, at: float) -> Outcome:
        """The exchange is over, well or badly. Whoever says so first is right: later calls get the same Outcome."""
        if self._outcome is None:
            self._outcome = Outcome(
                failure=failure,
                detail=detail,
                status=self._status,
                headers=self._headers,
                body=b"".join(self._parts),
                received=self._received,
                sent=self._sent,
                first_byte=self._first,
                last_byte=at,
                chunks=self._chunks,
                longest_gap=self._longest_gap,
            )
            self._parts.clear()
        return self._outcome

    def __repr__(self) -> str:
        state = "open" if self._outcome is None else f"ended {self._outcome.failure}"
        return f"<Capture {state}, status {self._status}, held {self._held} of {self._received} bytes, cap {self._cap}>"
