"""How often, as HTML: every check beside live or the noise floor, by layer, and where in the answers. Used by html.

The slices of the traffic are where's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from markupsafe import Markup

from evaluators.core.render.order import LAYERS, judged, layered, places_and_kinds, tone
from evaluators.core.render.rows import ends, group, head, row, section
from evaluators.core.render.safe import line
from evaluators.core.render.sentences import energy_note
from evaluators.core.render.svg import Dot, Scale, axis, dot_row, scale_of
from evaluators.core.report.shape import AssertionReport, CandidateReport, CheckReport, ComparisonReport, PathRate
from evaluators.core.report.words import between, count, percent, points

SURE = 1.0
"""An interval of a difference from -1 to 1 says nothing; one narrower than half of that is drawn."""

C = TypeVar("C", bound=CheckReport)


def assertions(candidate: CandidateReport) -> Markup:
    """The forest of assertions: failing rates of both arms and their difference."""
    found = [check for check in judged(candidate) if isinstance(check, AssertionReport)]
    if not found:
        return Markup()
    scale = scale_of([end for check in found for end in _reach_of_assertion(check)])
    return section(
        "How often it fails",
        "Percentage points by which the candidate fails more often than live, on the same calls. Thick: the interval "
        "of the calls seen. Thin: the watched interval, which stays valid however often you look.",
        head("Check", "fewer failures ← → more failures", "live → candidate"),
        _by_layer(found, lambda check: _assertion(check, scale)),
        axis(scale, [points(tick) for tick in scale.ticks()]),
    )


def comparisons(candidate: CandidateReport) -> Markup:
    """The forest of comparisons: how often the candidate differs, over the noise floor."""
    found = [check for check in judged(candidate) if isinstance(check, ComparisonReport)]
    if not found:
        return Markup()
    scale = scale_of([end for check in found for end in _reach_of_comparison(check)], least=0.05)
    return section(
        "How often it differs",
        "Share of calls on which the answers differ. The grey band is the noise floor: how often live differs from "
        "itself when asked twice. Only what lies right of the band is the candidate's doing.",
        head("Check", "share of calls that differ", "above noise"),
        _by_layer(found, lambda check: _comparison(check, scale)),
        axis(scale, [percent(tick) for tick in scale.ticks()]),
    )


def _by_layer(found: Sequence[C], shown: Callable[[C], Markup]) -> Iterator[Markup]:
    for layer, checks in layered(found).items():
        yield group(layer, LAYERS.get(layer, ""))
        yield from map(shown, checks)


def _reach_of_assertion(check: AssertionReport) -> tuple[float, ...]:
    """What the picture must hold; a watched interval that says nothing yet would squeeze the rest."""
    return (*ends(check.effect.interval), *_watched(check))


def _reach_of_comparison(check: ComparisonReport) -> tuple[float, ...]:
    return (*ends(check.candidate.interval), *(ends(check.control.interval) if check.control.n else ()))


def _watched(check: AssertionReport) -> tuple[float, ...]:
    return ends(check.sequence) if check.sequence.high - check.sequence.low < SURE else ()


def _assertion(check: AssertionReport, scale: Scale) -> Markup:
    pair = check.paired
    dot = Dot(pair.difference, ends(pair.interval), check.effect.direction, _watched(check))
    title = f"{check.check}: {points(pair.difference)} points, {between(ends(pair.interval))}"
    return row(
        check.check,
        f"{check.dimension} · {check.severity}{_trouble(check)}",
        dot_row(scale, dot, line(title)),
        f"{percent(check.live.rate)} → {percent(check.candidate.rate)}",
        (f"{pair.regressed:,} regressed, {pair.fixed:,} fixed of {pair.n:,}",),
        _paths(check, "Live"),
    )


def _comparison(check: ComparisonReport, scale: Scale) -> Markup:
    known = bool(check.control.n)
    dot = Dot(
        check.candidate.rate,
        ends(check.candidate.interval),
        tone(check),
        noise=ends(check.control.interval) if known else (),
        floor=(check.control.rate,) if known else (),
    )
    title = f"{check.check}: differs in {percent(check.candidate.rate)}, noise {percent(check.control.rate)}"
    measured = bool(check.excess.n)
    interval = between(ends(check.excess.interval)) if measured else "live was not asked twice yet"
    return row(
        check.check,
        f"{check.dimension} · {check.severity}{_trouble(check)}",
        dot_row(scale, dot, line(title)),
        f"{points(check.excess.value)} points" if measured else "noise unknown",
        (interval, energy_note(check.energy), check.steadier),
        _paths(check, "Noise"),
    )


def _paths(check: AssertionReport | ComparisonReport, other: str) -> Markup:
    places, kinds = places_and_kinds(check)
    if not (places or kinds):
        return Markup()
    beyond = sum(path.flagged for path in check.paths)
    said = f": {beyond:,} of {len(check.paths):,} beyond chance" if beyond else ""
    return Markup('<details class="reason"><summary>Where in the answer{}</summary>{}{}</details>').format(
        said, _table("Place", other, places), _table("Kind of error", other, kinds)
    )


def _table(name: str, other: str, paths: Sequence[PathRate]) -> Markup:
    if not paths:
        return Markup()
    return Markup(
        '<div class="wide"><table class="places"><thead><tr><th>{}</th><th>Candidate</th><th>{}</th><th>Points</th>'
        "<th>Interval</th><th>Conversations</th></tr></thead><tbody>{}</tbody></table></div>"
    ).format(name, other, Markup("").join(map(_path, paths)))


def _path(path: PathRate) -> Markup:
    mark = Markup('<span class="beyond" title="beyond chance">▲</span>') if path.flagged else Markup()
    return Markup(
        "<tr><th>{}<code><bdi>{}</bdi></code></th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"
    ).format(
        mark,
        line(path.path),
        percent(path.candidate),
        percent(path.noise),
        points(path.excess),
        between(ends(path.interval)) if path.interval.high - path.interval.low < 2 * SURE else "–",
        f"{path.worse:,} worse, {path.better:,} better" if path.worse or path.better else "–",
    )


def _trouble(check: AssertionReport | ComparisonReport) -> str:
    return f" · broke on {count(check.broken, 'pair')}" if check.broken else ""
