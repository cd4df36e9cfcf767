"""Assertions whose verdict comes from outside: the operator's own Python, or a web hook. Built by the registry."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from config import hosts
from evaluators.core.finding import (
    Arm,
    Assert,
    BadCheck,
    CheckType,
    DoorFailed,
    Finding,
    Params,
    assertion,
    failed,
    passed,
)

_FILE = "file://"


@assertion("python", dimension="correctness", takes=("value", "threshold", "config"))
def python(params: Params) -> Assert:
    """The operator's code says so: an expression, lines with `return`, or `file://NAME.py[:function]` (get_assert).

    As in promptfoo it sees `output` and `context`, and gives true or false, a number (right from `threshold` on, or
    above 0), or {pass, score, reason}. Whatever else it gives, raises, or takes too long for is broken.
    """
    code = params.text()
    if not code.startswith(_FILE):  # the registry reads a file, for the version
        _compiles(code)
    limit = params.threshold

    def check(arm: Arm) -> Finding:
        context = {**_context(arm), "test": {}, "provider": {"id": arm.reply.model}, "config": dict(params.config)}
        if limit is not None:
            context["threshold"] = limit
        return _verdict(params.doors.python(code, {"output": arm.reply.text, "context": context}), limit)

    return check


@assertion("webhook", dimension="correctness", takes=("value",))
def webhook(params: Params) -> Assert:
    """The server at `value` says so: it is sent {output, context} and answers {pass, score, reason}.

    A hook that does not answer, or not with a boolean `pass` and a score between 0 and 1, is broken, under `not-` too:
    it has said nothing about the answer. (promptfoo fails the answer then.)
    """
    url = _url(params)

    def check(arm: Arm) -> Finding:
        said = params.doors.post(url, {"output": arm.reply.text, "context": _context(arm)})
        if not isinstance(said, Mapping) or not isinstance(said.get("pass"), bool):
            raise DoorFailed("the webhook's answer has no boolean `pass`")
        score = said.get("score", float(said["pass"]))
        if not _is_number(score) or not 0 <= score <= 1:
            raise DoorFailed("the webhook's `score` is no number between 0 and 1")
        return _finding(said["pass"], float(score), said.get("reason"))

    return check


TYPES: tuple[CheckType, ...] = (python, webhook)


def _context(arm: Arm) -> dict[str, Any]:
    return {"prompt": arm.request.prompt, "vars": {}}


def _verdict(said: Any, limit: float | None) -> Finding:
    if isinstance(said, bool):
        return _finding(said, float(said), None)
    if _is_number(said):
        return _finding(said > 0 if limit is None else said >= limit, min(1.0, max(0.0, float(said))), None)
    if not isinstance(said, Mapping):
        raise DoorFailed(_WANTED)
    holds = said.get("pass", said.get("pass_"))
    score = said.get("score", float(holds) if isinstance(holds, bool) else None)
    if not isinstance(holds, bool) or not _is_number(score):
        raise DoorFailed(_WANTED)
    enough = limit is None or score >= limit
    return _finding(holds and enough, min(1.0, max(0.0, float(score))), said.get("reason"))


_WANTED = "the code gave neither true or false, nor a number, nor {pass, score, reason}"


def _finding(holds: bool, score: float, reason: object) -> Finding:
    detail = reason if isinstance(reason, str) else ""
    return passed(detail, score) if holds else failed(detail or "it says no", score)


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e308
    )  # whole ones have no end


def _compiles(code: str) -> None:
    lines = textwrap.indent(textwrap.dedent(code), "    ") if "\n" in code else f"    return {code}"
    try:
        ast.parse(f"def main(output, context):\n{lines}\n")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = error.lineno - 1 if isinstance(error, SyntaxError) and error.lineno else 1
        raise BadCheck(f"the code cannot be read, line {line}: {getattr(error, 'msg', error)}") from error


def _url(params: Params) -> str:
    url = params.text()
    try:
        parts = urlsplit(url)
        hosts.check(parts.netloc.rpartition("@")[2].removesuffix(f":{parts.port}"))
    except ValueError as error:
        raise BadCheck(f"webhook: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadCheck("webhook needs a `value:` that is a URL, like https://hooks.example.com/judge")
    return url
