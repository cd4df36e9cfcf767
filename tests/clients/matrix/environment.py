"""The clients' own environments, beside the one that we develop in: made once per content of the locks, then reused.

Python packages come from requirements.lock by hash, Node packages from node/package-lock.json. Used by
tests.commands.clients.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

MATRIX = Path(__file__).parent
PYTHON_CLIENTS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google-genai",
    "mistral": "mistralai",
    "cohere": "cohere",
    "langchain": "langchain-openai",
    "litellm": "litellm",
}
"""Player to the distribution that gives it its version."""
NODE_CLIENTS = {"openai": "openai", "anthropic": "@anthropic-ai/sdk", "vercel": "ai"}

_VERSIONS = "import importlib.metadata as m, json, sys; print(json.dumps([m.version(n) for n in sys.argv[1:]]))"


class NotMade(Exception):
    """The environment is not there and could not be made, most often for want of a network."""


@dataclass(frozen=True, slots=True)
class Client:
    """One client library: its name in the table, its version, and the command that plays it."""

    name: str
    version: str
    command: tuple[str, ...]


def python_clients(folder: Path) -> list[Client]:
    """The Python clients, installed into `folder`/python when they are not."""
    home = folder / "python"
    python, lock = home / "bin" / "python", MATRIX / "requirements.lock"
    if not _stamped(home, lock):
        shutil.rmtree(home, ignore_errors=True)
        _do([sys.executable, "-m", "venv", "--without-pip", str(home)], folder)
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--require-hashes"]
        _do([*pip, "--disable-pip-version-check", "-r", str(lock)], folder)
        _stamp(home, lock)
    said = subprocess.check_output([str(python), "-c", _VERSIONS, *PYTHON_CLIENTS.values()], text=True)
    played = [str(python), "-m", "tests.clients.matrix.play"]
    found = zip(PYTHON_CLIENTS, json.loads(said), strict=True)
    return [Client(name, version, (*played, name)) for name, version in found]


def node_clients(folder: Path) -> list[Client]:
    """The Node clients, installed into `folder`/node when they are not; none where npm is not."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return []
    home, lock = folder / "node", MATRIX / "node" / "package-lock.json"
    if not _stamped(home, lock):
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(MATRIX / "node" / name, home)
        _do([npm, "ci", "--silent"], home)
        _stamp(home, lock)
    for script in (MATRIX / "node").glob("*.mjs"):  # Node looks for packages where the script is
        shutil.copy(script, home)
    manifests = {name: home / "node_modules" / package / "package.json" for name, package in NODE_CLIENTS.items()}
    return [
        Client(f"node {name}", json.loads(manifest.read_text())["version"], (node, str(home / "play.mjs"), name))
        for name, manifest in manifests.items()
    ]


def _stamped(home: Path, lock: Path) -> bool:
    stamp = home / ".installed"
    return stamp.is_file() and stamp.read_text() == _wanted(home, lock)


def _stamp(home: Path, lock: Path) -> None:
    (home / ".installed").write_text(_wanted(home, lock))


def _wanted(home: Path, lock: Path) -> str:
    return f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {sys.version_info[:2]} {home}"


def _do(command: list[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    print(f"clients: {Path(command[0]).name} {' '.join(command[1:4])} … in {folder}", file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise NotMade(f"{Path(command[0]).name} failed: {said[-1] if said else f'exit code {done.returncode}'}")
