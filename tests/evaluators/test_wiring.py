"""What is constructed from settings: the observer, the worker, the queue, the dashboard, log lines, signals."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from sqlalchemy import func, select

from config import wire
from config.embedded import queue_url, runtime_dir
from config.pair import Pair
from config.settings import Check, Settings
from evaluators import wiring
from evaluators.core.finding import BadCheck
from evaluators.core.slicing import BadRule
from evaluators.dashboard import serving
from evaluators.judges import Outside
from evaluators.store import schema
from evaluators.store.calibrating import CALIBRATION
from evaluators.telemetry import Telemetry
from evaluators.worker import Pace
from tests.doubles.upstream import ScriptedUpstream, Turn, answer
from tests.evaluators.stocked import golden, pair

LIVE = {"live": {"base_url": "http://live"}}


def configured(**more: Any) -> Settings:
    return Settings.model_validate({**LIVE, **more})


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Settings]:
    """Settings with a queue and a store of their own."""
    settings = configured(data=str(tmp_path / "data"), candidates=[{"name": "mini"}])
    yield settings
    folder = runtime_dir(settings.data)
    for left in folder.iterdir():
        left.unlink()
    folder.rmdir()


def test_our_names_are_ours() -> None:
    """In this installation nobody else owns our import names."""
    wiring.refuse_clash()


def test_where_the_store_is(tmp_path: Path) -> None:
    """SQLite in the data directory, unless the file says otherwise."""
    assert wiring.store_url(configured(data=str(tmp_path))) == f"sqlite:///{tmp_path}/understudy.db"
    assert wiring.store_url(configured(store={"url": "sqlite:////x.db"})) == "sqlite:////x.db"


def test_the_observer_reads_slices_and_checks() -> None:
    """The golden pair gets the configured slices and every configured check; `when` may ask for another slice."""
    checks = [
        {"type": "contains", "value": "24.90", "name": "amount", "when": {"stream": "yes"}},
        {"type": "contains", "value": "24.90", "name": "never", "when": {"stream": "no"}},
    ]
    watch = wiring.observer(configured(slices=["topic"], topics={"money": ["refund"]}, checks=checks), 1.0)
    seen = watch(golden())
    assert seen.slices == ("topic=money",)
    assert {found.check.label: found.joint for found in seen.found} == {"amount": "pp", "never": "ss"}


def test_the_observer_knows_prices() -> None:
    """A configured price stands above the list."""
    prices = {"gpt-5-mini-2025-08-07": {"input": 1.0, "output": 10.0}, "gpt-5-mini": {"input": 1.0, "output": 10.0}}
    seen = wiring.observer(configured(prices=prices), 1.0)(golden())
    assert seen.arm.cost == pytest.approx(73e-6 + 1540e-6)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        pytest.param({"checks": [{"type": "nope"}]}, BadCheck, id="check"),
        pytest.param({"slices": ["nope"]}, BadRule, id="slice"),
    ],
)
def test_what_makes_no_sense_stops_the_start(more: dict[str, Any], error: type[Exception]) -> None:
    """Checks and slices are tried out when the observer is made."""
    with pytest.raises(error):
        wiring.observer(configured(**more), 1.0)


async def test_work_from_queue_to_store(embedded: Settings) -> None:
    """A worker on the embedded queue judges what is there, counts it, and ends when told."""
    telemetry, stop, ready = Telemetry(), asyncio.Event(), asyncio.Event()
    async with wiring.embedded_queue(embedded), asyncio.timeout(9):
        async with redis.asyncio.Redis.from_url(queue_url(embedded)) as client:
            for number in range(3):
                await client.xadd(embedded.queue.stream, wire.encode(pair(number, "a", "b")))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(wiring.work(embedded, stop, ready.set, Pace(block=0.05), telemetry))
            await ready.wait()
            while telemetry.registry.get_sample_value("understudy_worker_pairs_total", {"result": "new"}) != 3:
                await asyncio.sleep(0.02)
            stop.set()
    changed = embedded.model_copy(update={"checks": [Check(type="is-json", name=one.label) for one in embedded.checks]})
    with closing(wiring.opened_store(embedded)) as store:
        report, after = (wiring.assessed(store, now, golden().call.arrived + 60) for now in (embedded, changed))
    assert report.candidates[0].pairs == after.candidates[0].pairs == 3
    assert report.candidates[0].checks
    assert not after.candidates[0].checks


OUTSIDE = [
    {"type": "python", "value": "'Oslo' in output"},
    {"type": "webhook", "value": "HOOK"},
    {"type": "similar", "value": "Oslo", "threshold": 0.5},
    {"type": "shadow:semantic", "threshold": 0.5},
]


def outside(hook: str, **more: Any) -> Settings:
    """Settings whose checks ask the operator's code, a hook and an endpoint for vectors."""
    checks = [{**check, "value": hook} if check.get("value") == "HOOK" else check for check in OUTSIDE]
    return configured(checks=checks, embeddings={"base_url": hook, "model": "m", **more})


