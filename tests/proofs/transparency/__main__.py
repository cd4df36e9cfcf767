"""`python -m tests.proofs.transparency [NAME …]`: every proof in full, as a table with N beside each zero.

NAMES: differential, json, statuses, idle, cuts, splits, deaths, leaving, memory, pipelining; default: all.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tests.proofs.transparency import idle, json_texts, leaving, memory, pipelining, statuses, streams
from tests.proofs.transparency.differential import Found, compare, generated
from tests.proofs.transparency.papers import Papers
from tests.proofs.transparency.rig import row, say
from tests.proofs.transparency.rig import run as run_within

SEED = 20
CASES = 20_000
FEW = 1000
_LIMIT = 1800.0  # seconds for one proof

T = TypeVar("T")


def run(proof: Coroutine[Any, Any, T]) -> T:
    """Run a proof in full."""
    return run_within(proof, _LIMIT)


def _found(name: str, found: Found, note: str = "") -> str:
    for kind in found.told.values():
        say(*kind, sep="\n")
    return found.line(name, note)


def _differential() -> Iterator[str]:
    yield _found("generated exchanges", run(generated(SEED, CASES)), f"seed {SEED}")
    found = run(generated(SEED, CASES, shadows=True))
    yield _found("generated exchanges beside two shadows", found, f"seed {SEED}; {found.shadowed:,} copies")
    yield _found("generated exchanges, workers: 2", run(generated(SEED, FEW, workers=2)), f"seed {SEED}")
    with tempfile.TemporaryDirectory(prefix="us-") as folder:
        papers = Papers.made_in(Path(folder))
        yield _found("generated exchanges, TLS both ways", run(generated(SEED, FEW, papers=papers)), f"seed {SEED}")


def _json() -> Iterator[str]:
    yield _found("odd JSON, both ways", run(compare(json_texts.cases())), f"{len(json_texts.TEXTS)} texts")


def _statuses() -> Iterator[str]:
    yield _found("every status from 200", run(compare(statuses.final())))
    yield _found("every interim status from 102", run(compare(statuses.interim())))


def _idle() -> Iterator[str]:
    for limit, lanes, delay in idle.LIMITS:
        tally = run(idle.around_idle_close(limit, 4000, lanes, delay, direct=True))
        yield tally.line(f"calls around an idle close after {limit} s, direct", tally.failed + tally.repeated)
        tally = run(idle.around_idle_close(limit, 4000, lanes, delay))
        yield tally.line(f"calls around an idle close after {limit} s", tally.failed + tally.repeated)
        tally = run(idle.around_idle_close(limit, 4000, lanes, delay, seen=True))
        yield tally.line(f"the same, one close seen before, after {limit} s", tally.failed + tally.repeated)


def _cuts() -> Iterator[str]:
    tally = run(idle.cut_exchanges(1000))
    yield tally.line("POSTs cut by the upstream, executed twice", tally.repeated)


def _splits() -> Iterator[str]:
    passed = run(streams.split_at(range(1, len(streams.STREAM))))
    yield row("streams split at every byte", passed.streams, len(passed.wrong), f"{passed.pieces:,} pieces waited for")
    passed = run(streams.in_pieces(16, 40))
    yield row("pieces waited for", passed.pieces, len(passed.wrong), f"{passed.streams} streams")


def _deaths() -> Iterator[str]:
    for name, deaths in run(streams.die(200)).items():
        yield streams.death_line(name, deaths)


def _leaving() -> Iterator[str]:
    yield run(leaving.leave(5000)).line(f"clients that leave, told later than {leaving.LIMIT:.0f} s")


def _memory() -> Iterator[str]:
    for chunks in (False, True):
        how = "in chunks" if chunks else "with a length"
        yield run(memory.upload(1024, chunks)).line(f"MB uploaded {how}")
        yield run(memory.download(1024, chunks)).line(f"MB downloaded {how}")
    for kept in (64 << 10, memory.MEGA):
        name = f"slow readers, {kept >> 10} KiB kept for the record"
        yield run(memory.slow_readers(200, memory.SLOW, kept)).line(name)


def _pipelining() -> Iterator[str]:
    yield run(pipelining.mixes(500)).line("pipelined requests to a lying upstream")
    yield run(pipelining.trailers(300)).line("trailers before another request")
    yield run(pipelining.expectations(200)).line("100-continue expected")


PROOFS: dict[str, Callable[[], Iterator[str]]] = {
    "differential": _differential,
    "json": _json,
    "statuses": _statuses,
    "idle": _idle,
    "cuts": _cuts,
    "splits": _splits,
    "deaths": _deaths,
    "leaving": _leaving,
    "memory": _memory,
    "pipelining": _pipelining,
}


def main(names: list[str]) -> int:
    """Print the table; 2 for a name that is none."""
    unknown = set(names) - PROOFS.keys()
    if unknown:
        say(f"no such proof: {', '.join(sorted(unknown))}; there are: {', '.join(PROOFS)}")
        return 2
    print("| proof | N | wrong | |\n|---|---|---|---|", flush=True)
    for name in names or PROOFS:
        for line in PROOFS[name]():
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
