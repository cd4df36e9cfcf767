"""config and doctor: what is wrong, before it hurts."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import orjson
import typer
import yaml

from config.load import ConfigError, Mistake
from config.settings import Settings, json_schema, redacted
from evaluators import doctoring
from evaluators.cli.places import checked
from evaluators.cli.say import DEFAULT_FILE, AsJson, ConfigFile, put, put_json, say, settings_of
from evaluators.importing import writing
from evaluators.importing.promptfoo import Carried, carried

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
        mistakes = [_mistake_json(one) for one in error.mistakes]
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


_import_app = typer.Typer(no_args_is_help=True, help="Carry another tool's configuration over.")
config_app.add_typer(_import_app, name="import")


@_import_app.command("promptfoo")
def import_promptfoo(
    file: Annotated[Path, typer.Argument(help="A promptfooconfig.yaml, or .json.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="The new file; default: standard output.")] = None,
    skip_refused: Annotated[bool, typer.Option("--skip-refused", help="Carry over the rest.")] = False,
    as_json: AsJson = False,
) -> None:
    """promptfoo's assertions as checks, its tests as a golden set; exit code 2 when something is not carried over."""
    found = carried(file, out.parent if out else Path())
    stopped = bool(found.refused) and not skip_refused
    for mistake in () if as_json else found.refused:
        say(str(mistake))
    written = _written(found, file, out) if out and not stopped else []
    if as_json:
        put_json(_carried_json(found, file, written))
    elif stopped:
        say(f"{file}: {len(found.refused)} not carried over; mend them, or take the rest with --skip-refused")
    elif out is None:
        put(writing.configuration(found, file))
    else:
        say(f"wrote {', '.join(written)}: {len(found.checks)} checks, {len(found.golden)} golden items")
    raise typer.Exit(2 if stopped else 0)


def _written(found: Carried, file: Path, out: Path) -> list[str]:
    texts = writing.files_of(found, file, out)
    for path in texts:
        if path.exists():
            raise typer.BadParameter(
                f"{path} is there already; choose another name or take it away", param_hint="--out"
            )
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return [str(path) for path in texts]


def _carried_json(found: Carried, file: Path, written: list[str]) -> dict[str, object]:
    return {
        "schema": 1,
        "file": str(file),
        "written": written,
        "templates": found.templates,
        "checks": found.checks,
        "golden": found.golden,
        "refused": [_mistake_json(one) for one in found.refused],
        "ignored": [_mistake_json(one) for one in found.ignored],
    }


def _mistake_json(one: Mistake) -> dict[str, object]:
    return {"file": one.file, "line": one.line, "column": one.column, "key": one.key, "message": one.message}


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
