"""order: which findings are shown, and in which order. Used by sentences, text, markdown and html's parts.

Nothing here is averaged: layers and dimensions stay apart, because a polite answer does not make up for a wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from config.routing import again_name, is_control
from evaluators.core.report.crossings import TOGETHER
from evaluators.core.report.shape import (
    AssertionReport,
    CandidateReport,
    CheckReport,
    ComparisonReport,
    CrossingReport,
    DiscoveryReport,
    PathRate,
    Report,
    SliceReport,
)
from evaluators.core.tally import Accounting

Check = AssertionReport | ComparisonReport
Paths = Sequence[PathRate]
C = TypeVar("C", bound=CheckReport)

LAYERS = {
    "format": "whether it can be read",
    "task": "whether it does what was asked",
    "safety": "whether it does harm",
    "grounding": "whether the context bears it out",
}
"""From the outside in: an answer that nobody can read is not asked what it says. Layers not named here come after."""

TOOL_CALLS = "shadow:tool-calls"
ERROR_KINDS = frozenset(
    ("wrong_func_name", "wrong_count", "missing_required", "unexpected_param", "type_error", "value_error")
)
"""What this comparison gives beside its places: not where calls differ, but how."""


def judged(candidate: CandidateReport) -> list[Check]:
    """The checks that apply to a pair at all, by layer, blockers first: a row of zeros would look like good news."""
    return sorted((check for check in candidate.checks if check.candidate.n), key=_place)


def layered(checks: Iterable[C]) -> dict[str, list[C]]:
    """The same checks under their layers."""
    found: dict[str, list[C]] = {}
    for check in sorted(checks, key=_place):
        found.setdefault(check.layer, []).append(check)
    return found


def apart(check: Check) -> bool:
    """Whether answers are further from live's than both are from themselves, though they do not differ more often."""
    return isinstance(check, ComparisonReport) and check.energy.interval.low > 0 and check.effect.direction != "worse"


def tone(check: Check) -> str:
    """Which way a check points in a table. Less often than live from itself is no good news from another model."""
    return "even" if apart(check) else check.effect.direction


def places_and_kinds(check: Check) -> tuple[Paths, Paths]:
    """Where in the answers, and for tool calls which kinds of error."""
    if check.type != TOOL_CALLS:
        return check.paths, ()
    places = tuple(path for path in check.paths if path.path not in ERROR_KINDS)
    return places, tuple(path for path in check.paths if path.path in ERROR_KINDS)


def flagged(candidate: CandidateReport) -> list[SliceReport]:
    """Slices that survive the correction for many looks, the worst at least first."""
    found = [found for found in candidate.slices if found.flagged]
    return sorted(found, key=lambda found: (-found.effect.interval.low, found.slice, found.check))


def crossed(candidate: CandidateReport) -> tuple[list[CrossingReport], list[CrossingReport]]:
    """Flagged pairs of keys, the worst at least first: those that say something of their own, and those that only
    repeat a flagged slice which they are part of."""
    found = sorted(
        (found for found in candidate.crossings if found.flagged),
        key=lambda found: (-found.effect.interval.low, found.slice, found.check),
    )
    known = _known(candidate)
    return [one for one in found if not _inside(one, known)], [one for one in found if _inside(one, known)]


def discovered(candidate: CandidateReport) -> tuple[list[DiscoveryReport], list[DiscoveryReport]]:
    """What earlier traffic pointed to: confirmed on later traffic, and not."""
    confirmed = [one for one in candidate.discoveries if one.confirmed]
    return confirmed, [one for one in candidate.discoveries if not one.confirmed]


def news(candidate: CandidateReport) -> tuple[list[DiscoveryReport], list[CrossingReport]]:
    """Pairs of keys worth a headline: what was confirmed, then what is flagged, each once and none inside a slice
    that is told already."""
    known = _known(candidate)
    confirmed = [one for one in discovered(candidate)[0] if not _inside(one, known)]
    told = {(one.slice, one.check) for one in confirmed}
    return confirmed, [one for one in crossed(candidate)[0] if (one.slice, one.check) not in told]


def accounts(report: Report) -> list[tuple[str, str, Accounting]]:
    """Every shadow with what it is, where its name does not say so; a candidate's second answers come after it."""
    second: dict[str, str] = {again_name(name): name for name in report.accounting}
    first = list(report.accounting)
    names = sorted(first, key=lambda name: (first.index(second.get(name) or name), name in second))
    return [(name, _what(name, second), report.accounting[name]) for name in names]


def _what(name: str, second: dict[str, str]) -> str:
    if is_control(name):
        return "live asked again"
    return f"{second[name]} asked again" if name in second else ""


def _place(check: CheckReport) -> tuple[int, str, bool]:
    known = list(LAYERS).index(check.layer) if check.layer in LAYERS else len(LAYERS)
    return known, check.layer, check.severity != "blocker"


def _known(candidate: CandidateReport) -> set[tuple[str, str]]:
    return {(found.slice, found.check) for found in candidate.slices if found.flagged}


def _inside(found: CrossingReport | DiscoveryReport, known: set[tuple[str, str]]) -> bool:
    return any((part, found.check) in known for part in found.slice.split(TOGETHER))
