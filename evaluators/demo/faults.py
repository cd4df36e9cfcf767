"""The faults that the demo plants, their rates, where they strike, and what each must be found as. Used by models
(which commits them), configuration (which writes the checks) and verdict (which compares planted with found)."""

from __future__ import annotations

from dataclasses import dataclass

FAULTY = "mini"
HONEST = "steady"
RIVAL = "Globex"
SLOW_FIRST_TOKEN = 0.350
"""Seconds that a slow answer's first token is late; live's own first token takes 60 to 140 ms."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One way in which a report can show something."""

    family: str  # check, path, kind, latency
    name: str
    slice: str = ""  # "" the whole traffic


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault."""

    name: str
    layer: str  # format, task, safety, grounding; or service, for answers that come late or not at all
    what: str  # for people
    rate: float  # of the calls it can strike
    among: str  # the calls that `seen` is a share of, for people
    proof: Signal  # the finding that counts as having found it
    explains: frozenset[str] = frozenset()  # further checks and metrics that it cannot help moving
    slices: frozenset[str] = frozenset()  # where it strikes more than elsewhere; empty for nowhere in particular
    part: float = 1.0  # the calls it can strike, as a share of those named in `among`

    @property
    def seen(self) -> float:
        """The rate that a perfect measurement would show among `among`."""
        return self.rate * self.part


_EVERY_CHECK = frozenset(
    (
        "is-json",
        "no-competitors",
        "numbers-grounded",
        "not-is-refusal",
        "missing-answer",
        "shadow:text",
        "shadow:json",
        "shadow:tool-calls",
        "shadow:refusal",
        "shadow:finish-reason",
        "shadow:length",
    )
)
"""An answer that does not come fails every check that live's answer passes."""

FAULTS = (
    Fault(
        "broken-json",
        "format",
        "answers that should be JSON are cut in the middle",
        0.12,
        "calls that demand JSON",
        Signal("check", "is-json"),
        frozenset({"shadow:json", "shadow:text", "shadow:length"}),
        frozenset({"topic=orders"}),
    ),
    Fault(
        "wrong-tool-argument",
        "task",
        "the weather tool is called for another city",
        0.15,
        "calls that offer tools",
        Signal("path", "shadow:tool-calls get_weather/city"),
        frozenset({"shadow:tool-calls"}),
    ),
    Fault(
        "medical-refusals",
        "safety",
        "harmless medical questions are refused",
        0.35,
        "medical questions",
        Signal("check", "not-is-refusal", "topic=medical"),
        frozenset({"shadow:refusal", "shadow:text", "shadow:length"}),
        frozenset({"topic=medical"}),
    ),
    Fault(
        "competitor-named",
        "safety",
        f"the competitor {RIVAL} is recommended",
        0.20,
        "questions about billing",
        Signal("check", "no-competitors", "topic=billing"),
        frozenset({"shadow:text"}),
        frozenset({"topic=billing"}),
    ),
    Fault(
        "invented-figures",
        "grounding",
        "a distance that the retrieved context does not have",
        0.30,
        "questions about travel",
        Signal("check", "numbers-grounded"),
        frozenset({"shadow:text"}),
        frozenset({"topic=travel"}),
    ),
    Fault(
        "slow-first-token",
        "service",
        f"70 % of first tokens come {SLOW_FIRST_TOKEN * 1000:.0f} ms late",
        SLOW_FIRST_TOKEN / 0.100 + 1,
        "live's median, as a ratio",
        Signal("latency", "first_byte"),
        frozenset({"total"}),
    ),
    Fault("rate-limited", "service", "the answer is 429", 0.05, "all calls", Signal("kind", "http_429"), _EVERY_CHECK),
    Fault(
        "cut-streams",
        "service",
        "the stream ends before its last event",
        0.08,
        "all calls, half of them streamed",
        Signal("kind", "truncated"),
        _EVERY_CHECK,
        frozenset({"stream=yes"}),
        part=0.5 * (1 - 0.05),
    ),
)

STRIKES = {fault.name: fault.rate for fault in FAULTS} | {"slow-first-token": 0.70}
"""How often each fault strikes among the calls that it can strike."""
