"""The models: defaults, tables that agree with themselves, and what is shown of them."""

from typing import Any

import pytest
from pydantic import ValidationError

from config.routing import SystemPrompt
from config.settings import DEFAULT_CHECKS, NOT_YET, Check, Settings, json_schema, redacted, spelled_out

LIVE = {"base_url": "https://api.openai.com"}


def settings(**keys: Any) -> Settings:
    return Settings.model_validate({"live": LIVE, **keys})


def refusal(kind: Any, value: Any) -> str:
    """The one complaint about a value."""
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(value)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"


def test_least() -> None:
    """One key is enough, and the defaults are in seconds, bytes and shares."""
    least = settings()
    assert least.live.timeout.connect == 5.0
    assert least.control.timeout.total == 600.0
    assert least.capture.max_body == 1 << 20
    assert least.alpha == 0.05


def test_default_checks() -> None:
    """Without `checks` the default ones apply; an empty list means none."""
    assert [check.type for check in settings().checks] == [check["type"] for check in DEFAULT_CHECKS]
    assert settings(checks=[]).checks == []


def test_short_check() -> None:
    """A check may be written as its type alone."""
    (check,) = settings(checks=["is-json"]).checks
    assert check == Check(type="is-json")
    assert check.label == "is-json"
    assert Check(type="is-json", name="json").label == "json"


@pytest.mark.parametrize(
    "prompt", [{"replace": "a"}, {"prepend": "a"}, {"append": ""}, {"file": "prompt.txt"}], ids=str
)
def test_one_prompt_key(prompt: dict[str, str]) -> None:
    """A system prompt has exactly one key."""
    assert SystemPrompt.model_validate(prompt).model_dump(exclude_none=True) == prompt


@pytest.mark.parametrize(("prompt", "found"), [({}, "none"), ({"replace": "a", "file": "b"}, "replace and file")])
def test_other_prompt_keys(prompt: dict[str, str], found: str) -> None:
    """None or several keys are refused by name."""
    assert f"(found: {found})" in refusal(SystemPrompt, prompt)


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ({"queue": {"max_pairs": "100"}}, "queue.max_pairs"),
        ({"queue": {"max_pairs": True}}, "queue.max_pairs"),
        ({"alpha": True}, "alpha"),
        ({"alpha": 0.5}, "alpha"),
        ({"control": {"max_in_flight": 1.5}}, "control.max_in_flight"),
        ({"prices": {"m": {"input": float("nan"), "output": 0}}}, "prices.m.input"),
        ({"candidats": []}, "candidats"),
    ],
    ids=str,
)
def test_strict(keys: dict[str, Any], place: str) -> None:
    """Nothing is guessed: other types and other keys are refused at their place."""
    assert refusal(Settings, {"live": LIVE, **keys}).startswith(f"{place}: ")


def test_immutable() -> None:
    """Settings are swapped whole, never changed."""
    with pytest.raises(ValidationError):
        settings().alpha = 0.1  # type: ignore[misc]


def test_redacted() -> None:
    """What is shown holds no secret and reads like the file."""
    shown = redacted(
        settings(
            live={**LIVE, "api_key": "hunter2"},
            dashboard={"token": "hunter2"},
            candidates=[{"name": "m", "api_key": "hunter2", "headers": {"X-Api-Key": "hunter2", "X-Team": "blue"}}],
            queue={"url": "redis://:hunter2@queue"},
            store={"url": "postgresql://u:hunter2@store/x"},
        )
    )
    assert "hunter2" not in str(shown)
    assert shown["live"]["api_key"] == shown["queue"]["url"] == "***"
    assert shown["store"]["url"] == shown["dashboard"]["token"] == "***"
    assert shown["candidates"][0]["headers"] == {"X-Api-Key": "***", "X-Team": "blue"}
    assert shown["live"]["timeout"]["idle"] == "2m"


def test_shown_settings_are_settings() -> None:
    """What is shown could be put into a file again."""
    first = settings(candidates=[{"name": "m", "sample": "20%"}], slices=["route"])
    assert Settings.model_validate(redacted(first)) == first


def test_json_schema() -> None:
    """The schema has every key of the file, and room for anchors."""
    schema = json_schema()
    assert set(schema["properties"]) == set(Settings.model_fields)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert "^x-" in schema["patternProperties"]
    assert "$defs" not in str(schema)
    assert schema["definitions"]["Timeout"]["properties"]["idle"]["default"] == "2m"


@pytest.mark.parametrize("key", [key for key in NOT_YET if "=" not in key])
def test_announced_keys_are_no_fields(key: str) -> None:
    """What is not available yet is not in the models at the same time."""
    kinds: Any = json_schema()
    table, _, name = key.rpartition(".")
    owner = {"candidates": "Candidate", "checks": "Check", "capture": "Capture", "queue": "Queue"}.get(table)
    assert name not in (kinds["definitions"][owner] if owner else kinds)["properties"]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("is-json", {"type": "is-json"}),
        (" not-is-json ", {"type": "not-is-json"}),
        ("contains:a:b", {"type": "contains", "value": "a:b"}),
        ("contains:two\nlines", {"type": "contains", "value": "two\nlines"}),
        ("levenshtein(5):x", {"type": "levenshtein", "threshold": 5.0, "value": "x"}),
        ("latency(2000)", {"type": "latency", "threshold": 2000.0}),
        ("shadow:text", {"type": "shadow:text"}),
        ("shadow:json(0.1)", {"type": "shadow:json", "threshold": 0.1}),
        ("not-trajectory:tool-used:search", {"type": "not-trajectory:tool-used", "value": "search"}),
        ("similar:cosine(0.8):x", {"type": "similar:cosine", "threshold": 0.8, "value": "x"}),
        ("Two words", {"type": "Two words"}),
        ({"type": "regex"}, {"type": "regex"}),
    ],
)
def test_the_short_form_is_spelled_out(short: Any, long: dict[str, Any]) -> None:
    """`type(threshold):value`; what is no short form is taken for a type, which the registry then names."""
    assert spelled_out(short) == long


def test_templates_are_filled_in() -> None:
    """What stands beside `$ref` wins; both spellings of the place are known, in members too."""
    templates = {"brief": {"type": "word-count", "value": {"max": 9}, "metric": "form"}}
    checks = [
        {"$ref": "#/templates/brief", "metric": "other"},
        {"type": "assert-set", "assert": [{"$ref": "#/assertionTemplates/brief", "weight": 2}, "is-json"]},
    ]
    found = Settings.model_validate({"live": LIVE, "templates": templates, "checks": checks}).checks
    assert (found[0].type, found[0].value, found[0].metric) == ("word-count", {"max": 9}, "other")
    assert [(one.type, one.weight) for one in found[1].members] == [("word-count", 2), ("is-json", 1)]


@pytest.mark.parametrize("reference", ["#/templates/absent", "brief.yaml", 5])
def test_a_template_that_is_not_there_is_named(reference: Any) -> None:
    """With the line that would mend it."""
    with pytest.raises(ValidationError, match=r"there is no template for \$ref"):
        Settings.model_validate({"live": LIVE, "checks": [{"$ref": reference}]})
