"""Cohere's SDK, second API."""

from __future__ import annotations

from typing import Any

import cohere

from tests.clients.matrix.players import ASK, KEY, TOOL, Play, collected, with_models

_NO_RETRIES: Any = {"max_retries": 0}


def _client(base: str) -> cohere.ClientV2:
    return cohere.ClientV2(api_key=KEY, base_url=base)


def _chat(base: str, model: str = "atlas-1", **more: Any) -> Any:
    return _client(base).chat(model=model, messages=ASK, request_options=_NO_RETRIES, **more)


def _stream(base: str, model: str = "atlas-1", **more: Any) -> Any:
    return collected(_client(base).chat_stream(model=model, messages=ASK, request_options=_NO_RETRIES, **more))


def _embeddings(base: str) -> Any:
    return _client(base).embed(model="atlas-1", texts=["Oslo"], input_type="search_query", embedding_types=["float"])


WELL: dict[str, Play] = {
    "chat": _chat,
    "chat tools": lambda base: _chat(base, tools=[TOOL]),
    "chat stream": _stream,
    "chat stream tools": lambda base: _stream(base, tools=[TOOL]),
    "embeddings": _embeddings,
    **with_models(_chat, {"packed": "zipped"}),
    **with_models(_stream, {"packed stream": "zipped", "malformed stream": "malformed"}),  # it goes on after a warning
}
BADLY: dict[str, Play] = {
    **with_models(_chat, {"429": "limited", "500": "broken", "cut": "cut"}),
    **with_models(_stream, {"429 stream": "limited", "cut stream": "cut"}),
}
