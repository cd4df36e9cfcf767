"""What a proxy adds to the latency of live: an even load far below saturation, calls due at random instants."""

from __future__ import annotations

from tests.bench.figures import NONE, Figures, Goal, markdown, share, split
from tests.bench.measure import Load
from tests.bench.rig import AFTER_20_MS, CONTENT_BYTES
from tests.bench.rounds import Bench, Results, interleaved, kinds

RATE, RATE_OF_LITELLM = 200, 15  # LiteLLM with three silent models holds no more
LENGTHS = 3  # a run is so many times as long as one of saturation: 1,800 calls, 18 of them above the p99
_WARM_MS = 500

TITLE = "Latency"
METHOD = (
    f"Open loop, Poisson arrivals, {RATE} calls a second (LiteLLM: {RATE_OF_LITELLM}), latency from the instant a call "
    "was due; live and shadows answer after 20 ms, so that the shadows' answers come together with live's. “Added” is "
    "beside direct in the same round. The connection that was idle last is used first, as pools of clients do."
)


def measure(bench: Bench) -> Results:
    """All systems, with 0, 1 and 3 shadows where they can."""
    wanted = kinds(
        ("direct", [0]),
        ("nginx", [0, 1, 3]),
        ("haproxy", [0]),
        ("understudy", [0, 1, 3]),
        ("understudy+lane", [1, 3]),
        ("portkey", [0]),
        ("litellm", [0, 1, 3]),
    )
    loads = {kind: open_loop(bench, RATE_OF_LITELLM if kind.name == "litellm" else RATE) for kind in wanted}
    return interleaved(bench, AFTER_20_MS, loads)


def open_loop(bench: Bench, rate: float) -> Load:
    """Calls at random instants, the same in every run."""
    seconds = bench.seconds * (1 if bench.quick else LENGTHS)
    words = {"conns": 128, "rate": rate, "seconds": seconds, "warm_ms": _WARM_MS, "answer": CONTENT_BYTES, "seed": 7}
    return Load("open", words)


def table(figures: Figures) -> str:
    """One row per system and number of shadows."""
    return latency_table(figures, "direct:0")


def latency_table(figures: Figures, direct: str) -> str:
    """Latency of live, what is added to direct, and the cost."""
    columns = "system|shadows|p50 ms|p99 ms|added p50|added p99|CPU µs/call|arrived|pairs|bad"
    rows = []
    for label in figures.results:
        name, shadows = split(label)
        rows.append(
            [
                name,
                str(shadows),
                figures.show(label, "latency_ms.p50", ".2f"),
                figures.show(label, "latency_ms.p99", ".2f"),
                *(_added_text(figures, label, direct, mark) for mark in ("p50", "p99")),
                f"{figures.middle(label, 'cpu_us'):,.0f}",
                share(figures.middle(label, "whole")),
                share(figures.middle(label, "pairs")),
                str(figures.total(label, "bad")),
            ]
        )
    return markdown(columns.split("|"), rows)


def added(figures: Figures, label: str, other: str, mark: str) -> float:
    """The median over the rounds of the difference in the same round, in ms."""
    both = zip(figures.results[label], figures.results[other], strict=True)
    rounds = [{"value": mine["latency_ms"][mark] - its["latency_ms"][mark]} for mine, its in both]
    return Figures({"difference": rounds}).middle("difference", "value")


def _added_text(figures: Figures, label: str, direct: str, mark: str) -> str:
    return f"{added(figures, label, direct, mark):+.2f}" if figures.has(direct) and label != direct else NONE


def goals(figures: Figures) -> list[Goal]:
    """Added to direct; and the p99 with three shadows beside the p99 without."""
    found = []
    if figures.has("understudy:0", "direct:0"):
        found += [_added_goal(figures, "p50", 0.5), _added_goal(figures, "p99", 3.0)]
    for own in ("understudy:3", "understudy+lane:3"):
        if figures.has(own, "understudy:0"):
            times = figures.times(own, "understudy:0", "latency_ms.p99")
            text = f"p99, {own} beside none"
            found.append(figures.goal(text, "≤ 1.2 ×", f"{times:.2f} ×", times <= 1.2, own))
    return found


def _added_goal(figures: Figures, mark: str, most: float) -> Goal:
    own = "understudy:0"
    more = added(figures, own, "direct:0", mark)
    return figures.goal(
        f"added {mark} at {RATE} calls/s, {own}", f"≤ +{most:g} ms", f"{more:+.2f} ms", more <= most, own
    )
