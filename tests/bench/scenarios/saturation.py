"""How many calls a second one core carries, and what a call costs: 64 connections that ask without a pause."""

from __future__ import annotations

from tests.bench.figures import NONE, Figures, Goal, markdown, share, split
from tests.bench.measure import Load
from tests.bench.rig import AT_ONCE, CONTENT_BYTES
from tests.bench.rounds import Bench, Results, interleaved, kinds

TITLE = "Saturation"
METHOD = (
    "64 keep-alive connections, 1 kB requests, 1.5 kB answers with 11 headers, upstreams answer at once. CPU of all of "
    "the system's processes until its shadows have ended and its pairs are stored; “live” is the process that serves. "
    "“Arrived” is the share of the copies that a shadow answered, “pairs” the share of the copies whose pair is in the "
    "queue: nginx and LiteLLM keep none."
)


def measure(bench: Bench) -> Results:
    """All systems, with 0, 1 and 3 shadows where they can."""
    load = Load("closed", {"conns": 64, "seconds": bench.seconds, "body": 1024, "answer": CONTENT_BYTES})
    wanted = kinds(
        ("direct", [0]),
        ("nginx", [0, 1, 3]),
        ("haproxy", [0]),
        ("understudy", [0, 1, 3]),
        ("understudy+lane", [1, 3]),
        ("portkey", [0]),
        ("litellm", [0, 1, 3]),
    )
    return interleaved(bench, AT_ONCE, dict.fromkeys(wanted, load))


def table(figures: Figures) -> str:
    """One row per system and number of shadows."""
    columns = "system|shadows|calls/s|CPU µs/call|of it live|core|CPU × nginx|calls/s × LiteLLM|arrived|pairs|bad"
    return markdown(columns.split("|"), [_row(figures, label) for label in figures.results])


def _row(figures: Figures, label: str) -> list[str]:
    name, shadows = split(label)
    nginx, litellm = f"nginx:{shadows}", f"litellm:{shadows}"
    times_nginx, times_litellm = NONE, NONE
    if figures.has(nginx) and name != "direct":
        times_nginx = f"{figures.times(label, nginx, 'cpu_us'):.2f}"
    if figures.has(litellm) and name != "direct":
        times_litellm = f"{figures.times(label, litellm, 'rate'):,.0f}"
    return [
        name,
        str(shadows),
        figures.show(label, "rate", ",.0f"),
        figures.show(label, "cpu_us", ",.1f"),
        f"{figures.middle(label, 'live_cpu_us'):,.1f}",
        f"{figures.middle(label, 'core'):.2f}",
        times_nginx,
        times_litellm,
        share(figures.middle(label, "whole")),
        share(figures.middle(label, "pairs")),
        str(figures.total(label, "bad")),
    ]


def goals(figures: Figures) -> list[Goal]:
    """Beside nginx with as many mirrors, LiteLLM with as many silent models, and Portkey without any."""
    found = []
    for own in ("understudy:1", "understudy+lane:1"):
        found += _rate(figures, own, "nginx:1", 1.0) + _rate(figures, own, "litellm:1", 150)
    for own in ("understudy:3", "understudy+lane:3"):
        found += _rate(figures, own, "nginx:3", 1.2)
    return found + _cost(figures, "portkey:0", 0.1) + _cost(figures, "litellm:0", 0.02)


def _rate(figures: Figures, own: str, peer: str, least: float) -> list[Goal]:
    if not figures.has(own, peer):
        return []
    times = figures.times(own, peer, "rate")
    text = f"calls per second, {own} beside {peer}"
    return [figures.goal(text, f"≥ {least:g} ×", f"{times:.2f} ×", times >= least, own)]


def _cost(figures: Figures, peer: str, most: float) -> list[Goal]:
    own = "understudy:0"
    if not figures.has(own, peer):
        return []
    times = figures.times(own, peer, "cpu_us")
    return [
        figures.goal(f"CPU per call, {own} beside {peer}", f"≤ {most:g} ×", f"{times:.4f} ×", times <= most, own),
    ]
