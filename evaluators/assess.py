"""assess: store → Report with decisions, the one path used by the CLI, the gate, the API and the dashboard.

Blocking, because the store is: async callers run it in a thread. The instant comes in as an argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from config.pair import Call, Role
from config.settings import DEFAULT_CHECKS, Settings
from evaluators.checks import registered
from evaluators.core.finding import Finding
from evaluators.core.gate import decided
from evaluators.core.reading import read as read_reply
from evaluators.core.reading import read_request
from evaluators.core.reply import Reply, Request
from evaluators.core.report import Report, ReportRules, build
from evaluators.core.tally import ShadowTally, Window
from evaluators.store import Ambiguous, Missing, Store, StoreAway, read
from evaluators.store.browsing import Filter, PairRow

__all__ = [
    "Ambiguous",
    "Missing",
    "PairLine",
    "PairSide",
    "PairView",
    "Reader",
    "StoreAway",
    "StorePairs",
    "StoreReader",
    "UnknownCandidate",
    "assess",
    "rules_of",
]

QUEUE_NOT_ASKED = -1


class UnknownCandidate(LookupError):
    """Neither the configuration nor the store knows this candidate; the text names those that are known."""


class Reader(Protocol):
    """What assessing needs from the store; instants are Unix seconds."""

    def tallies(self, since: float, until: float) -> Sequence[ShadowTally]:
        """Everything known about every shadow."""
        ...

    def window(self, since: float, until: float) -> Window:
        """What the tallies cover."""
        ...


@dataclass(frozen=True, slots=True)
class StoreReader:
    """The real Reader; its methods raise StoreAway."""

    store: Store

    def tallies(self, since: float, until: float) -> Sequence[ShadowTally]:
        """Everything known about every shadow, in one transaction."""
        return read.tallies(self.store, since, until)

    def window(self, since: float, until: float) -> Window:
        """What the tallies cover."""
        return read.window(self.store, since, until)


def assess(
    reader: Reader,
    settings: Settings,
    *,
    now: float,
    since: float = 0.0,
    candidate: str = "",
    slice: str = "",
    queue_waiting: int = QUEUE_NOT_ASKED,
    versions: Mapping[str, str] | None = None,
) -> Report:
    """The Report at the instant `now` over everything since `since` (Unix seconds, 0 from the beginning).

    `candidate` keeps one candidate; `slice` ("topic=billing", or a key such as "topic") keeps those rows of slices[].
    Neither changes a decision, which always looks at all traffic of the window. `versions` are those of the configured
    checks by label: what an earlier version found is no evidence for the present one, and is left out. A candidate that
    is configured and has no pairs yet is reported as waiting; one that is only in the store is reported when asked for
    by name. Raises UnknownCandidate, and what the reader raises.
    """
    tallies = [_present(tally, versions or {}) for tally in reader.tallies(since, now)]
    shown = _shown(tallies, settings, candidate)
    rules = rules_of(settings)
    report = build(shown, rules, reader.window(since, now), now, queue_waiting)
    return _only(decided(report, shown, rules), slice)


def _present(tally: ShadowTally, versions: Mapping[str, str]) -> ShadowTally:
    checks = (check for check in tally.checks if versions.get(check.label, check.version) == check.version)
    return replace(tally, checks=tuple(checks))


def rules_of(settings: Settings) -> ReportRules:
    """What the configuration says about reporting."""
    labels = tuple(check.label for check in settings.measured) or tuple(check["type"] for check in DEFAULT_CHECKS)
    controls = {one.name: route.control_name for route in settings.routes for one in route.candidates}
    layers = {f"{negation}{name}": kind.layer for name, kind in registered().items() for negation in ("", "not-")}
    layers |= {check.label: check.layer for check in settings.measured if check.layer is not None}
    return ReportRules(settings.alpha, labels, tuple(settings.gates), controls, layers)


def _shown(tallies: Sequence[ShadowTally], settings: Settings, wanted: str) -> list[ShadowTally]:
    """Candidates in the order of the file, or all that the store has; then what they are measured with."""
    by_name = {tally.shadow: tally for tally in tallies}
    stored = [tally.shadow for tally in tallies if tally.role is Role.CANDIDATE]
    configured = [known.name for route in settings.routes for known in route.candidates]
    names = configured or stored
    if wanted:
        if wanted not in {*configured, *stored}:
            known = ", ".join(sorted({*configured, *stored})) or "none"
            raise UnknownCandidate(f"there is no candidate {wanted!r}; known: {known}")
        names = [wanted]
    others = [tally for tally in tallies if tally.role is not Role.CANDIDATE]
    return [*(by_name.get(name) or _unseen(name) for name in names), *others]


def _unseen(name: str) -> ShadowTally:
    return ShadowTally(name, Role.CANDIDATE, 0, 0, {}, (), {}, {})


def _only(report: Report, slice: str) -> Report:
    if not slice:
        return report
    candidates = (
        replace(
            candidate,
            slices=tuple(found for found in candidate.slices if slice in (found.slice, found.slice.partition("=")[0])),
        )
        for candidate in report.candidates
    )
    return replace(report, candidates=tuple(candidates))


@dataclass(frozen=True, slots=True)
class PairLine:
    """One pair as a list shows it."""

    call_id: str
    shadow: str
    arrived: float  # Unix seconds
    preview: str
    slices: tuple[str, ...]
    joints: Mapping[str, str]  # check -> letters of observation.Found
    live_kind: str
    kind: str  # of the shadow's answer


@dataclass(frozen=True, slots=True)
class PairSide:
    """One answer of a pair and what the checks said about it (comparisons stand with the shadow's)."""

    reply: Reply
    findings: Mapping[str, Finding]


@dataclass(frozen=True, slots=True)
class PairView:
    """One pair, read again from the recorded bytes."""

    call: Call
    shadow: str
    request: Request
    live: PairSide
    candidate: PairSide


@dataclass(frozen=True, slots=True)
class StorePairs:
    """Pairs for people, from the store. Methods raise StoreAway; `shown` raises Missing and Ambiguous."""

    store: Store

    def listed(self, shadow: str, check: str, letters: tuple[str, ...], slice: str, limit: int) -> Sequence[PairLine]:
        """The latest pairs; what is empty does not restrict."""
        wanted = Filter(shadow=shadow, check=check, letters=letters, slices=(slice,) if slice else ())
        return [_line(row) for row in read.pairs(self.store, wanted, limit)]

    def shown(self, call_id: str, shadow: str) -> PairView:
        """One pair with both answers."""
        pair, findings = read.pair(self.store, call_id, shadow)
        request = read_request(pair.call)
        live, candidate = (
            PairSide(
                read_reply(outcome, request),
                {label: finding for (side, label), finding in findings.items() if side == arm},
            )
            for arm, outcome in (("live", pair.live), ("shadow", pair.outcome))
        )
        return PairView(pair.call, pair.shadow, request, live, candidate)


def _line(row: PairRow) -> PairLine:
    return PairLine(
        row.call_id,
        row.shadow,
        row.arrived,
        row.preview,
        row.slices,
        row.joints,
        row.live.kind.value,
        row.arm.kind.value,
    )
