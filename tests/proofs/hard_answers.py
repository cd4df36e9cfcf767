"""The hardest answers and questions, and a package of checks that is no good; for test_hard_answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from config.pair import Pair
from tests.evaluators.checks.arms import HOSTILE
from tests.evaluators.stocked import pair

EVIL = "(a|aa)+$"
BAIT = "a" * 50 + "!"
TREE = {"$defs": {"t": {"properties": {"a": {"$ref": "#/$defs/t"}}}}, "$ref": "#/$defs/t"}

PLUG = """
import sys
from evaluators.core.finding import assertion, comparison, passed

def loops(*arms):
    while True:
        pass

all = [
    assertion("raises", dimension="risk")(lambda params: lambda arm: 1 / 0),
    assertion("exits", dimension="risk")(lambda params: lambda arm: sys.exit(3)),
    assertion("says-nothing", dimension="risk")(lambda params: lambda arm: None),
    comparison("recurs", dimension="risk")(lambda params: lambda live, arm: (again := lambda: again())()),
    assertion("loops", dimension="risk")(lambda params: loops),
]
"""
PLUGS = {"raises": "ZeroDivisionError", "exits": "SystemExit", "says-nothing": "TypeError", "recurs": "RecursionError"}
"""Check types of a package that is no good, and what becomes of them on every pair. `loops` is left out later on."""

NAMED: list[dict[str, Any]] = [
    {"type": "regex", "value": EVIL, "name": "evil pattern"},
    {"type": "banned-topics", "value": {"bait": [f"re:{EVIL}"]}, "name": "evil topic"},
    {"type": "is-json", "value": {"$ref": "#"}, "name": "endless schema"},
    {"type": "contains-json", "value": TREE, "name": "recursive schema"},
    {"type": "is-json", "value": {"items": {"pattern": EVIL}, "uniqueItems": True}, "name": "evil schema"},
]


@dataclass(frozen=True, slots=True)
class Hard:
    """A candidate's body, and what is added to the question."""

    body: bytes
    asked: dict[str, Any]


def chat(text: str, **more: Any) -> bytes:
    """A whole answer; what is no text by Unicode's rules is escaped, as a server would."""
    message = {"role": "assistant", "content": text, **more}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"model": "m", "choices": [choice]}).encode()


def demanding(rules: Any) -> dict[str, Any]:
    """What a question adds that wants its answer in this form."""
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": rules}}}


def calling(arguments: str, rules: Any) -> Hard:
    """An answer that calls a tool."""
    call = {"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
    offered = [{"type": "function", "function": {"name": "get_weather", "parameters": rules}}]
    return Hard(chat("", tool_calls=[call]), {"tools": offered})


def nested(levels: int) -> dict[str, Any]:
    """A schema with so many levels."""
    found: dict[str, Any] = {}
    for _ in range(levels):
        found = {"not": found}
    return found


OBJECTS = json.dumps([{"a": number} for number in range(50_000)])
DEEP = '{"a":' * 200 + "1" + "}" * 200

HARD: dict[str, Hard] = {
    **{name: Hard(chat(text), {}) for name, text in HOSTILE.items()},
    "no bytes": Hard(b"", {}),
    "one byte that is no answer": Hard(b"\x00", {}),
    "no UTF-8": Hard(b"\xff\xfe" * 1_000, {}),
    "a body of ten thousand levels": Hard(b"[" * 10_000 + b"]" * 10_000, {}),
    "a body of a megabyte without end": Hard(b'{"choices":' + b"[" * 1_000_000, {}),
    "a body with numbers that are none": Hard(chat("a").replace(b'"index": 0', b'"index": NaN, "b": -Infinity'), {}),
    "a body with a number beyond 64 bits": Hard(chat("a").replace(b'"index": 0', b'"index": 18446744073709551617'), {}),
    "many objects": Hard(chat(OBJECTS), demanding({"uniqueItems": True, "items": {"type": "object"}})),
    "many lines": Hard(chat("- item 1\n" * 50_000), {}),
    "an endless schema": Hard(chat("{}"), demanding({"$ref": "#"})),
    "an endless schema, deep answer": Hard(chat(DEEP), demanding(TREE)),
    "a schema that leads nowhere": Hard(chat("{}"), demanding({"$ref": "#/nowhere"})),
    "a schema of many levels": Hard(chat("{}"), demanding(nested(300))),
    "a schema with a number beyond 64 bits": Hard(chat("{}"), demanding({"const": 2**70})),
    "a schema with a slow pattern": Hard(chat(json.dumps([BAIT] * 9)), demanding({"items": {"pattern": EVIL}})),
    "a schema with slow names": Hard(chat(json.dumps({BAIT: 1})), demanding({"patternProperties": {EVIL: {}}})),
    "an endless tool": calling("{}", {"$ref": "#"}),
    "a tool with a slow pattern": calling(json.dumps({"a": BAIT}), {"properties": {"a": {"pattern": EVIL}}}),
    "arguments of ten thousand levels": calling(HOSTILE["ten thousand levels"], {"type": "object"}),
    "arguments with a number too large": calling('{"a": 1e999, "b": NaN}', {"type": "object"}),
    "arguments of a megabyte": calling(json.dumps({"a": "x" * 1_000_000}), {"properties": {"a": {"pattern": "x$"}}}),
    "a question of ten thousand levels": Hard(chat("yes"), {"metadata": "@"}),
    "a question that topics have to search": Hard(chat("yes"), {"messages": [{"role": "user", "content": BAIT}]}),
    "a long question": Hard(chat("1182 a"), {"messages": [{"role": "user", "content": "word 1182 " * 100_000}]}),
}
QUICK = (
    *("one byte", "right to left", "lone surrogates", "a number beyond 64 bits"),
    *("a body of ten thousand levels", "an endless schema", "an endless tool"),
)


def asked(body: bytes, more: dict[str, Any]) -> bytes:
    """The question with its additions, and something deep where a place is kept for it."""
    deep = b"[" * 10_000 + b"]" * 10_000
    return json.dumps({**json.loads(body), **more}).encode().replace(b'"@"', deep)


def pairs_of(names: tuple[str, ...]) -> dict[str, Pair]:
    """Each hard answer beside an ordinary one of live, and beside itself."""
    found = {}
    for number, name in enumerate(names):
        hard = HARD[name]
        for beside, both in enumerate((False, True)):
            made = pair(2 * number + beside, "yes, 1 a", "")
            call = replace(made.call, body=asked(made.call.body, hard.asked))
            outcome = replace(made.outcome, body=hard.body, received=len(hard.body))
            found[f"{name}, twice" if both else name] = replace(
                made, call=call, outcome=outcome, live=outcome if both else made.live
            )
    return found
