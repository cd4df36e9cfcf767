"""demo, up, proxy, work, serve: what runs until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack, ExitStack, closing
from pathlib import Path
from typing import Annotated

import orjson
import typer
from pydantic import TypeAdapter, ValidationError

from config.settings import Settings
from config.units import Address
from evaluators import wiring
from evaluators.children import Child, ChildFailed, child
from evaluators.cli.places import checked
from evaluators.cli.say import DEFAULT_FILE, AsJson, ConfigFile, put, put_json, say, settings_of
from evaluators.dashboard import serving
from evaluators.demo import run as demo_run
from evaluators.telemetry import Telemetry, exposed


def add_to(app: typer.Typer) -> None:
    """Hang this family's commands under the application."""
    app.command("demo")(demo)
    app.command("up")(up)
    app.command("proxy")(proxy)
    app.command("work")(work)
    app.command("serve")(serve)


def demo(
    requests: Annotated[int, typer.Option("--requests", min=50, max=1_000_000, help="Requests to send.")] = 1500,
    once: Annotated[bool, typer.Option("--once", help="Stop when done; exit 0 only if planted equals found.")] = False,
    as_json: AsJson = False,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other requests and faults.")] = 1,
    answers: Annotated[
        list[str] | None,
        typer.Option("--answers", metavar="NAME=FILE", help="Recorded answers (JSON, JSONL) of live and candidates."),
    ] = None,
) -> None:
    """See it work without keys: fake models with planted faults behind the real proxy, queue, worker and report."""
    wiring.refuse_clash()
    plan = demo_run.Plan(requests, seed, demo_run.answer_files(answers or []), show=not once)
    result = asyncio.run(demo_run.run(plan, say))
    if as_json:
        put_json(result.json())
    else:
        put(result.text())
    raise typer.Exit(result.exit_code(once))


def up(config: ConfigFile = DEFAULT_FILE) -> None:
    """Proxy, worker, dashboard and embedded queue on this machine."""
    wiring.refuse_clash()
    asyncio.run(_up(config.absolute(), checked(config)))


def proxy(config: ConfigFile = DEFAULT_FILE) -> None:
    """The proxy alone, in this process; for containers."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "proxy", "--config", str(config)])


def work(
    config: ConfigFile = DEFAULT_FILE,
    metrics: Annotated[
        str, typer.Option("--metrics", metavar="HOST:PORT", help="Serve Prometheus metrics there; default: nowhere.")
    ] = "",
) -> None:
    """One worker alone: takes pairs from the queue, checks and records them."""
    wiring.refuse_clash()
    listen = _address(metrics)
    settings = checked(config)
    wiring.log_to_stderr(os.environ.get("UNDERSTUDY_LOG", "info"))
    asyncio.run(_work(settings, listen))


def serve(config: ConfigFile = DEFAULT_FILE) -> None:
    """The dashboard alone."""
    wiring.refuse_clash()
    settings = settings_of(config)

    async def until_stopped() -> None:
        stop = wiring.stop_on_signals()
        with closing(wiring.opened_store(settings)) as store:
            async with serving(wiring.dashboard(store, settings), settings.dashboard.listen) as address:
                say(f"dashboard: {address}")
                await stop.wait()

    asyncio.run(until_stopped())


def _address(text: str) -> str:
    try:
        return text and TypeAdapter(Address).validate_python(text)
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise typer.BadParameter(said, param_hint="--metrics") from error


async def _work(settings: Settings, listen: str) -> None:
    telemetry = Telemetry()
    with ExitStack() as stack:
        said: dict[str, object] = {"working": True}
        if listen:
            said["metrics"] = stack.enter_context(exposed(telemetry, listen))
        await wiring.work(
            settings, wiring.stop_on_signals(), lambda: put(orjson.dumps(said).decode()), telemetry=telemetry
        )


async def _up(config: Path, settings: Settings) -> None:
    stop = wiring.stop_on_signals()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(wiring.embedded_queue(settings))
        store = stack.enter_context(closing(wiring.opened_store(settings)))
        address = await stack.enter_async_context(serving(wiring.dashboard(store, settings), settings.dashboard.listen))
        worker = await stack.enter_async_context(child("worker", ["-m", "evaluators", "work", "-c", str(config)]))
        front = await stack.enter_async_context(child("proxy", ["-m", "proxy", "--config", str(config)]))
        for route in settings.routes:
            put(f"base URL:  {front.ready['listening']}{route.prefix}   (in place of {route.live.base_url})")
        put(f"dashboard: {address}")
        put(f"metrics:   {front.ready['ops']}/metrics")
        say("Ctrl-C stops.")
        await _watched(stop, worker, front)
        say("stopping")


async def _watched(stop: asyncio.Event, *children: Child) -> None:
    """Wait for `stop`; raises ChildFailed when a child ends before."""
    try:
        async with asyncio.TaskGroup() as group:
            watches = [group.create_task(_must_not_end(one)) for one in children]
            await stop.wait()
            for watch in watches:
                watch.cancel()
    except* ChildFailed as failed:
        raise failed.exceptions[0] from None


async def _must_not_end(one: Child) -> None:
    code = await one.ended()
    raise ChildFailed(f"{one.name} ended with exit code {code}; its last lines above say why")
