"""The Anthropic SDK, synchronous; its asynchronous half is in the normal tests."""

from __future__ import annotations

from typing import Any

import anthropic

from tests.clients.matrix.players import ASK, CITY, KEY, Play, collected, with_models

_TOOLS = [{"name": "get_weather", "input_schema": CITY}]


def _client(base: str, retries: int = 0) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=base, api_key=KEY, max_retries=retries)


def _message(base: str, model: str = "atlas-1", **more: Any) -> Any:
    client = _client(base, 1 if model == "flaky" else 0)
    return client.messages.create(model=model, messages=ASK, max_tokens=99, **more)


def _stream(base: str, model: str = "atlas-1") -> Any:
    return collected(_message(base, model, stream=True))


def _tools(base: str) -> Any:
    with _client(base).messages.stream(model="atlas-1", messages=ASK, max_tokens=99, tools=_TOOLS) as stream:
        return [*stream, stream.get_final_message()]


def _left(base: str) -> Any:
    with _message(base, stream=True) as stream:
        return next(iter(stream))


WELL: dict[str, Play] = {
    "chat": _message,
    "chat tools": lambda base: _message(base, tools=_TOOLS),
    "chat stream": _stream,
    "chat stream tools": _tools,
    "chat left early": _left,
    "tokens counted": lambda base: _client(base).messages.count_tokens(model="atlas-1", messages=ASK),
    "file upload": lambda base: _client(base).beta.files.upload(file=("notes.txt", b"notes\r\n" * 300_000)),
    "models": lambda base: [model.id for model in _client(base).models.list()],
    **with_models(_message, {"packed": "zipped", "tried again": "flaky"}),
    **with_models(_stream, {"packed stream": "zipped"}),
}
BADLY: dict[str, Play] = {
    **with_models(_message, {"429": "limited", "500": "broken", "cut": "cut"}),
    **with_models(_stream, {"429 stream": "limited", "cut stream": "cut", "malformed stream": "malformed"}),
}
