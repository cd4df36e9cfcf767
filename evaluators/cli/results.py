"""report and gate: what was found, from the store alone, so that they work while nothing runs."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Annotated

import typer

from config.settings import Settings
from evaluators import wiring
from evaluators.cli.pairs import pairs
from evaluators.cli.say import (
    DEFAULT_FILE,
    AsJson,
    Candidate,
    ConfigFile,
    Since,
    SliceOption,
    coloured,
    put,
    put_json,
    settings_of,
    start_of,
)
from evaluators.core import render
from evaluators.core.gate import exit_code
from evaluators.core.report import Report, gate_json, to_json


def add_to(app: typer.Typer) -> None:
    """Hang this family's commands under the application."""
    app.command("report")(report)
    app.command("gate")(gate)
    app.add_typer(pairs, name="pairs")


def report(
    config: ConfigFile = DEFAULT_FILE,
    candidate: Candidate = "",
    since: Since = "",
    slice: SliceOption = "",
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    html: Annotated[bool, typer.Option("--html", help="Print one self-contained HTML page.")] = False,
) -> None:
    """How often, and where, each candidate differs or fails."""
    _one_of(as_json, markdown, html)
    found = _assessed(settings_of(config), candidate, since, slice)
    if as_json:
        put_json(to_json(found))
    elif markdown:
        put(render.markdown(found))
    elif html:
        put(render.html(found))
    else:
        put(render.text(found, colour=coloured()))


def gate(
    config: ConfigFile = DEFAULT_FILE,
    candidate: Candidate = "",
    since: Since = "",
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown for a pull request.")] = False,
    junit: Annotated[bool, typer.Option("--junit", help="Print JUnit XML.")] = False,
) -> None:
    """May it be released? Exit code 0 pass, 3 fail, 4 wait or inconclusive; the worst of several candidates."""
    _one_of(as_json, markdown, junit)
    found = _assessed(settings_of(config), candidate, since, "")
    if as_json:
        put_json(gate_json(found))
    elif markdown:
        put(render.gate_markdown(found))
    elif junit:
        put(render.junit(found))
    else:
        put(render.gate_text(found, colour=coloured()))
    raise typer.Exit(exit_code(one.decision for one in found.candidates))


def _assessed(settings: Settings, candidate: str, since: str, slice: str) -> Report:
    with closing(wiring.opened_store(settings)) as store:
        return wiring.assessed(store, settings, time.time(), start_of(since), candidate, slice)  # noqa: TID251 - a clock room


def _one_of(*chosen: bool) -> None:
    if sum(chosen) > 1:
        raise typer.BadParameter("choose one form of output")
