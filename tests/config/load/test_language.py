"""What the settings expect at a place."""

import pytest

from config.load.language import is_secret, is_text, keys_at
from config.load.mistake import Place


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (("data",), True),
        (("live", "base_url"), True),
        (("candidates", 0, "name"), True),
        (("candidates", 0, "headers", "X-Build"), True),
        (("candidates", 0, "api_key"), True),
        (("candidates", 0, "dialect"), True),
        (("candidates", 0, "unset", 2), True),
        (("topics", "years", 0), True),
        (("shadow_paths",), True),
        (("shadow_paths", 0), True),
        (("checks", 0, "when", "turn"), True),
        (("checks", 0, "value"), False),
        (("checks", 0, "threshold"), False),
        (("candidates", 0, "set", "temperature"), False),
        (("candidates", 0, "set", "nested", "deeper"), False),
        (("candidates", 0, "max_in_flight"), False),
        (("live", "timeout", "idle"), False),
        (("live",), False),
        (("nonsense",), False),
        (("candidates", "name"), False),
        ((), False),
    ],
    ids=str,
)
def test_is_text(place: Place, text: bool) -> None:
    """Only where the settings want letters is a number one."""
    assert is_text(place) is text


@pytest.mark.parametrize(
    ("place", "secret"),
    [
        (("live", "api_key"), True),
        (("candidates", 3, "api_key"), True),
        (("dashboard", "token"), True),
        (("queue", "url"), True),
        (("store", "url"), True),
        (("live", "base_url"), False),
        (("candidates", 0, "set", "api_key"), False),
    ],
    ids=str,
)
def test_is_secret(place: Place, secret: bool) -> None:
    """Secrets are the fields that the models call so."""
    assert is_secret(place) is secret


@pytest.mark.parametrize(
    ("place", "keys"),
    [
        (("store",), ("url",)),
        (("prices", "gpt"), ("input", "output")),
        (("live", "timeout"), ("connect", "first_byte", "idle")),
        (("topics",), ()),
        (("data", "x"), ()),
    ],
    ids=str,
)
def test_keys(place: Place, keys: tuple[str, ...]) -> None:
    """A table knows its keys; a map knows none."""
    assert keys_at(place) == keys
