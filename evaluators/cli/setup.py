"""config and doctor: what is wrong, before it hurts."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import orjson
import typer
import yaml

from config.load import ConfigError
from config.settings import Settings, json_schema, redacted
from evaluators import doctoring
from evaluators.cli.places import checked
from evaluators.cli.say import DEFAULT_FILE, AsJson, ConfigFile, put, put_json, say, settings_of

config_app = typer.Typer(no_args_is_help=True, help="Check, show or describe the configuration file.")


def add_to(app: typer.Typer) -> None:
    """Hang this family's commands under the application."""
    app.add_typer(config_app, name="config")
    app.command("doctor")(doctor)


@config_app.command("check")
def check(
    file: Annotated[Path | None, typer.Argument(help="The file; default: --config.")] = None,
    config: ConfigFile = DEFAULT_FILE,
    as_json: AsJson = False,
) -> None:
    """Every mistake of the file as file:line:column; exit code 2 when there is one."""
    chosen = file or config
    mistakes: list[dict[str, object]] = []
    try:
        checked(chosen)
    except ConfigError as error:
        if not as_json:
            raise
        mistakes = [
            {"file": one.file, "line": one.line, "column": one.column, "key": one.key, "message": one.message}
            for one in error.mistakes
        ]
    if as_json:
        put_json({"schema": 1, "file": str(chosen), "mistakes": mistakes})
        raise typer.Exit(2 if mistakes else 0)
    say(f"{chosen}: no mistakes")


@config_app.command("show")
def show(config: ConfigFile = DEFAULT_FILE, as_json: AsJson = False) -> None:
    """The settings in effect, defaults and variables filled in, secrets hidden."""
    shown = redacted(settings_of(config))
    if as_json:
        put_json(shown)
    else:
        put(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True))


@config_app.command("schema")
def schema() -> None:
    """The language as JSON Schema, for editors."""
    put(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2).decode())


def doctor(config: ConfigFile = DEFAULT_FILE, as_json: AsJson = False) -> None:
    """Look at installation, file, queue, store and the way to every upstream; exit code 2 on trouble."""
    settings, wrong = _settings(config)
    examined = [*doctoring.installation(), *wrong]
    if settings is not None:
        examined += asyncio.run(doctoring.surroundings(settings, os.environ))
    trouble = any(one.state == "wrong" for one in examined)
    if as_json:
        put_json({"schema": 1, "findings": [one.json() for one in examined], "healthy": not trouble})
    else:
        put("\n".join(one.line() for one in examined))
    raise typer.Exit(2 if trouble else 0)


def _settings(file: Path) -> tuple[Settings | None, list[doctoring.Examined]]:
    try:
        settings = checked(file)
    except ConfigError as error:
        return None, [doctoring.Examined("configuration", "wrong", str(mistake)) for mistake in error.mistakes]
    return settings, [doctoring.Examined("configuration", "fine", f"{file} has no mistakes")]
