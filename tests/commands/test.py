"""`./run test [--all] [pytest arguments]`: the tests; the long proofs only with --all.

Without further arguments in two runs: rooms whose tests only compute share the cores, and then, one at a time, those
that wait for sockets, processes and clocks, which neighbours would disturb.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

COMPUTING = (
    "tests/config",
    "tests/evaluators/checks",
    "tests/evaluators/core",
    "tests/evaluators/importing",
    "tests/evaluators/dashboard",
)


def runs(given: list[str]) -> list[list[str]]:
    """What pytest gets, run by run."""
    if set(given) - {"--all"}:
        return [arguments(given)]
    rest = [f"--ignore={room}" for room in COMPUTING]
    return [arguments([*given, "-n", "auto", *COMPUTING]), arguments([*given, *rest])]


def arguments(given: list[str]) -> list[str]:
    """What pytest gets in one run: `--all` is ours, and without it the proofs are left out unless `-m` chooses."""
    rest = [one for one in given if one != "--all"]
    chosen = any(one == "-m" or one.startswith("-m=") for one in rest)
    return rest if "--all" in given or chosen else ["-m", "not proof", *rest]


def main() -> int:
    """Run pytest from the root of the repository; our exit code is that of the first run that failed."""
    os.chdir(ROOT)
    codes = [subprocess.call([sys.executable, "-m", "pytest", *one]) for one in runs(sys.argv[1:])]
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    raise SystemExit(main())
