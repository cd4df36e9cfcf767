"""The official Python SDKs get the same objects and the same errors through the proxy as without it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anthropic
import openai
import pytest

from tests.clients.conftest import Doors

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
CLAUDE_TOOLS = [{"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]
ASK = [{"role": "user", "content": "Greetings from where?"}]
ERRORS = ("bad", "denied", "missing", "unprocessable", "limited", "broken", "overloaded")

OpenAICall = Callable[[openai.AsyncOpenAI, str], Awaitable[Any]]
ClaudeCall = Callable[[anthropic.AsyncAnthropic, str], Awaitable[Any]]


async def _collected(stream: AsyncIterator[Any]) -> list[Any]:
    return [event.model_dump() async for event in stream]


async def _chat(client: openai.AsyncOpenAI, model: str) -> Any:
    return (await client.chat.completions.create(model=model, messages=ASK)).model_dump()


async def _chat_tools(client: openai.AsyncOpenAI, model: str) -> Any:
    return (await client.chat.completions.create(model=model, messages=ASK, tools=TOOLS)).model_dump()


async def _chat_stream(client: openai.AsyncOpenAI, model: str) -> Any:
    options = {"include_usage": True}
    return await _collected(
        await client.chat.completions.create(model=model, messages=ASK, stream=True, stream_options=options)
    )


async def _chat_stream_tools(client: openai.AsyncOpenAI, model: str) -> Any:
    return await _collected(await client.chat.completions.create(model=model, messages=ASK, tools=TOOLS, stream=True))


async def _response(client: openai.AsyncOpenAI, model: str) -> Any:
    return (await client.responses.create(model=model, input="Where?")).model_dump()


async def _response_stream(client: openai.AsyncOpenAI, model: str) -> Any:
    return await _collected(await client.responses.create(model=model, input="Where?", stream=True))


async def _embedding(client: openai.AsyncOpenAI, model: str) -> Any:
    return (await client.embeddings.create(model=model, input="Oslo", encoding_format="float")).model_dump()


async def _models(client: openai.AsyncOpenAI, model: str) -> Any:
    return [found.model_dump() async for found in client.models.list()]


async def _raw_headers(client: openai.AsyncOpenAI, model: str) -> Any:
    raw = await client.chat.completions.with_raw_response.create(model=model, messages=ASK)
    return {name: value for name, value in raw.headers.items() if name.lower() != "date"}


async def _message(client: anthropic.AsyncAnthropic, model: str) -> Any:
    return (await client.messages.create(model=model, messages=ASK, max_tokens=99)).model_dump()


async def _message_tools(client: anthropic.AsyncAnthropic, model: str) -> Any:
    return (await client.messages.create(model=model, messages=ASK, max_tokens=99, tools=CLAUDE_TOOLS)).model_dump()


async def _message_stream(client: anthropic.AsyncAnthropic, model: str) -> Any:
    return await _collected(await client.messages.create(model=model, messages=ASK, max_tokens=99, stream=True))


async def _message_stream_tools(client: anthropic.AsyncAnthropic, model: str) -> Any:
    async with client.messages.stream(model=model, messages=ASK, max_tokens=99, tools=CLAUDE_TOOLS) as stream:
        return (await stream.get_final_message()).model_dump()


OPENAI_CALLS = {
    "chat": _chat,
    "chat with tools": _chat_tools,
    "chat streamed": _chat_stream,
    "chat streamed with tools": _chat_stream_tools,
    "responses": _response,
    "responses streamed": _response_stream,
    "embeddings": _embedding,
    "models": _models,
    "raw headers": _raw_headers,
}
CLAUDE_CALLS = {
    "message": _message,
    "message with tools": _message_tools,
    "message streamed": _message_stream,
    "message streamed with tools": _message_stream_tools,
}


async def _what_happens(call: Callable[[Any, str], Awaitable[Any]], client: Any, model: str) -> Any:
    """The result, or everything that an application can see of the error."""
    try:
        return await call(client, model)
    except (openai.APIStatusError, anthropic.APIStatusError) as error:
        return (
            type(error).__name__,
            error.status_code,
            error.body,
            str(error),
            error.response.headers.get("retry-after"),
        )
    except (openai.APIError, anthropic.APIError) as error:
        return type(error).__name__, str(error)
    except Exception as error:  # the SDKs let the transport's own errors through while a stream is read
        return type(error).__name__


@pytest.mark.parametrize("call", OPENAI_CALLS.values(), ids=OPENAI_CALLS.keys())
async def test_openai_sdk_gets_the_same_objects(call: OpenAICall, doors: Doors) -> None:
    """Every call gives the same object directly and through the proxy."""
    direct, proxied = [await _what_happens(call, client, "atlas-1") for client in doors.openai()]
    assert isinstance(direct, dict | list)
    assert proxied == direct


@pytest.mark.parametrize("model", [*ERRORS, "cut"])
@pytest.mark.parametrize("call", [_chat, _chat_stream, _response, _embedding])
async def test_openai_sdk_gets_the_same_errors(call: OpenAICall, model: str, doors: Doors) -> None:
    """Every provider error is the same exception with the same contents."""
    direct, proxied = [await _what_happens(call, client, model) for client in doors.openai()]
    assert proxied == direct


@pytest.mark.parametrize("call", CLAUDE_CALLS.values(), ids=CLAUDE_CALLS.keys())
async def test_anthropic_sdk_gets_the_same_objects(call: ClaudeCall, doors: Doors) -> None:
    """Every call gives the same object directly and through the proxy."""
    direct, proxied = [await _what_happens(call, client, "atlas-1") for client in doors.anthropic()]
    assert isinstance(direct, dict | list)
    assert proxied == direct


@pytest.mark.parametrize("model", [*ERRORS, "cut", "fails-midway"])
@pytest.mark.parametrize("call", [_message, _message_stream, _message_stream_tools])
async def test_anthropic_sdk_gets_the_same_errors(call: ClaudeCall, model: str, doors: Doors) -> None:
    """Every provider error is the same exception with the same contents."""
    direct, proxied = [await _what_happens(call, client, model) for client in doors.anthropic()]
    assert proxied == direct
