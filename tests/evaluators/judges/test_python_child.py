"""The process behind the python door, spoken to directly: one line in, one line out, and it ends with the line."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluators.judges import python_child


class Line:
    """The process and the other end of its line."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        command = [sys.executable, "-I", str(Path(python_child.__file__)), "2"]
        with theirs:
            self.process = subprocess.Popen(command, stdin=theirs.fileno(), env={})
        self._answers = self._socket.makefile("rb")

    def ask(self, **question: Any) -> Any:
        """Send a question and read the answer."""
        self._socket.sendall(json.dumps({"id": "1", **question}).encode() + b"\n")
        return json.loads(self._answers.readline())

    def hang_up(self) -> int:
        """Close the line; how the process ends."""
        self._answers.close()
        self._socket.close()
        return self.process.wait(5)


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.process.kill()
    made.hang_up()


def test_a_check_is_told_once_and_asked_often(line: Line) -> None:
    """The source comes with the first line about a check; later lines name it."""
    assert line.ask(code="a", source="output", path="", function="main") == {"id": "1", "result": None}
    for text in ("x", "y"):
        assert line.ask(code="a", output=text, context={}) == {"id": "1", "result": text}


def test_a_check_that_was_never_told_is_an_error(line: Line) -> None:
    """The process says so and goes on."""
    assert "KeyError" in line.ask(code="b", output="", context={})["error"]
    assert line.ask(code="a", source="1", path="", function="main")["result"] is None


def test_it_ends_with_the_line(line: Line) -> None:
    """When the worker is gone, nothing is left behind."""
    line.ask(code="a", source="1", path="", function="main")
    assert line.hang_up() == 0
