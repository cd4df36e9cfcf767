"""The LiteLLM library towards five vendors' APIs, offline: prices from its own copy, no telemetry."""

from __future__ import annotations

import asyncio
import os
from typing import Any

os.environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False", "LITELLM_LOG": "CRITICAL"}

import litellm

from tests.clients.matrix.players import ASK, KEY, TOOL, Play, collected, with_models

litellm.telemetry = False
litellm.suppress_debug_info = True

_TIMED = {"_hidden_params", "created", "id"}
"""Made up by the library itself: the clock and lots."""


_PREFIXES = {"openai": "/v1", "mistral": "/v1", "anthropic": "", "gemini": "/v1beta", "cohere_chat": "/v2/chat"}
"""What the library wants after an upstream's root, by vendor."""


def _bare(answer: Any) -> Any:
    return {key: value for key, value in answer.model_dump().items() if key not in _TIMED}


def _asked(base: str, model: str, more: dict[str, Any]) -> dict[str, Any]:
    address = base + _PREFIXES[model.partition("/")[0]]
    return {"model": model, "messages": ASK, "api_base": address, "api_key": KEY, "num_retries": 0, **more}


def _chat(base: str, model: str = "openai/atlas-1", **more: Any) -> Any:
    return _bare(litellm.completion(**_asked(base, model, {"max_retries": 0, **more})))


def _stream(base: str, model: str = "openai/atlas-1", **more: Any) -> Any:
    chunks = litellm.completion(**_asked(base, model, {"max_retries": 0, "stream": True, **more}))
    return collected(chunks, _bare)


def _async_stream(base: str, model: str) -> Any:
    async def play() -> Any:
        chunks = await litellm.acompletion(**_asked(base, model, {"max_retries": 0, "stream": True}))
        return [_bare(chunk) async for chunk in chunks]

    return asyncio.run(play())


def _embeddings(base: str) -> Any:
    return _bare(litellm.embedding(model="openai/atlas-1", input=["Oslo"], api_base=f"{base}/v1", api_key=KEY))


def _response(base: str) -> Any:
    return litellm.responses(model="openai/atlas-1", input="Where?", api_base=f"{base}/v1", api_key=KEY)


WELL: dict[str, Play] = {
    "chat": _chat,
    "chat tools": lambda base: _chat(base, tools=[TOOL]),
    "chat stream": _stream,
    "chat stream tools": lambda base: _stream(base, tools=[TOOL]),
    "responses": _response,
    "embeddings": _embeddings,
    **with_models(
        _chat,
        {"Claude chat": "anthropic/atlas-1", "Mistral chat": "mistral/mistral-atlas", "Cohere chat": "cohere_chat/a"},
    ),
    **with_models(_stream, {"Claude stream": "anthropic/atlas-1", "Gemini stream": "gemini/atlas-1"}),
    **with_models(_async_stream, {"chat stream async": "openai/atlas-1", "Claude stream async": "anthropic/atlas-1"}),
}
BADLY: dict[str, Play] = {
    **with_models(_chat, {"429": "openai/limited", "500": "openai/broken", "Claude 429": "anthropic/limited"}),
    **with_models(_stream, {"cut stream": "openai/cut", "malformed stream": "openai/malformed"}),
    **with_models(_async_stream, {"Claude cut stream async": "anthropic/cut"}),
}
