"""What was measured on, and which versions: a figure without them is hearsay."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from config.version import __version__
from evaluators.queue_server import find_binary
from tests.bench.systems import portkey_program


def machine() -> dict[str, str]:
    """CPU, kernel and Python."""
    model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return {
        "cpu": model[1].strip() if model else platform.machine(),
        "cores": f"{os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"Python {platform.python_version()}",
    }


def versions(programs: Mapping[str, str], absent: Mapping[str, str]) -> dict[str, str]:
    """Of every system that is here, and of what it stands on."""
    queue = find_binary()
    found = {"understudy": __version__, queue.path.name: queue.version, "compiler": _first_line(["cc", "--version"])}
    asked = {"nginx": ["nginx", "-v"], "haproxy": ["haproxy", "-v"]}
    found |= {name: _number(command) for name, command in asked.items() if name not in absent}
    if "litellm" not in absent:
        found["litellm"] = _litellm(Path(programs["litellm"]))
    if "portkey" not in absent:
        package = portkey_program(programs["portkey"]).parent.parent / "package.json"
        found["portkey"] = json.loads(package.read_text())["version"] if package.is_file() else "unknown"
        found["node"] = _number(["node", "--version"])
    return found


def _litellm(program: Path) -> str:
    """From its own environment: the program itself takes seconds to import before it can say."""
    python = program.resolve().parent / "python"
    ask = "import importlib.metadata as m; print(m.version('litellm'))"
    return _number([str(python), "-c", ask]) if python.exists() else "unknown"


def _number(command: Sequence[str]) -> str:
    found = re.search(r"\d+\.\d+(\.\d+)*", _first_line(command))
    return found[0] if found else "unknown"


def _first_line(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return ((done.stdout + done.stderr).strip().splitlines() or ["unknown"])[0]
