"""From complaints to sentences."""

from typing import Any

import pytest
from pydantic import ValidationError

from config.load.mistake import Place
from config.load.wording import not_yet, sentence, without
from config.settings import Settings


def said(keys: dict[str, Any], place: Place) -> str:
    """The sentence for the one complaint that these keys cause."""
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"live": {"base_url": "https://a.example"}, **keys})
    (error,) = caught.value.errors(include_url=False)
    return sentence(error, place)


@pytest.mark.parametrize(
    ("keys", "place", "sentence"),
    [
        ({"live": {}}, ("live", "base_url"), "this is required; add `base_url:`"),
        (
            {"live": {"base_url": "http://a", "baseUrl": "x"}},
            ("live", "baseUrl"),
            "unknown key; did you mean `base_url`?",
        ),
        ({"candidate": []}, ("candidate",), "unknown key; did you mean `candidates`?"),
        ({"shadow-paths": []}, ("shadow-paths",), "unknown key; did you mean `shadow_paths`?"),
        ({"store": {"zzz": 1}}, ("store", "zzz"), "unknown key; known here: url"),
        ({"judges": {}}, ("judges",), "not available yet: model-graded checks; leave it out"),
        ({"capture": {"retention": 1}}, ("capture", "retention"), "not available yet: retention; leave it out"),
        (
            {"candidates": [{"name": "a", "dialect": "gemini"}]},
            ("candidates", 0, "dialect"),
            "not available yet: translation between API families; leave it out",
        ),
        ({"candidates": [{"name": "a", "dialect": "x"}]}, ("candidates", 0, "dialect"), "write 'same'"),
        ({"candidates": [{"name": "a", "dialect": 5}]}, ("candidates", 0, "dialect"), "write 'same'"),
        ({"data": []}, ("data",), "a text belongs here, not a list or a table"),
        ({"data": ""}, ("data",), "this is empty; write something or leave the key out"),
        ({"gates": {}}, ("gates",), "a list belongs here: lines that begin with `- `, or [a, b]"),
        ({"live": 5}, ("live",), "a table belongs here: lines of `key: value`"),
        ({"topics": []}, ("topics",), "a table belongs here: lines of `key: value`"),
        ({"queue": {"max_pairs": "5"}}, ("queue", "max_pairs"), "a whole number belongs here, without quotes"),
        ({"queue": {"max_pairs": 5}}, ("queue", "max_pairs"), "this is too small; write at least 100"),
        ({"alpha": "50%"}, ("alpha",), "this is too large; write less than 0.5"),
        ({"alpha": True}, ("alpha",), "a number belongs here, without quotes"),
        ({"alpha": "much"}, ("alpha",), "'much' is not understood; write it like 20% or 0.2"),
        (
            {"checks": [{"type": "x", "name": "n" * 121}]},
            ("checks", 0, "name"),
            "this is too long; write at most 120 characters",
        ),
        ({"control": {"max_in_flight": 10**6}}, ("control", "max_in_flight"), "this is too large; write at most 10000"),
        ({"capture": {"max_body": 0}}, ("capture", "max_body"), "this is too small; write more than 0"),
        (
            {"prices": {"m": {"input": float("inf"), "output": 1}}},
            ("prices", "m", "input"),
            "Input should be a finite number",
        ),
    ],
)
def test_sentence(keys: dict[str, Any], place: Place, sentence: str) -> None:
    """Each complaint becomes a sentence with the remedy."""
    assert said(keys, place) == sentence


@pytest.mark.parametrize(
    ("place", "value", "announced"),
    [
        (("checks", 3, "judges"), "", True),
        (("candidates", 0, "dialect"), "gemini", True),
        (("slices", 0), "route", False),
        (("judges", "a"), "", False),
    ],
)
def test_not_yet(place: Place, value: str, announced: bool) -> None:
    """Positions in lists do not matter; values can be announced too."""
    assert not_yet(place, value).startswith("not available yet") is announced


@pytest.mark.parametrize(
    ("hidden", "message", "shown"),
    [
        ({"hunter2-and-more": "${K}"}, "'xhunter2-and-more' no", "'x${K}' no"),
        ({"5": "${N}"}, "5 is above 65535", "${N} is above 65535"),
        ({"secret": "${A}", "secret-tail": "${B}"}, "secret-tail", "${B}"),
        ({"two\nlines-long": "${K}"}, repr("two\nlines-long"), "'${K}'"),
        ({"gone\\1-long-one": r"\1${K}"}, "gone\\1-long-one", r"\1${K}"),
        ({}, "nothing", "nothing"),
    ],
)
def test_without(hidden: dict[str, str], message: str, shown: str) -> None:
    """Values from outside the file are written as the file writes them."""
    assert without(hidden, message) == shown
