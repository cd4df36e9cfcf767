"""plan: how many conversations the gates will want, and how long that takes. From the store, like report and gate."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Annotated, Any

import typer

from config.pair import NEVER, Role
from config.units import share
from evaluators import wiring
from evaluators.assess import StoreReader
from evaluators.cli.say import DEFAULT_FILE, AsJson, Candidate, ConfigFile, Since, put, put_json, settings_of, start_of
from evaluators.core.gate.pace import expected_in, lasting, per_second
from evaluators.core.gate.plan import Planned, Step, plan
from evaluators.core.render.safe import line
from evaluators.core.report.words import count, percent, points, times
from evaluators.core.tally import ShadowTally

SCHEMA = 1
UNKNOWN = -1

Discordance = Annotated[
    str, typer.Option("--discordance", help="Plan with these shares of differing conversations: 2%,10%,30%.")
]
PerHour = Annotated[float, typer.Option("--per-hour", min=0.0, help="Conversations an hour; default: as seen.")]

NOBODY = "No candidate is known yet. Name one under `candidates:`."
NO_GATES = "No gates are configured: write some under `gates:`."


def add_to(app: typer.Typer) -> None:
    """Hang this command under the application."""
    app.command("plan")(planning)


def planning(
    config: ConfigFile = DEFAULT_FILE,
    candidate: Candidate = "",
    since: Since = "",
    discordance: Discordance = "",
    per_hour: PerHour = 0.0,
    as_json: AsJson = False,
) -> None:
    """How many conversations each gate will want when candidate and live are equally good, and how long that takes."""
    settings, shares, start = settings_of(config), _shares(discordance), start_of(since)
    now = time.time()  # noqa: TID251 - a clock room
    with closing(wiring.opened_store(settings)) as store:
        report = wiring.assessed(store, settings, now, start, candidate)
        tallies = {tally.shadow: tally for tally in StoreReader(store).tallies(start, now)}
    found = []
    for one in report.candidates:
        tally = tallies.get(one.name) or ShadowTally(one.name, Role.CANDIDATE, 0, 0, {}, (), {}, {})
        pace = per_hour / 3600 or per_second(one.conversations, report.window)
        found.append((one.name, one.conversations, pace, plan(one, tally, settings.gates, settings.alpha, shares)))
    if as_json:
        put_json({"schema": SCHEMA, "generated_at": now, "candidates": [_json(*entry) for entry in found]})
    else:
        put("\n\n".join("\n".join(_text(*entry)) for entry in found) or NOBODY)


def _shares(text: str) -> list[float]:
    """2%,10%,30% as shares; each above 0 and at most 1."""
    try:
        found = [float(share(part) if "%" in part else part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--discordance") from error
    if not all(0 < one <= 1 for one in found):
        raise typer.BadParameter("shares lie above 0 and at most at 100%", param_hint="--discordance")
    return found


def _json(name: str, conversations: int, pace: float, plans: Sequence[Planned]) -> dict[str, Any]:
    return {
        "name": name,
        "conversations": conversations,
        "per_hour": pace * 3600 if pace > 0 else NEVER,
        "gates": [{**asdict(one), "steps": [_step_json(step, pace) for step in one.steps]} for one in plans],
    }


def _step_json(step: Step, pace: float) -> dict[str, Any]:
    return {
        **asdict(step),
        "half_seconds": expected_in(step.half, pace),
        "likely_seconds": expected_in(step.likely, pace),
    }


def _text(name: str, conversations: int, pace: float, plans: Sequence[Planned]) -> Iterator[str]:
    traffic = f"{pace * 3600:,.0f} an hour" if pace > 0 else "their pace is not known: give --per-hour"
    yield f"{line(name)}: {count(conversations, 'closed conversation')} so far, {traffic}"
    for one in plans:
        yield f"  {line(one.name)}: {one.kind.replace('_', ' ')} {_limit(one)}{f', {one.note}' if one.note else ''}"
        if one.seen is not None:
            seen = f"{percent(one.seen.interval.low)} to {percent(one.seen.interval.high)}"
            yield f"    so far {percent(one.seen.share)} of {one.seen.conversations:,} differ ({seen})"
        if any(max(step.half, step.likely) > one.maximum for step in one.steps):
            yield f"    too late is after {one.maximum:,} conversations, where max_conversations ends it undecided"
        yield from _aligned([_step(step, one, pace) for step in one.steps])
    if not plans:
        yield f"  {NO_GATES}"


def _limit(one: Planned) -> str:
    if one.kind == "max_failures":
        return f"{one.limit:,.0f}"
    if one.kind == "max_ratio":
        return times(one.limit)
    if one.kind == "red_line":
        return percent(one.limit)
    limit = points(one.limit)[1:]
    return f"{limit} point{'' if limit == '1' else 's'}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows of a gate with their columns under each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield f"    {'  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()}"


def _step(step: Step, one: Planned, pace: float) -> tuple[str, ...]:
    """What is assumed, and when the gate is released then."""
    if step.failures >= 0:
        return (f"with {count(step.failures, 'failure')}:", f"released at {_when(step.half, one, pace)}")
    assumed = f"at {_spread(step, one)}:"
    if step.chance >= 0:
        return (assumed, f"released with a chance of {percent(step.chance)} at {_when(step.half, one, pace)}")
    half, likely = (_when(n, one, pace) for n in (step.half, step.likely))
    return (assumed, f"50% released by {half}", f"90% by {likely}")


def _spread(step: Step, one: Planned) -> str:
    return f"a squared log ratio of {step.discordance:.2g}" if one.kind == "max_ratio" else percent(step.discordance)


def _when(n: int, one: Planned, pace: float) -> str:
    if n == UNKNOWN:
        return "no number that anybody would wait for"
    time_ = lasting(expected_in(n, pace))
    return f"{n:,}{f' ({time_})' if time_ else ''}{' – too late' if n > one.maximum else ''}"
