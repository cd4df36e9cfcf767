"""`python -m proxy --config FILE`: load, check, build, run until told to stop. Everything else is in wiring.

Prints one line of JSON to stdout when it answers. SIGTERM and SIGINT drain; a second one ends at once. Exit codes:
0 stopped as told, 1 internal error, 2 configuration or installation.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import uvloop
from aiohttp import http_parser

from config.clash import intruders
from config.load import ConfigError, load
from config.settings import Settings
from proxy.publisher import QueueUnfit
from proxy.telemetry import log, start_logging
from proxy.wiring import GRACE, running

_AIOHTTP_FLOOR = (3, 14, 3)
"""Before it, aiohttp dropped only the first of several credentials at a cross-origin redirect, among others."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the proxy; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m proxy", description="The relay in front of the live model.")
    parser.add_argument("--config", required=True, type=Path, help="the configuration file")
    options = parser.parse_args(arguments)
    start_logging()
    wrong = unfit()
    if wrong:
        return _refuse(wrong)
    try:
        settings = load(options.config, os.environ)
    except ConfigError as error:
        return _refuse([str(mistake) for mistake in error.mistakes])
    try:
        uvloop.run(_run(settings))
    except QueueUnfit as error:
        return _refuse([str(error)])
    except OSError as error:
        return _refuse([f"listen, ops: {settings.listen}, {settings.ops}: {os.strerror(error.errno or 0)}"])
    return 0


def unfit() -> list[str]:
    """Why this installation must not carry traffic; empty when it may."""
    wrong = intruders()
    version = tuple(int(part) for part in aiohttp.__version__.split(".")[:3] if part.isdigit())
    if version < _AIOHTTP_FLOOR:
        wrong.append(f"aiohttp {aiohttp.__version__} is too old: install 3.14.3 or newer")
    if http_parser.HttpRequestParser is http_parser.HttpRequestParserPy:
        wrong.append("aiohttp runs without its C parser: unset AIOHTTP_NO_EXTENSIONS and install a binary wheel")
    if sys.flags.optimize:
        wrong.append("python -O removes checks that libraries rely on: start without -O and PYTHONOPTIMIZE")
    return wrong


async def _run(settings: Settings) -> None:
    told = asyncio.Event()
    with _signals(told.set):
        async with running(settings) as proxy:
            print(json.dumps({"listening": proxy.listening, "ops": proxy.ops}), flush=True)  # noqa: T201 - the promise
            gc.freeze()  # what was built stays: full collections need not walk all modules while streams wait
            log(logging.INFO, "listening", listening=proxy.listening, ops=proxy.ops)
            await told.wait()
            log(logging.INFO, "draining", grace=GRACE)
            await proxy.draining.drain(GRACE)


@contextmanager
def _signals(tell: Callable[[], None]) -> Iterator[None]:
    """The first signal tells; the second, of either kind, ends the process as if it had not been caught."""
    loop = asyncio.get_running_loop()

    def first() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        tell()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, first)
    yield


def _refuse(wrong: Sequence[str]) -> int:
    for sentence in wrong:
        print(sentence, file=sys.stderr)  # noqa: T201 - for people, before anything runs
    return 2


if __name__ == "__main__":
    sys.exit(main())
