"""The hardest answers and questions, through a real queue, worker and store, under every kind of check at once.

Whatever an answer holds, and whatever a check does with it, its pair is recorded once with a finding of every check.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from config import wire
from config.load import load
from config.pair import Pair
from evaluators import checks, wiring
from evaluators.core.finding import Finding, Result
from evaluators.intake import GROUP, Intake, connect
from evaluators.store import Store, open_store, read, schema
from evaluators.telemetry import Telemetry
from evaluators.worker import Pace, Worker
from evaluators.worker.checking import MOST_HANGS
from tests.doubles.valkey import ValkeyServer, valkey_server
from tests.evaluators.checks.test___init__ import DOORS, VALUES
from tests.evaluators.stocked import pair
from tests.proofs.hard_answers import EVIL, HARD, NAMED, PLUG, PLUGS, QUICK, pairs_of


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory with a short path: unix sockets need one."""
    with tempfile.TemporaryDirectory(prefix="us-") as name:
        yield Path(name)


@pytest.fixture
def plugged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is installed."""
    (folder / f"plug_{folder.name.replace('-', '_')}.py").write_text(PLUG)
    info = folder / "plug-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: plug\nVersion: 1\n")
    target = f"plug_{folder.name.replace('-', '_')}:all"
    (info / "entry_points.txt").write_text(f"[understudy.checks]\nextra = {target}\n")
    monkeypatch.syspath_prepend(str(folder))


def configured(folder: Path) -> Path:
    """A file with every check type there is, by its plainest parameters."""
    plain = [
        {"type": kind.name, **{key: value for key, value in VALUES.get(kind.name, {}).items() if key != "doors"}}
        for kind in checks.BUILT_IN
    ]
    plugs = [{"type": name} for name in (*PLUGS, "loops")]
    file = folder / "understudy.yaml"
    settings = {
        "data": f"{folder}/data",
        "live": {"base_url": "http://127.0.0.1:9"},
        "candidates": [{"name": "mini"}],
        "slices": ["topic", "turn"],
        "topics": {"bait": [f"re:{EVIL}"]},
        "checks": [*plain, *NAMED, *plugs],
    }
    file.write_text(json.dumps(settings))
    return file


@asynccontextmanager
async def working(
    server: ValkeyServer, store: Store, file: Path, limit: float
) -> AsyncIterator[tuple[Telemetry, asyncio.Task[None]]]:
    """A worker under the file's checks for as long as the block lasts."""
    settings = load(file, {})
    built = checks.build(settings.measured, DOORS)
    telemetry, stop, intake = Telemetry(), asyncio.Event(), Intake(connect(server.url), "pairs")
    pace = Pace(batch=16, block=0.05, check_limit=limit, fold=0.2, accounting=0.2, away=0.1)
    assess = wiring.watching(settings, 0.0, built)
    worker = Worker(intake, store, assess, telemetry, closes_after=0.1, pace=pace)
    run = asyncio.create_task(worker.run(stop))
    try:
        yield telemetry, run
    finally:
        stop.set()
        await asyncio.wait((run,))
        await intake.close()


def publish(server: ValkeyServer, made: dict[str, Pair]) -> None:
    with closing(server.client()) as client:
        for one in made.values():
            fields: dict[Any, Any] = dict(wire.encode(one))
            client.xadd("pairs", fields)


async def done(server: ValkeyServer, run: asyncio.Task[None], limit: float) -> None:
    """Wait until the worker has nothing left to do."""
    with closing(server.client()) as client:
        async with asyncio.timeout(limit):
            while not run.done():
                groups: Any = client.xinfo_groups("pairs") if client.exists("pairs") else []
                pending = [group["pending"] for group in groups if group["name"] == GROUP.encode()]
                if pending == [0] and client.xlen("pairs") == 0:
                    return
                await asyncio.sleep(0.02)
    assert not run.done(), "the worker ended"


def stored(store: Store, table: Any) -> int:
    with store.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def unnamed(found: dict[tuple[str, str], Finding]) -> list[tuple[str, str]]:
    """Findings that say something other than yes without saying why."""
    fine = {Result.PASS, Result.SAME}
    return [place for place, finding in found.items() if finding.result not in fine and not finding.detail]


BROKEN = {
    ("bait for patterns", "evil pattern"): "the pattern took longer",
    ("bait for patterns", "evil topic"): "takes longer",
    ("an endless schema", "is-json"): "refers to itself without end",
    ("an endless schema", "endless schema"): "refers to itself without end",
    ("a schema with a slow pattern", "is-json"): "the pattern took longer",
    ("a schema with a slow pattern", "evil schema"): "the pattern took longer",
}
"""What cannot be judged, and how it is said; a part of it."""


@pytest.mark.usefixtures("plugged")
@pytest.mark.parametrize(
    ("names", "limit"),
    [
        pytest.param(QUICK, 0.6, id="quick"),
        pytest.param(tuple(HARD), 10.0, id="all", marks=[pytest.mark.proof, pytest.mark.timeout(300)]),
    ],
)
async def test_no_pair_is_lost(folder: Path, names: tuple[str, ...], limit: float) -> None:
    """Each is recorded once, with every check's finding under a name and a reason, and the worker goes on."""
    made, file = pairs_of(names), configured(folder)
    last = pair(10_000, "yes 1 a", "yes 1 a")
    with valkey_server(folder) as server, closing(open_store(f"sqlite:///{folder}/store.db")) as store:
        async with working(server, store, file, limit) as (telemetry, run):
            publish(server, made)
            await done(server, run, 280)
            publish(server, {"last": last})
            await done(server, run, 9)
            assert not run.done()
        assert stored(store, schema.pairs) == len(made) + 1
        assert (count(telemetry, "pairs"), stored(store, schema.dead)) == (len(made) + 1, 0), "once each"
        seen = {name: read.pair(store, one.call.id, "mini")[1] for name, one in {**made, "last": last}.items()}
    assert count(telemetry, "hung_checks") == MOST_HANGS, "only the check that loops hangs, and not for ever"
    assert (count(telemetry, "disabled_checks"), count(telemetry, "crashes")) == (1, 0)
    judge(seen)


def count(telemetry: Telemetry, name: str) -> float:
    """What the worker counted under all labels together."""
    name = f"understudy_worker_{name}_total"
    return sum(one.value for family in telemetry.registry.collect() for one in family.samples if one.name == name)


def judge(seen: dict[str, dict[tuple[str, str], Finding]]) -> None:
    """What the checks said of each pair."""
    assert {name: unnamed(found) for name, found in seen.items() if unnamed(found)} == {}
    labels = {label for found in seen.values() for _, label in found}
    assert labels >= {kind.name for kind in checks.BUILT_IN} | {one["name"] for one in NAMED} | {*PLUGS, "loops"}
    for name, found in seen.items():
        assert {label for arm, label in found if arm == "shadow"} == labels, name
        for label, reason in PLUGS.items():
            said = found["shadow", label]
            assert said.result is not Result.PASS, (name, label)
            assert said.detail == reason or "no answer: " in said.detail, (name, label, said)
    for name, label in BROKEN.keys() & {(name, label) for name in seen for label in labels}:
        said = seen[name]["shadow", label]
        assert said.result is Result.BROKEN, (name, label, said)
        assert BROKEN[name, label] in said.detail, (name, label, said)
