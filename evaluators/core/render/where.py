"""Where: slices of the traffic as HTML, one key and two, what was discovered, and all at a glance. Used by html."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from evaluators.core.render.order import crossed, discovered, flagged
from evaluators.core.render.rows import ends, head, row, rows_over
from evaluators.core.render.safe import line
from evaluators.core.render.svg import Dot, Scale, axis, dot_row, scale_of
from evaluators.core.report.shape import CandidateReport, CrossingReport, DiscoveryReport, SliceReport
from evaluators.core.report.words import between, count, points

MOST_ROWS = 12
MOST_HEAT = 30

LEVELS = ((0.10, 3), (0.03, 2), (0.0, 1))
"""Effects at least this large get this depth of colour; only what differs beyond chance gets any."""


def slices(candidate: CandidateReport) -> Markup:
    """Where: the flagged slices one by one, pairs of keys, what was discovered, then all at a glance."""
    if not candidate.slices:
        return Markup()
    worst = flagged(candidate)
    lead = "Slices that are hit harder than the rest of the traffic, beyond chance and after correcting for many looks."
    body = Markup('<p class="soft">No slice stands out: nothing is hit harder than the rest beyond chance.</p>')
    if worst:
        body = _forest(worst, head("Slice", "points more in this slice", "conversations worse"))
    return Markup('<h3>Where</h3><p class="lead">{}</p>{}{}{}{}').format(
        lead, body, _pairs(candidate), _discoveries(candidate), _heat(candidate)
    )


def _pairs(candidate: CandidateReport) -> Markup:
    """Flagged pairs of keys; those inside a flagged slice are folded away, as they mostly repeat it."""
    own, repeated = crossed(candidate)
    columns = head("Pair of keys", "conversations worse less better, points", "conversations worse")
    folded = Markup("<details><summary>{} inside the slices above</summary>{}</details>")
    inside = folded.format(count(len(repeated), "pair"), _forest(repeated, columns)) if repeated else Markup()
    if not own and not inside:
        return Markup()
    said = "Pairs that are hit harder though neither of their slices stands out by itself."
    if not own:
        said = "No pair of keys stands out but inside the slices above."
    return Markup('<h3>Where two keys meet</h3><p class="lead">{}</p>{}{}').format(
        said, _forest(own, columns) if own else Markup(), inside
    )


def _discoveries(candidate: CandidateReport) -> Markup:
    """What earlier traffic pointed to: what later traffic confirmed, and folded away what it did not."""
    confirmed, others = discovered(candidate)
    if not confirmed and not others:
        return Markup()
    rest = Markup()
    if others:
        rest = Markup("<details><summary>{} that later traffic does not confirm</summary>{}</details>").format(
            count(len(others), "pair"), _found(others)
        )
    return Markup(
        '<h3>Found on earlier traffic, confirmed on later</h3><p class="lead">Nobody named these pairs: what came '
        "earlier pointed to them, and only what came after speaks for them.</p>{}{}"
    ).format(_found(confirmed) if confirmed else Markup('<p class="soft">None is confirmed.</p>'), rest)


def _found(discoveries: Sequence[DiscoveryReport]) -> Markup:
    rows = (
        Markup("<tr><th><bdi>{}</bdi><small><bdi>{}</bdi></small></th><td>{}</td><td>{}</td><td>{}</td></tr>").format(
            line(one.slice),
            line(one.check, 80),
            _of(one.worse, one.conversations),
            _of(one.later_worse, one.later),
            _of(one.later_others_worse, one.later_others),
        )
        for one in discoveries[:MOST_ROWS]
    )
    return Markup(
        '<div class="wide"><table class="found"><thead><tr><th>Pair of keys</th><th>Worse earlier</th>'
        "<th>Worse later</th><th>Elsewhere later</th></tr></thead><tbody>{}</tbody></table></div>"
    ).format(Markup("").join(rows))


def _of(worse: int, conversations: int) -> str:
    return f"{worse:,} of {conversations:,}"


def _forest(found: Sequence[SliceReport | CrossingReport], columns: Markup) -> Markup:
    shown = found[:MOST_ROWS]
    scale = scale_of([end for one in shown for end in ends(one.effect.interval)])
    more = Markup('<p class="soft">The {} worst of {:,} are shown.</p>').format(MOST_ROWS, len(found))
    return Markup("{}{}").format(
        rows_over(columns, [_slice(one, scale) for one in shown], axis(scale, [points(at) for at in scale.ticks()])),
        more if len(found) > MOST_ROWS else Markup(),
    )


def _slice(found: SliceReport | CrossingReport, scale: Scale) -> Markup:
    dot = Dot(found.effect.value, ends(found.effect.interval), found.effect.direction)
    title = f"{found.check} in {found.slice}: {points(found.effect.value)} points"
    return row(
        found.slice,
        found.check,
        dot_row(scale, dot, line(title)),
        _of(found.worse, found.conversations),
        (f"elsewhere {_of(found.others_worse, found.others)}",),
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
        kind, f"{count(found.n, 'pair')}, {between(ends(found.effect.interval))}", points(found.effect.value)
    )
