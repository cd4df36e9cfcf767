"""Large bodies: requests of 20 MB, answers of 64 KiB, and whether memory grows with them."""

from __future__ import annotations

from dataclasses import replace

from tests.bench.figures import NONE, Figures, Goal, markdown, share, split
from tests.bench.measure import Load
from tests.bench.rig import AT_ONCE, CONTENT_BYTES, LARGE_ANSWERS, LARGE_BYTES
from tests.bench.rounds import Bench, Results, fresh, kinds

BODY_BYTES, UPLOADS, DOWNLOADS = 20_000_000, 4, 16
FLAT = 16 << 20  # bytes; four bodies of 20 MB in hand would be 80 MB

TITLE = "Large bodies"
METHOD = (
    f"Requests of 20 MB on {UPLOADS} connections with answers of 1.5 kB; requests of 1 kB on {DOWNLOADS} connections "
    "with answers of 64 KiB. Memory is what a fresh process grew by meanwhile. nginx without mirrors passes a request "
    "on while it comes (proxy_request_buffering off); with mirrors it must read it to its end first. Ours does not "
    "copy a request above capture.max_body (1 MiB) to shadows, and counts it."
)


def measure(bench: Bench) -> Results:
    """Uploads and downloads as rows of their own: `up nginx:0`, `down nginx:0`."""
    wanted = kinds(
        ("direct", [0]), ("nginx", [0, 1]), ("haproxy", [0]), ("understudy", [0, 1]), ("understudy+lane", [1])
    )
    up = Load("closed", {"conns": UPLOADS, "seconds": bench.seconds, "body": BODY_BYTES, "answer": CONTENT_BYTES})
    down = Load("closed", {"conns": DOWNLOADS, "seconds": bench.seconds, "answer": LARGE_BYTES})
    results: Results = {}
    for way, load, upstreams in (("up", up, AT_ONCE), ("down", down, LARGE_ANSWERS)):
        found = fresh(bench, upstreams, dict.fromkeys(wanted, replace(load, memory=True)))
        results |= {f"{way} {label}": _with_rates(way, samples) for label, samples in found.items()}
    return results


def _with_rates(way: str, samples: list[dict]) -> list[dict]:
    for sample in samples:
        calls = max(1, sample["good"])
        sample["mb_per_s"] = sample["rate"] * sample["sent_bytes" if way == "up" else "answer_bytes"] / calls / 1e6
        sample["grown"] = sample["memory_peak"] - sample["memory_before"]
    return samples


def table(figures: Figures) -> str:
    """One row per way, system and number of shadows."""
    columns = "way|system|shadows|MB/s|calls/s|CPU ms/MB|memory grew, MiB|arrived|pairs|bad"
    rows = []
    for label in figures.results:
        way, _, system = label.partition(" ")
        name, shadows = split(system)
        mb_per_call = figures.middle(label, "mb_per_s") / max(0.001, figures.middle(label, "rate"))
        rows.append(
            [
                {"up": "20 MB request", "down": "64 KiB answer"}[way],
                name,
                str(shadows),
                figures.show(label, "mb_per_s", ",.0f"),
                f"{figures.middle(label, 'rate'):,.0f}",
                f"{figures.middle(label, 'cpu_us') / 1e3 / max(1e-9, mb_per_call):.2f}" if name != "direct" else NONE,
                f"{figures.middle(label, 'grown') / (1 << 20):.1f}" if name != "direct" else NONE,
                share(figures.middle(label, "whole")),
                share(figures.middle(label, "pairs")),
                str(figures.total(label, "bad")),
            ]
        )
    return markdown(columns.split("|"), rows)


def goals(figures: Figures) -> list[Goal]:
    """Throughput beside nginx with as many mirrors; memory flat while 20 MB bodies pass."""
    found = []
    for way, system in ((way, system) for way in ("up", "down") for system in ("understudy:0", "understudy:1")):
        own, nginx = f"{way} {system}", f"{way} nginx:{split(system)[1]}"
        if not figures.has(own, nginx):
            continue
        times = figures.times(own, nginx, "mb_per_s")
        text = f"throughput, {own} beside {nginx}"
        # Bodies above capture.max_body make no pairs by design: only bad answers speak against these figures.
        bad = figures.total(own, "bad")
        found.append(Goal(text, "≥ 0.5 ×", f"{times:.2f} ×; {bad} bad", times >= 0.5 and not bad))
        if way == "up":
            grown = max(figures.rows(own, "grown"))
            found.append(
                Goal(f"memory grown, {own}", "≤ 16 MiB", f"{grown / (1 << 20):.1f} MiB", grown <= FLAT and not bad)
            )
    return found
