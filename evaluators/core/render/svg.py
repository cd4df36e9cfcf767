"""Pictures as inline SVG strings: dots with intervals, bars, quantile strips, axes. Used by html's parts.

Horizontal positions are percentages and vertical ones pixels, so a picture is as wide as its column and its marks
keep their size. Colours come from classes of the page's style sheet; no scripts, no style attributes, no links.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

ROW = 28
"""Height of a row picture in pixels."""

INSET = 3.0
"""Percent kept free at both ends, so that a mark at the end is not cut."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A value's place on a line, in percent of the width."""

    low: float
    high: float
    log: bool = False

    def at(self, value: float) -> float:
        """Percent from the left; values outside stop at the ends."""
        low, high, here = (math.log(v) if self.log else v for v in (self.low, self.high, max(value, self.low)))
        share = (min(here, high) - low) / (high - low)
        return round(INSET + share * (100 - 2 * INSET), 2)

    def ticks(self) -> tuple[float, ...]:
        """Three to six round values inside the scale."""
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            return tuple(10.0**power for power in range(first, last + 1))
        step = _round_step((self.high - self.low) / 4)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(number * step for number in range(first, last + 1))


def scale_of(values: Iterable[float], *, least: float = 0.01) -> Scale:
    """A linear scale that holds zero and all values, and is at least `least` wide."""
    held = [0.0, *values]
    low, high = min(held), max(held)
    short = max(least - (high - low), 0.0) / 2
    return Scale(low - (short if low < 0 else 0.0), high + (short if low < 0 else 2 * short))


def log_scale_of(values: Iterable[float]) -> Scale:
    """A logarithmic scale over positive values, at least a factor of four wide."""
    held = [value for value in values if value > 0] or [1.0]
    low, high = min(held), max(held)
    grow = max(2.0 / math.sqrt(high / low), 1.1)
    return Scale(low / grow, high * grow, log=True)


@dataclass(frozen=True, slots=True)
class Dot:
    """One estimate: where it is, how sure, and against what."""

    value: float
    interval: Sequence[float]
    tone: str = "even"  # worse, better, even: a class of the style sheet
    watched: Sequence[float] = ()  # the interval that is valid at every look
    noise: Sequence[float] = ()  # interval of the noise floor, drawn as a band
    floor: Sequence[float] = ()  # the noise floor itself
    limit: Sequence[float] = ()  # where a gate draws its line
    known: bool = True  # False draws no estimate: there is none


def dot_row(scale: Scale, dot: Dot, title: str) -> Markup:
    """A dot with its interval, over whatever it is compared with."""
    middle = ROW // 2
    marks = [_upright(scale, 0.0, "zero")]
    if dot.noise:
        marks.append(_band(scale, dot.noise, "noise", 5, ROW - 10))
    marks += [_upright(scale, value, "floor", 5) for value in dot.floor]
    if dot.watched:
        marks.append(_across(scale, dot.watched, middle, "watched"))
        marks += [_upright(scale, end, "watched", middle - 4) for end in dot.watched]
    if dot.interval and dot.known:
        marks.append(_across(scale, dot.interval, middle, f"span {dot.tone}"))
    marks += [_upright(scale, value, "limit", 1) for value in dot.limit]
    if dot.known:
        marks.append(
            Markup('<circle cx="{}%" cy="{}" r="5" class="dot {}"/>').format(scale.at(dot.value), middle, dot.tone)
        )
    return picture(marks, title)


def strip_row(scale: Scale, quantiles: Sequence[float], arm: str, title: str) -> Markup:
    """A latency strip over the quantiles that exist: a dot at the first, bars at the others, a line through all."""
    there = [value for value in quantiles if value > 0]
    middle = ROW // 2
    marks = [_across(scale, (there[0], there[-1]), middle, f"span {arm}")] if there else []
    marks += [_upright(scale, value, f"bar {arm}", middle - 6) for value in there[1:]]
    marks += [
        Markup('<circle cx="{}%" cy="{}" r="5" class="dot {}"/>').format(scale.at(value), middle, arm)
        for value in there[:1]
    ]
    return picture(marks, title)


def bar_row(scale: Scale, start: float, end: float, tone: str, title: str) -> Markup:
    """A bar from start to end; never thinner than can be seen, unless it is empty."""
    if start == end:
        return picture([_upright(scale, start, "empty", 6)], title)
    return picture([_band(scale, (start, end), f"fill {tone}", 6, ROW - 12)], title)


def axis(scale: Scale, labels: Sequence[str]) -> Markup:
    """Tick marks with one label each, for the rows above."""
    ticks = scale.ticks()
    marks = []
    for tick, label in zip(ticks, labels, strict=True):
        at = scale.at(tick)
        anchor = "start" if at < 12 else "end" if at > 88 else "middle"
        marks.append(Markup('<line x1="{0}%" x2="{0}%" y1="0" y2="4" class="tick"/>').format(at))
        marks.append(Markup('<text x="{}%" y="17" text-anchor="{}">{}</text>').format(at, anchor, label))
    return Markup('<svg class="axis" width="100%" height="22" aria-hidden="true">{}</svg>').format(_joined(marks))


def picture(marks: Iterable[Markup], title: str) -> Markup:
    """One row's drawing with its meaning in words, for those who cannot see it."""
    return Markup('<svg class="row" width="100%" height="{}" role="img"><title>{}</title>{}</svg>').format(
        ROW, title, _joined(marks)
    )


def icon(verdict: str) -> Markup:
    """The verdict as a shape, so that it does not depend on colour: check, cross, clock, question."""
    return Markup('<svg class="icon {}" viewBox="0 0 40 40" width="40" height="40" aria-hidden="true">{}</svg>').format(
        verdict, ICONS[verdict]
    )


ICONS = {
    "pass": Markup('<circle cx="20" cy="20" r="18"/><path d="M12 21l6 6 11-13"/>'),
    "fail": Markup('<circle cx="20" cy="20" r="18"/><path d="M13 13l14 14M27 13L13 27"/>'),
    "wait": Markup('<circle cx="20" cy="20" r="18"/><path d="M20 10v11l7 4"/>'),
    "inconclusive": Markup('<circle cx="20" cy="20" r="18"/><path d="M11 17h18M11 24h18"/>'),
}


def _across(scale: Scale, ends: Sequence[float], y: int, kind: str) -> Markup:
    return Markup('<line x1="{}%" x2="{}%" y1="{y}" y2="{y}" class="{}"/>').format(
        scale.at(ends[0]), scale.at(ends[1]), kind, y=y
    )


def _upright(scale: Scale, value: float, kind: str, top: int = 0) -> Markup:
    return Markup('<line x1="{x}%" x2="{x}%" y1="{}" y2="{}" class="{}"/>').format(
        top, ROW - top, kind, x=scale.at(value)
    )


def _band(scale: Scale, ends: Sequence[float], kind: str, top: int, height: int) -> Markup:
    left, right = scale.at(ends[0]), scale.at(ends[1])
    return Markup('<rect x="{}%" y="{}" width="{}%" height="{}" rx="2" class="{}"/>').format(
        left, top, round(max(right - left, 0.4), 2), height, kind
    )


def _joined(marks: Iterable[Markup]) -> Markup:
    return Markup("").join(marks)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1.0, 2.0, 2.5, 5.0, 10.0) if step * power >= rough * 0.999)
