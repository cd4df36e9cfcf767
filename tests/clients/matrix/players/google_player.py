"""Google's Gen AI SDK, synchronous and asynchronous: the two halves stand on different HTTP libraries."""

from __future__ import annotations

import asyncio
from typing import Any

from google import genai
from google.genai import types

from tests.clients.matrix.players import CITY, KEY, Play, collected, with_models

_ASK = "Greetings from where?"
_DECLARED = types.FunctionDeclaration(name="get_weather", parameters_json_schema=CITY)
_TOOLS = types.GenerateContentConfig(
    tools=[types.Tool(function_declarations=[_DECLARED])],
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
)


def _client(base: str) -> genai.Client:
    return genai.Client(api_key=KEY, vertexai=False, http_options=types.HttpOptions(base_url=base))


def _bare(answer: Any) -> Any:
    """Without the raw HTTP answer, whose headers hold the date."""
    return answer.model_dump(exclude={"sdk_http_response"})


def _chat(base: str, model: str = "atlas-1", config: Any = None) -> Any:
    with _client(base) as client:
        return _bare(client.models.generate_content(model=model, contents=_ASK, config=config))


def _stream(base: str, model: str = "atlas-1", config: Any = None) -> Any:
    with _client(base) as client:
        answers = client.models.generate_content_stream(model=model, contents=_ASK, config=config)
        return collected(answers, _bare)


def _async_chat(base: str, model: str = "atlas-1") -> Any:
    async def play() -> Any:
        async with _client(base).aio as client:
            return _bare(await client.models.generate_content(model=model, contents=_ASK))

    return asyncio.run(play())


def _async_stream(base: str, model: str = "atlas-1") -> Any:
    async def play() -> Any:
        async with _client(base).aio as client:
            answers = await client.models.generate_content_stream(model=model, contents=_ASK)
            return [_bare(answer) async for answer in answers]

    return asyncio.run(play())


def _embeddings(base: str) -> Any:
    with _client(base) as client:
        return _bare(client.models.embed_content(model="atlas-1", contents=["Oslo"]))


def _count(base: str) -> Any:
    with _client(base) as client:
        return _bare(client.models.count_tokens(model="atlas-1", contents=_ASK))


WELL: dict[str, Play] = {
    "chat": _chat,
    "chat tools": lambda base: _chat(base, config=_TOOLS),
    "chat stream": _stream,
    "chat stream tools": lambda base: _stream(base, config=_TOOLS),
    "chat async": _async_chat,
    "chat stream async": _async_stream,
    "embeddings": _embeddings,
    "tokens counted": _count,
    **with_models(_chat, {"packed": "zipped"}),
    **with_models(_stream, {"packed stream": "zipped"}),
}
BADLY: dict[str, Play] = {
    **with_models(_chat, {"429": "limited", "500": "broken", "cut": "cut"}),
    **with_models(_stream, {"429 stream": "limited", "cut stream": "cut", "malformed stream": "malformed"}),
    **with_models(_async_chat, {"429 async": "limited"}),
    **with_models(_async_stream, {"cut stream async": "cut"}),
}
