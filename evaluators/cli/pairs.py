"""pairs list, pairs show: single pairs from the store, for people and programs.

Contents are somebody else's words: control characters are made visible before they reach a terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from config.pair import Outcome, Pair
from evaluators import wiring
from evaluators.cli.say import (
    DEFAULT_FILE,
    AsJson,
    Candidate,
    ConfigFile,
    Since,
    SliceOption,
    put,
    put_json,
    settings_of,
    start_of,
)
from evaluators.core.finding import Finding
from evaluators.core.observation import REGRESSED
from evaluators.core.reading import read as read_reply
from evaluators.core.reading import read_request
from evaluators.core.render.safe import block as printable
from evaluators.core.reply import Reply, Request
from evaluators.store import read
from evaluators.store.browsing import Filter, PairRow

pairs = typer.Typer(no_args_is_help=True, help="Look at single pairs.")


@pairs.command("list")
def list_pairs(
    config: ConfigFile = DEFAULT_FILE,
    candidate: Candidate = "",
    since: Since = "",
    slice: SliceOption = "",
    check: Annotated[str, typer.Option("--check", help="Only pairs that regressed or differ on this check.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 20,
    as_json: AsJson = False,
) -> None:
    """The newest pairs first."""
    wanted = Filter(
        shadow=candidate,
        since=start_of(since),
        slices=(slice,) if slice else (),
        check=check,
        letters=REGRESSED if check else (),
    )
    with closing(wiring.opened_store(settings_of(config))) as store:
        rows = read.pairs(store, wanted, limit)
    if as_json:
        put_json({"schema": 1, "pairs": [_row_json(row) for row in rows]})
    else:
        put("\n".join(_row_text(row) for row in rows) or "no pairs")


@pairs.command("show")
def show_pair(
    call: Annotated[str, typer.Argument(help="The call's id, or its first characters.")],
    config: ConfigFile = DEFAULT_FILE,
    candidate: Annotated[str, typer.Option("--candidate", help="Which shadow's pair, when there are several.")] = "",
    as_json: AsJson = False,
) -> None:
    """One pair: the question, both answers, and what every check says."""
    with closing(wiring.opened_store(settings_of(config))) as store:
        pair, findings = read.pair(store, call, candidate)
    request = read_request(pair.call)
    arms = {"live": pair.live, "shadow": pair.outcome}
    replies = {name: read_reply(outcome, request) for name, outcome in arms.items()}
    if as_json:
        put_json(_pair_json(pair, request, replies, findings))
    else:
        put(_pair_text(pair, request, replies, findings))


def _row_json(row: PairRow) -> dict[str, Any]:
    return {**asdict(row), "live": asdict(row.live), "arm": asdict(row.arm)}


def _row_text(row: PairRow) -> str:
    worse = [label for label, letters in row.joints.items() if letters in REGRESSED]
    at = datetime.fromtimestamp(row.arrived, UTC).strftime("%m-%d %H:%M:%S")
    said = f"{row.call_id[:13]}  {at}  {row.shadow:<12} {row.live.kind}/{row.arm.kind}"
    return f"{said:<58} {printable(row.preview)[:40]:<40} {', '.join(worse)}"


def _pair_json(
    pair: Pair, request: Request, replies: Mapping[str, Reply], findings: Mapping[tuple[str, str], Finding]
) -> dict[str, Any]:
    return {
        "schema": 1,
        "call": {
            "id": pair.call.id,
            "path": pair.call.path,
            "arrived": pair.call.arrived,
            "tags": dict(pair.call.tags),
        },
        "request": asdict(request),
        "arms": {
            name: {"outcome": _facts(outcome), "reply": asdict(replies[name])}
            for name, outcome in (("live", pair.live), ("shadow", pair.outcome))
        },
        "findings": [{"arm": arm, "check": check, **asdict(found)} for (arm, check), found in findings.items()],
    }


def _facts(outcome: Outcome) -> dict[str, Any]:
    return {
        "failure": outcome.failure,
        "detail": outcome.detail,
        "status": outcome.status,
        "first_byte": outcome.first_byte,
        "last_byte": outcome.last_byte,
        "received": outcome.received,
    }


def _pair_text(
    pair: Pair, request: Request, replies: Mapping[str, Reply], findings: Mapping[tuple[str, str], Finding]
) -> str:
    lines = [f"call {pair.call.id}  {pair.call.method} {printable(pair.call.path)}  shadow {pair.shadow}", ""]
    lines += ["question", printable(request.prompt), ""]
    for name, outcome in (("live", pair.live), ("shadow", pair.outcome)):
        reply = replies[name]
        head = f"{name}: {reply.kind}, status {outcome.status}, {outcome.last_byte:.2f} s"
        lines += [head, *_said(reply), ""]
    width = max((len(check) for _, check in findings), default=0)
    lines += [
        f"{arm:<7} {check:<{width}}  {found.result:<7} {printable(found.detail)} {printable(' '.join(found.paths))}"
        for (arm, check), found in findings.items()
    ]
    return "\n".join(line.rstrip() for line in lines)


def _said(reply: Reply) -> Sequence[str]:
    calls = [f"calls {printable(call.name)}({printable(call.arguments)})" for call in reply.tool_calls]
    return [printable(text) for text in (reply.reasoning, reply.refusal, reply.text) if text] + calls
