"""The import contracts: they hold, and they would notice."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).parent / "lint-imports"
HOUSES = ("config", "proxy", "evaluators")

VIOLATIONS = [
    pytest.param(
        "proxy/core/capture.py", "import asyncio", "proxy.core.capture -> asyncio", id="a pure room owns a clock"
    ),
    pytest.param("config/wire.py", "import os", "config.wire -> os", id="the wire reads the machine"),
    pytest.param(
        "proxy/telemetry.py",
        "import evaluators.core.reply",
        "proxy.telemetry -> evaluators.core.reply",
        id="houses meet",
    ),
    pytest.param(
        "config/pair.py", "import proxy.tasks", "config.pair -> proxy.tasks", id="the ground leans on a house"
    ),
    pytest.param(
        "proxy/core/headers.py",
        "import proxy.handler",
        "proxy.core.headers -> proxy.handler",
        id="thinking calls doing",
    ),
    pytest.param("config/units.py", "import config.load", "config.units -> config.load", id="a layer looks up"),
    pytest.param("proxy/telemetry.py", "import redis", "proxy.telemetry -> redis", id="another door to Redis"),
    pytest.param("proxy/surprise.py", '"""New."""', "- proxy.surprise", id="a new file without a place"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """lint-imports over the tree in `folder`, with nothing remembered from elsewhere."""
    command = [str(LINT), "--no-cache", "--no-logo", "--config", "pyproject.toml"]
    environ = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environ)


@pytest.mark.timeout(60)
def test_contracts_hold() -> None:
    """Every file has its place, and no import goes against the direction."""
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the three houses and their contracts, to be spoiled."""
    for house in HOUSES:
        shutil.copytree(ROOT / house, tmp_path / house, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("file", "line", "reported"), VIOLATIONS)
def test_violation_is_reported(copy: Path, file: str, line: str, reported: str) -> None:
    """A deliberate violation breaks a contract and is named."""
    path = copy / file
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{written}\n{line}\n", encoding="utf-8")
    done = lint(copy)
    said = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert reported in said, done.stdout + done.stderr
