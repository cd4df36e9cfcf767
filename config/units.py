"""The small languages inside scalars: `5s`, `64KiB`, `20%`, `host:port`, `${VAR}`. Used by settings and load.

Every reader raises ValueError with a text that says how to write it right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    SecretStr,
    Tag,
    ValidationInfo,
)
from pydantic_core import core_schema

from config import hosts

FROM_FILE: Mapping[str, Any] = MappingProxyType({})
"""The validation context of values that a person wrote: there a bare number is no duration."""

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 10**3, "MB": 10**6, "GB": 10**9}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", re.ASCII)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%", re.ASCII)
_VARIABLE = re.compile(r"\$\$|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)([^}]*))?\})?")


def seconds(value: Any) -> Any:
    """`250ms`, `5s`, `2m`, `1h`, `7d` to seconds.

    A float passes, because defaults and programs are in seconds already; load refuses bare numbers in the file,
    where nobody remembers whether it would be seconds or milliseconds.
    """
    if isinstance(value, str):
        amount, unit = _amount(value, _SECONDS, "250ms, 5s or 2m")
        return amount * _SECONDS[unit]
    if not isinstance(value, float):
        raise ValueError(f"{value!r} needs a unit; write it like 250ms, 5s or 2m")
    return value


def _seconds(value: Any, info: ValidationInfo) -> Any:
    if info.context is FROM_FILE and isinstance(value, float):
        raise ValueError(f"{value!r} needs a unit; write it like 250ms, 5s or 2m")
    return seconds(value)


def duration(value: float) -> str:
    """The reverse of seconds, in the largest unit that stays whole: 120.0 to `2m`."""
    for unit, length in sorted(_SECONDS.items(), key=lambda item: -item[1]):
        if value >= length and (value / length).is_integer():
            return f"{value / length:.0f}{unit}"
    return f"{value * 1000:.10g}ms"


def size(value: Any) -> Any:
    """`64KiB`, `1MiB` to bytes; a bare whole number is bytes."""
    if isinstance(value, str):
        amount, unit = _amount(value, _BYTES, "64KiB or 1MiB")
        return int(amount * _BYTES[unit])
    return value


def share(value: Any) -> Any:
    """`20%` or `0.2` to a number in [0, 1]."""
    if isinstance(value, str):
        match = _PERCENT.fullmatch(value.strip())
        if match is None:
            raise ValueError(f"{value!r} is not understood; write it like 20% or 0.2")
        return float(match[1]) / 100
    return value


def fill(text: str, environ: Mapping[str, str]) -> str:
    """`text` with `${VAR}`, `${VAR:-default}`, `${VAR:?why}` and `$$` replaced; a lone `$` stays.

    `:-` and `:?` act when the variable is unset or empty (as in a shell). A plain `${VAR}` must be set and not
    empty: an empty secret would silently switch protection off.
    """
    wrong: list[str] = []

    def one(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        if match[1] is None:
            wrong.append(
                "this ${ begins no variable; write ${NAME}, ${NAME:-default}, ${NAME:?why}, or $${ for the text"
            )
            return ""
        value = environ.get(match[1], "")
        if value or match[2] == ":-":
            return value or match[3]
        state = "set but empty" if match[1] in environ else "not set"
        remedy = match[3] or f"set it, or write ${{{match[1]}:-default}}"
        wrong.append(f"the environment variable {match[1]} is {state}; {remedy}")
        return ""

    filled = _VARIABLE.sub(one, text)
    if wrong:
        raise ValueError("; ".join(wrong))
    return filled


def has_variable(text: str) -> bool:
    """True when the environment has a say in this text (`$$` has none)."""
    return any(match[1] is not None for match in _VARIABLE.finditer(text))


def is_variable(text: str) -> bool:
    """True when the text is one variable and nothing else: then its value has a type of its own."""
    match = _VARIABLE.fullmatch(text)
    return match is not None and match[1] is not None


def draft_07(node: Any) -> Any:
    """A pydantic schema in the words of JSON Schema draft-07, with a `${VARIABLE}` allowed where text is not free."""
    if isinstance(node, list):
        return [draft_07(one) for one in node]
    if not isinstance(node, dict):
        return node
    about = {key: node[key] for key in ("description", "default") if key in node}
    if isinstance(about.get("default"), float) and node.get("pattern") == DURATION_PATTERN:
        about["default"] = duration(about["default"])
    named = {key: {name: draft_07(one) for name, one in node[key].items()} for key in _NAMED if key in node}
    rest = {_BOUNDS.get(key, key): draft_07(node[key]) for key in node if key not in {"title", *about, *named}}
    if rest.get("type") in _TYPED or rest.keys() & {"pattern", "enum", "const"}:
        rest = {"anyOf": [rest, _VARIABLE_TEXT]}
    if "$ref" in rest and about:
        rest = {"allOf": [rest]}  # siblings of $ref have no effect in draft-07
    return {**about, **rest, **named}


@dataclass(frozen=True, slots=True)
class Shape:
    """A text field's pattern together with the sentence that tells a person how to meet it."""

    pattern: str
    remedy: str

    def check(self, value: str) -> str:
        """The value itself; the text of the error never repeats it, as it may hold a credential."""
        if re.fullmatch(self.pattern, value, re.ASCII) is None:
            raise ValueError(self.remedy)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Validate the text first, then its shape."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Let editors know the pattern too."""
        return {**handler(schema), "pattern": f"^({self.pattern})$"}


