"""The whole matrix: ten client libraries get the same through the proxy, and the accounts balance."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.clients import NOT_MADE

ROOT = Path(__file__).parents[2]


@pytest.mark.proof
@pytest.mark.timeout(1800)  # where the environment is not there yet it is made, from half a gigabyte
def test_every_client_sees_the_same() -> None:
    """`./run clients` finds no difference, in more than a handful of cases."""
    done = subprocess.run([sys.executable, "-m", "tests.commands.clients"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode == NOT_MADE:
        pytest.skip(f"the clients' environment is not there: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr
    found = next(line for line in done.stdout.splitlines() if line.startswith("N = "))
    assert int(found.split()[2]) >= 130, found
