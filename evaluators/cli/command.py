"""The Typer application and the one place where errors become exit codes. Neighbours: running, results, setup."""

from __future__ import annotations

import errno
import sys
import traceback
from importlib.metadata import version
from typing import Annotated

import typer
from typer.exceptions import TyperException

from config.embedded import UnsafeDirectory
from config.load import ConfigError
from evaluators.assess import UnknownCandidate
from evaluators.children import ChildFailed
from evaluators.cli import plan, results, running, setup
from evaluators.cli.say import say
from evaluators.core.finding import BadCheck
from evaluators.core.slicing import BadRule
from evaluators.dashboard.access import Unprotected
from evaluators.demo.recorded import BadAnswers
from evaluators.intake import QueueAway, QueueUnfit
from evaluators.queue_server import NoServer
from evaluators.store import Ambiguous, Missing, StoreAway, StoreError
from evaluators.wiring import Clash

INTERNAL, USAGE = 1, 2

_THEIR_MISTAKES = (
    BadCheck,
    BadRule,
    BadAnswers,
    UnknownCandidate,
    UnsafeDirectory,
    StoreError,
    QueueUnfit,
    Ambiguous,
    Missing,
    Clash,
    Unprotected,
)
_ADDRESS = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES)
_TROUBLE = (StoreAway, QueueAway, NoServer, ChildFailed)

app = typer.Typer(
    name="understudy",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    help="Shadow deployment for LLM endpoints: how often, and where, does a candidate differ or fail on real traffic?",
)
running.add_to(app)
results.add_to(app)
plan.add_to(app)
setup.add_to(app)


@app.callback(invoke_without_command=True)
def _root(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of internal errors.")] = False,
) -> None:
    if show_version:
        typer.echo(f"understudy {version('understudy')}")
        raise typer.Exit


def main() -> None:
    """Console entry point."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; gives the exit code instead of raising."""
    try:
        code = app(arguments, standalone_mode=False)
    except TyperException as error:
        say(f"understudy: {error.format_message().rstrip('.')}; see `understudy --help`")
        return USAGE
    except typer.Abort:
        return INTERNAL
    except Exception as error:  # named edge: the command line
        return _failed(error, "--debug" in arguments)
    return code if isinstance(code, int) else 0


def _failed(error: Exception, debug: bool) -> int:
    """Say what is wrong, and whose matter it is."""
    if isinstance(error, ConfigError):
        for mistake in error.mistakes:
            say(str(mistake))
        return USAGE
    if isinstance(error, _THEIR_MISTAKES):
        say(f"understudy: {_text(error)}")
        return USAGE
    if isinstance(error, OSError) and error.errno in _ADDRESS:
        say(f"understudy: an address cannot be listened on: {error.strerror}; choose another port")
        return USAGE
    if isinstance(error, _TROUBLE):
        say(f"understudy: {_text(error)}")
        return INTERNAL
    if debug:
        traceback.print_exc()
    say(f"understudy: internal error: {type(error).__name__}; add --debug before the command for the traceback")
    return INTERNAL


def _text(error: BaseException) -> str:
    return str(error.args[0]) if error.args else type(error).__name__
