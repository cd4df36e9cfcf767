"""What no single key can tell: one table of contradictions."""

from typing import Any

import pytest

from config.load.mistake import Place
from config.load.rules import clashes
from config.settings import Settings

CHECKS = ["is-json", "shadow:text"]
TAGS = {"tags": {"tenant": "header:x-tenant"}}


def settings(**keys: Any) -> Settings:
    return Settings.model_validate({"live": {"base_url": "https://a.example"}, **keys})


CLASHES = [
    pytest.param(
        {"candidates": [{"name": "a"}, {"name": "b"}, {"name": "a"}]},
        ("candidates", 2, "name"),
        "rename",
        id="same name",
    ),
    pytest.param({"candidates": [{"name": "live"}]}, ("candidates", 0, "name"), "another name", id="called live"),
    pytest.param({"candidates": [{"name": "control"}]}, ("candidates", 0, "name"), "another name", id="called control"),
    pytest.param(
        {"candidates": [{"name": "a", "headers": {"Content-Length": "1"}}]},
        ("candidates", 0, "headers", "Content-Length"),
        "set by the proxy",
        id="framing header",
    ),
    pytest.param(
        {
            "candidates": [{"name": "a"}],
            "mounts": {"/x": {"live": {"base_url": "http://x"}, "candidates": [{"name": "a"}]}},
        },
        ("mounts", "/x", "candidates", 0, "name"),
        "rename one",
        id="same name in a mount",
    ),
    pytest.param(
        {"candidates": [{"name": "a", "sample": 0.5, "again": 0.3}], "control": {"sample": 0.2}},
        ("candidates", 0, "again"),
        "write at most 0.2",
        id="asked twice where live is not",
    ),
    pytest.param({"ops": "127.0.0.1:8080"}, ("ops",), "another port", id="same port"),
    pytest.param(
        {"dashboard": {"listen": "127.0.0.1:9090"}},
        ("dashboard", "listen"),
        "another port",
        id="dashboard on ops' port",
    ),
    pytest.param({"queue": {"url": "http://q"}}, ("queue", "url"), "redis://", id="queue is no Redis"),
    pytest.param({"store": {"url": "mysql://q"}}, ("store", "url"), "postgresql:", id="unknown store"),
    pytest.param(
        {"capture": {"headers": ["x-a", "Authorization"]}}, ("capture", "headers", 1), "credential", id="captured key"
    ),
    pytest.param(
        {"capture": {"tags": {"k": "header:Cookie"}}}, ("capture", "tags", "k"), "credential", id="cookie as a tag"
    ),
    pytest.param({"slices": ["topik"]}, ("slices", 0), "write one of route,", id="unknown slice"),
    pytest.param({"slices": ["route", "route"]}, ("slices", 1), "keep one", id="slice twice"),
    pytest.param({"slices": ["tag:team"], "capture": TAGS}, ("slices", 0), "(there: tenant)", id="unknown tag"),
    pytest.param({"slices": ["tag:team"]}, ("slices", 0), "none so far", id="no tags"),
    pytest.param(
        {"checks": [{"type": "x", "when": {"tpoic": "a"}}]},
        ("checks", 0, "when", "tpoic"),
        "no slice",
        id="unknown when",
    ),
    pytest.param({"checks": ["a", "b", "a"]}, ("checks", 2), "`name:`", id="same check"),
    pytest.param(
        {"gates": [{"name": "g", "metric": "cost", "max_ratio": 1}] * 2}, ("gates", 1, "name"), "rename", id="same gate"
    ),
    pytest.param(
        {"checks": CHECKS, "gates": [{"name": "g", "check": "json", "red_line": 0}]},
        ("gates", 0, "check"),
        "known: is-json, shadow:text",
        id="gate on no check",
    ),
    pytest.param(
        {"checks": [], "gates": [{"name": "g", "check": "json", "red_line": 0}]},
        ("gates", 0, "check"),
        "known: none",
        id="gate without checks",
    ),
    pytest.param(
        {"checks": CHECKS, "gates": [{"name": "g", "check": "is-json", "max_excess": 0}]},
        ("gates", 0, "max_excess"),
        "use max_regression",
        id="excess of an assertion",
    ),
    pytest.param(
        {"checks": CHECKS, "gates": [{"name": "g", "check": "shadow:text", "max_regression": 0}]},
        ("gates", 0, "max_regression"),
        "use max_excess",
        id="regression of a comparison",
    ),
    pytest.param(
        {"checks": CHECKS, "gates": [{"name": "g", "check": "shadow:text", "max_failures": 0}]},
        ("gates", 0, "max_failures"),
        "use max_excess",
        id="failures of a comparison",
    ),
    pytest.param(
        {"checks": CHECKS, "gates": [{"name": "is-json", "metric": "total", "within": "1s", "red_line": 0}]},
        ("gates", 0, "name"),
        "rename one",
        id="service level called like a check",
    ),
    pytest.param(
        {
            "slices": ["turn"],
            "gates": [{"name": "g", "check": "missing-answer", "max_regression": 0, "when": {"topic": "a"}}],
        },
        ("gates", 0, "when", "topic"),
        "add it to `slices:`",
        id="gate on a slice that nobody counts",
    ),
    pytest.param(
        {"gates": [{"name": "g", "metric": "total", "within": "1s", "red_line": 0, "when": {"tpoic": "a"}}]},
        ("gates", 0, "when", "tpoic"),
        "no slice",
        id="gate on no slice",
    ),
]


@pytest.mark.parametrize(("keys", "place", "said"), CLASHES)
def test_clash(keys: dict[str, Any], place: Place, said: str) -> None:
    """Each contradiction is told once, at its place, with the remedy."""
    ((where, _word, message),) = clashes(settings(**keys))
    assert where == place
    assert said in message


@pytest.mark.parametrize(("keys", "place", "said"), CLASHES)
def test_damaged(keys: dict[str, Any], place: Place, said: str) -> None:
    """A rule is silent when a key that it reads has a mistake of its own."""
    assert clashes(settings(**keys), frozenset(keys)) == []


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param({}, id="defaults"),
        pytest.param({"listen": "127.0.0.1:0", "ops": "127.0.0.1:0"}, id="any free port twice"),
        pytest.param({"slices": ["tag:tenant"], "capture": TAGS}, id="known tag"),
        pytest.param({"queue": {"url": "unix:///run/q"}, "store": {"url": "sqlite:///x"}}, id="other engines"),
        pytest.param(
            {
                "checks": CHECKS,
                "gates": [
                    {"name": "a", "check": "is-json", "max_regression": 0},
                    {"name": "b", "check": "shadow:text", "max_excess": 0},
                    {"name": "c", "metric": "cost", "max_ratio": 1},
                ],
            },
            id="gates",
        ),
    ],
)
def test_agreed(keys: dict[str, Any]) -> None:
    """What agrees is left alone."""
    assert clashes(settings(**keys)) == []


def test_secret_stays_secret() -> None:
    """A wrong URL is not repeated: it may hold a password."""
    assert "hunter2" not in str(clashes(settings(queue={"url": "http://:hunter2@q"})))
