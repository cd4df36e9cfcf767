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
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import aiohttp
import uvloop
from aiohttp import http_parser

from config.clash import intruders
from config.load import ConfigError, load
from config.settings import Settings
from proxy.divided import Serving, part, supervised
from proxy.generations import TlsUnfit
from proxy.parts import Orders, StopLine
from proxy.publisher import QueueUnfit
from proxy.supervisor import PartRefused
from proxy.telemetry import log, start_logging
from proxy.wiring import GRACE, running

_AIOHTTP_FLOOR = (3, 14, 3)
"""Before it, aiohttp dropped only the first of several credentials at a cross-origin redirect, among others."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the proxy; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m proxy", description="The relay in front of the live model.")
    parser.add_argument("--config", required=True, type=Path, help="the configuration file")
    parser.add_argument("--part", type=Orders.read, help=argparse.SUPPRESS)  # set by a supervisor, for its children
    options = parser.parse_args(arguments)
    start_logging()
    wrong = unfit()
    if wrong:
        return _refuse(wrong)
    try:
        settings = load(options.config, os.environ)
    except ConfigError as error:
        return _refuse([str(mistake) for mistake in error.mistakes])
    _have_files()
    try:
        uvloop.run(_run(settings, options.config, options.part))
    except PartRefused as error:
        return 2 if error.code == 2 else 1
    except (QueueUnfit, TlsUnfit) as error:
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


def _have_files() -> None:
    """As many open files as this process may have. Each call is up to one for the client, live and each shadow; shells
    and service managers begin with 1,024, for the sake of programs that use select."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS refuses "infinity"
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _run(settings: Settings, path: Path, orders: Orders | None) -> None:
    told: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def tell(grace: float | None = None) -> None:
        if not told.done():
            told.set_result(GRACE if grace is None else grace)

    with _signals(tell), ExitStack() as closing:
        if orders is not None:
            closing.callback(StopLine(orders.stopping, tell).close)
        async with _proxy(settings, path, orders) as proxy:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, proxy.reload)
            print(json.dumps({"listening": proxy.listening, "ops": proxy.ops}), flush=True)  # noqa: T201 - the promise
            gc.freeze()  # what was built stays: full collections need not walk all modules while streams wait
            if proxy.listening:
                log(logging.INFO, "listening", listening=proxy.listening, ops=proxy.ops)
            grace = await told
            log(logging.INFO, "draining", grace=grace)
            await proxy.drain(grace)


@asynccontextmanager
async def _proxy(settings: Settings, path: Path, orders: Orders | None) -> AsyncIterator[Serving]:
    if orders is not None:
        async with part(settings, os.environ, path, orders) as one:
            yield one
    elif settings.workers is not None:
        command = [sys.executable, "-m", "proxy", "--config", str(path)]
        async with supervised(settings, command) as whole:
            yield whole
    else:
        async with running(settings, os.environ, path) as proxy:
            yield Serving(
                proxy.listening,
                proxy.ops,
                proxy.draining.drain,
                proxy.reloading.tell if proxy.reloading else lambda: None,
            )


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
