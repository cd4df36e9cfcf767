"""Planted beside found: which signals of a report are beyond chance, and which planted fault explains each.

Pure; reads the same JSON that `report --json` prints, so whatever it finds a user could have found. Neighbours:
faults (what was planted), run (prints it).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evaluators.core.stats.eprocess import sequential_mcnemar_one_sided
from evaluators.core.stats.evidence import e_bh
from evaluators.core.stats.interval import wilson
from evaluators.demo.faults import FAULTY, Fault, Signal

Json = Mapping[str, Any]

ALPHA = 0.05
SLOWER = 1.25
"""A latency ratio counts as found when its whole interval lies above this: a quarter slower is worth a look."""

_CERTAIN = 1e12  # stands for an e-value where the report itself already decided (flags, intervals)


@dataclass(frozen=True, slots=True)
class Found:
    """One signal beyond chance."""

    candidate: str
    signal: Signal
    value: float  # rate, difference of rates, or ratio
    interval: tuple[float, float]
    e_value: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the demo prints at the end."""

    planted: tuple[Json, ...]
    found: tuple[Json, ...]
    missed: tuple[str, ...]
    unplanted: tuple[Json, ...]

    @property
    def exact(self) -> bool:
        """Every planted fault was found, and nothing else."""
        return not self.missed and not self.unplanted


def compare(report: Json, faults: Sequence[Fault]) -> Comparison:
    """Set what was planted in the faulty candidate beside every signal of every candidate."""
    signals = beyond_chance(report)
    mine = {found.signal: found for found in signals if found.candidate == FAULTY}
    found = [{"fault": fault.name, **_shown(mine[fault.proof])} for fault in faults if fault.proof in mine]
    return Comparison(
        planted=tuple(_planted(fault) for fault in faults),
        found=tuple(found),
        missed=tuple(fault.name for fault in faults if fault.proof not in mine),
        unplanted=tuple(
            _shown(signal) for signal in signals if signal.candidate != FAULTY or not _explained(signal.signal, faults)
        ),
    )


def beyond_chance(report: Json) -> list[Found]:
    """Every signal of the report that e-BH lets stand at 5 %, over all candidates together."""
    signals = [found for candidate in report["candidates"] for found in _signals(candidate)]
    standing = e_bh({str(index): found.e_value for index, found in enumerate(signals)}, ALPHA)
    return [found for index, found in enumerate(signals) if str(index) in standing]


def _signals(candidate: Json) -> Iterator[Found]:
    for check in candidate["checks"]:
        yield from _check(candidate["name"], check)
    for row in candidate["slices"]:
        if row["flagged"]:
            answered = row["answered"]
            signal = Signal("check", row["check"], row["slice"])
            yield Found(candidate["name"], signal, answered["value"], _ends(answered), _CERTAIN)
    yield from _kinds(candidate)
    yield from _latency(candidate)


def _check(candidate: str, check: Json) -> Iterator[Found]:
    signal = Signal("check", check["check"])
    if check["kind"] == "assertion":
        pair = check["answered"]
        evidence = _e(pair["regressed"], pair["fixed"])
        yield Found(candidate, signal, pair["difference"], _ends(pair), evidence)
        return
    excess = check["excess"]
    evidence = _e(excess["candidate_only"], excess["control_only"])
    yield Found(candidate, signal, excess["value"], _ends(excess), evidence)
    judged = check["answered"]["n"]
    for path in check["paths"]:
        here, noise = round(path["candidate"] * path["n"]), round(path["noise"] * path["n"])
        if judged:
            place = Signal("path", f"{check['check']} {path['path']}")
            yield Found(candidate, place, here / judged, _wilson(here, judged), _e(here, noise))


def _kinds(candidate: Json) -> Iterator[Found]:
    kinds, pairs = candidate["outcomes"]["kinds"], candidate["pairs"]
    for kind, count in kinds["candidate"].items():
        evidence = _e(count, kinds["live"].get(kind, 0))
        yield Found(candidate["name"], Signal("kind", kind), count / pairs, _wilson(count, pairs), evidence)


def _latency(candidate: Json) -> Iterator[Found]:
    for metric, both in candidate["latency"].items():
        ratio = both["ratio"]["p50"]
        if metric != "gap" and ratio["interval"]:
            evidence = _CERTAIN if ratio["interval"][0] > SLOWER else 0.0
            yield Found(candidate["name"], Signal("latency", metric), ratio["value"], _ends(ratio), evidence)


def _explained(signal: Signal, faults: Sequence[Fault]) -> bool:
    return any(_explains(fault, signal) for fault in faults)


def _explains(fault: Fault, signal: Signal) -> bool:
    if signal == fault.proof:
        return True
    name = signal.name.split(" ")[0]  # a path signal is "check path"
    if name not in fault.explains and name != fault.proof.name:
        return False
    return not signal.slice or not fault.slices.isdisjoint(signal.slice.split(" & "))


def _planted(fault: Fault) -> Json:
    return {"fault": fault.name, "what": fault.what, "rate": fault.seen, "among": fault.among} | {
        "shows_as": asdict(fault.proof)
    }


def _shown(found: Found) -> Json:
    shown = {"candidate": found.candidate, **asdict(found.signal), "value": round(found.value, 4)}
    return {**shown, "interval": [round(end, 4) for end in found.interval]}


def _ends(estimate: Json) -> tuple[float, float]:
    low, high = estimate["interval"]
    return float(low), float(high)


def _e(worse: int, better: int) -> float:
    return math.exp(min(690.0, sequential_mcnemar_one_sided(worse, better)))


def _wilson(k: int, n: int) -> tuple[float, float]:
    interval = wilson(min(k, n), n)
    return interval.low, interval.high
