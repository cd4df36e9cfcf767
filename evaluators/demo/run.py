"""The demo from beginning to end: models, proxy, worker and dashboard as in production, traffic, and what was found.

Called by the CLI. Everything lives in a temporary directory that goes when the demo ends.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from config.load import load
from config.settings import Settings
from evaluators import wiring
from evaluators.children import Child, child
from evaluators.core import render
from evaluators.core.report import Report, to_json
from evaluators.dashboard import serving
from evaluators.demo import configuration, recorded, traffic, verdict
from evaluators.demo.faults import FAULTS, FAULTY, HONEST
from evaluators.demo.prompts import Ask, asks
from evaluators.store import Store
from evaluators.store import closing as closing_conversations

Say = Callable[[str], None]

SETTLE_SECONDS = 60.0
"""How long the demo waits for the last pairs to be judged and the last conversations to close."""

_FREE = "127.0.0.1:0"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the user asked for; `answers` is empty for fake models, else name -> file of recorded answers."""

    requests: int
    seed: int
    answers: Mapping[str, Path]
    show: bool  # stay and show the dashboard until interrupted


@dataclass(frozen=True, slots=True)
class Result:
    """What the demo found; `comparison` is empty with recorded answers, where nothing was planted."""

    report: Report
    seen: Mapping[str, int]  # what the application got: ok, http_<status>, failed
    seconds: float
    comparison: verdict.Comparison | None

    def json(self) -> dict[str, Any]:
        """One object with the report, and what was planted beside what was found."""
        found = asdict(self.comparison) if self.comparison is not None else {}
        application = {"answers": dict(self.seen), "seconds": round(self.seconds, 1)}
        return {"schema": 1, **found, "application": application, "report": to_json(self.report)}

    def text(self) -> str:
        """The report for a terminal, and the table of planted and found."""
        parts = [render.text(self.report)]
        if self.comparison is not None:
            parts.append(_table(self.comparison))
        return "\n".join(parts)

    def exit_code(self, once: bool) -> int:
        """1 when --once should prove the planted faults and did not."""
        return 1 if once and self.comparison is not None and not self.comparison.exact else 0


def answer_files(options: Sequence[str]) -> dict[str, Path]:
    """`NAME=FILE` options as a map; raises BadAnswers for another form, or when live or the candidates are missing."""
    files: dict[str, Path] = {}
    for option in options:
        name, equals, file = option.partition("=")
        if not (name and equals and file) or name in files:
            raise recorded.BadAnswers(f"--answers {option}: write NAME=FILE, each name once")
        files[name] = Path(file)
    if files and ("live" not in files or len(files) < 2):
        raise recorded.BadAnswers("--answers: one file for live (live=FILE) and one for each candidate (NAME=FILE)")
    return files


async def run(plan: Plan, say: Say) -> Result:
    """Run the demo; raises ChildFailed, NoServer and BadAnswers."""
    stop = wiring.stop_on_signals()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="understudy-demo-")))
        arms = {name: recorded.read(file) for name, file in plan.answers.items()}
        models = await stack.enter_async_context(
            child("models", ["-m", "evaluators.demo.models"], orders=_orders(plan), log=folder / "models.log")
        )
        settings, file = _configured(folder, models, arms)
        await stack.enter_async_context(wiring.embedded_queue(settings))
        store = stack.enter_context(closing(wiring.opened_store(settings)))
        page = await stack.enter_async_context(serving(wiring.dashboard(store, settings), settings.dashboard.listen))
        await stack.enter_async_context(
            child("worker", ["-m", "evaluators", "work", "-c", str(file)], log=folder / "worker.log")
        )
        proxy = await stack.enter_async_context(
            child("proxy", ["-m", "proxy", "--config", str(file)], log=folder / "proxy.log")
        )
        say(f"proxy      {proxy.ready['listening']}\ndashboard  {page}")
        started = time.monotonic()
        wanted = _asks(plan, arms)
        seen = await _traffic(proxy.ready["listening"], wanted, stop)
        await _settled(settings, store, stop, len(wanted))
        report = await asyncio.to_thread(wiring.assessed, store, settings, time.time())  # noqa: TID251 - a clock room
        result = Result(
            report, seen, time.monotonic() - started, None if arms else verdict.compare(to_json(report), FAULTS)
        )
        if plan.show and not stop.is_set():
            say(f"{result.text()}\nThe dashboard stays at {page} until Ctrl-C.")
            await stop.wait()
    return result


