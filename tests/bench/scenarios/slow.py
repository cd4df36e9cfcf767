"""What shadows that take 500 ms do to a live that takes 10 ms: they shall do nothing."""

from __future__ import annotations

from tests.bench.figures import Figures, Goal
from tests.bench.rig import SLOW_SHADOWS
from tests.bench.rounds import Bench, Results, interleaved, kinds
from tests.bench.scenarios.latency import RATE, RATE_OF_LITELLM, added, latency_table, open_loop

TITLE = "Slow shadows"
METHOD = (
    f"Open loop, Poisson arrivals, {RATE} calls a second (LiteLLM: {RATE_OF_LITELLM}), live's latency from the instant "
    "a call was due; live answers after 10 ms, every shadow after 500 ms. nginx keeps a client's connection until its "
    "mirrors have answered, and a pool of connections meets it again at once."
)


def measure(bench: Bench) -> Results:
    """With 0, 1 and 3 shadows."""
    wanted = kinds(
        ("direct", [0]),
        ("nginx", [0, 1, 3]),
        ("understudy", [0, 1, 3]),
        ("understudy+lane", [1, 3]),
        ("litellm", [0, 1, 3]),
    )
    loads = {kind: open_loop(bench, RATE_OF_LITELLM if kind.name == "litellm" else RATE) for kind in wanted}
    return interleaved(bench, SLOW_SHADOWS, loads)


def table(figures: Figures) -> str:
    """One row per system and number of shadows."""
    return latency_table(figures, "direct:0")


def goals(figures: Figures) -> list[Goal]:
    """“As without shadows” within what 200 calls a second may add at all: 0.5 ms at the median, 3 ms at the p99."""
    found = []
    for own in ("understudy:1", "understudy:3", "understudy+lane:1", "understudy+lane:3"):
        for mark, most in (("p50", 0.5), ("p99", 3.0)):
            if figures.has(own, "understudy:0"):
                more = added(figures, own, "understudy:0", mark)
                text = f"live {mark} with slow shadows, {own} beside none"
                found.append(figures.goal(text, f"≤ +{most:g} ms", f"{more:+.2f} ms", more <= most, own))
    return found
