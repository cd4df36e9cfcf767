"""Errors become exit codes in one place: 0 done, 1 internal, 2 usage or configuration; words go to stderr."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest

from evaluators.cli.command import run
from tests.evaluators.cli.conftest import Type
from tests.evaluators.stocked import configured, pair, stock


def test_version(typed: Type) -> None:
    """The version is data."""
    done = typed("--version")
    assert (done.code, done.out, done.err) == (0, f"understudy {version('understudy')}\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["report", "--nope"], "No such option: --nope", id="unknown option"),
        pytest.param(["reprot"], "No such command 'reprot'", id="unknown command"),
        pytest.param(["report", "extra"], "unexpected extra argument", id="extra argument"),
        pytest.param(["demo", "--requests", "many"], "valid integer", id="not a number"),
        pytest.param(["demo", "--requests", "1"], "greater than or equal to 50", id="out of range"),
        pytest.param(["pairs", "show"], "Missing argument", id="missing argument"),
        pytest.param(["report", "--json", "--html"], "choose one form", id="two forms of output"),
        pytest.param(["gate", "--json", "--junit"], "choose one form", id="two forms of a decision"),
        pytest.param(["demo", "--answers", "live"], "NAME=FILE", id="answers without a file"),
    ],
)
def test_wrong_usage(typed: Type, arguments: list[str], said: str) -> None:
    """What was typed wrong is named on stderr with exit code 2, and nothing is on stdout."""
    done = typed(*arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["report", "gate", "up", "work", "serve", "doctor", "config show", "pairs list"])
def test_a_missing_file(typed: Type, tmp_path: Path, command: str) -> None:
    """A configuration file that is not there is their mistake, with its name as the place."""
    done = typed(*command.split(), "-c", tmp_path / "none.yaml")
    assert done.code == 2
    assert f"{tmp_path}/none.yaml:1:1: cannot be read" in done.err + done.out


@pytest.mark.parametrize("command", ["report", "gate", "work", "config show"])
def test_every_mistake_of_the_file_has_its_place(typed: Type, tmp_path: Path, command: str) -> None:
    """All mistakes are told at once, as file:line:column."""
    file = tmp_path / "bad.yaml"
    file.write_text("live: {base_url: here}\nlisten: 7\ncandidats: []\n")
    done = typed(*command.split(), "-c", file)
    assert (done.code, done.out) == (2, "")
    lines = done.err.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{file}:1:8", f"{file}:2:1", f"{file}:3:1"]
    assert "did you mean" in lines[2]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param("store: {url: 'mysql://h/d'}", "store.url: begin it with", id="unknown store"),
        pytest.param("store: {url: 'sqlite:////proc/none/x.db'}", "cannot be opened", id="no place for the store"),
    ],
)
def test_a_store_that_cannot_be(typed: Type, tmp_path: Path, more: str, said: str) -> None:
    """A store that this version cannot use is their mistake."""
    done = typed("report", "-c", configured(tmp_path, more))
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_damaged_store_is_trouble(typed: Type, file: Path) -> None:
    """A store that does not answer is no mistake of the command line: exit code 1, one line."""
    data = file.parent / "data"
    data.mkdir(mode=0o700)
    (data / "understudy.db").write_bytes(b"no database" * 1000)
    done = typed("report", "-c", file)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("understudy: store: ")
    assert done.err.count("\n") == 1


def test_an_internal_error_is_one_line(typed: Type, file: Path) -> None:
    """What nobody foresaw is told by its type alone, which holds no content; --debug shows where it is."""
    stock(file, [pair(1, "Oslo", "Oslo")])
    with closing(sqlite3.connect(file.parent / "data" / "understudy.db", isolation_level=None)) as damaged:
        damaged.execute("UPDATE pairs SET letters = 'secret'")
    done = typed("pairs", "list", "-c", file)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("understudy: internal error: JSONDecodeError; add --debug")
    assert done.err.count("\n") == 1
    done = typed("--debug", "pairs", "list", "-c", file)
    assert (done.code, done.out) == (1, "")
    assert "Traceback" in done.err


def test_a_taken_address_is_their_mistake(typed: Type, tmp_path: Path) -> None:
    """An address that cannot be listened on is named with a remedy and without a traceback."""
    file = configured(tmp_path, "dashboard: {listen: '192.0.2.1:80', token: long-enough}")
    done = typed("serve", "-c", file)
    assert (done.code, done.out) == (2, "")
    assert "cannot be listened on" in done.err


def test_an_open_dashboard_without_a_token_is_refused(typed: Type, tmp_path: Path) -> None:
    """Prompts are shown to nobody else by accident."""
    done = typed("serve", "-c", configured(tmp_path, "dashboard: {listen: '0.0.0.0:0'}"))
    assert (done.code, done.out) == (2, "")
    assert "token" in done.err


@pytest.mark.parametrize(("command", "code"), [("config schema", 0), ("gate", 4)])
def test_a_reader_that_left_is_no_error(file: Path, command: str, code: int) -> None:
    """`understudy gate | head -1` ends quietly, and with the code of the decision."""
    read, write = os.pipe()
    os.close(read)
    script = "import sys; from evaluators.cli import main; main()"
    environ = os.environ | {"UNDERSTUDY_CONFIG": str(file)}
    done = subprocess.run(
        [sys.executable, "-c", script, *command.split()], stdout=write, stderr=subprocess.PIPE, env=environ, timeout=9
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (code, b"")


def test_help_is_data(typed: Type) -> None:
    """Every command can be asked what it does."""
    for command in (
        "",
        "demo",
        "up",
        "proxy",
        "work",
        "serve",
        "report",
        "gate",
        "pairs list",
        "config check",
        "doctor",
    ):
        done = typed(*command.split(), "--help")
        assert (done.code, done.err) == (0, ""), command
        assert "Usage" in done.out


def test_the_exit_code_of_a_command_is_given_on(tmp_path: Path) -> None:
    """`run` gives a code instead of ending the process."""
    assert run(["gate", "-c", str(configured(tmp_path))]) == 4
