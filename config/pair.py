"""What crosses the queue: Call, Outcome, Pair. Made by proxy, read by evaluators, encoded by config.wire.

Everything here is a fact that already happened: frozen, slotted, without behaviour beyond derivation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NEVER = -1.0
"""An instant that did not come: a named state that no arithmetic mistakes for a time (all offsets are >= 0)."""

Fields = tuple[tuple[str, str], ...]


class Role(StrEnum):
    """Why a shadow is asked: as the candidate under test, as live once more (the noise floor), or as the candidate
    once more: then `live` of the Pair is the candidate's first answer, and `outcome` its second to the same call."""

    CANDIDATE = "candidate"
    CONTROL = "control"
    AGAIN = "again"


class Failure(StrEnum):
    """How an exchange ended on the wire. What an answer *means* is not decided here."""

    NONE = "none"  # a complete HTTP response, whatever its status
    TIMEOUT = "timeout"  # one of the phase timeouts passed
    CONNECT = "connect"  # no connection: refused, DNS, TLS
    RESET = "reset"  # connection lost before a status line
    TRUNCATED = "truncated"  # connection lost, or stopped by us, inside the body
    MALFORMED = "malformed"  # not HTTP
    CLIENT_LEFT = "client_left"  # the application hung up before the answer was complete
    CANCELLED = "cancelled"  # we stopped it: shutdown or kill switch


@dataclass(frozen=True, slots=True)
class Call:
    """One client request as captured. Holds no credential: headers are allow-listed, the query is scrubbed."""

    id: str  # 32 hex digits, time-ordered
    arrived: float  # Unix seconds
    method: str
    path: str  # as received, percent-encoding untouched, without the query
    query: str  # only allow-listed parameters, e.g. "api-version=2026-01-01"
    headers: Fields  # allow-listed by capture.headers, names in lower case
    body: bytes  # whole: a call whose body is above the cap is not shadowed
    conversation: str  # the cluster this call belongs to; the call's own id when nothing better is known
    tags: Fields  # from capture.tags; become slices "tag:<name>"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one upstream did with a Call. Always exists; offsets are seconds after Call.arrived, monotonic."""

    failure: Failure
    detail: str  # one short phrase of ours, never the library's message (it may hold a URL or a key)
    status: int  # 0 when no status line arrived
    headers: Fields  # allow-listed response headers, names in lower case
    body: bytes  # raw as received, content coding and all, up to the cap
    received: int  # body bytes that arrived in all; > len(body) when the capture was capped
    sent: float
    first_byte: float  # of the body; NEVER when none came
    last_byte: float  # when the exchange ended, however it ended
    chunks: int  # body chunks seen
    longest_gap: float  # seconds between two consecutive body chunks; 0.0 with fewer than two

    @property
    def capped(self) -> bool:
        """True when more arrived than was kept: the body must not be read as a whole answer."""
        return self.received > len(self.body)


@dataclass(frozen=True, slots=True)
class Pair:
    """One Call, the live Outcome, one shadow's Outcome: the only thing that crosses Redis."""

    call: Call
    shadow: str  # the candidate's name, or "control"
    role: Role
    live: Outcome
    outcome: Outcome  # the shadow's

    @property
    def id(self) -> str:
        """Unique and idempotent: one pair per call and shadow."""
        return f"{self.call.id}:{self.shadow}"