def _orders(plan: Plan) -> dict[str, Any]:
    if plan.answers:
        models: dict[str, Any] = {name: {"answers": str(file.absolute())} for name, file in plan.answers.items()}
        return {"models": models, "seed": plan.seed, "pace": 0.2}
    faults = [fault.name for fault in FAULTS]
    models = {"live": {"faults": []}, FAULTY: {"faults": faults}, HONEST: {"faults": []}}
    return {"models": models, "seed": plan.seed, "pace": 1.0}


def _configured(folder: Path, models: Child, arms: Mapping[str, Mapping[str, recorded.Item]]) -> tuple[Settings, Path]:
    listen = dict.fromkeys(("proxy", "ops", "dashboard"), _FREE)
    if arms:
        tags = {tag for item in arms["live"].values() for tag in item.tags}
        content = configuration.replayed(folder / "data", models.ready, listen, tags)
    else:
        content = configuration.planted(folder / "data", models.ready, listen)
    file = folder / "understudy.yaml"
    configuration.write(file, content)
    return load(file, {}), file


def _asks(plan: Plan, arms: Mapping[str, Mapping[str, recorded.Item]]) -> list[Ask]:
    if not arms:
        return list(asks(plan.seed, plan.requests))
    return traffic.recorded_asks([arms["live"][key] for key in recorded.common(arms)])


async def _traffic(base_url: str, wanted: Sequence[Ask], stop: asyncio.Event) -> Mapping[str, int]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("calls answered", total=len(wanted))
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(
                traffic.send(base_url, wanted, traffic.RATE, lambda: progress.advance(task)), name="traffic"
            )
            stopping = group.create_task(stop.wait(), name="stop")
            await asyncio.wait({sending, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not sending.done():
                sending.cancel()
                return {"interrupted": 1}
    return sending.result()


async def _settled(settings: Settings, store: Store, stop: asyncio.Event, calls: int) -> None:
    """Wait until every call is accounted for, every pair judged and every conversation closed."""
    end = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < end and not stop.is_set():
        report = await asyncio.to_thread(wiring.assessed, store, settings, time.time())  # noqa: TID251 - a clock room
        unfolded = await asyncio.to_thread(closing_conversations.unfolded, store)
        counts = report.accounting.values()
        arrived = all(one.calls >= calls and one.waiting == 0 for one in counts) and counts
        if arrived and not unfolded:
            return
        await asyncio.sleep(0.5)


def _table(found: verdict.Comparison) -> str:
    lines = ["", f"{'planted in mini':<58} {'planted':>8}   found"]
    by_fault = {one["fault"]: one for one in found.found}
    for fault in found.planted:
        shown = by_fault.get(fault["fault"])
        measured = "missed" if shown is None else f"{_number(shown['value'])}  ({_ends(shown['interval'])})"
        lines.append(f"  {fault['what']:<56} {_number(fault['rate']):>8}   {measured}")
        lines.append(f"    of {fault['among']}")
    lines.append(f"found and not planted: {len(found.unplanted)}")
    lines += [f"  {one['candidate']}: {one['name']} {one['slice']} {one['value']}" for one in found.unplanted]
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:.2f} x" if value > 1 else f"{value:.1%}"


def _ends(interval: Sequence[float]) -> str:
    return " to ".join(_number(end) for end in interval)
