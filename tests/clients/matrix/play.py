"""`python -m tests.clients.matrix.play CLIENT DIRECT PROXIED`: every case of one client at both doors.

Prints one line of JSON per case and door. The cases of one client run one after the other in one process, as in an
application; what the provider gets is told apart by the base URL, which ends in `/{door}/{case}`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import warnings
from typing import Any

from tests.clients.matrix.players import Play, error, plain


def main() -> None:
    """Play, and tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("client")
    parser.add_argument("direct")
    parser.add_argument("proxied")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    player = importlib.import_module(f"tests.clients.matrix.players.{options.client}_player")
    doors = (("direct", options.direct), ("proxied", options.proxied))
    for due, cases in (("well", player.WELL), ("badly", player.BADLY)):
        for name, play in cases.items():
            for door, root in doors:
                case = f"{options.client}-{name.replace(' ', '-')}"
                base = f"{root}/{door}/{case}"
                end, seen = _played(play, base)
                line = {"case": case, "name": name, "door": door, "due": due, "end": end, "base": base, "seen": seen}
                print(json.dumps(line), flush=True)


def _played(play: Play, base: str) -> tuple[str, Any]:
    try:
        return "well", plain(play(base))
    except Exception as raised:  # whatever a library raises is what its users see
        return "badly", error(raised)


if __name__ == "__main__":
    main()
