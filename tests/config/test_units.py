"""The small languages: tables of what is written and what it means, or the words of the refusal."""

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from config import units


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("250ms", 0.25),
        ("5s", 5.0),
        (" 2 m ", 120.0),
        ("1h", 3600.0),
        ("7d", 604800.0),
        ("1.5s", 1.5),
        pytest.param(0.25, 0.25, id="a float of a program"),
    ],
)
def test_seconds(written: Any, meant: float) -> None:
    """A duration has a unit and becomes seconds."""
    assert units.seconds(written) == pytest.approx(meant)


@pytest.mark.parametrize("written", ["5", "5 weeks", "", "s", "-5s", "٥s", 5, True, None, ["5s"]])
def test_no_seconds(written: Any) -> None:
    """What has no unit is refused with an example."""
    with pytest.raises(ValueError, match="250ms, 5s or 2m"):
        units.seconds(written)


@pytest.mark.parametrize(("length", "written"), [(0.25, "250ms"), (5.0, "5s"), (120.0, "2m"), (86400.0, "1d")])
def test_duration(length: float, written: str) -> None:
    """Seconds are written in the largest unit that stays whole."""
    assert units.duration(length) == written


@given(st.integers(1, 10**10))
def test_durations_both_ways(milliseconds: int) -> None:
    """What duration writes, seconds reads."""
    assert units.seconds(units.duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


def test_fractions_of_a_millisecond() -> None:
    """Below a millisecond the number has a fraction, never an exponent of another unit."""
    assert units.duration(0.00025) == "0.25ms"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("64KiB", 65536), ("1MiB", 1 << 20), ("2GB", 2 * 10**9), ("10B", 10), ("0.5KiB", 512), (4096, 4096)],
)
def test_size(written: Any, meant: int) -> None:
    """A size has a unit, or is bytes."""
    assert units.size(written) == meant


def test_no_size() -> None:
    """An unknown unit is refused with an example."""
    with pytest.raises(ValueError, match="64KiB or 1MiB"):
        units.size("5 potatoes")


@pytest.mark.parametrize(("written", "meant"), [("20%", 0.2), ("0.5 %", 0.005), (0.2, 0.2), (1, 1)])
def test_share(written: Any, meant: float) -> None:
    """A share is a percentage or a fraction."""
    assert units.share(written) == pytest.approx(meant)


def test_no_share() -> None:
    """A fraction in words is refused with an example."""
    with pytest.raises(ValueError, match=r"20% or 0\.2"):
        units.share("half")


