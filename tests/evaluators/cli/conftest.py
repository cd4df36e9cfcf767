"""One way to type a command: in this process, with what it printed and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evaluators.cli.command import run
from tests.evaluators.stocked import configured


@dataclass(frozen=True)
class Typed:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which holds one JSON document and nothing else."""
        return json.loads(self.out)


Type = Callable[..., Typed]


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Type:
    """Types one command line."""

    def type_(*arguments: object) -> Typed:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Typed(code, *capsys.readouterr())

    return type_


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration file without mistakes, and with an empty store."""
    return configured(tmp_path)
