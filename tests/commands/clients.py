"""`./run clients`: every case of ten client libraries, directly and through a running proxy: same, or what differs.

Compared is all that the caller sees and all that the provider receives. The libraries live in environments of their
own (`.clients`, made from hash-locked lists when they are not there); without npm, those of Node are left out.
Exit codes: 0 all the same, 1 something differs, 3 the environment could not be made.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from tests.clients.matrix.environment import Client, NotMade, node_clients, python_clients
from tests.clients.matrix.rig import Rig, rig
from tests.clients.matrix.table import SAME, Verdict, judge, table

ROOT = Path(__file__).parents[2]
NOT_MADE = 3
_LIMIT = 120.0
"""Seconds for all cases of one client; the slowest took 8 s on two cores."""


def main() -> int:
    """Play everything and print the table; gives the exit code."""
    options = _options()
    folder = Path(options.environment).resolve()
    try:
        clients = [*python_clients(folder), *node_clients(folder)]
    except NotMade as error:
        print(f"clients: {error}", file=sys.stderr)
        return NOT_MADE
    wanted = [client for client in clients if not options.client or client.name in options.client]
    if not wanted:
        print(f"clients: there are {', '.join(client.name for client in clients)}", file=sys.stderr)
        return 2
    if not any(client.name.startswith("node ") for client in clients):
        print("clients: no npm, so the libraries of Node are left out")
    return asyncio.run(_play(wanted))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run clients", description=__doc__)
    parser.add_argument("--environment", default=str(ROOT / ".clients"), help="where the libraries are, or are put")
    parser.add_argument("--client", action="append", help="only this one; may be given again")
    return parser.parse_args()


async def _play(clients: Sequence[Client]) -> int:
    async with rig() as played:
        verdicts: list[Verdict] = []
        for client in clients:
            verdicts += await _verdicts(client, played)
        accounts = await played.accounts()
    print(table(verdicts, {client.name: client.version for client in clients}))
    print(f"{accounts}\nthe candidate got {played.candidate.copies} copies, live {played.diary.copies} for the control")
    if not accounts.balanced:
        print("the accounts do not balance: calls, answers and the sum over each shadow's buckets must be one number")
    return 0 if accounts.balanced and all(verdict.words == SAME for verdict in verdicts) else 1


async def _verdicts(client: Client, played: Rig) -> list[Verdict]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        end = await _played((*client.command, played.direct, played.proxied), out, errors)
        told, said = _read(out), _read(errors)
    lines: list[dict[str, Any]] = [json.loads(line) for line in told.splitlines() if line.endswith("}")]
    verdicts = judge(client.name, lines, played.diary.calls)
    if end or not verdicts:
        verdicts.append(Verdict(client.name, "to the end", f"the player {end or 'said nothing'}: {said[-500:]}"))
    return verdicts


async def _played(command: Sequence[str], out: IO[bytes], errors: IO[bytes]) -> str:
    """What went wrong with the player itself; empty when nothing did."""
    child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=out, stderr=errors, env=_environ())
    try:
        async with asyncio.timeout(_LIMIT):
            code = await child.wait()
    except TimeoutError:
        return f"was not done after {_LIMIT:g} s"
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return f"ended with {code}" if code else ""


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace").strip()


def _environ() -> dict[str, str]:
    """Without what would lead a client elsewhere: keys, addresses and proxies of the person at the keyboard."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1", "LANGSMITH_TRACING": "false", "NO_COLOR": "1"}


if __name__ == "__main__":
    sys.exit(main())
