"""Where words go: data to stdout, everything else to stderr. Shared by the families of commands."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from config.load import load
from config.settings import Settings
from config.units import seconds

ConfigFile = Annotated[
    Path,
    typer.Option("-c", "--config", envvar="UNDERSTUDY_CONFIG", help="The configuration file."),
]
DEFAULT_FILE = Path("understudy.yaml")

Candidate = Annotated[str, typer.Option("--candidate", help="Only this candidate.")]
Since = Annotated[str, typer.Option("--since", help="Only the last 24h, 7d, …; exact to the hour.")]
SliceOption = Annotated[str, typer.Option("--slice", help="Only this slice (topic=billing) or key (topic).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print versioned JSON.")]


def say(text: str) -> None:
    """A message for a person: standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def put(text: str) -> None:
    """Data: standard output, one newline at the end. A reader that left is no error, and the exit code stays."""
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # `understudy gate | head -1`; the rest, and what Python flushes at its end, goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def put_json(content: Mapping[str, Any]) -> None:
    """Data as JSON, readable."""
    put(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())


def settings_of(file: Path) -> Settings:
    """The settings of a file; raises ConfigError with every mistake."""
    return load(file, os.environ)


def coloured() -> bool:
    """Whether standard output is a terminal that wants colours (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def start_of(since: str) -> float:
    """The beginning of a window of `--since`, in Unix seconds; 0 is everything."""
    if not since:
        return 0.0
    try:
        return max(0.0, time.time() - float(seconds(since)))  # noqa: TID251 - a clock room
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from error
