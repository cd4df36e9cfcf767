"""Verdicts from outside: what code and hooks may say, what is broken, and what is refused at the start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from evaluators.core.finding import BadCheck, DoorFailed, Doors, Finding, Result
from evaluators.core.reply import Request
from tests.evaluators.checks.arms import arm, check, judge

ARM = arm("Oslo", request=Request("openai-chat", prompt="Where?"), model="m-1")
PASS, FAIL = Result.PASS, Result.FAIL


def says(result: Any) -> Doors:
    """Doors behind which everything answers this."""
    return Doors(python=lambda code, given: result, post=lambda url, body: result)


@pytest.mark.parametrize(
    ("said", "threshold", "found"),
    [
        (True, None, Finding(PASS, 1.0)),
        (False, None, Finding(FAIL, 0.0, "it says no")),
        (True, 0.5, Finding(PASS, 1.0)),
        (0.3, None, Finding(PASS, 0.3)),
        (0, None, Finding(FAIL, 0.0, "it says no")),
        (0.3, 0.5, Finding(FAIL, 0.3, "it says no")),
        (0.5, 0.5, Finding(PASS, 0.5)),
        (7, 5, Finding(PASS, 1.0)),
        (-2, None, Finding(FAIL, 0.0, "it says no")),
        ({"pass": True, "score": 0.9, "reason": "good"}, None, Finding(PASS, 0.9, "good")),
        ({"pass": False, "score": 0.9, "reason": "bad"}, None, Finding(FAIL, 0.9, "bad")),
        ({"pass": True, "score": 0.4}, 0.5, Finding(FAIL, 0.4, "it says no")),
        ({"pass_": True}, None, Finding(PASS, 1.0)),
        ({"pass": False, "reason": 7}, None, Finding(FAIL, 0.0, "it says no")),
    ],
)
def test_what_code_may_say(said: Any, threshold: float | None, found: Finding) -> None:
    """A truth, a number against the threshold, or {pass, score, reason}; a score below the threshold fails."""
    assert judge("python", ARM, value="x", threshold=threshold, doors=says(said)) == found


@pytest.mark.parametrize("type", ["python", "not-python"])
@pytest.mark.parametrize(
    "said",
    [None, "true", [], float("nan"), 10**400, {}, {"pass": 1}, {"score": 1}, {"pass": True, "score": "1"}],
)
def test_anything_else_is_no_verdict(type: str, said: Any) -> None:
    """It is broken in both forms: the answer has not been judged."""
    with pytest.raises(DoorFailed, match="the code gave neither"):
        judge(type, ARM, value="x", doors=says(said))


def test_negation_turns_the_verdict_of_code() -> None:
    """not-python passes what the code fails."""
    assert judge("not-python", ARM, value="x", doors=says(0.2), threshold=0.5) == Finding(PASS, 0.8, "it says no")


def test_what_code_sees() -> None:
    """The text, and promptfoo's context as far as a recorded call has it."""
    seen: list[tuple[str, Mapping[str, Any]]] = []
    doors = Doors(python=lambda code, given: bool(seen.append((code, given))) or True)
    judge("python", ARM, value="output == 'Oslo'", threshold=0.5, config={"a": 1}, doors=doors)
    judge("python", ARM, value="1", doors=doors)
    context = {"prompt": "Where?", "vars": {}, "test": {}, "provider": {"id": "m-1"}, "config": {"a": 1}}
    assert seen == [
        ("output == 'Oslo'", {"output": "Oslo", "context": {**context, "threshold": 0.5}}),
        ("1", {"output": "Oslo", "context": {**context, "config": {}}}),
    ]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("output ==", "the code cannot be read, line 1: invalid syntax"),
        ("x = 1\nif x\n    return 1", "the code cannot be read, line 2: expected ':'"),
        ("(" * 300, "the code cannot be read, line 1: too many nested parentheses"),
        ("a\0b", "the code cannot be read, line 1: source code string cannot contain null bytes"),
        ("file://mine.js", "no file mine.js"),
        ("file://none.py:f", "no file none.py"),
        (["a"], "is a text"),
    ],
)
def test_code_that_cannot_run_stops_the_start(code: Any, message: str) -> None:
    """Mistakes of writing are found when the check is built, files when they are not there."""

    def read(url: str) -> str:
        raise BadCheck(f"no file {url.removeprefix('file://')}")

    with pytest.raises(BadCheck, match=message):
        check("python", code, doors=Doors(read=read))


def test_a_file_of_code_is_left_to_the_process() -> None:
    """The door gets the name with the function; without a door for files nobody looks."""
    doors = Doors(python=lambda code, given: code == "file:///x/mine.py:f")
    assert judge("python", ARM, value="file:///x/mine.py:f", doors=doors).result is PASS


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"pass": True}, Finding(PASS, 1.0)),
        ({"pass": False}, Finding(FAIL, 0.0, "it says no")),
        ({"pass": True, "score": 0.5, "reason": "so so"}, Finding(PASS, 0.5, "so so")),
    ],
)
def test_what_a_hook_may_say(said: Any, found: Finding) -> None:
    """pass, and if it likes a score and a reason."""
    assert judge("webhook", ARM, value="http://127.0.0.1/x", doors=says(said)) == found


@pytest.mark.parametrize("type", ["webhook", "not-webhook"])
@pytest.mark.parametrize(
    ("said", "message"),
    [
        (None, "no boolean `pass`"),
        ([], "no boolean `pass`"),
        ({"pass": "true"}, "no boolean `pass`"),
        ({"pass": True, "score": 1.1}, "no number between 0 and 1"),
        ({"pass": True, "score": None}, "no number between 0 and 1"),
    ],
)
def test_a_malformed_hook_has_no_verdict(type: str, said: Any, message: str) -> None:
    """Neither form passes or fails: the hook has said nothing about the answer."""
    with pytest.raises(DoorFailed, match=message):
        judge(type, ARM, value="http://127.0.0.1/x", doors=says(said))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://h/x", "is a URL"),
        ("hooks.example.com", "the host"),
        ("http://", "the host"),
        ("http://169.254.169.254/latest", "host"),
        ("http://h:99999/", "Port"),
        (7, "the host"),
    ],
)
def test_addresses_that_are_none(url: Any, message: str) -> None:
    """A hook has an http or https URL of a host where one may be."""
    with pytest.raises(BadCheck, match=message):
        check("webhook", url)


def test_addresses_with_port_and_credentials() -> None:
    """These are URLs too."""
    for url in ("https://user:pw@hooks.example.com:8443/x?token=1", "http://[::1]:8080/"):
        assert check("webhook", url).type == "webhook"
