"""Answers that are a label, or hold one value."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators.core.finding import BadCheck, Result
from tests.evaluators.checks.arms import arm, check, judge

PASS, FAIL, SAME, DIFFER, SKIP = Result.PASS, Result.FAIL, Result.SAME, Result.DIFFER, Result.SKIP
SPAM = ["spam", "Not Spam", "7"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("spam", "spam"),
        (" **SPAM**.\n", "spam"),
        ('"not  spam"', "Not Spam"),
        ("Label: spam", "spam"),
        ("The final answer is: spam!", "spam"),
        ("category – not spam", "Not Spam"),
        ("7", "7"),
        ("It is spam", ""),
        ("spam, or not spam", ""),
        ("label", ""),
        ("", ""),
        ("spam " * 1_000, ""),
    ],
)
def test_label(text: str, expected: str) -> None:
    """One label and nothing else but marks and a prefix; the finding has the label as the file spells it."""
    found = judge("label", arm(text), value=SPAM)
    assert (found.result, found.detail) == ((PASS, expected) if expected else (FAIL, "is none of the labels"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"label": "Spam", "why": "x"}', PASS),
        ('Here: ```json\n{"label": 7}\n```', PASS),
        ('{"label": ["spam"]}', FAIL),
        ('{"label": true}', FAIL),
        ('{"other": "spam"}', FAIL),
        ("spam", FAIL),
    ],
)
def test_label_in_json(text: str, expected: Result) -> None:
    """With a path only the value there can be the label."""
    assert judge("label", arm(text), value=SPAM, config={"path": "/label"}).result is expected


@pytest.mark.parametrize(
    ("live", "shadow", "expected", "paths"),
    [
        ("spam", "Spam.", SAME, ()),
        ("spam", "Label: not spam", DIFFER, ("spam→Not Spam",)),
        ("spam", "I cannot say", DIFFER, ("spam→none",)),
        ("hm", "7", DIFFER, ("none→7",)),
        ("hm", "no", SKIP, ()),
    ],
)
def test_labels_compared(live: str, shadow: str, expected: Result, paths: tuple[str, ...]) -> None:
    """The path says which label became which."""
    found = judge("shadow:label", arm(live), arm(shadow), value=SPAM)
    assert (found.result, found.paths) == (expected, paths)


@pytest.mark.parametrize(
    ("config", "live", "shadow", "expected", "paths"),
    [
        ({"path": "/a/0"}, '{"a": [1]}', '{"a": [1, 2]}', SAME, ()),
        ({"path": "a[0]"}, '{"a": [1]}', '{"a": [2]}', DIFFER, ("a[0]",)),
        ({"path": "/a"}, '{"a": {"b": 1}}', '{"a": {"b": 2}}', DIFFER, ("/a/b",)),
        ({"path": "/*/b"}, '[{"b": 1}, {"b": 2}]', '[{"b": 1}, {"b": 3}]', DIFFER, ("/*/b/*",)),
        ({"path": "/a"}, '{"a": null}', "{}", DIFFER, ("/a",)),
        ({"path": "/a"}, "prose", '{"a": 1}', DIFFER, ("/a",)),
        ({"path": "/a"}, "prose", "{}", SKIP, ()),
        ({"pattern": r"Total: (\S+)"}, "Total: 5.0", "The Total: 5", SAME, ()),
        ({"pattern": r"Total: (\S+)"}, "Total: 5", "Total: 6", DIFFER, ("value",)),
        ({"pattern": "yes|no"}, "no!", "yes!", DIFFER, ("value",)),
        ({"pattern": "(x)?yes"}, "yes", "yes  ", SAME, ()),
        ({"pattern": "yes"}, "a", "b", SKIP, ()),
    ],
)
def test_extract(config: dict[str, str], live: str, shadow: str, expected: Result, paths: tuple[str, ...]) -> None:
    """Only the value counts, by path or by pattern."""
    found = judge("shadow:extract", arm(live), arm(shadow), config=config)
    assert (found.result, found.paths) == (expected, paths)


def test_extract_with_a_tolerance() -> None:
    """Numbers may differ relatively, in patterns too."""
    for config, text in (({"path": "/a"}, '{{"a": {}}}'), ({"pattern": r"\d+"}, "is {}")):
        arms = arm(text.format(100)), arm(text.format(101))
        assert judge("shadow:extract", *arms, threshold=0.02, config=config).result is SAME
        assert judge("shadow:extract", *arms, config=config).result is DIFFER


def test_a_pattern_that_would_not_end_is_broken() -> None:
    """It is stopped within a second, on either side."""
    found = judge("shadow:extract", arm("b"), arm("a" * 60 + "!"), config={"pattern": "(a|aa)+$"})
    assert found.result is Result.BROKEN


@pytest.mark.parametrize(
    ("type", "given", "message"),
    [
        ("label", {}, "a list of labels"),
        ("label", {"value": ["a", " . "]}, "an empty label"),
        ("label", {"value": ["a"], "config": {"path": 1}}, "a `path:` that is a text"),
        ("shadow:label", {"value": ["a"], "config": {"path": "a..b"}}, "is no path"),
        ("shadow:extract", {}, "one of both"),
        ("shadow:extract", {"config": {"path": "a", "pattern": "b"}}, "one of both"),
        ("shadow:extract", {"config": {"pattern": "("}}, "a valid regular expression"),
        ("shadow:extract", {"config": {"pattern": ""}}, "a `pattern:` that is a text"),
        ("shadow:extract", {"config": {"pattern": 5}}, "a `pattern:` that is a text"),
    ],
)
def test_mistakes(type: str, given: dict[str, Any], message: str) -> None:
    """What cannot work is refused with its remedy."""
    with pytest.raises(BadCheck, match=message):
        check(type, **given)
