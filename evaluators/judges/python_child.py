"""The other side of python_door: runs the operator's checks, in a process of its own. Started by path, stands alone.

One JSON line in, one out, over the socket that was given as standard input. The checks' own standard input and output
lead nowhere, so that what they print cannot break the lines. Limits are set before their first line is read. This is a
fence against accidents, not a prison: who writes the configuration may run code here.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import resource
import signal
import socket
import sys
import textwrap
import types
from collections.abc import Callable
from typing import Any

MEMORY = 2 * 1024**3  # of address space, of which numpy alone reserves 0.3
FILES = 64
WRITTEN = 1024**2  # bytes of one file
MOST_RESULT = 64 * 1024
MOST_WORDS = 160


def main() -> None:
    """Answer until the other side hangs up."""
    seconds = float(sys.argv[1])
    line = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    _limit()
    known: dict[str, Callable[..., Any]] = {}
    with line.makefile("rb") as questions:
        for question in questions:
            asked = json.loads(question)
            _self_destruct(seconds)
            said = _said(known, asked)
            signal.setitimer(signal.ITIMER_REAL, 0)
            line.sendall(json.dumps({"id": asked["id"], **said}).encode() + b"\n")


def _limit() -> None:
    limits = (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_FSIZE, WRITTEN),
        (resource.RLIMIT_NPROC, 0),  # counts everything of this user, so only none is a clear limit; root has no limit
        (resource.RLIMIT_CORE, 0),
    )
    for what, most in limits:
        try:
            resource.setrlimit(what, (most, most))
        except (OSError, ValueError):  # macOS has no limit of address space
            continue


def _self_destruct(seconds: float) -> None:
    """Should the other side die meanwhile, nobody else would end a check that hangs."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds + 1)
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 2, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _said(known: dict[str, Callable[..., Any]], asked: dict[str, Any]) -> dict[str, Any]:
    try:
        if "source" in asked:
            known[asked["code"]] = _defined(asked)
            return {"result": None}
        result = known[asked["code"]](asked["output"], asked["context"])
        if inspect.isawaitable(result):
            result = asyncio.run(_awaited(result))
        text = json.dumps({"result": result}, default=_plain)
        if len(text) > MOST_RESULT:
            return {"error": f"gave more than {MOST_RESULT} bytes"}
        return {"result": json.loads(text)["result"]}
    except BaseException as error:  # whatever the operator's code does ends here
        return {"error": f"raised {type(error).__name__}: {error}"[:MOST_WORDS]}


def _defined(asked: dict[str, Any]) -> Callable[..., Any]:
    """The function of a file, or one made of an expression or of lines with `return`, as in promptfoo."""
    source, path = asked["source"], asked["path"]
    if not path:
        body = textwrap.indent(textwrap.dedent(source), "    ") if "\n" in source else f"    return {source}"
        source = f"import json\n\ndef main(output, context):\n{body}\n"
    elif (folder := os.path.dirname(path)) not in sys.path:
        sys.path.insert(0, folder)
    module = types.ModuleType(f"check_{len(sys.modules)}")
    module.__file__ = path or "<check>"
    sys.modules[module.__name__] = module  # dataclasses and pickles look there
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    found: Any = module
    for name in asked["function"].split("."):
        found = getattr(found, name)
    if not callable(found):
        raise TypeError(f"{asked['function']} is not a function")
    function: Callable[..., Any] = found
    return function


async def _awaited(result: Any) -> Any:
    return await result


def _plain(value: Any) -> Any:
    """numpy's numbers and truths as Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"gave {type(value).__name__}")


if __name__ == "__main__":
    main()
