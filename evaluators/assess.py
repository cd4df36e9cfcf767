"""assess: store → Report with decisions, the one path used by the CLI, the gate, the API and the dashboard.

Blocking, because the store is: async callers run it in a thread. The instant comes in as an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from config.pair import Role
from config.settings import DEFAULT_CHECKS, Settings
from evaluators.core.gate import decided
from evaluators.core.report import Report, ReportRules, build
from evaluators.core.tally import ShadowTally, Window
from evaluators.store import Store, read

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
) -> Report:
    """The Report at the instant `now` over everything since `since` (Unix seconds, 0 from the beginning).

    `candidate` keeps one candidate; `slice` ("topic=billing", or a key such as "topic") keeps those rows of slices[].
    Neither changes a decision, which always looks at all traffic of the window. A candidate that is configured and has
    no pairs yet is reported as waiting; one that is only in the store is reported when asked for by name. Raises
    UnknownCandidate, and what the reader raises.
    """
    tallies = reader.tallies(since, now)
    shown = _shown(tallies, settings, candidate)
    rules = rules_of(settings)
    report = build(shown, rules, reader.window(since, now), now, queue_waiting)
    return _only(decided(report, shown, rules), slice)


def rules_of(settings: Settings) -> ReportRules:
    """What the configuration says about reporting."""
    labels = tuple(check.label for check in settings.checks) or tuple(check["type"] for check in DEFAULT_CHECKS)
    return ReportRules(settings.alpha, labels, tuple(settings.gates))


def _shown(tallies: Sequence[ShadowTally], settings: Settings, wanted: str) -> list[ShadowTally]:
    """The control, and the candidates in the order of the file; without any in the file, all that the store has."""
    by_name = {tally.shadow: tally for tally in tallies}
    stored = [tally.shadow for tally in tallies if tally.role is Role.CANDIDATE]
    configured = [known.name for known in settings.candidates]
    names = configured or stored
    if wanted:
        if wanted not in {*configured, *stored}:
            known = ", ".join(sorted({*configured, *stored})) or "none"
            raise UnknownCandidate(f"there is no candidate {wanted!r}; known: {known}")
        names = [wanted]
    controls = [tally for tally in tallies if tally.role is Role.CONTROL]
    return [*(by_name.get(name) or _unseen(name) for name in names), *controls]


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
