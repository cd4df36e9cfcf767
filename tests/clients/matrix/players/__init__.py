"""One module per client library: `WELL` are the cases that give objects, `BADLY` those that end in an error.

Each case is a function of a base URL without a final slash. Run by tests.clients.matrix.play in an environment of its
own, where our own packages are not installed.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Play = Callable[[str], Any]

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": CITY}}
ASK = [{"role": "user", "content": "Greetings from where?"}]
KEY = "sk-client"


def with_models(play: Callable[[str, str], Any], models: Mapping[str, str]) -> dict[str, Play]:
    """One case per odd model: the case's name to the model's."""
    return {name: lambda base, model=model: play(base, model) for name, model in models.items()}


class BrokenOff(Exception):
    """A stream that ended in an error, which is the cause; `before` are the events until then."""

    def __init__(self, before: list[Any]) -> None:
        super().__init__()
        self.before = before


def collected(stream: Iterable[Any], bare: Callable[[Any], Any] = lambda event: event) -> list[Any]:
    """The events of a stream; raises BrokenOff."""
    seen = []
    try:
        for event in stream:
            seen.append(bare(event))
    except Exception as error:
        raise BrokenOff(seen) from error
    return seen


def plain(value: Any) -> Any:
    """What a caller holds in hand, as JSON; bytes as their length and digest."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, bytes):
        return f"{len(value)} bytes, SHA-256 {hashlib.sha256(value).hexdigest()}"
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if hasattr(value, "model_dump"):
        return plain(value.model_dump())
    if dataclasses.is_dataclass(value):
        return plain(vars(value))
    return f"{type(value).__name__}: {value}"


def error(raised: BaseException) -> dict[str, Any]:
    """Everything that an application can see of an error."""
    if isinstance(raised, BrokenOff) and raised.__cause__ is not None:
        return {"before": plain(raised.before), **error(raised.__cause__)}
    answer = getattr(raised, "response", None)
    headers = getattr(answer, "headers", None) or getattr(raised, "headers", None) or {}
    return {
        "error": type(raised).__qualname__,
        "message": str(raised),
        "status": plain(getattr(raised, "status_code", getattr(raised, "code", None))),
        "body": plain(getattr(raised, "body", None)),
        "retry-after": headers.get("retry-after"),
        "cause": type(raised.__cause__).__qualname__,
    }
