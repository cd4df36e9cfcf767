"""language and shadow:language: right languages, and abstention where nobody can tell."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from evaluators.core import language as core
from evaluators.core.finding import BadCheck, Result
from tests.evaluators.checks.arms import arm, check, judge

ENGLISH = "Your refund is on its way and should arrive within five days."
GERMAN = "Ihre Rückerstattung ist unterwegs und sollte in fünf Tagen ankommen."


@pytest.mark.parametrize(
    ("text", "value", "result"),
    [
        (ENGLISH, "en", Result.PASS),
        (ENGLISH, "de, EN", Result.PASS),
        (GERMAN, ["en", "fr"], Result.FAIL),
        ("OK", "en", Result.SKIP),
        ("", "en", Result.SKIP),
    ],
)
def test_language(text: str, value: Any, result: Result) -> None:
    """The answer is in one of the languages, or too short to tell."""
    assert judge("language", arm(text), value=value).result is result


def test_the_other_language_is_named() -> None:
    """The reason and the path say which language it is; a refusal message has one too."""
    found = judge("language", arm("", refusal=GERMAN), value=["en", "fr"])
    assert (found.detail, found.paths) == ("is de, not en or fr", ("de",))


@pytest.mark.parametrize("value", [None, "xx", "english", ["en", ""]])
def test_a_code_that_is_none_stops_the_start(value: Any) -> None:
    """Only codes that the detector can give are values."""
    with pytest.raises(BadCheck):
        check("language", value)


def test_two_answers() -> None:
    """A change of language is a difference with its direction; where one cannot be told the comparison skips."""
    found = judge("shadow:language", arm(ENGLISH), arm(GERMAN))
    assert (found.result, found.paths) == (Result.DIFFER, ("en→de",))
    assert judge("shadow:language", arm(ENGLISH), arm(ENGLISH + " Sorry for the wait.")).result is Result.SAME
    assert judge("shadow:language", arm(ENGLISH), arm("42")).result is Result.SKIP


@pytest.mark.parametrize("name", ["language", "shadow:language"])
def test_without_the_detector(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package is not installed the start stops, and the message names the extra."""
    core._loaded.cache_clear()
    monkeypatch.setitem(sys.modules, "py3langid", None)
    with pytest.raises(BadCheck, match="install the extra `lang`"):
        check(name, **({"value": "en"} if name == "language" else {}))
    monkeypatch.undo()
    core.detector()
