"""The picture in the README, from the file that --json writes: plain SVG that follows the reader's light or dark."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from tests.bench.figures import Figures, split

_WIDTH, _HEIGHT = 800, 410
_TOP, _BOTTOM = 78, 340  # of both panels
_LEFT, _STEP = 72, 80  # first panel: the column without shadows, and the way to the next
_BARS, _BARS_END = 560, 745  # second panel
_LABEL_GAP = 15  # px between two names at the right edge

_NAMES = {
    "understudy": "Understudy",
    "understudy+lane": "Understudy + lane",
    "nginx": "nginx mirror",
    "haproxy": "HAProxy",
    "portkey": "Portkey",
    "litellm": "LiteLLM silent model",
}
_LANE = "+ lane: the shadows in a process of their own, on the other core (workers: 1)"
_STYLE = """
  :root { --ground: #ffffff; --text: #1f2328; --soft: #59636e; --grid: #d1d9e0;
          --understudy: #0860c4; --lane: #0a7d83; --nginx: #b35900;
          --haproxy: #3f7a2e; --portkey: #a8323e; --litellm: #7a3e9d; }
  @media (prefers-color-scheme: dark) {
    :root { --ground: #0d1117; --text: #f0f6fc; --soft: #9198a1; --grid: #3d444d;
            --understudy: #58a6ff; --lane: #4fd1c5; --nginx: #f0a04b;
            --haproxy: #7ec36a; --portkey: #ff8b8b; --litellm: #d2a8ff; }
  }
  text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--text); }
  .title { font-size: 14px; font-weight: 600; } .soft { font-size: 11px; fill: var(--soft); }
  .grid { stroke: var(--grid); stroke-width: 1; } .line { fill: none; stroke-width: 2; }
  .name { paint-order: stroke; stroke: var(--ground); stroke-width: 4; stroke-linejoin: round; }
"""


def draw(data: Mapping[str, Any]) -> str:
    """The whole picture."""
    saturation = Figures(data["scenarios"].get("saturation", {}))
    slow = Figures(data["scenarios"].get("slow", {}))
    machine, rounds = data["machine"], data["options"]["rounds"]
    about = f"{machine['cpu']}, {machine['cores']}, {machine['kernel']}, {machine['python']}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" '
        'aria-label="Calls per second by number of shadows, and live latency with slow shadows">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="8" style="fill: var(--ground)"/>',
        _text(20, 28, "Calls per second on one core (log scale)", "title"),
        _text(20, 46, "by number of shadows; 64 connections, 1.5 kB answers", "soft"),
        *_lines(saturation),
        _text(430, 28, "Live p50 in ms, every shadow takes 500 ms", "title"),
        _text(430, 46, "live takes 10 ms; 200 calls/s, open loop (LiteLLM: 15)", "soft"),
        *_bars(slow),
        _text(20, _HEIGHT - 30, _LANE, "soft") if any("+lane" in label for label in saturation.results) else "",
        _text(20, _HEIGHT - 14, f"Medians of {rounds} interleaved rounds, one core for the system. {about}", "soft"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _lines(figures: Figures) -> Iterator[str]:
    """One line per system over 0, 1 and 3 shadows; the name at its right end."""
    points: dict[str, list[tuple[int, float]]] = {}
    for label in figures.results:
        name, shadows = split(label)
        if name in _NAMES:
            points.setdefault(name, []).append((shadows, figures.middle(label, "rate")))
    rates = [rate for found in points.values() for _, rate in found if rate > 0]
    if not rates:
        return
    low, high = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))
    high = max(high, low + 1)

    def height(rate: float) -> float:
        return _BOTTOM - (math.log10(max(rate, 10**low)) - low) / (high - low) * (_BOTTOM - _TOP)

    for power in range(low, high + 1):
        y = height(10**power)
        yield f'<line class="grid" x1="{_LEFT - 8}" x2="{_LEFT + 2 * _STEP + 8}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(_LEFT - 12, y + 4, f"{10**power:,}", "soft", "end")
    for column, shadows in enumerate((0, 1, 3)):
        word = "shadow" if shadows == 1 else "shadows"
        yield _text(_LEFT + column * _STEP, _BOTTOM + 18, f"{shadows} {word}", "soft", "middle")
    ends = {}
    for name, found in points.items():
        places = [(_LEFT + (0, 1, 3).index(shadows) * _STEP, height(rate)) for shadows, rate in sorted(found)]
        yield from _series(name, places)
        ends[name] = (places[-1], sorted(found)[-1][1])
    yield from _ends(ends)


def _series(name: str, places: Sequence[tuple[float, float]]) -> Iterator[str]:
    colour = f"var(--{name.rpartition('+')[2]})"
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f'<polyline class="line" points="{way}" style="stroke: {colour}"/>'
    for x, y in places:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" style="fill: {colour}"/>'


def _ends(ends: Mapping[str, tuple[tuple[float, float], float]]) -> Iterator[str]:
    """Names beside the last point; those that would overlap are pushed apart."""
    for column in {x for (x, _), _ in ends.values()}:
        lowest = -math.inf
        for name, ((x, y), rate) in sorted(ends.items(), key=lambda item: item[1][0][1]):
            if x == column:
                lowest = max(y + 4, lowest + _LABEL_GAP)
                colour = f"fill: var(--{name.rpartition('+')[2]})"
                yield _text(x + 9, lowest, f"{_NAMES[name]} {rate:,.0f}", "name", "start", colour)


def _bars(figures: Figures) -> Iterator[str]:
    """One bar per system and number of shadows, from nothing on a linear scale."""
    labels = [label for label in figures.results if split(label)[0] in _NAMES]
    labels.sort(key=lambda label: (list(_NAMES).index(split(label)[0]), split(label)[1]))
    values = {label: figures.middle(label, "latency_ms.p50") for label in labels}
    if not values:
        return
    step = min(26.0, (_BOTTOM + 10 - _TOP) / len(values))
    for row, (label, value) in enumerate(values.items()):
        name, shadows = split(label)
        short = {"nginx": "nginx", "litellm": "LiteLLM"}.get(name, _NAMES[name])
        y = _TOP + row * step
        width = max(2.0, value / max(values.values()) * (_BARS_END - _BARS))
        yield _text(_BARS - 8, y + step / 2 + 4, f"{short}: {shadows}", "", "end")
        colour = f"var(--{name.rpartition('+')[2]})"
        yield f'<rect x="{_BARS}" y="{y + 3:.1f}" width="{width:.1f}" height="{step - 6:.1f}" style="fill: {colour}"/>'
        yield _text(_BARS + width + 6, y + step / 2 + 4, f"{value:,.1f}", "")
    yield _text(_BARS - 8, _TOP + len(values) * step + 14, "system: shadows", "soft", "end")


def _text(x: float, y: float, words: str, kind: str, anchor: str = "start", style: str = "") -> str:
    given = f' class="{kind}"' if kind else ""
    given += f' text-anchor="{anchor}"' if anchor != "start" else ""
    given += f' style="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{given}>{escape(words)}</text>'
