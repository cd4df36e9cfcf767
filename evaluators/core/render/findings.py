"""How often and where, as HTML: every check beside live or the noise floor, and the slices. Used by html."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from evaluators.core.render.safe import line
from evaluators.core.render.sentences import flagged, judged
from evaluators.core.render.svg import Dot, Scale, axis, dot_row, scale_of
from evaluators.core.report.shape import (
    AssertionReport,
    CandidateReport,
    ComparisonReport,
    PathRate,
    SliceReport,
)
from evaluators.core.report.words import between, count, percent, points
from evaluators.core.stats.interval import Interval

MOST_ROWS = 12
MOST_HEAT = 30

LEVELS = ((0.10, 3), (0.03, 2), (0.0, 1))
"""Effects at least this large get this depth of colour; only what differs beyond chance gets any."""


def assertions(candidate: CandidateReport) -> Markup:
    """The forest of assertions: failing rates of both arms and their difference."""
    found = [check for check in judged(candidate) if isinstance(check, AssertionReport)]
    if not found:
        return Markup()
    scale = scale_of([end for check in found for end in _ends(check)])
    rows = (_assertion(check, scale) for check in found)
    return _section(
        "How often it fails",
        "Percentage points by which the candidate fails more often than live, on the same calls. Thick: the interval "
        "of the calls seen. Thin: the watched interval, which stays valid however often you look.",
        _head("Check", "fewer failures ← → more failures", "live → candidate"),
        rows,
        axis(scale, [points(tick) for tick in scale.ticks()]),
    )


def comparisons(candidate: CandidateReport) -> Markup:
    """The forest of comparisons: how often the candidate differs, over the noise floor."""
    found = [check for check in judged(candidate) if isinstance(check, ComparisonReport)]
    if not found:
        return Markup()
    scale = scale_of([end for check in found for end in _reach(check)], least=0.05)
    rows = (_comparison(check, scale) for check in found)
    return _section(
        "How often it differs",
        "Share of calls on which the answers differ. The grey band is the noise floor: how often live differs from "
        "itself when asked twice. Only what lies right of the band is the candidate's doing.",
        _head("Check", "share of calls that differ", "above noise"),
        rows,
        axis(scale, [percent(tick) for tick in scale.ticks()]),
    )


def slices(candidate: CandidateReport) -> Markup:
    """Where: the flagged slices one by one, then all of them at a glance."""
    if not candidate.slices:
        return Markup()
    worst = flagged(candidate)[:MOST_ROWS]
    lead = "Slices that are hit harder than the rest of the traffic, beyond chance and after correcting for many looks."
    body = Markup('<p class="soft">No slice stands out: nothing is hit harder than the rest beyond chance.</p>')
    if worst:
        scale = scale_of([end for found in worst for end in (found.effect.interval.low, found.effect.interval.high)])
        body = Markup('<div class="rows">{}{}{}</div>').format(
            _head("Slice", "points more in this slice", "conversations worse"),
            Markup("").join(_slice(found, scale) for found in worst),
            _scale_line(axis(scale, [points(tick) for tick in scale.ticks()])),
        )
    return Markup('<h3>Where</h3><p class="lead">{}</p>{}{}').format(lead, body, _heat(candidate))


def _ends(check: AssertionReport) -> tuple[float, ...]:
    """What the picture must hold; a watched interval that says nothing yet would squeeze the rest."""
    narrow = check.sequence.high - check.sequence.low < 1
    return (*_pair(check.effect.interval), *(_pair(check.sequence) if narrow else ()))


def _reach(check: ComparisonReport) -> tuple[float, ...]:
    return (*_pair(check.candidate.interval), *(_pair(check.control.interval) if check.control.n else ()))


def _assertion(check: AssertionReport, scale: Scale) -> Markup:
    pair, watched = check.paired, check.sequence.high - check.sequence.low < 1
    dot = Dot(pair.difference, _pair(pair.interval), check.effect.direction, _pair(check.sequence) if watched else ())
    title = f"{check.check}: {points(pair.difference)} points, {between(_pair(pair.interval))}"
    change = f"{pair.regressed:,} regressed, {pair.fixed:,} fixed of {pair.n:,}"
    return _line(
        check.check,
        f"{check.dimension} · {check.severity}{_trouble(check)}",
        dot_row(scale, dot, line(title)),
        f"{percent(check.live.rate)} → {percent(check.candidate.rate)}",
        change,
        _paths(check.paths),
    )


def _comparison(check: ComparisonReport, scale: Scale) -> Markup:
    known = bool(check.control.n)
    dot = Dot(
        check.candidate.rate,
        _pair(check.candidate.interval),
        check.effect.direction,
        noise=_pair(check.control.interval) if known else (),
        floor=(check.control.rate,) if known else (),
    )
    title = f"{check.check}: differs in {percent(check.candidate.rate)}, noise {percent(check.control.rate)}"
    measured = bool(check.excess.n)
    return _line(
        check.check,
        f"{check.dimension} · {check.severity}{_trouble(check)}",
        dot_row(scale, dot, line(title)),
        f"{points(check.excess.value)} points" if measured else "noise unknown",
        between(_pair(check.excess.interval)) if measured else "live was not asked twice yet",
        _paths(check.paths),
    )


def _slice(found: SliceReport, scale: Scale) -> Markup:
    dot = Dot(found.effect.value, _pair(found.effect.interval), found.effect.direction)
    title = f"{found.check} in {found.slice}: {points(found.effect.value)} points"
    return _line(
        found.slice,
        found.check,
        dot_row(scale, dot, line(title)),
        f"{found.worse:,} of {found.conversations:,}",
        f"elsewhere {found.others_worse:,} of {found.others:,}",
        Markup(),
    )


def _heat(candidate: CandidateReport) -> Markup:
    labels = list(dict.fromkeys(found.check for found in candidate.slices))
    cells = {(found.slice, found.check): found for found in candidate.slices}
    names = sorted({found.slice for found in candidate.slices}, key=lambda name: _heat_rank(name, labels, cells))
    head = Markup("").join(Markup("<th>{}</th>").format(line(label, 40)) for label in labels)
    rows = (
        Markup("<tr><th><bdi>{}</bdi></th>{}</tr>").format(
            line(name, 60), Markup("").join(_cell(cells.get((name, label))) for label in labels)
        )
        for name in names[:MOST_HEAT]
    )
    more = f" The {MOST_HEAT} most telling of {len(names):,} are shown." if len(names) > MOST_HEAT else ""
    return Markup(
        '<details{}><summary>All slices and checks at a glance</summary><p class="soft">Points more than live, or than '
        "noise. Colour where the interval leaves out zero; a frame marks what is flagged.{}</p>"
        '<div class="wide"><table class="heat"><thead><tr><th></th>{}</tr></thead><tbody>{}</tbody></table></div>'
        "</details>"
    ).format(Markup(" open") if len(names) <= MOST_HEAT else Markup(), more, head, Markup("").join(rows))


def _heat_rank(name: str, labels: Sequence[str], cells: dict[tuple[str, str], SliceReport]) -> tuple[bool, float, str]:
    mine = [cells[name, label] for label in labels if (name, label) in cells]
    return (not any(found.flagged for found in mine), -max(found.effect.interval.low for found in mine), name)


def _cell(found: SliceReport | None) -> Markup:
    if found is None or not found.effect.n:
        return Markup('<td class="few">–</td>')
    kind = ""
    if found.effect.direction != "even":
        depth = next(level for least, level in LEVELS if abs(found.effect.value) >= least)
        kind = f"{found.effect.direction[0]}{depth}"
    if found.flagged:
        kind += " flag"
    return Markup('<td><span class="{}" title="{}">{}</span></td>').format(
        kind, f"{count(found.n, 'pair')}, {between(_pair(found.effect.interval))}", points(found.effect.value)
    )


def _paths(paths: Sequence[PathRate]) -> Markup:
    if not paths:
        return Markup()
    rows = (
        Markup("<tr><th><code>{}</code></th><td>{}</td><td>{}</td><td>{}</td></tr>").format(
            line(path.path), percent(path.candidate), percent(path.noise), points(path.excess)
        )
        for path in paths
    )
    return Markup(
        '<details class="reason"><summary>Where in the answer</summary><div class="wide"><table><thead><tr>'
        "<th>Path</th><th>Candidate</th><th>Noise</th><th>Excess</th></tr></thead><tbody>{}</tbody></table></div></details>"
    ).format(Markup("").join(rows))


def _trouble(check: AssertionReport | ComparisonReport) -> str:
    return f" · broke on {count(check.broken, 'pair')}" if check.broken else ""


def _section(title: str, lead: str, head: Markup, rows: Iterable[Markup], scale: Markup) -> Markup:
    return Markup('<h3>{}</h3><p class="lead">{}</p><div class="rows">{}{}{}</div>').format(
        title, lead, head, Markup("").join(rows), _scale_line(scale)
    )


def _head(name: str, picture: str, numbers: str) -> Markup:
    return Markup('<div class="line head"><div>{}</div><div>{}</div><div>{}</div></div>').format(name, picture, numbers)


def _scale_line(scale: Markup) -> Markup:
    return Markup('<div class="line scale"><div></div>{}<div></div></div>').format(scale)


def _line(name: str, under: str, picture: Markup, number: str, note: str, more: Markup) -> Markup:
    return Markup(
        '<div class="line"><div><span class="name"><bdi>{}</bdi></span><small><bdi>{}</bdi></small></div>{}'
        '<div class="num">{}<small>{}</small></div>{}</div>'
    ).format(line(name, 80), line(under, 80), picture, number, note, more)


def _pair(interval: Interval) -> tuple[float, float]:
    return (interval.low, interval.high)
