"""Pure rooms: each file is covered completely, line and branch, by its own test file alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "config/hosts.py",
    "config/pair.py",
    "config/wire.py",
    "config/units.py",
    "proxy/core",
    "evaluators/core",
    "evaluators/checks",
)


def pure_files() -> list[Path]:
    """The source files of the pure rooms, relative to the root."""
    found = [
        path for room in ROOMS for path in ([ROOT / room] if room.endswith(".py") else (ROOT / room).rglob("*.py"))
    ]
    return sorted(path.relative_to(ROOT) for path in found if path.name != "__init__.py")


def test_rooms_exist() -> None:
    """No pure room has moved away unnoticed."""
    found = pure_files()
    assert all(any(path.as_posix().startswith(room) for path in found) for room in ROOMS)


@pytest.mark.proof
@pytest.mark.timeout(120)
@pytest.mark.parametrize("path", pure_files(), ids=str)
def test_covered_by_its_own_test(path: Path, tmp_path: Path) -> None:
    """What a pure file decides is shown by the one test file that bears its name."""
    test = Path("tests") / path.parent / f"test_{path.name}"
    assert (ROOT / test).is_file(), f"{path} has no {test}"
    module = ".".join(path.with_suffix("").parts)
    report = tmp_path / "coverage.json"
    options = ["-q", "-m", "not proof", "-p", "no:cacheprovider", "--no-header"]
    options += ["-p", "scipy.special"]  # before coverage starts, which forgets and loads again what it finds imported
    coverage = [f"--cov={module}", "--cov-branch", f"--cov-report=json:{report}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", str(test), *options, *coverage],
        cwd=ROOT,
        env=os.environ | {"COVERAGE_FILE": str(tmp_path / "coverage")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ((_, measured),) = json.loads(report.read_text())["files"].items()
    assert (measured["missing_lines"], measured["missing_branches"]) == ([], []), f"{path} is not covered by {test}"
