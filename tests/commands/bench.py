"""`./run bench`: the proxy beside nginx `mirror`, HAProxy, LiteLLM's silent model and Portkey's gateway, in one run.

Needs Linux, two cores and a C compiler; the load generator and the fake models are compiled at the start. A system that
is not installed is left out, with a line that says how to get it. Tables go to stdout, progress to stderr.

`./run bench statistics` simulates instead what the gates promise, in about a minute: no compiler, no other system.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

from evaluators.queue_server import NoServer
from tests.bench import chart, statistics
from tests.bench.figures import Figures, Goal, markdown
from tests.bench.machine import machine, versions
from tests.bench.processes import REST, NotStarted
from tests.bench.rig import NoCompiler, rig
from tests.bench.rounds import Bench, note
from tests.bench.scenarios import bodies, latency, saturation, slow, streams, worker
from tests.bench.systems import missing

SCENARIOS: Mapping[str, ModuleType] = {
    "saturation": saturation,
    "latency": latency,
    "slow": slow,
    "streams": streams,
    "bodies": bodies,
    "worker": worker,
}


def main(words: Sequence[str] | None = None) -> int:
    """Measure, or read what was measured; print, and write what was asked for. Gives the exit code."""
    given = list(sys.argv[1:] if words is None else words)
    if given == ["statistics"]:
        print(statistics.table())
        return 0
    arguments = _arguments(given)
    try:
        data = json.loads(Path(arguments.read).read_text()) if arguments.read else _measured(arguments)
    except (NoCompiler, NoServer, NotStarted, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(data, indent=1))
    print(report(data))
    if arguments.chart:
        Path(arguments.chart).write_text(chart.draw(data))
    return 0


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--only", type=_scenarios, default=list(SCENARIOS), help=f"of {', '.join(SCENARIOS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--seconds", type=int, default=3, help="of load per system and round; latency takes three times"
    )
    parser.add_argument("--quick", action="store_true", help="one short round with few streams: does it work at all?")
    parser.add_argument("--litellm", default=shutil.which("litellm"), help="the program, in an environment of its own")
    parser.add_argument("--portkey", help="the folder where npm installed @portkey-ai/gateway, or its start-server.js")
    parser.add_argument("--json", help="write every sample to this file")
    parser.add_argument("--chart", help="write the picture to this file")
    parser.add_argument("--from", dest="read", help="measure nothing: read such a --json file")
    arguments = parser.parse_args(words)
    if arguments.quick:
        arguments.rounds = arguments.seconds = 1
    if min(arguments.rounds, arguments.seconds) < 1:
        parser.error("--rounds and --seconds must be at least 1")
    return arguments


def _scenarios(text: str) -> list[str]:
    chosen = text.split(",")
    if unknown := [name for name in chosen if name not in SCENARIOS]:
        raise argparse.ArgumentTypeError(f"no such scenario: {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    return chosen


def _measured(arguments: argparse.Namespace) -> dict[str, Any]:
    if (os.cpu_count() or 1) < 2 or shutil.which("taskset") is None:
        raise NotStarted("two cores and `taskset` are needed; on Debian: apt install util-linux")
    programs = {
        name: str(Path(path).resolve()) for name in ("litellm", "portkey") if (path := getattr(arguments, name))
    }
    absent = missing({"litellm": programs.get("litellm"), "portkey": programs.get("portkey")})
    for name, remedy in absent.items():
        note(f"{name} is left out: {remedy}")
    os.sched_setaffinity(0, {REST})
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="us-bench-")))
        found = stack.enter_context(rig(folder))
        bench = Bench(found, programs, arguments.rounds, arguments.seconds, arguments.quick, dict(absent))
        scenarios = {}
        for name in arguments.only:
            note(f"{name}: starting the systems")
            scenarios[name] = SCENARIOS[name].measure(bench)
    return {
        "machine": machine(),
        "versions": versions(programs, absent),
        "options": {"rounds": arguments.rounds, "seconds": arguments.seconds, "quick": arguments.quick},
        "absent": bench.absent,
        "scenarios": scenarios,
    }


def report(data: Mapping[str, Any]) -> str:
    """Everything as Markdown: what it ran on, a table per scenario, and the goals."""
    options = data["options"]
    parts = [
        f"{', '.join(data['machine'].values())}. "
        f"{', '.join(f'{name} {version}' for name, version in data['versions'].items())}.",
        f"Medians of {options['rounds']} rounds of {options['seconds']} s (lowest–highest), interleaved over all "
        "systems; one core for the system, the other for load, models and queue.",
        *(f"Left out: {name}: {why}" for name, why in data["absent"].items()),
    ]
    if options["quick"]:
        parts.append("**A quick run: its figures show that it works, not how fast.**")
    goals: list[Goal] = []
    for name, results in data["scenarios"].items():
        figures, scenario = Figures(results), SCENARIOS[name]
        parts += [f"### {scenario.TITLE}", scenario.METHOD, scenario.table(figures), *_foreign(figures)]
        goals += scenario.goals(figures)
    rows = [[goal.text, goal.wanted, goal.measured, "yes" if goal.met else "**no**"] for goal in goals]
    return "\n\n".join([*parts, "### Goals", markdown(["", "goal", "measured", "met"], rows)])


def _foreign(figures: Figures) -> list[str]:
    """Says so when others used the machine meanwhile."""
    worst = max((figures.middle(label, "foreign") for label in figures.results), default=0.0)
    late = max((figures.middle(label, "model_late_us") for label in figures.results), default=0.0)
    return [
        f"Work of others meanwhile: up to {worst:.2f} cores (median of the rounds, worst system); the models' timers "
        f"were late by up to {late / 1e3:.1f} ms (p99)."
    ]


if __name__ == "__main__":
    sys.exit(main())
