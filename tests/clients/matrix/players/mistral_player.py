"""Mistral's SDK."""

from __future__ import annotations

from typing import Any

from mistralai.client import Mistral

from tests.clients.matrix.players import ASK, KEY, TOOL, Play, collected, with_models

_MODEL = "mistral-atlas"


def _client(base: str) -> Mistral:
    return Mistral(api_key=KEY, server_url=base)


def _chat(base: str, model: str = _MODEL, **more: Any) -> Any:
    return _client(base).chat.complete(model=model, messages=ASK, **more)


def _stream(base: str, model: str = _MODEL, **more: Any) -> Any:
    with _client(base).chat.stream(model=model, messages=ASK, **more) as events:
        return collected(events)


WELL: dict[str, Play] = {
    "chat": _chat,
    "chat tools": lambda base: _chat(base, tools=[TOOL]),
    "chat stream": _stream,
    "chat stream tools": lambda base: _stream(base, tools=[TOOL]),
    "embeddings": lambda base: _client(base).embeddings.create(model=_MODEL, inputs=["Oslo"]),
    **with_models(_chat, {"packed": "zipped"}),
    **with_models(_stream, {"packed stream": "zipped"}),
}
BADLY: dict[str, Play] = {
    **with_models(_chat, {"429": "limited", "500": "broken", "cut": "cut"}),
    **with_models(_stream, {"429 stream": "limited", "cut stream": "cut", "malformed stream": "malformed"}),
}
