"""`./run bench`: calls per second and CPU per call beside nginx `mirror` and LiteLLM, interleaved in one run.

Needs Linux, two cores, `nginx` and `wrk` (Debian: apt install nginx-light wrk). LiteLLM is measured when a virtual
environment of its own holds it: `python3 -m venv V && V/bin/pip install 'litellm[proxy]'`, then
`./run bench --litellm V/bin/litellm`.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import redis

from tests.bench import measure, systems

SHADOWS = (0, 1, 3)


def main() -> int:
    """Run the rounds and print the table; gives the exit code."""
    arguments = _arguments()
    missing = [tool for tool in ("nginx", "wrk", "taskset") if shutil.which(tool) is None]
    if missing:
        print(
            f"bench: missing {', '.join(missing)}; on Debian: apt install nginx-light wrk util-linux", file=sys.stderr
        )
        return 2
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="understudy-bench-")))
        queue = stack.enter_context(systems.queue(folder))
        stack.enter_context(systems.upstreams(folder))
        started = _start(stack, folder, queue, arguments.litellm)
        samples = _rounds(started, arguments, folder, redis.Redis.from_url(queue))
    print(_table(samples, arguments))
    if arguments.json:
        raw = {label: [vars(sample) for sample in found] for label, found in samples.items()}
        Path(arguments.json).write_text(json.dumps({"machine": _machine(), "samples": raw}, indent=1))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of load per system and round")
    parser.add_argument(
        "--litellm", default=shutil.which("litellm"), help="the litellm program, if it is to be measured"
    )
    parser.add_argument("--json", help="write every sample to this file")
    return parser.parse_args()


def _start(stack: ExitStack, folder: Path, queue: str, litellm: str | None) -> list[systems.System]:
    started = []
    for index, shadows in enumerate(SHADOWS):
        started.append(stack.enter_context(systems.nginx(folder, shadows, 22100 + index)))
        started.append(stack.enter_context(systems.understudy(folder, shadows, 22200 + index, queue)))
        if litellm:
            started.append(stack.enter_context(systems.litellm(folder, shadows, 22300 + index, litellm)))
        print(f"bench: all systems with {shadows} shadows are up", file=sys.stderr)
    return started


def _rounds(
    started: list[systems.System], arguments: argparse.Namespace, folder: Path, queue: redis.Redis
) -> dict[str, list[measure.Sample]]:
    samples: dict[str, list[measure.Sample]] = defaultdict(list)
    for number in range(arguments.rounds + 1):  # the first warms up and is not counted
        for system in started:
            sample = measure.run(system, 1 if number == 0 else arguments.seconds, folder)
            queue.delete(*(f"bench:{shadows}" for shadows in SHADOWS))
            if number:
                samples[system.label].append(sample)
                print(f"bench: round {number}/{arguments.rounds} {system.label:14} {sample}", file=sys.stderr)
    return samples


def _table(samples: dict[str, list[measure.Sample]], arguments: argparse.Namespace) -> str:
    lines = [
        f"{_machine()}; {arguments.rounds} rounds of {arguments.seconds} s, interleaved, medians; "
        f"{measure.CONNECTIONS} connections, 1 kB requests, 1.5 kB answers, one core for the system",
        "",
        "| system | shadows | calls/s | CPU µs/call | CPU × nginx | calls/s × LiteLLM | bad |",
        "|---|---|---|---|---|---|---|",
    ]
    middle = {label: _median(found) for label, found in samples.items()}
    for label, (rate, cpu, bad) in middle.items():
        name, shadows = label.split(":")
        nginx_cpu = middle[f"nginx:{shadows}"][1]
        lite = middle.get(f"litellm:{shadows}")
        against = f"{rate / lite[0]:.0f}" if lite else "–"
        lines.append(f"| {name} | {shadows} | {rate:,.0f} | {cpu:,.0f} | {cpu / nginx_cpu:.2f} | {against} | {bad} |")
    return "\n".join(lines)


def _median(found: list[measure.Sample]) -> tuple[float, float, int]:
    return (
        statistics.median(sample.calls_per_second for sample in found),
        statistics.median(sample.cpu_us for sample in found),
        sum(sample.bad for sample in found),
    )


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