def test_trying_checks_out_starts_nothing() -> None:
    """What `config check` does leaves no thread, no process and no connection."""
    before = {thread.ident for thread in threading.enumerate()}
    children = Path("/proc/self/task") / str(os.getpid()) / "children"
    there = children.read_text() if children.exists() else ""
    wiring.observer(outside("http://127.0.0.1:9"), 1.0)
    assert {thread.ident for thread in threading.enumerate()} == before
    assert (children.read_text() if children.exists() else "") == there


def test_vectors_without_an_endpoint_are_refused() -> None:
    """The remedy is in the message; shadow:semantic has vectors of its own."""
    with pytest.raises(BadCheck, match=r"give `embeddings: \{base_url"):
        wiring.observer(configured(checks=[{"type": "similar", "value": "x"}]), 1.0)
    wiring.observer(configured(checks=[{"type": "shadow:semantic"}]), 1.0)


def test_another_model_of_vectors_is_another_version() -> None:
    """Tallies of two models are not mixed; checks without vectors keep theirs."""

    def versions(model: str) -> list[str]:
        settings = outside("http://h", model=model)
        with closing(Outside(settings.embeddings)) as doors:
            return [check.version for check in wiring.built_checks(settings, doors.doors)]

    same = [one == other for one, other in zip(versions("m"), versions("n"), strict=True)]
    assert same == [True, True, False, False]


async def answers(turn: Turn) -> None:
    """A script: a hook that passes, and vectors that tell Oslo from all else."""
    asked = json.loads(turn.body)
    if turn.target.endswith(b"/v1/embeddings"):
        data = [{"embedding": [1, 0] if "Oslo" in text else [0, 1]} for text in asked["input"]]
        await answer(json.dumps({"data": data}).encode())(turn)
    else:
        await answer(json.dumps({"pass": asked["output"] != "Rome"}).encode())(turn)


async def test_work_through_every_door(embedded: Settings) -> None:
    """A worker's checks ask a process, a hook and an endpoint, several pairs at a time; all findings count."""
    async with ScriptedUpstream(answers) as server:
        settings = embedded.model_copy(update=dict(outside(server.url)) | {"data": embedded.data})
        pairs = [pair(number, "Oslo", "Oslo" if number % 2 else "Rome") for number in range(20)]
        found = await worked(settings, pairs)
    assert found == {
        "python": {"pp": 10, "pf": 10},
        "webhook": {"pp": 10, "pf": 10},
        "similar": {"pp": 10, "pf": 10},
        "shadow:semantic": {"m": 10, "d": 10},
    }


