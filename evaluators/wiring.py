"""The only file of this house that constructs things from Settings: checks, observer, store, worker, reporter.

Everyone else receives what it needs. Called by cli and demo; joins worker, assess and store.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from config.clash import intruders
from config.embedded import queue_url, socket_path
from config.pair import Pair
from config.settings import Settings
from evaluators import checks, files, queue_server
from evaluators.assess import QUEUE_NOT_ASKED, StorePairs, StoreReader, assess
from evaluators.core.finding import Check, Doors
from evaluators.core.observation import Observation
from evaluators.core.observing import Progress, observe
from evaluators.core.pricing import Prices, listed
from evaluators.core.reading import read, read_request
from evaluators.core.report import Report
from evaluators.core.slicing import slice_rules, slices
from evaluators.dashboard import app
from evaluators.intake import Intake, connect
from evaluators.judges import Outside, by_source, waits
from evaluators.store import Store, open_store
from evaluators.store.calibrating import Thresholds
from evaluators.telemetry import Telemetry
from evaluators.worker import Pace, Worker
from evaluators.worker.checking import AssessPair

LANES = 8
"""Pairs at a time where checks wait for a network: at 50 ms an answer one alone makes 20 questions a second."""


class Clash(Exception):
    """Another installed distribution owns one of our import names; starting would run a mixture of both."""


def refuse_clash() -> None:
    """Raise Clash when another distribution owns `config`, `proxy` or `evaluators`."""
    found = intruders()
    if found:
        raise Clash("; ".join(found))


def store_url(settings: Settings) -> str:
    """The configured store, else SQLite in the data directory."""
    if settings.store.url is not None:
        return settings.store.url.get_secret_value()
    return f"sqlite:///{(Path(settings.data) / 'understudy.db').absolute()}"


def opened_store(settings: Settings) -> Store:
    """The store, created when it is not there; raises StoreError and StoreAway. Close it."""
    return open_store(store_url(settings))


def observer(settings: Settings, now: float) -> Callable[[Pair], Observation]:
    """The walk from Pair to Observation under these settings; raises BadCheck and BadRule. Starts nothing by itself."""
    return watching(settings, now, built_checks(settings, Outside(settings.embeddings).doors))


def built_checks(settings: Settings, doors: Doors) -> tuple[Check, ...]:
    """The checks of these settings on these doors; files are read here. Raises BadCheck."""
    built = checks.build(settings.measured, replace(doors, read=files.read))
    return built if settings.embeddings is None else by_source(built, settings.embeddings)


def watching(settings: Settings, now: float, built: Sequence[Check]) -> AssessPair:
    shown = frozenset(settings.slices)  # a check's `when` may look at a slice that nobody wants a table of
    keys = dict.fromkeys([*settings.slices, *(key for check in settings.measured for key in check.when)])
    rules = slice_rules(tuple(keys), settings.topics)
    prices = Prices({name: (price.input, price.output) for name, price in settings.prices.items()}, listed(now))

    def observed(pair: Pair, progress: Progress | None = None) -> Observation:
        found = observe(
            pair,
            built,
            read_request=read_request,
            read=read,
            slices_of=lambda call, request: slices(call, request, rules),
            price=prices.cost,
            progress=progress,
        )
        return replace(found, slices=tuple(one for one in found.slices if one.partition("=")[0] in shown))

    return observed


def paced(settings: Settings, pace: Pace) -> Pace:
    """The pace that these settings' checks need: several pairs at a time, and patience with a slow endpoint."""
    patience = 0.0 if settings.embeddings is None else settings.embeddings.timeout + 5
    lanes = LANES if waits(settings) else pace.lanes
    return replace(pace, lanes=lanes, check_limit=max(pace.check_limit, patience))


def assessed(
    store: Store,
    settings: Settings,
    now: float,
    since: float = 0.0,
    candidate: str = "",
    slice: str = "",
    queue_waiting: int = QUEUE_NOT_ASKED,
    versions: Mapping[str, str] | None = None,
) -> Report:
    """The Report at `now`; see assess. Raises BadCheck, too: what the checks are now decides what still counts."""
    return assess(
        StoreReader(store),
        settings,
        now=now,
        since=since,
        candidate=candidate,
        slice=slice,
        queue_waiting=queue_waiting,
        versions=versions_of(settings) if versions is None else versions,
    )


def versions_of(settings: Settings) -> Mapping[str, str]:
    """The versions of the configured checks by label; raises BadCheck. Starts nothing."""
    return {check.label: check.version for check in built_checks(settings, Outside(settings.embeddings).doors)}


def dashboard(store: Store, settings: Settings) -> web.Application:
    """The dashboard over this store; raises BadCheck."""
    token = settings.dashboard.token
    clock, versions = time.time, versions_of(settings)  # noqa: TID251 - a clock room
    return app(
        lambda: assessed(store, settings, clock(), versions=versions),
        StorePairs(store),
        "" if token is None else token.get_secret_value(),
    )


async def work(
    settings: Settings,
    stop: asyncio.Event,
    ready: Callable[[], None],
    pace: Pace | None = None,
    telemetry: Telemetry | None = None,
) -> None:
    """One worker until `stop` is set; `ready` is called when it begins, `telemetry` counts for who wants to look."""
    clock = time.time  # noqa: TID251 - a clock room
    counts = telemetry or Telemetry()
    with (
        closing(opened_store(settings)) as store,
        closing(Outside(settings.embeddings, counts.python_restarts.inc)) as outside,
    ):
        thresholds = Thresholds(store)
        built = built_checks(settings, replace(outside.doors, threshold=thresholds))
        thresholds.use({check.label: check.version for check in built})
        thresholds.refresh()
        intake = Intake(connect(queue_url(settings)), settings.queue.stream)
        worker = Worker(
            intake,
            store,
            watching(settings, clock(), built),
            counts,
            closes_after=settings.sampling.closes_after,
            pace=paced(settings, pace or Pace()),
            thresholds=thresholds,
            clock=clock,
        )
        ready()
        try:
            await worker.run(stop)
        finally:
            await intake.close()


@asynccontextmanager
async def embedded_queue(settings: Settings) -> AsyncIterator[None]:
    """The embedded queue while the block runs, when the settings ask for it; nothing otherwise."""
    if settings.queue.url is not None:
        yield
        return
    data = Path(settings.data)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with queue_server.running(data, socket_path(settings.data)):
        yield


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set; call it inside the loop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


class JsonLines(logging.Formatter):
    """One JSON object a line, ASCII only: a hostile name in a message cannot forge a second line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record without traceback: what failed is named by its type in the message."""
        line = {"at": record.created, "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        return json.dumps(line)


def log_to_stderr(level: str) -> None:
    """Send our own log lines to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("understudy")
    logger.addHandler(handler)
    logger.setLevel(level.upper())
