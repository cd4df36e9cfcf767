"""Conservation: every call ends in exactly one bucket per shadow, under a reason of a closed table.

Counted by handler and mirror, sent off by publisher, summed over proxies by the report:
calls = ineligible + sampled_out + skipped + dropped + paired.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

from proxy.core import stateful

HOUR = 3600


class Bucket(StrEnum):
    """Where a call ended for one shadow."""

    INELIGIBLE = "ineligible"  # not the kind of call that is shadowed
    SAMPLED_OUT = "sampled_out"  # eligible, and the dice said no
    SKIPPED = "skipped"  # eligible, and we said no before asking the shadow
    DROPPED = "dropped"  # meant to be paired, and lost by us
    PAIRED = "paired"  # handed to the queue


REASONS: dict[Bucket, frozenset[str]] = {
    Bucket.INELIGIBLE: frozenset(
        {"path", "method", "shadow_of_shadow", "not_json", *(f"stateful_{why}" for why in stateful.REASONS)}
    ),
    Bucket.SAMPLED_OUT: frozenset({""}),
    Bucket.SKIPPED: frozenset(
        {
            "body_too_large",  # the request is above capture.max_body
            "live_answer_too_large",  # the live answer could not be kept whole
            "first_answer_too_large",  # the same of a candidate's first answer, for its second
            "encoded_body",  # a content coding that this process cannot read
            "unsafe_numbers",  # a rewrite would change a number
            "switched_off",  # the kill switch
            "draining",  # this process is stopping
            "client_left",  # before its request was complete
            "answered_early",  # live answered before the request was complete
            "upgrade",  # WebSockets pass through
        }
    ),
    Bucket.DROPPED: frozenset(
        {
            "breaker_open",  # this shadow has not answered for long and is left alone
            "rate",  # max_per_second of this shadow
            "in_flight",  # max_in_flight of this shadow
            "first_lost",  # a candidate's second answer, whose first was dropped
            "memory",  # the bound on captured bytes
            "lane_away",  # the process that asks the shadows was away, or ended with the call
            "lane_full",  # the same process was too far behind
            "queue_full",
            "queue_away",
            "spool_full",  # the queue was away, and the disk's share for it is used up
            "encode",  # the pair could not be written as a record
            "crash",  # a bug of ours, caught at the edge
            "shutdown",  # unfinished when the grace period ended
        }
    ),
    Bucket.PAIRED: frozenset({""}),
}
"""The reasons each bucket knows. Anything else is our bug and is refused."""


class Ledger:
    """Counters by (hour, shadow, bucket, reason); the hour is its first second, in Unix seconds."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, str, Bucket, str]] = Counter()
        self.changed = False
        """True after a count; whoever has sent the snapshot away sets it back."""

    def count(self, at: float, shadow: str, bucket: Bucket, reason: str = "", n: int = 1) -> None:
        """Counts `n` calls of a shadow at Unix second `at`; ValueError for a reason the bucket does not know.

        Fewer than none takes back what was counted in the dark, for a process that died and was then heard of.
        """
        if reason not in REASONS[bucket]:
            raise ValueError(f"{reason!r} is not a reason of {bucket}")
        self._counts[int(at // HOUR) * HOUR, shadow, bucket, reason] += n
        self.changed = True

    def calls(self, shadow: str) -> int:
        """Every call counted for a shadow, whatever became of it."""
        return self.total(shadow=shadow)

    def total(self, *, shadow: str | None = None, bucket: Bucket | None = None, reason: str | None = None) -> int:
        """The sum over everything that matches; what is not given matches all."""
        return sum(
            n
            for (_, its_shadow, its_bucket, its_reason), n in self._counts.items()
            if shadow in (None, its_shadow) and bucket in (None, its_bucket) and reason in (None, its_reason)
        )

    def snapshot(self) -> list[list[int | str]]:
        """Rows `[hour, shadow, bucket, reason, n]`, sorted, for JSON: totals, so that sending one twice is safe."""
        rows = sorted(self._counts.items())
        return [[hour, shadow, bucket.value, reason, n] for (hour, shadow, bucket, reason), n in rows]

    def prune(self, before_hour: int) -> None:
        """Forgets the hours that begin before `before_hour` (Unix seconds); the caller has stored them."""
        for key in [key for key in self._counts if key[0] < before_hour]:
            del self._counts[key]

    def __repr__(self) -> str:
        buckets = ", ".join(f"{bucket} {self.total(bucket=bucket)}" for bucket in Bucket)
        return f"<Ledger {buckets}>"
