"""Rounds interleaved over all systems, so that what disturbs the machine disturbs all alike. Used by the scenarios."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from tests.bench.measure import Load, Sample, measure
from tests.bench.processes import NotStarted
from tests.bench.rig import Rig
from tests.bench.systems import STARTERS, Kind, Start, System

FIRST_PORT = 22100

Results = dict[str, list[Sample]]
"""By label, one sample per round."""


@dataclass(frozen=True)
class Bench:
    """What a scenario gets: the rig, the programs that are here, how long to measure, and who is left out."""

    rig: Rig
    programs: Mapping[str, str]
    rounds: int
    seconds: int
    quick: bool
    absent: dict[str, str] = field(default_factory=dict)

    def start(self, stack: ExitStack, kind: Kind, upstreams: tuple[int, ...], port: int) -> System | None:
        """Start one system; None when it is not here or does not come up, which is noted."""
        if kind.name in self.absent or kind.label in self.absent:
            return None
        start = Start(self.rig, kind, port, upstreams, self.programs)
        try:
            return stack.enter_context(STARTERS[kind.name](start))
        except (NotStarted, OSError) as error:
            self.absent[kind.label] = f"did not start: {error}"
            note(f"{kind.label} left out, {self.absent[kind.label]}")
            return None


def interleaved(bench: Bench, upstreams: tuple[int, ...], loads: Mapping[Kind, Load]) -> Results:
    """All systems stay up; a first short round warms them and is not counted."""
    results: Results = defaultdict(list)
    with ExitStack() as stack:
        systems = [bench.start(stack, kind, upstreams, FIRST_PORT + i) for i, kind in enumerate(loads)]
        up = [system for system in systems if system is not None]
        for system in up:
            measure(bench.rig, system, _short(loads[system.kind]))
        for number in range(1, bench.rounds + 1):
            for system in up:
                _keep(bench, results, system, loads[system.kind], number)
    return results


def fresh(bench: Bench, upstreams: tuple[int, ...], loads: Mapping[Kind, Load]) -> Results:
    """Each system is started anew in each round, one at a time: for memory, which a process seldom gives back."""
    results: Results = defaultdict(list)
    for number in range(1, bench.rounds + 1):
        for index, (kind, load) in enumerate(loads.items()):
            with ExitStack() as stack:
                system = bench.start(stack, kind, upstreams, FIRST_PORT + index)
                if system is not None:
                    measure(bench.rig, system, _short(load))
                    _keep(bench, results, system, load, number)
    return results


def kinds(*wanted: tuple[str, Sequence[int]]) -> list[Kind]:
    """Systems with their numbers of shadows, few shadows first."""
    found = [Kind(name, shadows) for name, numbers in wanted for shadows in numbers]
    return sorted(found, key=lambda kind: kind.shadows)


def note(text: str) -> None:
    """Progress goes to stderr; the tables go to stdout."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _keep(bench: Bench, results: Results, system: System, load: Load, number: int) -> None:
    sample = measure(bench.rig, system, load)
    results[system.kind.label].append(sample)
    marks = sample["first_ms"] if sample["first_ms"]["n"] else sample["latency_ms"]
    pairs = "" if sample["pairs"] is None else f", pairs {sample['pairs']:.1%}"
    note(
        f"round {number}/{bench.rounds} {system.kind.label:18} {sample['rate']:9,.0f}/s, "
        f"p50 {marks.get('p50', 0):.2f}, p99 {marks.get('p99', 0):.2f} ms, CPU {sample['cpu_us']:.1f} µs, "
        f"bad {sample['bad']}{pairs}, foreign {sample['foreign']:.2f}"
    )


def _short(load: Load) -> Load:
    words = dict(load.words)
    words |= {name: value for name, value in (("seconds", 1), ("streams", 20)) if name in words}
    return replace(load, words=words, memory=False)
