"""How many pairs a second one worker judges and records, and where the time goes: no queue, no proxy, one process."""

from __future__ import annotations

import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from config import wire
from config.pair import Call, Failure, Outcome, Pair, Role
from config.settings import Settings
from evaluators import wiring
from evaluators.intake import Taken
from evaluators.judges import Outside
from evaluators.store import write
from evaluators.store.write import Recorded
from evaluators.telemetry import Telemetry
from evaluators.worker import Pace
from evaluators.worker.checking import Checking, Failed
from tests.bench.figures import Figures, Goal, markdown
from tests.bench.processes import busy_seconds
from tests.bench.rounds import Bench, note
from tests.doubles.upstream import ScriptedUpstream, Turn, answer

TITLE = "The worker"
METHOD = (
    "Pairs of two answers of 2 kB, of which one word in ten differs, in batches of 64: read, checked and recorded in "
    "one process on one core. `default` has the checks that run when the file names none; the others have one each: "
    "shadow:semantic, a python check, a web hook that takes 50 ms for each of the two answers."
)
CHECKS: Mapping[str, list[Any] | None] = {
    "default": None,
    "semantic": [{"type": "shadow:semantic", "threshold": 0.5}],
    "python": [{"type": "python", "value": "len(output) > 10"}],
    "hook": [{"type": "webhook"}],
}
WANTED = 300  # pairs a second: what a proxy sends at 300 calls a second and one candidate
DELAY = 0.05
WORDS = [f"{a}{b}" for a in ("ba", "ke", "lo", "mi", "ru") for b in ("n", "ster", "ling", "der", "t")]


def measure(bench: Bench) -> dict[str, list[dict[str, float]]]:
    """Every set of checks, in rounds."""
    results: dict[str, list[dict[str, float]]] = {}
    for number in range(1, bench.rounds + 1):
        for name, checks in CHECKS.items():
            sample = asyncio.run(_judged(checks, 0.3 if bench.quick else bench.seconds))
            results.setdefault(name, []).append(sample)
            note(f"worker {name}, round {number}: {sample['pairs_per_s']:.0f} pairs/s")
    return results


def table(figures: Figures) -> str:
    """One row per set of checks."""
    columns = ("pairs_per_s", "check_ms", "record_ms")
    rows = [[name, *(figures.show(name, column, ".2f") for column in columns)] for name in figures.results]
    return markdown(["checks", "pairs/s", "read and check, ms per pair", "record, ms per pair"], rows)


def goals(figures: Figures) -> list[Goal]:
    """One worker keeps up with one proxy and its candidate."""
    if not figures.has("default"):
        return []
    found = figures.middle("default", "pairs_per_s")
    return [figures.goal("pairs a second, default checks", f"≥ {WANTED}", f"{found:.0f}", found >= WANTED, "default")]


async def _judged(checks: list[Any] | None, seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="us-") as folder:
        async with ScriptedUpstream(_slow) as hook:
            file: dict[str, Any] = {
                "live": {"base_url": "http://live"},
                "data": folder,
                "candidates": [{"name": "mini"}],
            }
            if checks is not None:
                file["checks"] = [one | {"value": hook.url} if one["type"] == "webhook" else one for one in checks]
            return await _timed(Settings.model_validate(file), seconds)


async def _timed(settings: Settings, seconds: float) -> dict[str, float]:
    checked = recorded = 0.0
    number, pace = 0, wiring.paced(settings, Pace())
    others, since = busy_seconds() - _own(), time.monotonic()
    with closing(wiring.opened_store(settings)) as store, closing(Outside(settings.embeddings)) as outside:
        watch = wiring.watching(settings, time.time(), wiring.built_checks(settings, outside.doors))
        checking = Checking(watch, Telemetry(), limit=pace.check_limit, lanes=pace.lanes)
        await checking.check([_taken(0)])  # starts what has to be started
        while checked + recorded < seconds:
            batch = [_taken(number + more) for more in range(pace.batch)]
            began = time.perf_counter()
            found = zip(await checking.check(batch), batch, strict=True)
            rows = [Recorded(one, taken.fields) for one, taken in found if not isinstance(one, Failed)]
            middle = time.perf_counter()
            number += (await asyncio.to_thread(write.record, store, rows, time.time())).new
            checked, recorded = checked + middle - began, recorded + time.perf_counter() - middle
    spent = checked + recorded
    return {
        "pairs_per_s": number / spent,
        "check_ms": checked / number * 1e3,
        "record_ms": recorded / number * 1e3,
        "foreign": max(0.0, (busy_seconds() - _own() - others) / (time.monotonic() - since)),
        "model_late_us": 0.0,  # no load generator
    }


def _own() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


async def _slow(turn: Turn) -> None:
    await asyncio.sleep(DELAY)
    await answer(b'{"pass": true}')(turn)


def _taken(number: int) -> Taken:
    dice = random.Random(number)
    words = [dice.choice(WORDS) for _ in range(400)]
    other = [dice.choice(WORDS) if dice.random() < 0.1 else word for word in words]
    asked = json.dumps({"model": "m", "messages": [{"role": "user", "content": f"question {number}"}]}).encode()
    now = time.time()
    call = Call(f"{number:032x}", now, "POST", "/v1/chat/completions", "", (), asked, f"c{number // 3}", ())
    pair = Pair(call, "mini", Role.CANDIDATE, _said(words), _said(other))
    return Taken(b"%d-0" % number, {name.encode(): value for name, value in wire.encode(pair).items()}, 1)


def _said(words: list[str]) -> Outcome:
    message = {"role": "assistant", "content": " ".join(words)}
    body = json.dumps({"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
    return Outcome(Failure.NONE, "", 200, (), body, len(body), 0.0, 0.1, 0.2, 1, 0.0)
