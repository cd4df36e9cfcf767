"""`./run test [--all] [pytest arguments]`: the tests; the long proofs only with --all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def arguments(given: list[str]) -> list[str]:
    """What pytest gets: `--all` is ours, and without it the proofs are left out unless `-m` says which to run."""
    rest = [one for one in given if one != "--all"]
    chosen = any(one == "-m" or one.startswith("-m=") for one in rest)
    return rest if "--all" in given or chosen else ["-m", "not proof", *rest]


def main() -> int:
    """Run pytest from the root of the repository; its exit code is ours."""
    os.chdir(ROOT)
    return int(pytest.main(arguments(sys.argv[1:])))


if __name__ == "__main__":
    raise SystemExit(main())
