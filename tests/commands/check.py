"""`./run check`: format, lint, types, import contracts; all of them, whatever the first ones say."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(sys.executable).parent

STEPS = (
    ("format", [sys.executable, "-m", "ruff", "format", "--check", "."]),
    ("lint", [sys.executable, "-m", "ruff", "check", "."]),
    ("types", [sys.executable, "-m", "mypy"]),
    ("imports", [str(SCRIPTS / "lint-imports")]),
)


def main() -> int:
    """Run every step; 0 when all passed, 1 with their names when some did not."""
    failed = [name for name, command in STEPS if not _passes(name, command)]
    print(f"check: failed: {', '.join(failed)}" if failed else "check: all passed", flush=True)
    return 1 if failed else 0


def _passes(name: str, command: list[str]) -> bool:
    shown = " ".join([Path(command[0]).name, *command[1:]])
    print(f"check: {name}: {shown}", flush=True)
    start = time.monotonic()
    code = subprocess.run(command, cwd=ROOT).returncode
    print(f"check: {name}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - start:.1f} s", flush=True)
    return code == 0


if __name__ == "__main__":
    raise SystemExit(main())