ENVIRON = {"NAME": "value", "EMPTY": "", "_x1": "$$ ${NAME}"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("plain", "plain"),
        ("${NAME}", "value"),
        ("a-${NAME}-${NAME}", "a-value-value"),
        ("${NOPE:-default}", "default"),
        ("${EMPTY:-default}", "default"),
        ("${NAME:-default}", "value"),
        ("${NOPE:-}", ""),
        ("${NAME:?why}", "value"),
        ("$$", "$"),
        ("$${NAME}", "${NAME}"),
        ("cost in $", "cost in $"),
        ("^a$|b", "^a$|b"),
        pytest.param("${_x1}", "$$ ${NAME}", id="what a variable holds is not read again"),
    ],
)
def test_fill(written: str, meant: str) -> None:
    """Variables are replaced once; a dollar alone stays."""
    assert units.fill(written, ENVIRON) == meant


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("${NOPE}", "NOPE is not set; set it, or write ${NOPE:-default}"),
        ("${EMPTY}", "EMPTY is set but empty"),
        ("${NOPE:?ask the operator}", "NOPE is not set; ask the operator"),
        ("${EMPTY:?ask}", "EMPTY is set but empty; ask"),
        ("${NOPE:?}", "set it"),
        ("${1A}", "begins no variable"),
        ("${NAME", "begins no variable"),
        ("${A} ${B}", "A is not set; set it, or write ${A:-default}; the environment variable B"),
    ],
)
def test_not_filled(written: str, said: str) -> None:
    """Every variable that cannot be replaced is named, with the remedy."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        units.fill(written, ENVIRON)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("written", "has", "whole"),
    [
        ("x", False, False),
        ("$$", False, False),
        ("${A}", True, True),
        ("${A:-b}", True, True),
        ("${A}s", True, False),
        ("${A}${B}", True, False),
    ],
)
def test_variables(written: str, has: bool, whole: bool) -> None:
    """A text is known by whether the environment has a say in it, or all of it."""
    assert (units.has_variable(written), units.is_variable(written)) == (has, whole)


TYPES = [
    pytest.param(units.Duration, "5s", 5.0, id="duration"),
    pytest.param(units.Size, "1KiB", 1024, id="size"),
    pytest.param(units.Share, "5%", 0.05, id="share"),
    pytest.param(units.Name, "gpt-5.1_mini", "gpt-5.1_mini", id="name"),
    pytest.param(units.HttpUrl, "https://h.example:8443/v1", "https://h.example:8443/v1", id="url"),
    pytest.param(units.HttpUrl, "http://[::1]:80", "http://[::1]:80", id="url of an IPv6 host"),
    pytest.param(units.Address, "[::1]:8080", "[::1]:8080", id="address"),
    pytest.param(units.Address, "localhost:0", "localhost:0", id="address with any free port"),
    pytest.param(units.ShadowPath, "POST /**/messages", "POST /**/messages", id="path"),
    pytest.param(units.TopicWord, "re:charged? twice", "re:charged? twice", id="pattern"),
    pytest.param(units.TopicWord, "(", "(", id="word that would be no pattern"),
    pytest.param(units.SamplingKey, "header:X-User", "header:X-User", id="sampling key"),
    pytest.param(units.TagSource, "body:metadata.tenant", "body:metadata.tenant", id="tag source"),
    pytest.param(units.HeaderName, "OpenAI-Project", "OpenAI-Project", id="header name"),
    pytest.param(units.HeaderValue, "a b", "a b", id="header value"),
    pytest.param(units.ShadowPaths, "default", "default", id="default paths"),
    pytest.param(units.ShadowPaths, ["GET /x"], ["GET /x"], id="list of paths"),
    pytest.param(units.When, {"turn": 1, "stream": True}, {"turn": "1", "stream": "true"}, id="when, scalars"),
    pytest.param(units.When, {"turn": [1, "2"]}, {"turn": ["1", "2"]}, id="when, lists"),
]


@pytest.mark.parametrize(("kind", "written", "meant"), TYPES)
def test_types(kind: Any, written: Any, meant: Any) -> None:
    """Each type reads what its language allows."""
    assert TypeAdapter(kind).validate_python(written) == meant


@pytest.mark.parametrize(
    ("kind", "written", "said"),
    [
        (units.Duration, "0s", "greater than 0"),
        (units.Size, 0, "greater than 0"),
        (units.Share, "101%", "less than or equal to 1"),
        (units.Name, "Mini", "becomes part of file names"),
        (units.Name, "a..b", "becomes part of file names"),
        (units.Name, "mini.", "becomes part of file names"),
        (units.Name, "../x", "becomes part of file names"),
        (units.Name, "a\n", "becomes part of file names"),
        (units.Name, "a" * 64, "becomes part of file names"),
        (units.HttpUrl, "https://user:hunter2@host", "without credentials"),
        (units.HttpUrl, "ftp://host", "http or https"),
        (units.HttpUrl, "https://host?x=1", "query"),
        (units.HttpUrl, "https://host:99999", "host or port"),
        (units.HttpUrl, "https://:80", "host or port"),
        (units.Address, "8080", "HOST:PORT"),
        (units.Address, "localhost:65536", "65535"),
        (units.ShadowPath, "/v1/messages", "METHOD /glob"),
        (units.TopicWord, "re:(", "does not compile"),
        (units.TopicWord, "", "write a word"),
        (units.SamplingKey, "moon", "header:NAME"),
        (units.TagSource, "cookie:x", "body:path"),
        (units.HeaderName, "a b", "letters"),
        (units.HeaderValue, "a\r\nb", "one line"),
        (units.ShadowPaths, "all", "'default'"),
        (units.When, {"topic": {"a": "b"}}, "a value or a list of values"),
        (units.When, ["topic"], "dictionary"),
    ],
)
def test_types_refuse(kind: Any, written: Any, said: str) -> None:
    """Each type says how to write it right."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(written)
    assert said in caught.value.errors()[0]["msg"]


