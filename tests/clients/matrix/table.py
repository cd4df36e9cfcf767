"""The verdict on each case, and the table of all. Pure; used by tests.commands.clients."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.clients.comparing import first_difference, received, told
from tests.clients.provider import Received

SAME = "same"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One case of one client: `same`, or what is wrong with it."""

    client: str
    case: str
    words: str

    @property
    def mark(self) -> str:
        """What the table shows."""
        return SAME if self.words == SAME else "DIFFERS"


def judge(
    client: str, lines: Sequence[Mapping[str, Any]], calls: Mapping[tuple[str, str], Sequence[Received]]
) -> list[Verdict]:
    """One verdict per case, from what a player told and what the provider got."""
    by_case: dict[str, dict[str, Mapping[str, Any]]] = {}
    for line in lines:
        by_case.setdefault(line["case"], {})[line["door"]] = line
    return [Verdict(client, doors["direct"]["name"], _words(case, doors, calls)) for case, doors in by_case.items()]


def _words(
    case: str, doors: Mapping[str, Mapping[str, Any]], calls: Mapping[tuple[str, str], Sequence[Received]]
) -> str:
    direct = doors["direct"]
    if "proxied" not in doors:
        return "it was never played through the proxy"
    if direct["end"] != direct["due"]:  # both doors could be equal in a case that shows nothing
        return f"it should end {direct['due']} and directly ends {direct['end']}: {json.dumps(direct['seen'])[:300]}"
    if not calls.get(("direct", case)):
        return "the provider got no request"
    shown = [_transcript(line, calls.get((door, case), ())) for door, line in doors.items()]
    return first_difference(*shown) or SAME


def _transcript(line: Mapping[str, Any], calls: Sequence[Received]) -> dict[str, Any]:
    seen = json.loads(told(json.dumps(line["seen"]), line["base"]))
    return {"end": line["end"], "seen": seen, "received": received(calls)}


def table(verdicts: Sequence[Verdict], versions: Mapping[str, str]) -> str:
    """Cases down, clients across; what differs is told below."""
    clients = list(versions)
    marks = {(verdict.client, verdict.case): verdict.mark for verdict in verdicts}
    cases = list(dict.fromkeys(verdict.case for verdict in verdicts))
    header = ["case", *(f"{client} {version}" for client, version in versions.items())]
    rows = [[case, *(marks.get((client, case), "·") for client in clients)] for case in cases]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    ruled = [header, ["-" * width for width in widths], *rows]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in ruled
    ]
    wrong = [f"{one.client}, {one.case}: {one.words}" for one in verdicts if one.words != SAME]
    count = f"N = {len(verdicts)} cases of {len(clients)} clients, each at both doors; {len(wrong)} differ"
    return "\n".join([*lines, "", *wrong, count])
