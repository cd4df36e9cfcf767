"""Many open streams: the first byte, how late events are, what an event costs, what a stream keeps in memory."""

from __future__ import annotations

from tests.bench.figures import NONE, Figures, Goal, markdown, share, split
from tests.bench.measure import Load
from tests.bench.rig import EVENTS, INTERVAL_MS, STREAMING
from tests.bench.rounds import Bench, Results, fresh, kinds

STREAMS, STREAMS_OF_LITELLM, STREAMS_IF_QUICK = 1000, 15, 100  # LiteLLM relays about 1,000 events a second on a core
_MEMORY = "memory_per_stream"

TITLE = "Streams"
METHOD = (
    f"{STREAMS:,} streams (LiteLLM: {STREAMS_OF_LITELLM}) begin within one second, each on a connection of its own; "
    f"{EVENTS} events of about 200 B, {INTERVAL_MS} ms apart, the first after 10 ms. First byte from the instant a "
    "stream was due, less these 10 ms; an event is late from the instant the model sent it. Every event is checked for "
    "its place. Memory: the most that the system's processes held meanwhile, less what they held before, by the number "
    "of streams; a fresh process in every round."
)


def measure(bench: Bench) -> Results:
    """Systems with shadows too: ours also keeps the streams' text."""
    wanted = kinds(
        ("direct", [0]),
        ("nginx", [0, 1]),
        ("haproxy", [0]),
        ("understudy", [0, 1]),
        ("understudy+lane", [1]),
        ("litellm", [0, 1]),
    )
    most = STREAMS_IF_QUICK if bench.quick else STREAMS
    counts = {kind: STREAMS_OF_LITELLM if kind.name == "litellm" else most for kind in wanted}
    loads = {
        kind: Load("streams", {"streams": count, "over_ms": 1000, "events": EVENTS}, events=EVENTS, memory=True)
        for kind, count in counts.items()
    }
    results = fresh(bench, STREAMING, loads)
    counted = {kind.label: count for kind, count in counts.items()}
    for label, samples in results.items():
        for sample in samples:
            grown = sample["memory_peak"] - sample["memory_before"]
            sample |= {"streams": counted[label], _MEMORY: grown / counted[label] if label != "direct:0" else None}
    return results


def table(figures: Figures) -> str:
    """One row per system and number of shadows."""
    columns = (
        "system|shadows|streams|first byte p50 ms|p99 ms|event late p50 ms|p99 ms|CPU µs/event|KiB/stream|"
        "arrived|pairs|bad"
    )
    rows = []
    for label in figures.results:
        name, shadows = split(label)
        kept = figures.middle(label, _MEMORY)
        rows.append(
            [
                name,
                str(shadows),
                f"{figures.middle(label, 'streams'):,.0f}",
                f"{first_byte(figures, label, 'p50'):.2f}",
                f"{first_byte(figures, label, 'p99'):.2f}",
                f"{figures.middle(label, 'late_ms.p50'):.2f}",
                f"{figures.middle(label, 'late_ms.p99'):.2f}",
                f"{figures.middle(label, 'cpu_us'):.1f}",
                f"{kept / 1024:.0f}" if kept == kept else NONE,
                share(figures.middle(label, "whole")),
                share(figures.middle(label, "pairs")),
                str(figures.total(label, "bad")),
            ]
        )
    return markdown(columns.split("|"), rows)


def first_byte(figures: Figures, label: str, mark: str) -> float:
    """Beyond the 10 ms that the model takes."""
    return figures.middle(label, f"first_ms.{mark}") - 10


def goals(figures: Figures) -> list[Goal]:
    """Beside nginx; memory for itself."""
    found = []
    for own in ("understudy:0", "understudy:1", "understudy+lane:1"):
        nginx = f"nginx:{split(own)[1]}"
        if not figures.has(own, nginx):
            continue
        more = first_byte(figures, own, "p99") - first_byte(figures, nginx, "p99")
        kept = figures.middle(own, _MEMORY) / 1024
        times = figures.times(own, nginx, "cpu_us")
        found += [
            figures.goal(f"first byte p99, {own} beside {nginx}", "≤ +5 ms", f"{more:+.1f} ms", more <= 5, own),
            figures.goal(f"memory per stream, {own}", "≤ 64 KiB", f"{kept:.0f} KiB", kept <= 64, own),
            figures.goal(f"CPU per event, {own} beside {nginx}", "≤ 2 ×", f"{times:.2f} ×", times <= 2, own),
        ]
    return found