def test_bare_numbers_in_the_file() -> None:
    """A float is a duration in a program and none in the file."""
    kind: TypeAdapter[float] = TypeAdapter(units.Duration)
    assert kind.validate_python(5.0) == 5.0
    with pytest.raises(ValidationError, match="needs a unit"):
        kind.validate_python(5.0, context=units.FROM_FILE)


def test_written_back() -> None:
    """As JSON a duration has its unit and a secret has no content."""
    assert TypeAdapter(units.Duration).dump_python(120.0, mode="json") == "2m"
    secret = TypeAdapter(units.Secret).validate_python("hunter2")
    assert TypeAdapter(units.Secret).dump_python(secret, mode="json") == "***"


VARIABLE = {"type": "string", "pattern": r"\$\{"}


@pytest.mark.parametrize(
    ("node", "made"),
    [
        pytest.param({"title": "X", "type": "string"}, {"type": "string"}, id="titles go"),
        pytest.param({"type": "integer"}, {"anyOf": [{"type": "integer"}, VARIABLE]}, id="a number may be a variable"),
        pytest.param(
            {"enum": ["a"], "default": "a"},
            {"default": "a", "anyOf": [{"enum": ["a"]}, VARIABLE]},
            id="a choice may be a variable",
        ),
        pytest.param(
            {"$ref": "#/d", "default": {}}, {"default": {}, "allOf": [{"$ref": "#/d"}]}, id="no siblings of a reference"
        ),
        pytest.param({"$ref": "#/d"}, {"$ref": "#/d"}, id="a reference alone stays"),
        pytest.param(
            {"properties": {"title": {"type": "string"}}},
            {"properties": {"title": {"type": "string"}}},
            id="a key may be called title",
        ),
        pytest.param({"anyOf": [{"type": "null"}], "ge": 0}, {"anyOf": [{"type": "null"}], "minimum": 0}, id="bounds"),
        pytest.param(True, True, id="not a table"),
    ],
)
def test_draft_07(node: Any, made: Any) -> None:
    """A schema is put into the words of draft-07."""
    assert units.draft_07(node) == made


def test_patterns_in_a_schema() -> None:
    """An editor learns the pattern that load checks."""
    assert TypeAdapter(units.TagSource).json_schema()["pattern"] == r"^((header|body):\S+)$"


def test_durations_in_a_schema() -> None:
    """The default of a duration is shown as a person would write it."""
    schema = units.draft_07(TypeAdapter(Annotated[units.Duration, "x"]).json_schema() | {"default": 120.0})
    assert schema["default"] == "2m"


@pytest.mark.parametrize(
    ("url", "sound"),
    [
        ("http://proxy:3128", True),
        ("http://user:pass@proxy:3128/", True),
        ("https://proxy:3128", False),
        ("proxy:3128", False),
        ("http://proxy:99999", False),
        ("http://proxy/path", False),
        ("http://[proxy", False),
    ],
)
def test_egress_proxies(url: str, sound: bool) -> None:
    """An HTTP proxy with or without credentials; the text of a mistake never repeats them."""
    if sound:
        assert TypeAdapter(units.ProxyUrl).validate_python(url).get_secret_value() == url
        return
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(units.ProxyUrl).validate_python(url)
    assert caught.value.errors()[0]["msg"].endswith("where it asks for them")
