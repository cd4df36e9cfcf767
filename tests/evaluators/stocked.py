"""A configuration file and a store filled as the worker fills it, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson

from config import wire
from config.load import load
from config.pair import Outcome, Pair, Role
from evaluators import wiring
from evaluators.store import write
from evaluators.store.write import Recorded

EXAMPLE = Path(__file__).parents[2] / "config" / "examples" / "pair-1.json"

RULES = """
slices: [topic, turn]
topics: {travel: [trip], billing: [invoice]}
checks:
  - {type: contains, value: Oslo, name: oslo, severity: blocker}
  - shadow:text
gates:
  - {name: city, check: oslo, max_regression: 20%, min_conversations: 50}
"""


def golden() -> Pair:
    """The example that both houses are tested against."""
    return wire.from_json(orjson.loads(EXAMPLE.read_bytes()))


def said(text: str) -> Outcome:
    """A whole chat answer with these words, otherwise the example's."""
    message = {"role": "assistant", "content": text}
    body = orjson.dumps({"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    return replace(golden().outcome, body=body, received=len(body))


def pair(number: int, live: str, shadow: str, *, name: str = "mini", ask: str = "Plan a trip", path: str = "") -> Pair:
    """Call `number`, a conversation of its own, with both answers; the example in everything else."""
    example = golden()
    call = replace(
        example.call,
        id=f"{number:032x}",
        arrived=example.call.arrived + min(number, 1000),
        conversation=f"c{number}",
        path=path or example.call.path,
        body=orjson.dumps({"model": "m", "messages": [{"role": "user", "content": ask}]}),
    )
    role = Role.CONTROL if name == "control" else Role.CANDIDATE
    return Pair(call, name, role, said(live), said(shadow))


def configured(folder: Path, more: str = RULES, name: str = "understudy.yaml") -> Path:
    """A file whose data lies beside it."""
    file = folder / name
    head = f"data: {folder}/data\nlive: {{base_url: 'http://127.0.0.1:9'}}\ncandidates: [{{name: mini}}]\n"
    file.write_text(head + more, encoding="utf-8")
    return file


def stock(file: Path, pairs: Sequence[Pair]) -> None:
    """Judge, record and fold these pairs, as the worker does."""
    settings = load(file, {})
    watch = wiring.observer(settings, 1.0)
    store = wiring.opened_store(settings)
    rows = [Recorded(watch(one), {key.encode(): value for key, value in wire.encode(one).items()}) for one in pairs]
    write.record(store, rows, golden().call.arrived)
    write.fold(store, golden().call.arrived + 1e5, 1.0)
    store.close()
