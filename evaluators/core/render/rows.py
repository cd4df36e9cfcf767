"""One finding per row as HTML: its name, its picture on a common scale, its numbers. Used by findings and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from evaluators.core.render.safe import line
from evaluators.core.stats.interval import Interval

MOST_NAME = 120
"""Two slices of the longest kind, cut where a reader has understood."""


def section(title: str, lead: str, head: Markup, rows: Iterable[Markup], scale: Markup) -> Markup:
    """A heading, what it means, and rows over one axis."""
    return Markup('<h3>{}</h3><p class="lead">{}</p>{}').format(title, lead, rows_over(head, rows, scale))


def rows_over(head: Markup, rows: Iterable[Markup], scale: Markup) -> Markup:
    """Rows over one axis."""
    return Markup('<div class="rows">{}{}<div class="line scale"><div></div>{}<div></div></div></div>').format(
        head, Markup("").join(rows), scale
    )


def head(name: str, picture: str, numbers: str) -> Markup:
    """What the columns are."""
    return Markup('<div class="line head"><div>{}</div><div>{}</div><div>{}</div></div>').format(name, picture, numbers)


def group(name: str, meaning: str) -> Markup:
    """What the rows below have in common."""
    return Markup('<p class="group"><strong>{}</strong> {}</p>').format(line(name, 40).capitalize(), meaning)


def row(
    name: str,
    under: str,
    picture: Markup,
    number: str,
    notes: Sequence[str],
    more: Markup = Markup(),  # noqa: B008
) -> Markup:
    """One finding; `more` goes below over the whole width."""
    small = Markup("").join(Markup("<small>{}</small>").format(note) for note in notes if note)
    return Markup(
        '<div class="line"><div><span class="name"><bdi>{}</bdi></span><small><bdi>{}</bdi></small></div>{}'
        '<div class="num">{}{}</div>{}</div>'
    ).format(line(name, MOST_NAME), line(under, MOST_NAME), picture, number, small, more)


def ends(interval: Interval) -> tuple[float, float]:
    """Both ends, for pictures and words."""
    return (interval.low, interval.high)