def _amount(value: str, units: Mapping[str, float], example: str) -> tuple[float, str]:
    match = _AMOUNT.fullmatch(value.strip())
    if match is None or match[2] not in units:
        raise ValueError(f"{value!r} is not understood; write it like {example} (units: {', '.join(units)})")
    return float(match[1]), match[2]


def _with_port(address: str) -> str:
    if int(address.rpartition(":")[2]) > 65535:
        raise ValueError("the port is above 65535; write a port from 0 (any free one) to 65535")
    return address


def _reachable(url: str) -> str:
    try:
        parts, port = urlsplit(url), urlsplit(url).port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(hosts.NOT_A_HOST)
    hosts.check(parts.netloc if port is None else parts.netloc.rpartition(":")[0])
    return url


def _forward_proxy(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url.get_secret_value())
        sound = parts.scheme == "http" and parts.hostname and parts.port != 0 and parts.path in ("", "/")
    except ValueError:
        sound = False
    if not sound:
        raise ValueError("write it like http://proxy.example:3128, with user:password@ where it asks for them")
    return url


def _pattern(word: str) -> str:
    try:
        re.compile(word.removeprefix("re:") if word.startswith("re:") else "")
    except re.error as error:
        raise ValueError(f"this pattern does not compile ({error}); mend it, or leave out `re:` for a word") from error
    return word


def _texts(value: Any) -> Any:
    """`turn: 1` and `stream: true` are meant as the texts that slices have."""
    if not isinstance(value, dict):
        return value
    return {key: [_text(one) for one in many] if isinstance(many, list) else _text(many) for key, many in value.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int):
        return str(value)
    raise ValueError("a slice has a value or a list of values: write `topic: billing` or `topic: [billing, refunds]`")


_NAMED = ("properties", "patternProperties")  # their keys are names of the file, not keywords
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_TYPED = frozenset({"integer", "number", "boolean"})
_VARIABLE_TEXT = {"type": "string", "pattern": r"\$\{"}

DURATION_PATTERN = r"^\s*\d+(\.\d+)?\s*(ms|s|m|h|d)\s*$"
_DurationText = Annotated[str, Field(pattern=DURATION_PATTERN)]
_SizeText = Annotated[str, Field(pattern=r"^\s*\d+(\.\d+)?\s*(B|KiB|MiB|GiB|kB|MB|GB)\s*$")]
_ShareText = Annotated[str, Field(pattern=r"^\s*\d+(\.\d+)?\s*%\s*$")]

Duration = Annotated[
    float,
    BeforeValidator(_seconds, json_schema_input_type=_DurationText),
    Field(gt=0, allow_inf_nan=False),
    PlainSerializer(duration, when_used="json"),
]
Size = Annotated[int, BeforeValidator(size, json_schema_input_type=_SizeText | int), Field(gt=0)]
Room = Annotated[int, BeforeValidator(size, json_schema_input_type=_SizeText | int), Field(ge=0)]
"""A size that may be nothing."""
Share = Annotated[float, BeforeValidator(share, json_schema_input_type=_ShareText | float), Field(ge=0, le=1)]

Name = Annotated[
    str,
    Shape(
        r"[a-z0-9](?:[a-z0-9_-]|\.(?=[a-z0-9_-])){0,62}",
        "a name becomes part of file names, metrics and reports: write up to 63 of a-z, 0-9, `-`, `_` and single "
        "inner dots, beginning with a letter or digit",
    ),
]
Secret = Annotated[SecretStr, PlainSerializer(lambda _: "***", return_type=str, when_used="json")]
HttpUrl = Annotated[
    str,
    Shape(
        r"https?://[^\s/?#@]+(/[^\s?#]*)?",
        "write it like https://api.example.com/v1: http or https, without credentials, query or fragment "
        "(credentials go to `api_key`)",
    ),
    AfterValidator(_reachable),
]
ProxyUrl = Annotated[
    Secret,
    AfterValidator(_forward_proxy),
]
"""An HTTP proxy on the way out, like http://user:password@proxy.example:3128."""

MountPath = Annotated[
    str,
    Shape(
        r"(/[A-Za-z0-9._~-]+)+",
        "write it like /openai: segments of letters, digits, `.`, `_`, `~`, `-`, and no slash at the end",
    ),
]
Address = Annotated[
    str,
    Shape(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):\d{1,5}", "write it as HOST:PORT, like 127.0.0.1:8080 or [::1]:8080"),
    AfterValidator(_with_port),
]
ShadowPath = Annotated[
    str, Shape(r"[A-Z]+ /\S*", "write it as METHOD /glob, like `POST /v1/chat/completions` or `POST /**/messages`")
]
TopicWord = Annotated[str, Shape(r"(re:)?[\s\S]+", "write a word, or a pattern after `re:`"), AfterValidator(_pattern)]
SamplingKey = Annotated[
    str, Shape(r"conversation|user|call|header:[A-Za-z0-9_-]+", "write conversation, user, call, or header:NAME")
]
TagSource = Annotated[str, Shape(r"(header|body):\S+", "write header:NAME or body:path.to.field")]
HeaderName = Annotated[str, Shape(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", "a header name has only letters, digits and `-_.`")]
HeaderValue = Annotated[str, Shape(r"[^\r\n\x00]*", "a header value is one line: take out the line break")]
ShadowPaths = Annotated[
    Annotated[Literal["default"], Tag("default")] | Annotated[list[ShadowPath], Tag("list")],
    Discriminator(lambda value: "default" if isinstance(value, str) else "list"),
]
When = Annotated[dict[str, str | list[str]], BeforeValidator(_texts)]
"""A check applies only where every given slice has this value (or one of these)."""