async def test_the_control_sets_the_limit_and_later_pairs_are_judged(embedded: Settings) -> None:
    """The first CALIBRATION control pairs are skipped and set the limit; candidates wait for it, later ones do not."""
    settings = embedded.model_copy(update={"checks": configured(checks=["shadow:semantic"]).checks})
    noise = [pair(n, f"Oslo {n}", f"Oslo {n + 1}", name="control") for n in range(CALIBRATION)]
    early = [pair(1000 + n, "Oslo 1", "The capital is Oslo") for n in range(5)]
    assert await worked(settings, noise + early) == {"shadow:semantic": {"s": CALIBRATION + 5}}
    late = [pair(2000 + n, "Oslo 1", "The capital is Oslo") for n in range(5)]
    late += [pair(3000 + n, "Oslo 1", "Oslo 1", name="control") for n in range(5)]
    assert await worked(settings, late) == {"shadow:semantic": {"s": CALIBRATION + 5, "d": 5, "m": 5}}


async def worked(settings: Settings, pairs: Sequence[Pair]) -> dict[str, dict[str, int]]:
    """The letters of every check after a worker has judged these pairs too."""
    telemetry, stop, ready = Telemetry(), asyncio.Event(), asyncio.Event()
    async with wiring.embedded_queue(settings), asyncio.timeout(9):
        async with redis.asyncio.Redis.from_url(queue_url(settings)) as client:
            for one in pairs:
                await client.xadd(settings.queue.stream, wire.encode(one))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(wiring.work(settings, stop, ready.set, Pace(block=0.05, calibrate=0.05), telemetry))
            while telemetry.registry.get_sample_value("understudy_worker_pairs_total", {"result": "new"}) != len(pairs):
                await asyncio.sleep(0.02)
            stop.set()
    found: dict[str, dict[str, int]] = {}
    table, names = schema.joints.c, schema.checks.c
    wanted = select(names.label, table.letters, func.sum(table.n)).group_by(names.label, table.letters)
    with closing(wiring.opened_store(settings)) as store, store.reading() as connection:
        for label, letters, n in connection.execute(wanted.where(table.check_id == names.id, table.slice_id == 0)):
            found.setdefault(label, {})[letters] = n
    return found


async def test_a_queue_of_somebody_elses(tmp_path: Path) -> None:
    """With a URL nothing is started and no directory made."""
    settings = configured(data=str(tmp_path / "data"), queue={"url": "redis://127.0.0.1:1/0"})
    async with wiring.embedded_queue(settings):
        assert not (tmp_path / "data").exists()


async def test_the_dashboard_serves_the_store(tmp_path: Path) -> None:
    """The application opens over the configured store."""
    settings = configured(data=str(tmp_path / "data"), candidates=[{"name": "mini"}])
    with closing(wiring.opened_store(settings)) as store:
        async with serving(wiring.dashboard(store, settings), "127.0.0.1:0") as address:
            host, port = address.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
            page = await asyncio.wait_for(reader.read(), 5)
            writer.close()
    assert page.startswith(b"HTTP/1.1 200 ")
    assert b"mini" in page


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_stop(number: signal.Signals) -> None:
    """Both ways of telling a process to end set the event."""
    stop = wiring.stop_on_signals()
    os.kill(os.getpid(), number)
    async with asyncio.timeout(5):
        await stop.wait()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(each)


def test_a_log_line_is_one_line_of_ascii() -> None:
    """Whatever is in a message, it stays one JSON object on one line."""
    record = logging.LogRecord("understudy.worker", 30, "", 0, "pair %s", ("\n{}\x1b[2J\u2028é",), None)
    line = wiring.JsonLines().format(record)
    assert line.isascii()
    assert "\n" not in line
    assert "\x1b" not in line
    assert json.loads(line)["level"] == "WARNING"


def test_log_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Our own logger is heard from the level that was asked for."""
    logger = logging.getLogger("understudy")
    before = logger.handlers[:]
    wiring.log_to_stderr("warning")
    try:
        logging.getLogger("understudy.worker").info("quiet")
        logging.getLogger("understudy.worker").warning("loud")
    finally:
        logger.handlers[:] = before
        logger.setLevel(logging.NOTSET)
    out, err = capsys.readouterr()
    assert (out, [json.loads(line)["message"] for line in err.splitlines()]) == ("", ["loud"])
